//! What the API shows of a book, held against what the journal's events come to. The sums are made here anew, from
//! postings, one by one.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{Datelike, Days, Months, NaiveDate};
use daybook_e2e::Client;
use domain::{
    book::KeptEntry,
    entry::CategoryKind,
    id::{BookId, CategoryId, EntryId},
    money::{Currency, Money},
    posting::Ledger,
};
use http_kit::resources;
use serde_json::{Value, json};

use crate::{fault::Fault, journaled::Folded};

/// Any day will do that has entries around it.
const TODAY: &str = "2026-11-23";

pub async fn check(client: &Client, id: BookId, folded: &Folded) -> Result<(), Fault> {
    let book = Shown { client, folded, path: format!("/api/v1/books/{id}"), currency: folded.currency() };
    book.check_accounts().await?;
    book.check_entries().await?;
    book.check_history().await?;
    let today: NaiveDate = TODAY.parse().expect("it is a day");
    for month in ["2026-08-15", "2026-09-15", "2026-10-15", "2026-11-15"] {
        book.check_spending("month", month.parse().expect("it is a day")).await?;
    }
    for period in ["week", "quarter", "year"] {
        book.check_spending(period, today).await?;
    }
    book.check_overview(today).await
}

impl Folded {
    fn currency(&self) -> Currency {
        self.book.settings.as_ref().expect("the first commit makes the book").currency
    }
}

struct Shown<'a> {
    client: &'a Client,
    folded: &'a Folded,
    path: String,
    currency: Currency,
}

/// Money of a category with all below it.
#[derive(Debug, Default, Clone)]
struct Sum {
    minor: i64,
    entries: BTreeSet<EntryId>,
}

#[derive(Default)]
struct Spending {
    categories: BTreeMap<CategoryId, Sum>,
    income: Sum,
    expense: Sum,
}

