//! Whole answers about a small household.

use domain::{
    Command,
    command::{EntryPatch, ImportLine, ImportStart, Reading, Sorting},
    entry::{CategoryKind, EntryKind},
    id::{AccountId, CategoryId, EntryId},
    text::Text,
};
use serde_json::{Value, json};

use crate::household::{Household, draft, expense, settings, split};

struct Fixed {
    home: Household,
    bank: AccountId,
    cash: AccountId,
    dollars: AccountId,
    food: CategoryId,
    groceries: CategoryId,
    restaurants: CategoryId,
    rent: CategoryId,
    salary: CategoryId,
    market: EntryId,
    removed: EntryId,
}

/// November 2026: a salary, the rent, a split shopping trip, a meal, a refund, a transfer, a dollar bill, one entry
/// removed, and a market in October.
async fn fixed() -> Fixed {
    let mut home = Household::with(settings()).await;
    let bank = home.account("Bank", "EUR", Some("1000"));
    let cash = home.account("Cash", "EUR", None);
    let dollars = home.account("Travel", "USD", None);
    let food = home.category("Food", CategoryKind::Expense, None);
    let groceries = home.category("Groceries", CategoryKind::Expense, Some(food));
    let restaurants = home.category("Restaurants", CategoryKind::Expense, Some(food));
    let rent = home.category("Rent", CategoryKind::Expense, None);
    let salary = home.category("Salary", CategoryKind::Income, None);

    home.add(expense("2026-10-30", cash, groceries, "20"));
    home.add(draft(EntryKind::Income, "2026-11-01", bank, Sorting::Whole(salary), "2500"));
    home.add(expense("2026-11-02", bank, rent, "800"));
    let mut market = draft(
        EntryKind::Expense,
        "2026-11-20",
        bank,
        split(&[(groceries, "30"), (restaurants, "12.50")]),
        "42.50",
    );
    market.payee = Some(Text::known("Markt & Küche"));
    market.tags = vec![Text::known("weekend"), Text::known("family")];
    let market = home.add(market);
    let mut meal = expense("2026-11-23", cash, restaurants, "57.50");
    meal.payee = Some(Text::known("Luigi"));
    home.add(meal);
    home.add(draft(EntryKind::Refund, "2026-11-23", bank, Sorting::Whole(groceries), "10"));
    let mut transfer = draft(EntryKind::Transfer, "2026-11-10", bank, Sorting::Unsorted, "100");
    transfer.to_account = Some(cash);
    home.add(transfer);
    home.add(expense("2026-11-12", dollars, food, "9.99"));
    let removed = home.add(expense("2026-11-21", bank, rent, "777"));
    home.run(Command::RemoveEntry { entry: removed }).unwrap();
    home.project().await;
    Fixed { home, bank, cash, dollars, food, groceries, restaurants, rent, salary, market, removed }
}

fn url(home: &Household, query: &str) -> String {
    format!("/api/v1/books/{}/entries?{query}", home.id)
}

/// Currency, income, expense and net.
fn total(home: &Household, span: &str, amounts: [&str; 4], entries: u64) -> Value {
    let [currency, income, expense, net] = amounts;
    let url = |kinds: &str| url(home, &format!("{span}&{kinds}&currency={currency}"));
    json!({
        "currency": currency, "income": income, "expense": expense, "net": net, "entries": entries,
        "income_entries_url": url("category_kind=income"), "expense_entries_url": url("category_kind=expense"),
        "entries_url": url("category_kind=expense&category_kind=income"),
    })
}

