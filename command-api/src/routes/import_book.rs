//! A whole book as the export writes it, on its way into an empty one.

use std::collections::{BTreeMap, HashMap, HashSet};

use domain::{
    command::{ImportChart, ImportLine, NewAccount, NewCategory, Reading},
    event::Settings,
    id::CategoryId,
    money::Currency,
    text::{NAME_MAX, TAGS_MAX, Text},
};
use http_kit::{
    exchange::{BookFile, Category, Entry},
    problem::Problem,
};

use super::{
    import_guess::{FileAccount, FileCategory, FileGuess, PreviewLine},
    import_mapping::{FileFormat, FileMapping},
};
use crate::statements::NumberedBy;

/// The name of the shape stands in the file's first line.
const HEAD_BYTES: usize = 1024;
const SHAPE: &[u8] = b"\"daybook.book.v1\"";

/// Whether the file says that it is a whole book.
pub fn is_book(file: &[u8]) -> bool {
    let head = &file[..file.len().min(HEAD_BYTES)];
    head.trim_ascii_start().starts_with(b"{") && head.windows(SHAPE.len()).any(|bytes| bytes == SHAPE)
}

pub fn read(file: &[u8]) -> Result<BookFile, Problem> {
    serde_json::from_slice(file).map_err(|error| {
        let detail = format!("The file is no whole daybook.book.v1: {error}.");
        Problem::new("book_file_invalid").detail(detail).with("line", error.line())
    })
}

/// Settings, accounts and categories, with their ids.
pub fn chart(file: &BookFile) -> Result<ImportChart, Problem> {
    let invalid = |what: &str, reason: &str| {
        Problem::new("book_file_invalid").detail(format!("In the file {what}: {reason}."))
    };
    let named = |name: &Option<String>, what: &str| match name {
        None => Err(invalid(what, "its name was forgotten; a book without names cannot be taken in")),
        Some(name) => Text::line(name, NAME_MAX).map_err(|error| invalid(what, &error.to_string())),
    };
    let currency = |code: &str, decimals: u8, what: &str| {
        // What the list says today counts; a currency that has changed its decimals meanwhile is another one.
        let today = Currency::parse(code).map_err(|error| invalid(what, &error.to_string()))?;
        if today.decimals() != decimals {
            return Err(invalid(what, "the currency has another number of decimals today"));
        }
        Ok(today)
    };
    let book = &file.book;
    if !(1..=28).contains(&book.month_starts_on) {
        return Err(invalid("the book", "a month starts on a day from 1 to 28"));
    }
    if book.time_zone.parse::<chrono_tz::Tz>().is_err() {
        return Err(invalid("the book", "its time zone is not known"));
    }
    let settings = Settings {
        name: named(&book.name, "the book")?,
        currency: currency(&book.currency, book.currency_decimals, "the book")?,
        time_zone: book.time_zone.clone(),
        week_starts_on: book.week_starts_on,
        month_starts_on: book.month_starts_on,
    };
    let mut chart = ImportChart { settings: Some(settings), ..ImportChart::default() };
    for account in &file.accounts {
        let what = format!("the account {}", account.id);
        chart.accounts.push(NewAccount {
            account: account.id,
            name: named(&account.name, &what)?,
            kind: account.kind,
            currency: Some(currency(&account.currency, account.currency_decimals, &what)?),
            opened_on: account.opened_on,
            opening_balance: None,
        });
        if account.closed {
            chart.closed.push(account.id);
        }
    }
    for category in parents_first(&file.categories) {
        let what = format!("the category {}", category.id);
        chart.categories.push(NewCategory {
            category: category.id,
            name: named(&category.name, &what)?,
            kind: category.kind,
            parent: category.parent,
            icon: category.icon.clone(),
            colour: category.colour.clone(),
        });
        if category.archived {
            chart.archived.push(category.id);
        }
    }
    Ok(chart)
}

/// In an order in which each can be added. Those whose parents are nowhere stand last, and are refused as such.
fn parents_first(categories: &[Category]) -> Vec<&Category> {
    let mut below: BTreeMap<Option<CategoryId>, Vec<&Category>> = BTreeMap::new();
    categories.iter().for_each(|category| below.entry(category.parent).or_default().push(category));
    let mut sorted: Vec<&Category> = below.remove(&None).unwrap_or_default();
    let mut next = 0;
    while let Some(above) = sorted.get(next) {
        sorted.extend(below.remove(&Some(above.id)).unwrap_or_default());
        next += 1;
    }
    let placed: HashSet<CategoryId> = sorted.iter().map(|category| category.id).collect();
    sorted.extend(categories.iter().filter(|category| !placed.contains(&category.id)));
    sorted
}

/// The entries as lines, counted from 1.
pub fn lines(entries: Vec<Entry>) -> impl Iterator<Item = ImportLine> {
    entries.into_iter().zip(1u64..).map(|(entry, line)| {
        let reading = match entry.read() {
            Ok(whole) if whole.tags.len() > TAGS_MAX => Reading::Unreadable {
                code: "entry_invalid".to_owned(),
                detail: Text::known(format!("{}: more than {TAGS_MAX} tags", entry.id)),
            },
            Ok(whole) => Reading::Whole { entry: Box::new(whole), removed: entry.removed },
            Err(unreadable) => Reading::Unreadable {
                code: "entry_invalid".to_owned(),
                detail: Text::known(format!("{}: {unreadable}", entry.id)),
            },
        };
        ImportLine { line, reading }
    })
}

pub fn guess(file: &[u8], preview_lines: usize) -> Result<(FileGuess, Vec<PreviewLine>), Problem> {
    let file = read(file)?;
    let accounts = file.accounts.iter().map(|account| FileAccount {
        name: account.name.clone().unwrap_or_default(),
        number: None,
        currency: Some(account.currency.clone()),
        account: None,
    });
    let mut lines_of: HashMap<CategoryId, u64> = HashMap::new();
    for entry in &file.entries {
        let named: HashSet<CategoryId> =
            entry.postings.iter().filter_map(|posting| posting.category).collect();
        named.into_iter().for_each(|category| *lines_of.entry(category).or_default() += 1);
    }
    let categories = file.categories.iter().map(|category| FileCategory {
        path: category.name.clone().unwrap_or_default(),
        kind: category.kind.as_str().to_owned(),
        lines: lines_of.get(&category.id).copied().unwrap_or_default(),
        category: None,
    });
    let preview = file.entries.iter().zip(1u64..).take(preview_lines).map(|(entry, line)| {
        let first = entry.postings.first();
        let account = first.and_then(|posting| posting.account);
        let account = file.accounts.iter().find(|known| Some(known.id) == account);
        PreviewLine {
            line,
            occurred_on: Some(entry.occurred_on.to_string()),
            amount: first.map(|posting| posting.amount.clone()),
            payee: entry.payee.clone(),
            note: entry.note.clone(),
            account: account.and_then(|account| account.name.clone()),
            category: None,
            transfer: None,
            code: None,
            detail: None,
        }
    });
    let guess = FileGuess {
        mapping: FileMapping::new(FileFormat::Daybook),
        reasons: Vec::new(),
        numbered_by: NumberedBy::Transaction,
        lines: file.entries.len() as u64,
        accounts: accounts.collect(),
        categories: categories.collect(),
    };
    Ok((guess, preview.collect()))
}