impl Shown<'_> {
    async fn get(&self, path: &str) -> Result<Value, Fault> {
        let glue = if path.contains('?') { '&' } else { '?' };
        let path = format!("{}{path}{glue}min_version={}", self.path, self.folded.version());
        let answer = self.client.get(&path).await;
        match answer.status {
            200 => Ok(answer.json()),
            _ => Err(Fault::Shown(format!("{path} answers {answer:?}"))),
        }
    }

    async fn pages(&self, path: &str) -> Result<Vec<Value>, Fault> {
        let mut things = Vec::new();
        let mut page = self.get(path).await?;
        loop {
            if let Some(data) = page["data"].as_array() {
                things.extend(data.iter().cloned());
            }
            let Some(cursor) = page["next_cursor"].as_str() else { return Ok(things) };
            page = self.get(&format!("{path}&cursor={cursor}")).await?;
        }
    }

    fn compare(&self, what: &str, found: &Value, expected: &Value) -> Result<(), Fault> {
        let found = &without_urls(found.clone());
        match found == expected {
            true => Ok(()),
            false => {
                Err(Fault::Shown(format!("{}{what} shows {found}\nthe journal says {expected}", self.path)))
            }
        }
    }

    fn expected_accounts(&self) -> BTreeMap<String, Value> {
        let accounts = self.folded.book.accounts.iter();
        accounts.map(|(id, account)| (id.to_string(), json!(resources::Account::of(*id, account)))).collect()
    }

    async fn check_accounts(&self) -> Result<(), Fault> {
        let found = self.get("/accounts").await?;
        self.compare("/accounts", &json!(by_id(&found["data"])), &json!(self.expected_accounts()))?;
        // Balances once more, from the postings and not from what the fold keeps.
        let mut balances: BTreeMap<String, i64> =
            self.folded.book.accounts.keys().map(|id| (id.to_string(), 0)).collect();
        for kept in self.live() {
            for posting in &kept.entry.postings {
                if let Ledger::Account(account) = posting.ledger {
                    *balances.entry(account.to_string()).or_default() += posting.money.minor;
                }
            }
        }
        for (id, minor) in balances {
            let shown = &by_id(&found["data"])[&id]["balance"];
            self.compare(&format!("/accounts {id}"), shown, &json!(self.decimal(minor)))?;
        }
        Ok(())
    }

    fn live(&self) -> impl Iterator<Item = &KeptEntry> {
        self.folded.book.entries.values().filter(|kept| !kept.removed)
    }

    async fn check_entries(&self) -> Result<(), Fault> {
        for removed in [false, true] {
            let path = format!("/entries?limit=200&removed={removed}");
            let found = self.pages(&path).await?;
            let mut kept: Vec<&KeptEntry> =
                self.folded.book.entries.values().filter(|kept| kept.removed == removed).collect();
            kept.sort_by_key(|kept| std::cmp::Reverse((kept.entry.occurred_on, kept.entry.id)));
            let expected: Vec<Value> =
                kept.into_iter().map(|kept| json!(resources::Entry::of(kept))).collect();
            if found.len() != expected.len() {
                let told = format!("{} entries, the journal has {}", found.len(), expected.len());
                return Err(Fault::Shown(format!("{}{path} shows {told}", self.path)));
            }
            for (found, expected) in found.iter().zip(&expected) {
                self.compare(&path, found, expected)?;
            }
        }
        Ok(())
    }

    async fn check_history(&self) -> Result<(), Fault> {
        let found = self.pages("/history?limit=200").await?;
        let commits = &self.folded.commits;
        if found.len() != commits.len() {
            let told = format!("{} commits, the journal has {}", found.len(), commits.len());
            return Err(Fault::Shown(format!("{}/history shows {told}", self.path)));
        }
        for (mut found, commit) in found.into_iter().zip(commits.iter().rev()) {
            let events: Vec<Value> = commit.events.iter().map(|event| json!(event)).collect();
            let expected = json!({
                "version": commit.version,
                "recorded_at": resources::instant(&commit.recorded_at),
                "actor": commit.actor.to_string(),
                "command": commit.command,
                "events": events,
                "hash": commit.hash.to_string(),
            });
            found["actor"] = found["actor"]["id"].take();
            self.compare("/history", &found, &expected)?;
        }
        Ok(())
    }

    fn spending(&self, from: NaiveDate, to: NaiveDate) -> Spending {
        let mut spending = Spending::default();
        for kept in self.live().filter(|kept| (from..=to).contains(&kept.entry.occurred_on)) {
            for posting in &kept.entry.postings {
                let Ledger::Category(category) = posting.ledger else { continue };
                let (side, minor) = match self.folded.book.categories[&category].kind {
                    CategoryKind::Expense => (&mut spending.expense, posting.money.minor),
                    CategoryKind::Income => (&mut spending.income, -posting.money.minor),
                };
                side.minor += minor;
                side.entries.insert(kept.entry.id);
                let mut next = Some(category);
                while let Some(id) = next {
                    let sum = spending.categories.entry(id).or_default();
                    sum.minor += minor;
                    sum.entries.insert(kept.entry.id);
                    next = self.folded.book.categories[&id].parent;
                }
            }
        }
        spending
    }

    fn decimal(&self, minor: i64) -> String {
        Money { minor, currency: self.currency }.decimal()
    }

    fn expected_totals(&self, Spending { income, expense, .. }: &Spending) -> Value {
        json!([{
            "currency": self.currency.code(),
            "income": self.decimal(income.minor),
            "expense": self.decimal(expense.minor),
            "net": self.decimal(income.minor - expense.minor),
            "entries": income.entries.union(&expense.entries).count(),
        }])
    }

    async fn check_spending(&self, period: &str, on: NaiveDate) -> Result<(), Fault> {
        let (from, to) = span(period, on);
        let spending = self.spending(from, to);
        for kind in [CategoryKind::Expense, CategoryKind::Income] {
            let path = format!("/reports/spending?period={period}&on={on}&kind={}", kind.as_str());
            let found = self.get(&path).await?;
            let days = json!([from.to_string(), to.to_string()]);
            self.compare(&path, &json!([found["period"]["from"], found["period"]["to"]]), &days)?;
            self.compare(&path, &found["totals"], &self.expected_totals(&spending))?;
            let mut groups = BTreeMap::new();
            flatten(&found["groups"], &mut groups);
            let of_kind =
                spending.categories.iter().filter(|(id, _)| self.folded.book.categories[id].kind == kind);
            let expected: BTreeMap<String, Value> =
                of_kind.map(|(id, sum)| (id.to_string(), self.group(sum))).collect();
            self.compare(&path, &json!(groups), &json!(expected))?;
        }
        Ok(())
    }

    fn group(&self, sum: &Sum) -> Value {
        json!({"amount": self.decimal(sum.minor), "entries": sum.entries.len()})
    }

    async fn check_overview(&self, on: NaiveDate) -> Result<(), Fault> {
        let found = self.get(&format!("/overview?on={on}")).await?;
        let compare =
            |what: &str, expected: &Value| self.compare(&format!("/overview {what}"), &found[what], expected);
        compare("version", &json!(self.folded.version()))?;
        for period in ["week", "month", "year"] {
            let (from, to) = span(period, on);
            let shown = &found[period]["totals"];
            self.compare(
                &format!("/overview {period}"),
                shown,
                &self.expected_totals(&self.spending(from, to)),
            )?;
        }
        let total: i64 = self.folded.book.accounts.values().map(|account| account.balance_minor).sum();
        compare("balances", &json!([{"currency": self.currency.code(), "amount": self.decimal(total)}]))?;
        let accounts = json!(self.expected_accounts());
        self.compare("/overview accounts", &json!(by_id(&found["accounts"])), &accounts)?;

        let mut latest: Vec<&KeptEntry> = self.live().collect();
        latest.sort_by_key(|kept| std::cmp::Reverse((kept.entry.occurred_on, kept.entry.id)));
        let latest: Vec<Value> =
            latest.iter().take(10).map(|kept| json!(resources::Entry::of(kept))).collect();
        compare("latest_entries", &json!(latest))?;

        let (from, to) = span("month", on);
        let spending = self.spending(from, to);
        let categories = &self.folded.book.categories;
        let is_top =
            |id: &CategoryId| categories[id].parent.is_none() && categories[id].kind == CategoryKind::Expense;
        let mut top: Vec<_> =
            spending.categories.iter().filter(|(id, sum)| is_top(id) && sum.minor > 0).collect();
        top.sort_by_key(|(id, sum)| (std::cmp::Reverse(sum.minor), **id));
        let expected: Vec<Value> =
            top.iter().take(5).map(|(id, sum)| json!([id.to_string(), self.group(sum)])).collect();
        let groups = found["top_categories"].as_array().cloned().unwrap_or_default();
        let shown: Vec<Value> = groups
            .iter()
            .map(|group| json!([group["key"], {"amount": group["amount"], "entries": group["entries"]}]))
            .collect();
        self.compare("/overview top_categories", &json!(shown), &json!(expected))
    }
}