#[tokio::test]
async fn the_months_spending_report() {
    let Fixed { home, food, groceries, restaurants, rent, .. } = fixed().await;
    let answer = home.get("/reports/spending?period=month&on=2026-11-23&compare=previous").await;
    let version = home.version;
    assert_eq!(answer.etag, Some(format!("\"{version}\"")));
    let november = "from=2026-11-01&to=2026-11-30";
    let october = "from=2026-10-01&to=2026-10-31";
    let group_url = |category: CategoryId, currency: &str| {
        url(&home, &format!("{november}&category={category}&currency={currency}"))
    };
    let before_url = |category: CategoryId, currency: &str| {
        url(&home, &format!("{october}&category={category}&currency={currency}"))
    };
    let expected = json!({
        "period": {"from": "2026-11-01", "to": "2026-11-30", "label": "November 2026", "days": 30},
        "version": version,
        "totals": [
            total(&home, november, ["EUR", "2500.00", "890.00", "1610.00"], 5),
            total(&home, november, ["USD", "0.00", "9.99", "-9.99"], 1),
        ],
        "groups": [
            {"key": rent, "name": "Rent", "currency": "EUR", "amount": "800.00", "share": 0.8989, "entries": 1,
             "previous_amount": "0.00", "change": "800.00", "previous_entries_url": before_url(rent, "EUR"),
             "entries_url": group_url(rent, "EUR")},
            {"key": food, "name": "Food", "currency": "EUR", "amount": "90.00", "share": 0.1011, "entries": 3,
             "previous_amount": "20.00", "change": "70.00", "previous_entries_url": before_url(food, "EUR"),
             "entries_url": group_url(food, "EUR"),
             "children": [
                {"key": restaurants, "name": "Restaurants", "currency": "EUR", "amount": "70.00", "share": 0.0787,
                 "entries": 2, "previous_amount": "0.00", "change": "70.00", "previous_entries_url": before_url(restaurants, "EUR"),
             "entries_url": group_url(restaurants, "EUR")},
                {"key": groceries, "name": "Groceries", "currency": "EUR", "amount": "20.00", "share": 0.0225,
                 "entries": 2, "previous_amount": "20.00", "change": "0.00", "previous_entries_url": before_url(groceries, "EUR"),
             "entries_url": group_url(groceries, "EUR")},
             ]},
            {"key": food, "name": "Food", "currency": "USD", "amount": "9.99", "share": 1.0, "entries": 1,
             "previous_amount": "0.00", "change": "9.99", "previous_entries_url": before_url(food, "USD"),
             "entries_url": group_url(food, "USD")},
        ],
        "compared_with": {
            "period": {"from": "2026-10-01", "to": "2026-10-31", "label": "October 2026", "days": 31},
            "totals": [total(&home, october, ["EUR", "0.00", "20.00", "-20.00"], 1)],
        },
    });
    assert_eq!(answer.body, expected);
}

#[tokio::test]
async fn the_same_money_in_other_groups() {
    let Fixed { home, bank, cash, groceries, salary, .. } = fixed().await;
    let short = async |query: &str| -> Vec<(Value, Value, Value, Value)> {
        let report = home.read(&format!("/reports/spending?on=2026-11-23&currency=EUR&{query}")).await;
        let groups = report["groups"].as_array().unwrap().clone();
        let short = |mut group: Value| {
            (group["key"].take(), group["name"].take(), group["amount"].take(), group["entries"].take())
        };
        groups.into_iter().map(short).collect()
    };
    let row = |key: &str, name: Option<&str>, amount: &str, entries: u64| {
        (json!(key), json!(name), json!(amount), json!(entries))
    };
    assert_eq!(
        short("group_by=payee").await,
        [
            row("", None, "790.00", 2),
            row("Luigi", Some("Luigi"), "57.50", 1),
            row("Markt & Küche", Some("Markt & Küche"), "42.50", 1),
        ]
    );
    assert_eq!(
        short("group_by=account").await,
        [row(&bank.to_string(), Some("Bank"), "832.50", 3), row(&cash.to_string(), Some("Cash"), "57.50", 1)]
    );
    assert_eq!(
        short("group_by=tag").await,
        [
            row("", None, "847.50", 3),
            row("family", Some("family"), "42.50", 1),
            row("weekend", Some("weekend"), "42.50", 1),
        ]
    );
    assert_eq!(
        short("group_by=day").await,
        [
            row("2026-11-02", Some("2 Nov 2026"), "800.00", 1),
            row("2026-11-20", Some("20 Nov 2026"), "42.50", 1),
            row("2026-11-23", Some("23 Nov 2026"), "47.50", 2),
        ]
    );
    assert_eq!(
        short("group_by=week").await,
        [
            row("2026-11-02", Some("2026-W45"), "800.00", 1),
            row("2026-11-16", Some("2026-W47"), "42.50", 1),
            row("2026-11-23", Some("2026-W48"), "47.50", 2),
        ]
    );
    assert_eq!(
        short("group_by=month&period=year").await,
        [
            row("2026-10", Some("October 2026"), "20.00", 1),
            row("2026-11", Some("November 2026"), "890.00", 4)
        ]
    );
    assert_eq!(
        short("group_by=weekday").await,
        [row("monday", Some("monday"), "847.50", 3), row("friday", Some("friday"), "42.50", 1)]
    );
    assert_eq!(short("kind=income").await, [row(&salary.to_string(), Some("Salary"), "2500.00", 1)]);
    // Of a split only the part that was sorted there.
    let only_groceries = short(&format!("group_by=payee&category={groceries}")).await;
    assert_eq!(
        only_groceries,
        [row("Markt & Küche", Some("Markt & Küche"), "30.00", 1), row("", None, "-10.00", 1)]
    );
}

