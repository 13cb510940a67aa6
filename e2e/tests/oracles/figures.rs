use std::collections::{BTreeMap, BTreeSet};

use chrono::{Datelike, Months, NaiveDate};
use daybook_e2e::Client;
use serde_json::Value;

/// Days that entries may lie in, both included.
pub struct Span {
    pub from: &'static str,
    pub to: &'static str,
}

impl Span {
    /// Where a random book has its entries: a little more than a year, and both ends of time.
    pub const ALL: [Span; 3] = [
        Span { from: "0001-01-01", to: "0001-01-31" },
        Span { from: "2025-02-01", to: "2026-03-31" },
        Span { from: "9999-12-01", to: "9999-12-31" },
    ];

    fn months(&self) -> Vec<NaiveDate> {
        let (from, to): (NaiveDate, NaiveDate) = (self.from.parse().unwrap(), self.to.parse().unwrap());
        let first = from.with_day(1).unwrap();
        (0..)
            .map_while(|month| first.checked_add_months(Months::new(month)))
            .take_while(|day| *day <= to)
            .collect()
    }
}

/// One figure: of an account, a category, or `expense` or `income` in all; of a month, or of the end.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Figure {
    pub of: String,
    /// `YYYY-MM`; empty for a balance.
    pub month: String,
    pub currency: String,
}

/// Exact amounts, in millionths; what is zero is left out. Positive when money went the usual way.
#[derive(Debug, Default)]
pub struct Figures(BTreeMap<Figure, i128>);

impl Figures {
    pub fn len(&self) -> usize {
        self.0.len()
    }

    pub fn add(&mut self, of: &str, month: &str, currency: &str, millionths: i128) {
        let figure = Figure { of: of.to_owned(), month: month.to_owned(), currency: currency.to_owned() };
        let sum = self.0.entry(figure.clone()).or_default();
        *sum += millionths;
        if *sum == 0 {
            self.0.remove(&figure);
        }
    }

    /// What the API answers about the book.
    pub async fn answered(client: &Client, book: &str, spans: &[Span]) -> Self {
        let mut figures = Self::default();
        let read = async |path: String| client.get(&format!("{book}{path}")).await.expect(200).json();
        for account in read("/accounts".to_owned()).await["data"].as_array().unwrap() {
            let balance = exact(text(&account["balance"]));
            figures.add(text(&account["id"]), "", text(&account["currency"]), balance);
        }
        for first in spans.iter().flat_map(Span::months) {
            let month = format!("{:04}-{:02}", first.year(), first.month());
            for kind in ["expense", "income"] {
                let report = read(format!(
                    "/reports/spending?period=month&on={month}-01&group_by=category&kind={kind}"
                ))
                .await;
                for group in report["groups"].as_array().unwrap() {
                    figures.add_group(group, &month);
                }
                for total in report["totals"].as_array().unwrap() {
                    figures.add(kind, &month, text(&total["currency"]), exact(text(&total[kind])));
                }
            }
        }
        figures
    }

    /// A group's amount holds those of its children; here each category is told for itself.
    fn add_group(&mut self, group: &Value, month: &str) {
        let (of, currency) = (text(&group["key"]), text(&group["currency"]));
        self.add(of, month, currency, exact(text(&group["amount"])));
        for child in group["children"].as_array().into_iter().flatten() {
            self.add(of, month, currency, -exact(text(&child["amount"])));
            self.add_group(child, month);
        }
    }
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_else(|| panic!("{value} is no text"))
}

/// `-12.50` as millionths.
pub fn exact(decimal: &str) -> i128 {
    let (whole, fraction) = decimal.split_once('.').unwrap_or((decimal, ""));
    assert!(fraction.len() <= 6, "{decimal} has more decimals than any currency");
    format!("{whole}{fraction:0<6}").parse().unwrap_or_else(|error| panic!("{decimal:?}: {error}"))
}

/// Each figure that is not the same on both sides, with both.
pub fn differences(ours: &Figures, theirs: &Figures) -> Vec<String> {
    let all: BTreeSet<&Figure> = ours.0.keys().chain(theirs.0.keys()).collect();
    let amount = |figures: &Figures, figure| figures.0.get(figure).copied().unwrap_or(0);
    all.into_iter()
        .map(|figure| (figure, amount(ours, figure), amount(theirs, figure)))
        .filter(|(_, ours, theirs)| ours != theirs)
        .map(|(figure, ours, theirs)| format!("{figure:?}: ours {ours}, theirs {theirs} millionths"))
        .collect()
}

#[track_caller]
pub fn assert_equal(ours: &Figures, theirs: &Figures, whose: &str) {
    let differences = differences(ours, theirs);
    let first = &differences[..differences.len().min(20)];
    assert!(differences.is_empty(), "{whose}: {} figures differ:\n{}", differences.len(), first.join("\n"));
}
