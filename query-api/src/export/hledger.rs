use std::fmt::Write as _;

use domain::{book::KeptEntry, entry::Entry, text::Text};

use super::{
    Write,
    chart::Chart,
    ledger_names::{Grammar, LedgerNames},
};

const GRAMMAR: Grammar = Grammar {
    assets: "assets",
    liabilities: "liabilities",
    expenses: "expenses",
    income: "income",
    opening_balances: "equity:opening balances",
    conversion: "equity:conversion",
    part,
    before_number: ' ',
};

/// A journal for hledger. The entry's id is the transaction's code, other ids are tags.
pub struct Hledger {
    chart: Chart,
    names: LedgerNames,
}

impl Hledger {
    pub fn new(chart: Chart) -> Self {
        Self { names: LedgerNames::of(&chart, &GRAMMAR), chart }
    }

    fn entry(&self, entry: &Entry, out: &mut String) {
        let payee = entry.payee.as_ref().and_then(Text::as_str).unwrap_or_default();
        let title = format!("{} ({}) {}", entry.occurred_on, entry.id, description(payee));
        let _ = writeln!(out, "\n{}", title.trim_end());
        let note = entry.note.as_ref().and_then(Text::as_str).unwrap_or_default();
        for line in note.lines() {
            let _ = writeln!(out, "    {}", format!("; {line}").trim_end());
        }
        let mut tags: Vec<String> = entry.tags.iter().filter_map(Text::as_str).map(tag).collect();
        tags.extend(entry.refund_of.map(|purchase| format!("refund_of:{purchase}")));
        tags.extend(entry.foreign.map(|money| format!("foreign:{money}")));
        if !tags.is_empty() {
            let _ = writeln!(out, "    ; {}", tags.join(", "));
        }
        for posting in &entry.postings {
            let _ = write!(out, "    {}  {}", self.names.ledger(posting.ledger), posting.money);
            if let Some(note) = posting.note.as_ref().and_then(Text::as_str) {
                let _ = write!(out, "  ; {}", remark(note));
            }
            out.push('\n');
        }
    }
}

impl Write for Hledger {
    fn head(&mut self) -> Vec<u8> {
        let Chart { standing, accounts, tree, currencies, .. } = &self.chart;
        let book = standing.settings.name.as_str().unwrap_or("Book");
        let mut out =
            format!("; {book}\n; {}, version {}\n\ndecimal-mark .\n\n", standing.book, standing.version);
        for currency in currencies {
            // A mark is wanted even where nothing comes after it.
            let decimals = "0".repeat(usize::from(currency.decimals()));
            let _ = writeln!(out, "commodity 1000.{decimals} {currency}");
        }
        out.push('\n');
        for id in accounts.keys() {
            let _ = writeln!(out, "account {}  ; id:{id}", self.names.account(*id));
        }
        for (id, _) in tree.iter() {
            let _ = writeln!(out, "account {}  ; id:{id}", self.names.category(id));
        }
        for equity in [GRAMMAR.opening_balances, GRAMMAR.conversion] {
            let _ = writeln!(out, "account {equity}");
        }
        out.into_bytes()
    }

    fn entries(&mut self, batch: &[KeptEntry]) -> Vec<u8> {
        let mut out = String::new();
        batch.iter().for_each(|kept| self.entry(&kept.entry, &mut out));
        out.into_bytes()
    }

    fn tail(&mut self) -> Vec<u8> {
        Vec::new()
    }

    fn has_removed(&self) -> bool {
        false
    }
}

/// One space may stand in a name, two would end it; a colon would begin the next part, a semicolon a comment.
fn part(text: &str) -> String {
    let words: Vec<&str> = text.split_whitespace().collect();
    let part = words.join(" ").replace(':', "-").replace(';', ",");
    if part.is_empty() { "unnamed".to_owned() } else { part }
}

/// A bar would divide payee from note.
fn description(payee: &str) -> String {
    payee.replace(';', ",").replace('|', "/")
}

/// Tags are words, and a comma ends them.
fn tag(text: &str) -> String {
    let word: Vec<&str> =
        text.split(|letter: char| letter.is_whitespace() || ":,;".contains(letter)).collect();
    format!("{}:", word.join("-"))
}

/// A comment of a posting in one line. Here hledger would read a tag `date:` or a date in brackets as the day of the
/// posting.
fn remark(note: &str) -> String {
    let words: Vec<&str> = note.split_whitespace().collect();
    words.join(" ").replace(':', " :").replace('[', "(").replace(']', ")")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_keep_their_letters_but_for_those_that_would_end_them() {
        for (name, expected) in [
            ("Bank  (joint)", "Bank (joint)"),
            ("a:b;c", "a-b,c"),
            ("* Café ☕ [x]", "* Café ☕ [x]"),
            ("\u{a0}\u{3000}two\u{a0} spaces", "two spaces"),
            ("", "unnamed"),
        ] {
            assert_eq!(part(name), expected, "{name}");
        }
        assert_eq!(tag("date night, x:y"), "date-night--x-y:");
        assert_eq!(remark("date:2026-01-01\n[2026-01-02]"), "date :2026-01-01 (2026-01-02)");
    }
}