#[tokio::test]
async fn the_overview_has_what_a_first_page_needs() {
    let Fixed { home, rent, food, bank, cash, dollars, .. } = fixed().await;
    let answer = home.get("/overview").await;
    let version = home.version;
    assert_eq!(answer.etag, Some(format!("\"{version}-2026-11-23\"")));
    let body = answer.body;
    let (week, month, year) =
        ("from=2026-11-23&to=2026-11-29", "from=2026-11-01&to=2026-11-30", "from=2026-01-01&to=2026-12-31");
    let dollar = |span| total(&home, span, ["USD", "0.00", "9.99", "-9.99"], 1);
    assert_eq!(body["on"], "2026-11-23");
    assert_eq!(
        body["week"],
        json!({
            "period": {"from": "2026-11-23", "to": "2026-11-29", "label": "2026-W48", "days": 7},
            "totals": [total(&home, week, ["EUR", "0.00", "47.50", "-47.50"], 2)],
        })
    );
    let euros = total(&home, month, ["EUR", "2500.00", "890.00", "1610.00"], 5);
    assert_eq!(body["month"]["totals"], json!([euros, dollar(month)]));
    assert_eq!(
        body["year"],
        json!({
            "period": {"from": "2026-01-01", "to": "2026-12-31", "label": "2026", "days": 365},
            "totals": [total(&home, year, ["EUR", "2500.00", "910.00", "1590.00"], 6), dollar(year)],
        })
    );
    let tops: Vec<(&Value, &Value)> = body["top_categories"]
        .as_array()
        .unwrap()
        .iter()
        .map(|group| (&group["key"], &group["amount"]))
        .collect();
    let (rent, food) = (json!(rent), json!(food));
    let amounts = [json!("800.00"), json!("90.00"), json!("9.99")];
    assert_eq!(tops, [(&rent, &amounts[0]), (&food, &amounts[1]), (&food, &amounts[2])]);
    assert_eq!(
        body["balances"],
        json!([
            {"currency": "EUR", "amount": "2590.00", "entries_url": url(&home, "currency=EUR")},
            {"currency": "USD", "amount": "-9.99", "entries_url": url(&home, "currency=USD")},
        ])
    );
    let accounts = body["accounts"].as_array().unwrap().iter();
    let accounts: Vec<(Value, Value)> =
        accounts.map(|account| (account["id"].clone(), account["balance"].clone())).collect();
    assert_eq!(
        accounts,
        [
            // 1000 + 2500 - 800 - 42.50 + 10 - 100, and 100 - 20 - 57.50.
            (json!(bank), json!("2567.50")),
            (json!(cash), json!("22.50")),
            (json!(dollars), json!("-9.99")),
        ]
    );
    assert_eq!(body["latest_entries"].as_array().unwrap().len(), 9);
}

