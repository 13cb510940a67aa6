use std::fmt::Write as _;

use domain::{book::KeptEntry, entry::Entry, text::Text};

use super::{
    Write,
    chart::Chart,
    ledger_names::{Grammar, LedgerNames},
};

const GRAMMAR: Grammar = Grammar {
    assets: "Assets",
    liabilities: "Liabilities",
    expenses: "Expenses",
    income: "Income",
    opening_balances: "Equity:Opening-Balances",
    conversion: "Equity:Conversion",
    part,
    before_number: '-',
};

/// A file for beancount. Every entry has its id as a link, and a refund that of its purchase as well.
pub struct Beancount {
    chart: Chart,
    names: LedgerNames,
}

impl Beancount {
    pub fn new(chart: Chart) -> Self {
        Self { names: LedgerNames::of(&chart, &GRAMMAR), chart }
    }

    fn entry(&self, entry: &Entry, out: &mut String) {
        let text = |text: &Option<Text>| quoted(text.as_ref().and_then(Text::as_str).unwrap_or_default());
        let (payee, note) = (text(&entry.payee), text(&entry.note));
        let _ = write!(out, "\n{} * {payee} {note}", entry.occurred_on);
        let tags: Vec<&str> = entry.tags.iter().filter_map(Text::as_str).collect();
        for tag in tags.iter().filter_map(|text| tag(text)) {
            let _ = write!(out, " #{tag}");
        }
        let _ = write!(out, " ^{}", entry.id);
        if let Some(purchase) = entry.refund_of {
            let _ = write!(out, " ^{purchase}");
        }
        out.push('\n');
        if tags.iter().any(|text| tag(text).as_deref() != Some(text)) {
            let _ = writeln!(out, "  tag-names: {}", quoted(&tags.join(", ")));
        }
        if let Some(money) = entry.foreign {
            let _ = writeln!(out, "  foreign: {money}");
        }
        for posting in &entry.postings {
            let _ = writeln!(out, "  {}  {}", self.names.ledger(posting.ledger), posting.money);
            if let Some(note) = posting.note.as_ref().and_then(Text::as_str) {
                let _ = writeln!(out, "    note: {}", quoted(note));
            }
        }
    }
}