/// A book of this test has weeks from Monday and months from the 1st.
fn span(period: &str, on: NaiveDate) -> (NaiveDate, NaiveDate) {
    let first_of_month = on.with_day(1).expect("every month has a first");
    let (from, next) = match period {
        "week" => {
            let from = on - Days::new(on.weekday().num_days_from_monday().into());
            (from, from + Days::new(7))
        }
        "month" => (first_of_month, first_of_month + Months::new(1)),
        "quarter" => {
            let from = first_of_month - Months::new(on.month0() % 3);
            (from, from + Months::new(3))
        }
        _ => {
            let from = first_of_month - Months::new(on.month0());
            (from, from + Months::new(12))
        }
    };
    (from, next - Days::new(1))
}

/// Figures without the way to their entries.
fn without_urls(mut found: Value) -> Value {
    match &mut found {
        Value::Object(fields) => {
            fields.retain(|name, _| !name.ends_with("entries_url"));
            fields.values_mut().for_each(|value| *value = without_urls(value.take()));
        }
        Value::Array(items) => items.iter_mut().for_each(|item| *item = without_urls(item.take())),
        _ => {}
    }
    found
}

fn by_id(list: &Value) -> BTreeMap<String, Value> {
    let things = list.as_array().into_iter().flatten();
    things.map(|thing| (thing["id"].as_str().unwrap_or_default().to_owned(), thing.clone())).collect()
}

fn flatten(groups: &Value, into: &mut BTreeMap<String, Value>) {
    for group in groups.as_array().into_iter().flatten() {
        let key = group["key"].as_str().unwrap_or_default().to_owned();
        into.insert(key, json!({"amount": group["amount"], "entries": group["entries"]}));
        flatten(&group["children"], into);
    }
}