#[tokio::test]
async fn the_cash_flow_of_an_autumn() {
    let Fixed { home, cash, .. } = fixed().await;
    let answer = home.get("/reports/cash-flow?from=2026-10-30&to=2026-11-30&granularity=month").await;
    let version = home.version;
    assert_eq!(answer.etag, Some(format!("\"{version}\"")));
    let (all, october, november) =
        ("from=2026-10-30&to=2026-11-30", "from=2026-10-30&to=2026-10-31", "from=2026-11-01&to=2026-11-30");
    let dollars = |span| total(&home, span, ["USD", "0.00", "9.99", "-9.99"], 1);
    let expected = json!({
        "period": {"from": "2026-10-30", "to": "2026-11-30", "label": "30 Oct – 30 Nov 2026", "days": 32},
        "version": version, "granularity": "month",
        "totals": [total(&home, all, ["EUR", "2500.00", "910.00", "1590.00"], 6), dollars(all)],
        "series": [
            {"from": "2026-10-30", "to": "2026-10-31", "label": "October 2026", "days": 2,
             "totals": [total(&home, october, ["EUR", "0.00", "20.00", "-20.00"], 1)]},
            {"from": "2026-11-01", "to": "2026-11-30", "label": "November 2026", "days": 30,
             "totals": [total(&home, november, ["EUR", "2500.00", "890.00", "1610.00"], 5), dollars(november)]},
        ],
    });
    assert_eq!(answer.body, expected);

    let weeks = home.read(&format!("/reports/cash-flow?period=month&granularity=week&account={cash}")).await;
    let short = |step: &Value| (step["label"].clone(), step["totals"][0]["net"].clone());
    let weeks: Vec<(Value, Value)> = weeks["series"].as_array().unwrap().iter().map(short).collect();
    let nothing = json!("0.00");
    assert_eq!(
        weeks,
        [
            (json!("2026-W44"), nothing.clone()),
            (json!("2026-W45"), nothing.clone()),
            (json!("2026-W46"), nothing.clone()),
            (json!("2026-W47"), nothing.clone()),
            (json!("2026-W48"), json!("-57.50")),
            (json!("2026-W49"), nothing),
        ]
    );
}

#[tokio::test]
async fn the_net_worth_of_an_autumn() {
    let Fixed { home, bank, cash, dollars, .. } = fixed().await;
    let answer = home.get("/reports/net-worth?from=2026-10-01&to=2026-11-30").await;
    let version = home.version;
    let of = |accounts: &[AccountId], to: &str| {
        let accounts: Vec<String> = accounts.iter().map(|account| format!("&account={account}")).collect();
        url(&home, &format!("to={to}{}", accounts.concat()))
    };
    let (october, november) = ("2026-10-31", "2026-11-30");
    let expected = json!({
        "period": {"from": "2026-10-01", "to": "2026-11-30", "label": "1 Oct – 30 Nov 2026", "days": 61},
        "version": version, "granularity": "month",
        "accounts": [
            {"id": bank, "name": "Bank", "kind": "bank", "currency": "EUR", "closed": false},
            {"id": cash, "name": "Cash", "kind": "bank", "currency": "EUR", "closed": false},
            {"id": dollars, "name": "Travel", "kind": "bank", "currency": "USD", "closed": false},
        ],
        "series": [
            {"from": "2026-10-01", "to": october, "label": "October 2026", "days": 31,
             "totals": [
                {"currency": "EUR", "assets": "1000.00", "liabilities": "20.00", "net": "980.00",
                 "assets_entries_url": of(&[bank], october), "liabilities_entries_url": of(&[cash], october),
                 "entries_url": of(&[bank, cash], october)},
                {"currency": "USD", "assets": "0.00", "liabilities": "0.00", "net": "0.00",
                 "assets_entries_url": null, "liabilities_entries_url": null, "entries_url": null},
             ],
             "accounts": [
                {"account": bank, "currency": "EUR", "balance": "1000.00", "entries_url": of(&[bank], october)},
                {"account": cash, "currency": "EUR", "balance": "-20.00", "entries_url": of(&[cash], october)},
             ]},
            {"from": "2026-11-01", "to": november, "label": "November 2026", "days": 30,
             "totals": [
                {"currency": "EUR", "assets": "2590.00", "liabilities": "0.00", "net": "2590.00",
                 "assets_entries_url": of(&[bank, cash], november), "liabilities_entries_url": null,
                 "entries_url": of(&[bank, cash], november)},
                {"currency": "USD", "assets": "0.00", "liabilities": "9.99", "net": "-9.99",
                 "assets_entries_url": null, "liabilities_entries_url": of(&[dollars], november),
                 "entries_url": of(&[dollars], november)},
             ],
             "accounts": [
                {"account": bank, "currency": "EUR", "balance": "2567.50", "entries_url": of(&[bank], november)},
                {"account": cash, "currency": "EUR", "balance": "22.50", "entries_url": of(&[cash], november)},
                {"account": dollars, "currency": "USD", "balance": "-9.99", "entries_url": of(&[dollars], november)},
             ]},
        ],
    });
    assert_eq!(answer.body, expected);
}

