//! A book as a file: what stands in it, how it comes, and how it is cut off.

use std::{env, fs, path::Path};

use axum::body::Body;
use chrono::TimeDelta;
use daybook_query_api::Config;
use domain::{
    Command,
    command::{EntryDraft, NewAccount, OpeningBalance, PostedTo, PostingDraft, Sorting, SplitDraft},
    entry::{AccountKind, CategoryKind, EntryKind},
    id::{AccountId, EntryId, UserId},
    money::{Currency, Money},
    text::Text,
};
use http::{HeaderMap, Request, Response, StatusCode};
use http_body_util::BodyExt;
use http_kit::{exchange::BookFile, testing};
use read_model::queries::Connection;
use tower::ServiceExt;
use uuid::Uuid;

use crate::household::{Household, day, draft, expense, settings};

const FORMATS: [&str; 4] = ["csv", "json", "hledger", "beancount"];

async fn answer(home: &Household, query: &str) -> Response<Body> {
    let path = format!("/api/v1/books/{}/export?{query}", home.id);
    let token = testing::token(home.owner);
    let request = Request::get(path).header("authorization", format!("Bearer {token}"));
    home.router.clone().oneshot(request.body(Body::empty()).unwrap()).await.unwrap()
}

async fn export(home: &Household, query: &str) -> (HeaderMap, String) {
    let (parts, body) = answer(home, query).await.into_parts();
    assert_eq!(parts.status, StatusCode::OK, "{query}");
    let bytes = body.collect().await.unwrap().to_bytes();
    (parts.headers, String::from_utf8(bytes.to_vec()).unwrap())
}

fn opened(home: &mut Household, name: &str, kind: AccountKind, currency: &str, opening: &str) -> AccountId {
    let account = AccountId::from_uuid(home.next_id());
    let entry = EntryId::from_uuid(home.next_id());
    home.run(Command::OpenAccount(NewAccount {
        account,
        name: Text::known(name),
        kind,
        currency: Some(Currency::parse(currency).unwrap()),
        opened_on: "2026-01-01".parse().unwrap(),
        opening_balance: Some(OpeningBalance { entry, amount: opening.parse().unwrap() }),
    }))
    .unwrap();
    account
}

/// Names and texts with all that the formats give a meaning to, and each kind of entry.
async fn odd() -> Household {
    let mut home = Household::with(settings()).await;
    let bank = opened(&mut home, "Bank: \"joint\"; x", AccountKind::Bank, "EUR", "1000");
    let card = opened(&mut home, "=Card", AccountKind::Card, "EUR", "-250.5");
    let cash = home.account("Bank- \"joint\", x", "EUR", None);
    let yen = opened(&mut home, "旅行", AccountKind::Cash, "JPY", "5000");
    let food = home.category("food", CategoryKind::Expense, None);
    let groceries = home.category("Groceries & more", CategoryKind::Expense, Some(food));
    let market = home.category("Groceries; more", CategoryKind::Expense, Some(food));
    let salary = home.category("Salary", CategoryKind::Income, None);

    let mut rewe = expense("2026-11-02", card, groceries, "12.5");
    rewe.payee = Some(Text::known("Rewe; \"City\" | nord"));
    rewe.note = Some(Text::known("two\nlines: \\ of it"));
    rewe.tags = vec![Text::known("week end"), Text::known("família"), Text::known("fun")];
    rewe.foreign = Some(Money { minor: 2_000, currency: Currency::parse("USD").unwrap() });
    let rewe = home.add(rewe);
    let part = |category, amount: &str, note: Option<&str>| SplitDraft {
        category,
        amount: amount.parse().unwrap(),
        note: note.map(Text::known),
    };
    let parts = vec![part(groceries, "30", Some("date:2026-01-01 [x]")), part(market, "9.99", None)];
    home.add(draft(EntryKind::Expense, "2026-11-03", bank, Sorting::Split(parts), "39.99"));
    home.add(draft(EntryKind::Income, "2026-11-01", bank, Sorting::Whole(salary), "2500"));
    home.add(EntryDraft {
        refund_of: Some(rewe),
        ..draft(EntryKind::Refund, "2026-11-05", card, Sorting::Whole(groceries), "2.5")
    });
    home.add(EntryDraft {
        to_account: Some(cash),
        ..draft(EntryKind::Transfer, "2026-11-04", bank, Sorting::Unsorted, "100")
    });
    home.add(expense("2026-11-06", yen, food, "1234"));
    home.add(EntryDraft {
        to_account: Some(yen),
        to_amount: Some("1600".parse().unwrap()),
        ..draft(EntryKind::Transfer, "2026-11-08", bank, Sorting::Unsorted, "10")
    });
    let leg = |to, amount: &str, currency: &str| PostingDraft {
        to,
        amount: amount.parse().unwrap(),
        currency: Some(Currency::parse(currency).unwrap()),
        note: None,
    };
    let legs = vec![
        leg(PostedTo::Account(bank), "-30", "EUR"),
        leg(PostedTo::Account(cash), "10", "EUR"),
        leg(PostedTo::Category(food), "25", "EUR"),
        leg(PostedTo::Category(salary), "-5", "EUR"),
        leg(PostedTo::Category(food), "7.50", "CHF"),
        leg(PostedTo::Category(market), "-7.50", "CHF"),
    ];
    home.add(balanced("2026-11-09", legs));
    let removed = home.add(expense("2026-11-07", cash, food, "7"));
    home.run(Command::RemoveEntry { entry: removed }).unwrap();
    home.project().await;
    home
}

