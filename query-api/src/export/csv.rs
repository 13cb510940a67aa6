use std::borrow::Cow;

use csv::{Terminator, WriterBuilder};
use domain::{
    book::KeptEntry,
    entry::Entry,
    money::Money,
    posting::{Ledger, Posting},
    text::Text,
};

use super::{Write, chart::Chart};

const COLUMNS: [&str; 17] = [
    "id",
    "date",
    "kind",
    "account",
    "amount",
    "currency",
    "category",
    "payee",
    "note",
    "split_note",
    "tags",
    "to_account",
    "to_amount",
    "to_currency",
    "refund_of",
    "foreign_amount",
    "foreign_currency",
];

/// A table as RFC 4180 writes it. Amounts are signed as they change the account: what was spent is negative.
pub struct Csv {
    chart: Chart,
}

/// What one line tells beside its entry.
#[derive(Default)]
struct Line<'e> {
    account: Option<&'e Posting>,
    /// Told with the sign of the account that paid for it.
    category: Option<&'e Posting>,
    to: Option<&'e Posting>,
}

impl Csv {
    pub fn new(chart: Chart) -> Self {
        Self { chart }
    }

    fn row(&self, entry: &Entry, line: &Line) -> [String; 17] {
        let text = |text: &Option<Text>| free(text.as_ref().and_then(Text::as_str).unwrap_or_default());
        let account = |posting: Option<&Posting>| match posting.map(|posting| posting.ledger) {
            Some(Ledger::Account(id)) => free(self.chart.account_name(id)),
            Some(Ledger::Category(_) | Ledger::OpeningBalances | Ledger::Conversion) | None => String::new(),
        };
        let category = match line.category.map(|posting| posting.ledger) {
            Some(Ledger::Category(id)) => free(&self.chart.category_path(id)),
            Some(Ledger::Account(_) | Ledger::OpeningBalances | Ledger::Conversion) | None => String::new(),
        };
        let money = line.category.map(|posting| posting.money.negated());
        let money = money.or(line.account.map(|posting| posting.money));
        let to_money = line.to.map(|posting| posting.money);
        let tags: Vec<&str> = entry.tags.iter().filter_map(Text::as_str).collect();
        [
            entry.id.to_string(),
            entry.occurred_on.to_string(),
            entry.kind.as_str().to_owned(),
            account(line.account),
            amount(money),
            currency(money),
            category,
            text(&entry.payee),
            text(&entry.note),
            line.category.map(|posting| text(&posting.note)).unwrap_or_default(),
            free(&tags.join(", ")),
            account(line.to),
            amount(to_money),
            currency(to_money),
            entry.refund_of.map(|purchase| purchase.to_string()).unwrap_or_default(),
            amount(entry.foreign),
            currency(entry.foreign),
        ]
    }
}

impl Write for Csv {
    fn head(&mut self) -> Vec<u8> {
        table([COLUMNS])
    }

    fn entries(&mut self, batch: &[KeptEntry]) -> Vec<u8> {
        let entries = batch.iter().map(|kept| &kept.entry);
        table(entries.flat_map(|entry| lines(entry).into_iter().map(|line| self.row(entry, &line))))
    }

    fn tail(&mut self) -> Vec<u8> {
        Vec::new()
    }

    fn has_removed(&self) -> bool {
        false
    }
}

fn table(rows: impl IntoIterator<Item = [impl AsRef<[u8]>; 17]>) -> Vec<u8> {
    let mut writer = WriterBuilder::new().terminator(Terminator::CRLF).from_writer(Vec::new());
    for row in rows {
        writer.write_record(row).expect("each row has as many cells as the first, and memory takes them all");
    }
    writer.into_inner().expect("memory takes what is written")
}

/// Usual entries have one account for all of their categories, or two and none. What has more is told leg by leg, so
/// that the lines of an account, and those of a category, add up in any case.
fn lines(entry: &Entry) -> Vec<Line<'_>> {
    let legs = |wanted: fn(&Ledger) -> bool| -> Vec<&Posting> {
        entry.postings.iter().filter(|posting| wanted(&posting.ledger)).collect()
    };
    let accounts = legs(|ledger| matches!(ledger, Ledger::Account(_)));
    let categories = legs(|ledger| matches!(ledger, Ledger::Category(_)));
    let paid_by = |account, category| Line { account: Some(account), category: Some(category), to: None };
    match (accounts.as_slice(), categories.as_slice()) {
        (&[account], []) => vec![Line { account: Some(account), ..Line::default() }],
        (&[from, to], []) => vec![Line { account: Some(from), to: Some(to), ..Line::default() }],
        (&[account], categories) if are_the_other_side(account, categories) => {
            categories.iter().map(|category| paid_by(account, *category)).collect()
        }
        (accounts, categories) => {
            let accounts = accounts.iter().map(|leg| Line { account: Some(*leg), ..Line::default() });
            let categories = categories.iter().map(|leg| Line { category: Some(*leg), ..Line::default() });
            accounts.chain(categories).collect()
        }
    }
}

/// Whether what left the account is just what the categories got.
fn are_the_other_side(account: &Posting, categories: &[&Posting]) -> bool {
    let currency = account.money.currency;
    let is_one_currency = categories.iter().all(|category| category.money.currency == currency);
    let sum: i128 = categories.iter().map(|category| i128::from(category.money.minor)).sum();
    is_one_currency && sum + i128::from(account.money.minor) == 0
}

fn amount(money: Option<Money>) -> String {
    money.map(|money| money.decimal()).unwrap_or_default()
}

fn currency(money: Option<Money>) -> String {
    money.map(|money| money.currency.code().to_owned()).unwrap_or_default()
}

/// Text that somebody chose. A spreadsheet would run what begins like a formula; an apostrophe makes it text again.
fn free(text: &str) -> String {
    let is_formula = text.starts_with(['=', '+', '-', '@', '\t', '\r', '\n']);
    let text = if is_formula { Cow::Owned(format!("'{text}")) } else { Cow::Borrowed(text) };
    text.into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_spreadsheet_would_run_is_text() {
        for formula in ["=1+1", "+49 30", "-x", "@SUM(A1)", "\t=1", "\r=1", "\n=1"] {
            assert_eq!(free(formula), format!("'{formula}"));
        }
        for text in ["", "Rewe", "a=1", " =1", "'=1"] {
            assert_eq!(free(text), text);
        }
    }
}