#[tokio::test]
async fn the_statistics_of_a_month_that_runs() {
    let Fixed { mut home, bank, rent, .. } = fixed().await;
    // Entered ahead: its day has not come.
    home.add(expense("2026-11-30", bank, rent, "5000"));
    home.project().await;
    let answer = home.get("/reports/statistics?period=month&currency=EUR").await;
    let version = home.version;
    assert_eq!(answer.etag, Some(format!("\"{version}-2026-11-23\"")));
    let counted = "from=2026-11-01&to=2026-11-23";
    let of = |span: &str| url(&home, &format!("{span}&category_kind=expense&currency=EUR"));
    let rent_paid = home.read("/entries?from=2026-11-02&to=2026-11-02").await["data"][0].clone();
    let entry_url = format!("/api/v1/books/{}/entries/{}", home.id, rent_paid["id"].as_str().unwrap());
    let expected = json!({
        "period": {"from": "2026-11-01", "to": "2026-11-30", "label": "November 2026", "days": 30},
        "counted": {"from": "2026-11-01", "to": "2026-11-23", "days": 23},
        "version": version,
        "statistics": [{
            "currency": "EUR",
            "total": total(&home, counted, ["EUR", "2500.00", "890.00", "1610.00"], 5),
            "daily_mean": "38.70", "daily_median": "0.00",
            "largest_expense": {"amount": "800.00", "entry": rent_paid, "entry_url": entry_url},
            "busiest_weekday": {
                "weekday": "monday", "amount": "847.50", "entries": 3,
                "entries_url": url(&home, &format!("{counted}&category_kind=expense&currency=EUR&weekday=monday")),
            },
            "days_without_spending": 20,
            "savings_rate": 0.644,
            "previous": {
                "period": {"from": "2026-10-01", "to": "2026-10-31", "label": "October 2026", "days": 31},
                "expense": "20.00", "change": "870.00", "change_share": 43.5,
                "entries_url": of("from=2026-10-01&to=2026-10-31"),
            },
            "mean_of_six": {
                "from": "2026-05-01", "to": "2026-10-31", "expense": "20.00", "mean": "3.33", "change": "886.67",
                "change_share": 266.0, "entries_url": of("from=2026-05-01&to=2026-10-31"),
            },
        }],
    });
    assert_eq!(answer.body, expected);
    // A period that is over does not depend on the day.
    let over = home.get("/reports/statistics?period=month&on=2026-10-05").await;
    assert_eq!(over.etag, Some(format!("\"{version}\"")));
    assert_eq!(over.body["counted"]["days"], 31);
    assert_eq!(over.body["statistics"][0]["savings_rate"], Value::Null);
}

#[tokio::test]
async fn the_statistics_of_nothing() {
    let home = Household::with(settings()).await;
    let mut home = home;
    home.project().await;
    for (period, days) in
        [("on=2028-02-29", 29), ("from=2028-02-29&to=2028-02-29", 1), ("period=year&on=2028-01-01", 366)]
    {
        let report = home.read(&format!("/reports/statistics?{period}")).await;
        assert_eq!(report["counted"]["days"], days, "{period}");
        let statistics = &report["statistics"][0];
        for (name, value) in [
            ("daily_mean", json!("0.00")),
            ("daily_median", json!("0.00")),
            ("largest_expense", json!(null)),
            ("busiest_weekday", json!(null)),
            ("days_without_spending", json!(days)),
            ("savings_rate", json!(null)),
        ] {
            assert_eq!(statistics[name], value, "{period} {name}");
        }
        assert_eq!(statistics["previous"]["change_share"], Value::Null);
        assert_eq!(statistics["mean_of_six"]["change"], "0.00");
    }
}