fn balanced(on: &str, legs: Vec<PostingDraft>) -> EntryDraft {
    let nowhere = AccountId::from_uuid(Uuid::nil());
    let told = draft(EntryKind::Balanced, on, nowhere, Sorting::Unsorted, "1");
    EntryDraft { account: None, amount: None, postings: Some(legs), ..told }
}

fn golden(name: &str, found: &str) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/it/exports").join(name);
    if env::var_os("UPDATE").is_some() {
        fs::write(&path, found).unwrap();
    }
    let expected = fs::read_to_string(&path).unwrap();
    assert!(found == expected, "{name} differs; run with UPDATE=1 and look at it. Found:\n{found}");
}

#[tokio::test]
async fn each_format_writes_the_odd_household_as_expected() {
    let home = odd().await;
    golden("odd.csv", &export(&home, "format=csv").await.1);
    golden("odd.json", &export(&home, "format=json").await.1);
    golden("odd.journal", &export(&home, "format=hledger").await.1);
    golden("odd.beancount", &export(&home, "format=beancount").await.1);
}

#[tokio::test]
async fn the_json_file_holds_all_of_the_book() {
    let home = odd().await;
    let file: BookFile = serde_json::from_str(&export(&home, "format=json").await.1).unwrap();
    assert_eq!(file.accounts.len(), home.book.accounts.len());
    assert_eq!(file.categories.len(), home.book.categories.len());
    assert_eq!(file.entries.len(), home.book.entries.len());
    for told in &file.entries {
        let kept = &home.book.entries[&told.id];
        assert_eq!(told.read().as_ref(), Ok(&kept.entry));
        assert_eq!((told.removed, told.recorded_at), (kept.removed, kept.recorded_at));
    }
    assert!(file.entries.last().unwrap().removed);
}

#[tokio::test]
async fn an_empty_book_is_a_file_too() {
    let mut home = Household::with(settings()).await;
    home.project().await;
    let file: BookFile = serde_json::from_str(&export(&home, "format=json").await.1).unwrap();
    assert_eq!((file.accounts, file.categories, file.entries), (Vec::new(), Vec::new(), Vec::new()));
    assert_eq!(export(&home, "format=csv").await.1.lines().count(), 1);
    assert!(export(&home, "format=hledger").await.1.contains("commodity 1000.00 EUR"));
    assert!(export(&home, "format=beancount").await.1.contains("2026-11-23 commodity EUR"));
}

#[tokio::test]
async fn the_file_says_what_it_is_and_of_which_version() {
    let home = odd().await;
    for (format, media_type, name) in [
        ("csv", "text/csv; charset=utf-8; header=present", "Home 2026-11-23.csv"),
        ("json", "application/json", "Home 2026-11-23.json"),
        ("hledger", "text/x-hledger; charset=utf-8", "Home 2026-11-23.journal"),
        ("beancount", "text/x-beancount; charset=utf-8", "Home 2026-11-23.beancount"),
    ] {
        let query = format!("format={format}&min_version={}", home.version);
        let (headers, _) = export(&home, &query).await;
        assert_eq!(headers["content-type"], media_type);
        assert_eq!(headers["content-disposition"], format!("attachment; filename=\"{name}\""));
        assert_eq!(headers["etag"], format!("\"{}\"", home.version));
        assert_eq!(headers["cache-control"], "private, no-cache");
        let path = format!("/export?format={format}");
        let known = home.get_if_none_match(&path, &format!("\"{}\"", home.version)).await;
        assert_eq!(known.status, StatusCode::NOT_MODIFIED);
    }
}

#[tokio::test]
async fn what_cannot_be_exported_is_refused() {
    let home = odd().await;
    for (query, code) in [
        ("", "invalid_parameter"),
        ("format=xlsx", "invalid_parameter"),
        ("format=csv&form=a4", "unknown_parameter"),
        ("format=csv&from=2026-11-02&to=2026-11-01", "invalid_parameter"),
        ("format=json&from=2026-11-01", "invalid_parameter"),
        ("format=hledger&to=2026-11-01", "invalid_parameter"),
        ("format=csv&min_version=9999", "version_unknown"),
    ] {
        let answer = home.get(&format!("/export?{query}")).await;
        assert_eq!(answer.body["code"], code, "{query}: {}", answer.body);
    }
    let stranger = UserId::from_uuid(Uuid::from_u128(99));
    let answer = home.get_as(stranger, &format!("/api/v1/books/{}/export?format=csv", home.id)).await;
    assert_eq!((answer.status, &answer.body["code"]), (StatusCode::NOT_FOUND, &"book_not_found".into()));
}