impl Write for Beancount {
    fn head(&mut self) -> Vec<u8> {
        let Chart { standing, accounts, tree, currencies, first_day } = &self.chart;
        let (settings, book, version) = (&standing.settings, standing.book, standing.version);
        let mut out = format!("; {book}, version {version}\n\n");
        let _ = writeln!(out, "option \"title\" {}", quoted(settings.name.as_str().unwrap_or("Book")));
        let _ = writeln!(out, "option \"operating_currency\" \"{}\"\n", settings.currency);
        for currency in currencies {
            let _ = writeln!(out, "{first_day} commodity {currency}");
        }
        out.push('\n');
        let mut open = |name: &str, currency: &str, details: &[(&str, String)]| {
            let _ = writeln!(out, "{}", format!("{first_day} open {name} {currency}").trim_end());
            for (key, value) in details {
                let _ = writeln!(out, "  {key}: {value}");
            }
        };
        for (id, account) in accounts {
            let name = quoted(account.name.as_str().unwrap_or_default());
            let mut details = vec![("id", quoted(&id.to_string())), ("name", name)];
            if account.closed {
                details.push(("closed", "TRUE".to_owned()));
            }
            open(self.names.account(*id), account.currency.code(), &details);
        }
        for (id, category) in tree.iter() {
            let name = quoted(category.name.as_str().unwrap_or_default());
            let details = [("id", quoted(&id.to_string())), ("name", name)];
            open(self.names.category(id), "", &details);
        }
        open(GRAMMAR.opening_balances, "", &[]);
        open(GRAMMAR.conversion, "", &[]);
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

/// A string. One of many lines would be refused, so their ends are written as escapes.
fn quoted(text: &str) -> String {
    let mut quoted = String::with_capacity(text.len() + 2);
    quoted.push('"');
    for letter in text.chars() {
        match letter {
            '"' => quoted.push_str("\\\""),
            '\\' => quoted.push_str("\\\\"),
            '\n' => quoted.push_str("\\n"),
            '\r' => quoted.push_str("\\r"),
            '\t' => quoted.push_str("\\t"),
            letter => quoted.push(letter),
        }
    }
    quoted.push('"');
    quoted
}

/// Scripts whose letters beancount takes for letters in every edition of Unicode that its parsers know. Marks that
/// letters are put together with are not among them.
const LETTERS: [(char, char); 13] = [
    ('\u{c0}', '\u{24f}'),    // Latin
    ('\u{370}', '\u{3ff}'),   // Greek
    ('\u{400}', '\u{481}'),   // Cyrillic
    ('\u{48a}', '\u{52f}'),   //
    ('\u{531}', '\u{586}'),   // Armenian
    ('\u{5d0}', '\u{5ea}'),   // Hebrew
    ('\u{620}', '\u{64a}'),   // Arabic
    ('\u{1e00}', '\u{1eff}'), // Latin with more marks
    ('\u{3041}', '\u{3096}'), // Hiragana
    ('\u{30a1}', '\u{30fa}'), // Katakana
    ('\u{3400}', '\u{4dbf}'), // Han
    ('\u{4e00}', '\u{9fff}'), //
    ('\u{ac00}', '\u{d7a3}'), // Hangul
];

/// A part of a name begins with a capital or a digit and goes on with letters, digits and dashes.
fn part(text: &str) -> String {
    let is_letter = |letter: char| {
        letter.is_ascii_alphanumeric()
            || (letter.is_alphabetic() && LETTERS.iter().any(|(from, to)| (*from..=*to).contains(&letter)))
    };
    let words: Vec<&str> = text.split(|letter| !is_letter(letter)).filter(|word| !word.is_empty()).collect();
    let part = words.join("-");
    let mut letters = part.chars();
    let Some(first) = letters.next() else { return "Unnamed".to_owned() };
    if first.is_ascii_digit() {
        return part;
    }
    let capital: String = first.to_uppercase().collect();
    if capital.chars().all(|letter| is_letter(letter) && !letter.is_lowercase() && letter.is_uppercase()) {
        return format!("{capital}{}", letters.as_str());
    }
    // Not every script has capitals.
    format!("X{part}")
}

/// `None` where nothing is left of it.
fn tag(text: &str) -> Option<String> {
    let is_allowed = |letter: char| letter.is_ascii_alphanumeric() || "-_/.".contains(letter);
    let words: Vec<&str> = text.split(|letter| !is_allowed(letter)).filter(|word| !word.is_empty()).collect();
    let tag = words.join("-");
    (!tag.is_empty()).then_some(tag)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_made_to_fit_the_grammar() {
        for (name, expected) in [
            ("Groceries", "Groceries"),
            ("groceries & more", "Groceries-more"),
            ("2nd flat: rent; heating", "2nd-flat-rent-heating"),
            ("-- (joint) --", "Joint"),
            ("öffis", "Öffis"),
            ("ßharp", "SSharp"),
            ("Étude", "Étude"),
            ("e\u{301}tude", "E-tude"),
            ("食品", "X食品"),
            ("ªb", "B"),
            ("Ⓐ", "Unnamed"),
            ("☕", "Unnamed"),
            ("", "Unnamed"),
        ] {
            assert_eq!(part(name), expected, "{name}");
        }
    }

    #[test]
    fn tags_and_strings_are_made_to_fit_the_grammar() {
        assert_eq!(tag("week end").as_deref(), Some("week-end"));
        assert_eq!(tag("família").as_deref(), Some("fam-lia"));
        assert_eq!(tag("食品"), None);
        assert_eq!(quoted("a \"b\" \\ c\nd"), r#""a \"b\" \\ c\nd""#);
    }
}