#[tokio::test]
async fn an_entry_and_its_list() {
    let Fixed { home, bank, groceries, restaurants, market, .. } = fixed().await;
    let entry = home.read(&format!("/entries/{market}")).await;
    let version = entry["version"].clone();
    let expected = json!({
        "id": market, "kind": "expense", "occurred_on": "2026-11-20", "account": bank, "amount": "42.50",
        "currency": "EUR", "category": null,
        "splits": [
            {"category": groceries, "amount": "30.00", "note": null},
            {"category": restaurants, "amount": "12.50", "note": null},
        ],
        "payee": "Markt & Küche", "note": null, "tags": ["weekend", "family"], "refund_of": null, "to_account": null,
        "to_amount": null, "foreign": null, "imported": null, "version": version,
        "recorded_at": entry["recorded_at"], "corrected_at": null, "removed": false,
        "postings": [
            {"account": bank, "amount": "-42.50", "currency": "EUR"},
            {"category": groceries, "amount": "30.00", "currency": "EUR"},
            {"category": restaurants, "amount": "12.50", "currency": "EUR"},
        ],
    });
    assert_eq!(entry, expected);
    let list = home.read("/entries?text=k%C3%9CCHE%20week").await;
    assert_eq!(list, json!({"data": [expected], "next_cursor": null}));
}

#[tokio::test]
async fn filters_find_what_they_say() {
    let Fixed { home, bank, cash, food, removed, .. } = fixed().await;
    let amounts = async |query: &str| -> Vec<String> {
        let list = home.read(&format!("/entries?{query}")).await;
        list["data"]
            .as_array()
            .unwrap()
            .iter()
            .map(|entry| entry["amount"].as_str().unwrap().to_owned())
            .collect()
    };
    assert_eq!(amounts(&format!("category={food}")).await, ["10.00", "57.50", "42.50", "9.99", "20.00"]);
    assert_eq!(amounts(&format!("category={food}&account={cash}")).await, ["57.50", "20.00"]);
    assert_eq!(amounts(&format!("account={cash}")).await, ["57.50", "100.00", "20.00"]);
    assert_eq!(amounts("kind=transfer&kind=opening_balance").await, ["100.00", "1000.00"]);
    assert_eq!(amounts("payee=Luigi").await, ["57.50"]);
    assert_eq!(amounts("payee=luigi").await, [] as [&str; 0]);
    assert_eq!(amounts("payee=&kind=expense&to=2026-11-02").await, ["800.00", "20.00"]);
    assert_eq!(amounts("payee=&payee=Luigi&from=2026-11-20&kind=expense").await, ["57.50"]);
    assert_eq!(amounts("tag=family").await, ["42.50"]);
    assert_eq!(amounts("tag=family&tag=weekend").await, ["42.50"]);
    assert_eq!(amounts("tag=fam").await, [] as [&str; 0]);
    assert_eq!(amounts("tag=&from=2026-11-20").await, ["10.00", "57.50"]);
    assert_eq!(amounts("from=2026-11-20&to=2026-11-20").await, ["42.50"]);
    assert_eq!(amounts("amount_min=42.5&amount_max=100").await, ["57.50", "42.50", "100.00"]);
    assert_eq!(amounts("amount_max=9.995&sort=oldest").await, ["9.99"]);
    assert_eq!(amounts("currency=USD").await, ["9.99"]);
    assert_eq!(amounts("weekday=friday").await, ["42.50", "20.00"]);
    assert_eq!(amounts("removed=true").await, ["777.00"]);
    assert_eq!(
        amounts("sort=amount").await,
        ["2500.00", "1000.00", "800.00", "100.00", "57.50", "42.50", "20.00", "10.00", "9.99"]
    );
    assert_eq!(amounts(&format!("sort=amount&category={food}&limit=2")).await, ["57.50", "42.50"]);
    assert_eq!(amounts(&format!("account={bank}&sort=oldest&limit=2")).await, ["1000.00", "2500.00"]);
    assert_eq!(home.read(&format!("/entries/{removed}")).await["removed"], true);
}