#[tokio::test]
async fn a_table_can_be_of_some_days() {
    let home = odd().await;
    let (_, table) = export(&home, "format=csv&from=2026-11-02&to=2026-11-04").await;
    let days: Vec<&str> =
        table.lines().filter_map(|line| line.split(',').nth(1)).filter(|day| day.starts_with("20")).collect();
    assert_eq!(days, ["2026-11-02", "2026-11-03", "2026-11-03", "2026-11-04"]);
}

/// A book of so many entries, one a day.
async fn long(config: Config, entries: i64) -> Household {
    let mut home = Household::configured(settings(), config).await;
    let cash = home.account("Cash", "EUR", None);
    let food = home.category("Food", CategoryKind::Expense, None);
    for number in 0..entries {
        let on = day("2020-01-01") + TimeDelta::days(number);
        home.add(expense(&on.to_string(), cash, food, "1.00"));
    }
    home.project().await;
    home
}

/// How many entries a piece of an export tells of.
fn told(piece: &[u8]) -> usize {
    let text = std::str::from_utf8(piece).unwrap();
    text.matches("ent_").count()
}

#[tokio::test]
async fn a_long_book_comes_in_small_pieces() {
    let home = long(Config::default(), 1_000).await;
    for format in FORMATS {
        let mut body = answer(&home, &format!("format={format}")).await.into_body();
        let (mut pieces, mut entries) = (0, 0);
        while let Some(piece) = body.frame().await {
            let piece = piece.unwrap().into_data().unwrap();
            assert!(told(&piece) <= 256, "{format}: {} entries at once", told(&piece));
            pieces += 1;
            entries += told(&piece);
        }
        assert_eq!(entries, 1_000, "{format}");
        assert!(pieces >= 4, "{format} came in {pieces} pieces");
    }
}

#[tokio::test]
async fn a_file_tells_of_one_moment_however_long_it_is_read() {
    let mut home = long(Config::default(), 1_000).await;
    let version = home.version;
    let response = answer(&home, "format=csv").await;
    let (cash, food) =
        (*home.book.accounts.keys().next().unwrap(), *home.book.categories.keys().next().unwrap());
    home.add(expense("2026-11-23", cash, food, "1.00"));
    home.project().await;
    assert_eq!(response.headers()["etag"], format!("\"{version}\""));
    assert_eq!(told(&response.into_body().collect().await.unwrap().to_bytes()), 1_000);
    assert_eq!(told(export(&home, "format=csv").await.1.as_bytes()), 1_001);
}

#[tokio::test]
async fn a_failure_on_the_way_cuts_the_file_off() {
    let home = long(Config::default(), 1_000).await;
    let file = home.directory.path().join("read-model/model-1.sqlite");
    Connection::open(file)
        .unwrap()
        .execute(
            "update entries set body = '{' where occurred_on = (select max(occurred_on) from entries)",
            (),
        )
        .unwrap();
    for format in FORMATS {
        let response = answer(&home, &format!("format={format}")).await;
        assert_eq!(response.status(), StatusCode::OK);
        let mut body = response.into_body();
        // What comes before the damage has left before the damage was met, so nothing was gathered first.
        let mut entries = 0;
        let ending = loop {
            match body.frame().await {
                Some(Ok(piece)) => entries += told(piece.data_ref().unwrap()),
                ending => break ending,
            }
        };
        assert!(matches!(ending, Some(Err(_))), "{format} ends as if it were complete");
        assert_eq!(entries, 768, "{format}");
    }
}

/// Asks until no other export is under way; one that has ended takes a moment to say so.
async fn answer_once_free(home: &Household) -> Response<Body> {
    loop {
        let answer = answer(home, "format=csv").await;
        if answer.status() == StatusCode::OK {
            return answer;
        }
        tokio::task::yield_now().await;
    }
}

#[tokio::test]
async fn a_reader_that_does_not_go_on_is_cut_off() {
    let config = Config { exports_max: 1, export_deadline_ms: 0, ..Config::default() };
    let home = long(config, 1_000).await;
    let unread = answer(&home, "format=csv").await;
    answer_once_free(&home).await;
    assert!(unread.into_body().collect().await.is_err());
}

#[tokio::test]
async fn only_so_many_exports_run_at_once() {
    let home = long(Config { exports_max: 1, ..Config::default() }, 1_000).await;
    let first = answer(&home, "format=csv").await;
    let second = answer(&home, "format=csv").await;
    assert_eq!(second.status(), StatusCode::SERVICE_UNAVAILABLE);
    assert!(second.headers().contains_key("retry-after"));
    drop(first);
    answer_once_free(&home).await;
}