#[tokio::test]
async fn the_things_of_a_book() {
    let Fixed { home, bank, food, groceries, .. } = fixed().await;
    let version = home.version;
    let book = home.read("").await;
    assert_eq!(
        book,
        json!({
            "id": home.id, "name": "Home", "currency": "EUR", "time_zone": "Europe/Berlin",
            "week_starts_on": "monday", "month_starts_on": 1, "role": home.role().as_str(), "version": version,
            "created_at": "2026-11-23T12:00:00.001Z",
        })
    );
    assert_eq!(home.get_absolute("/api/v1/books").await.body, json!({"data": [book]}));
    let account = home.read(&format!("/accounts/{bank}")).await;
    assert_eq!(
        account,
        json!({
            "id": bank, "name": "Bank", "kind": "bank", "currency": "EUR", "balance": "2567.50", "closed": false,
            "opened_on": "2026-01-01",
        })
    );
    assert_eq!(home.read("/accounts").await["data"][0], account);
    let category = home.read(&format!("/categories/{groceries}")).await;
    assert_eq!(
        category,
        json!({
            "id": groceries, "name": "Groceries", "kind": "expense", "parent": food, "path": "Food / Groceries",
            "archived": false, "merged_into": null, "icon": null, "colour": null,
        })
    );
    let categories = home.read("/categories").await;
    let paths: Vec<&str> = categories["data"]
        .as_array()
        .unwrap()
        .iter()
        .map(|category| category["path"].as_str().unwrap())
        .collect();
    assert_eq!(paths, ["Food", "Food / Groceries", "Food / Restaurants", "Rent", "Salary"]);
    assert_eq!(
        home.read("/members").await,
        json!({"data": [{"id": home.owner, "name": "Ada", "role": "owner"}]})
    );
    assert_eq!(
        home.read("/payees").await,
        json!({
            "data": [
                {"name": "Luigi", "entries": 1, "last_used_on": "2026-11-23"},
                {"name": "Markt & Küche", "entries": 1, "last_used_on": "2026-11-20"},
            ],
            "next_cursor": null,
        })
    );
    let tags = home.read_all(&format!("/api/v1/books/{}/tags?limit=1", home.id)).await;
    let names: Vec<&Value> = tags.iter().map(|tag| &tag["name"]).collect();
    assert_eq!(names, ["family", "weekend"]);
}

#[tokio::test]
async fn the_history_of_a_book_and_of_an_entry() {
    let Fixed { mut home, cash, groceries, .. } = fixed().await;
    let entry = home.add(expense("2026-11-22", cash, groceries, "5"));
    let patch = EntryPatch { amount: Some("6.40".parse().unwrap()), ..EntryPatch::default() };
    home.run(Command::CorrectEntry { entry, patch }).unwrap();
    home.run(Command::RemoveEntry { entry }).unwrap();
    home.run(Command::RestoreEntry { entry }).unwrap();
    home.project().await;
    let last = home.version;

    let history = home.read(&format!("/entries/{entry}/history")).await;
    let events = history["data"].as_array().unwrap();
    let kinds: Vec<&Value> = events.iter().map(|event| &event["type"]).collect();
    assert_eq!(kinds, ["entry_added.v1", "entry_corrected.v1", "entry_removed.v1", "entry_restored.v1"]);
    assert_eq!(events[0]["changes"]["amount"], json!({"before": null, "after": "5.00"}));
    assert_eq!(events[0]["changes"]["note"], Value::Null, "what is not there has not changed");
    assert_eq!(
        events[1],
        json!({
            "version": last - 2, "recorded_at": events[1]["recorded_at"],
            "actor": {"id": home.owner, "name": "Ada"}, "command": "correct_entry", "type": "entry_corrected.v1",
            "changes": {
                "amount": {"before": "5.00", "after": "6.40"},
                "postings": {
                    "before": [
                        {"account": cash, "amount": "-5.00", "currency": "EUR"},
                        {"category": groceries, "amount": "5.00", "currency": "EUR"},
                    ],
                    "after": [
                        {"account": cash, "amount": "-6.40", "currency": "EUR"},
                        {"category": groceries, "amount": "6.40", "currency": "EUR"},
                    ],
                },
            },
        })
    );
    assert_eq!(events[2]["changes"], json!({"removed": {"before": false, "after": true}}));
    assert_eq!(events[3]["changes"], json!({"removed": {"before": true, "after": false}}));

    let commits = home.read_all(&format!("/api/v1/books/{}/history?limit=7", home.id)).await;
    let versions: Vec<u64> = commits.iter().map(|commit| commit["version"].as_u64().unwrap()).collect();
    assert_eq!(versions, (1..=last).rev().collect::<Vec<_>>());
    assert_eq!(
        commits[1],
        json!({
            "version": last - 1, "recorded_at": commits[1]["recorded_at"],
            "actor": {"id": home.owner, "name": "Ada"}, "command": "remove_entry",
            "events": [{"type": "entry_removed.v1", "data": {"entry": entry}}],
            "hash": format!("{:02x}", last - 1).repeat(32),
        })
    );
    let mut one = home.read(&format!("/history/{}", last - 1)).await;
    let changed = one.as_object_mut().unwrap().remove("changed").unwrap();
    assert_eq!(one, commits[1]);
    let removed = json!({"removed": {"before": false, "after": true}});
    assert_eq!(changed, json!([{"thing": "entry", "id": entry, "changes": removed}]));
}

#[tokio::test]
async fn an_import_and_its_lines() {
    let Fixed { mut home, cash, groceries, .. } = fixed().await;
    let import = home.import_id();
    let entry = EntryId::from_uuid(home.next_id());
    let known = expense("2026-10-30", cash, groceries, "20");
    let mark = |on: &str, minor: i64, text: &str| {
        domain::entry::statement_mark(cash, crate::household::day(on), minor, text)
    };
    let lines = vec![
        ImportLine {
            line: 2,
            reading: Reading::Entry {
                entry,
                draft: Box::new(expense("2026-11-05", cash, groceries, "3")),
                mark: mark("2026-11-05", -300, "new"),
            },
        },
        ImportLine {
            line: 3,
            reading: Reading::Entry {
                entry: EntryId::from_uuid(home.next_id()),
                draft: Box::new(known),
                mark: mark("2026-10-30", -2000, ""),
            },
        },
        ImportLine {
            line: 4,
            reading: Reading::Unreadable { code: "date_malformed".to_owned(), detail: Text::known("32.11.") },
        },
    ];
    let start = Some(ImportStart { file_name: Text::known("bank.csv"), lines: 3 });
    home.run(Command::ImportLines { import, start, lines, finish: true, all_or_nothing: false }).unwrap();
    home.project().await;

    let shown = json!({
        "id": import, "file_name": "bank.csv", "status": "finished", "lines": 3, "judged": 3, "taken": 1,
        "duplicates": 1, "refused": 1,
    });
    assert_eq!(home.read("/imports").await, json!({"data": [shown]}));
    let lines = home.read_all(&format!("/api/v1/books/{}/imports/{import}?limit=2", home.id)).await;
    assert_eq!(
        lines[0],
        json!({"line": 2, "verdict": "taken", "entry": entry, "code": null, "detail": null})
    );
    assert_eq!(lines[1]["verdict"], "duplicate");
    assert_eq!(
        lines[2],
        json!({"line": 4, "verdict": "refused", "entry": null, "code": "date_malformed", "detail": "32.11."})
    );
    let duplicates = home.read(&format!("/imports/{import}?verdict=duplicate")).await;
    assert_eq!(duplicates["id"], json!(import));
    assert_eq!(duplicates["data"], json!([lines[1]]));
}
