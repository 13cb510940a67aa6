//! What a file seems to be, for a person to confirm.

use std::collections::{HashMap, HashSet};

use domain::{
    entry::{AccountKind, CategoryKind},
    id::AccountId,
    money::{Currency, Money},
};
use http_kit::problem::Problem;
use serde::Serialize;
use utoipa::ToSchema;

use super::{
    import::unreadable,
    import_book,
    import_mapping::{FileFormat, FileMapping},
    import_target::{account_id_of_name, category_of_path, path_label, usual_category},
};
use crate::{
    owner::Chart,
    statements::{self, Format, Line, NamedCategory, NumberedBy, Reason, Statement, csv},
};

/// Lines shown with a guess.
const PREVIEW_LINES: usize = 20;

/// How the file seems to be laid out. Nothing has been written: send it again with `guess.mapping` as `mapping`.
#[derive(Serialize, ToSchema)]
pub struct GuessAnswer {
    guess: Guess,
    /// The first lines as the guess reads them.
    preview: Vec<PreviewLine>,
}

#[derive(Serialize, ToSchema)]
#[serde(untagged)]
#[schema(as = ImportGuess)]
#[allow(clippy::large_enum_variant)]
enum Guess {
    Csv(csv::Guess),
    File(FileGuess),
}

/// What a file tells that is not a bank's CSV.
#[derive(Serialize, ToSchema)]
pub struct FileGuess {
    pub mapping: FileMapping,
    /// What the file left open and how it was read.
    pub reasons: Vec<Reason>,
    pub numbered_by: NumberedBy,
    /// How many lines it has that could hold an entry.
    pub lines: u64,
    pub accounts: Vec<FileAccount>,
    pub categories: Vec<FileCategory>,
}

/// An account that the file names.
#[derive(Serialize, ToSchema)]
pub struct FileAccount {
    /// As the mapping names it.
    pub name: String,
    /// IBAN, or the number that the bank has for it.
    pub number: Option<String>,
    pub currency: Option<String>,
    /// The book's account that it seems to be.
    pub account: Option<String>,
}

/// A category that the file names.
#[derive(Serialize, ToSchema)]
pub struct FileCategory {
    /// As the mapping names it.
    #[schema(example = "Food / Groceries")]
    pub path: String,
    /// `expense` or `income`, as the file says or as the sum through it suggests.
    pub kind: String,
    /// How many lines are of it.
    pub lines: u64,
    /// The book's category that it seems to be.
    pub category: Option<String>,
}

#[derive(Serialize, ToSchema)]
pub struct PreviewLine {
    pub line: u64,
    pub occurred_on: Option<String>,
    /// Signed: negative left the account.
    pub amount: Option<String>,
    pub payee: Option<String>,
    pub note: Option<String>,
    /// As the file names it.
    pub account: Option<String>,
    /// As the file names it.
    pub category: Option<String>,
    /// The other account of a transfer, as the file names it.
    pub transfer: Option<String>,
    /// Why the line would be refused.
    pub code: Option<String>,
    pub detail: Option<String>,
}

pub fn guess(file: &[u8], chart: &Chart) -> Result<GuessAnswer, Problem> {
    if import_book::is_book(file) {
        let (guess, preview) = import_book::guess(file, PREVIEW_LINES)?;
        return Ok(GuessAnswer { guess: Guess::File(guess), preview });
    }
    let format = statements::recognise(file).map_err(|error| unreadable(&error))?;
    match FileFormat::of(format) {
        None => guess_csv(file, chart),
        Some(named) => guess_file(file, format, FileMapping::new(named), chart),
    }
}

fn guess_csv(file: &[u8], chart: &Chart) -> Result<GuessAnswer, Problem> {
    let mut guess = csv::guess(file).map_err(|error| unreadable(&error))?;
    // The first open account of a bank is the likeliest; whoever confirms the guess sees which one it is.
    let first = likeliest(chart, AccountKind::Bank);
    guess.mapping.account = first.map(|(id, _)| id.to_string());
    guess.mapping.default_expense_category = usual(chart, CategoryKind::Expense);
    guess.mapping.default_income_category = usual(chart, CategoryKind::Income);

    let currency = first.map(|(_, currency)| currency);
    let decimals = currency.map_or(2, |currency| currency.decimals());
    let statement = csv::read(file, &guess.mapping, decimals).map_err(|error| unreadable(&error))?;
    Ok(GuessAnswer { preview: preview(&statement, currency), guess: Guess::Csv(guess) })
}

fn guess_file(
    file: &[u8],
    format: Format,
    mapping: FileMapping,
    chart: &Chart,
) -> Result<GuessAnswer, Problem> {
    let own = likeliest(chart, AccountKind::Bank).map(|(_, currency)| currency);
    let of_book = || chart.settings.as_ref().map(|settings| settings.currency);
    let currency = own.or_else(of_book);
    let decimals_of = |named: Option<&statements::NamedAccount>| {
        let code = named.and_then(|named| named.currency.as_deref());
        let of_name = named.and_then(|named| account_id_of_name(chart, named));
        let of_name = of_name.and_then(|id| chart.accounts.get(&id)).map(|account| account.currency);
        let known = of_name.or_else(|| Currency::parse(code?).ok()).or(currency);
        known.map_or(2, |currency| currency.decimals())
    };
    let statement =
        statements::read(file, format, &mapping.hints(), &decimals_of).map_err(|error| unreadable(&error))?;

    let mut mapping = mapping;
    let mut accounts = Vec::with_capacity(statement.accounts.len());
    for named in &statement.accounts {
        let known = account_id_of_name(chart, named).or_else(|| {
            // A bank's statement knows its account by a number, which the book does not.
            let is_only = statement.accounts.len() == 1 && !format.is_ledger();
            let kind = named.kind.unwrap_or(AccountKind::Bank);
            is_only.then(|| likeliest(chart, kind).map(|(id, _)| id)).flatten()
        });
        let account = known.map(|id| id.to_string());
        if account.is_some() {
            mapping.accounts.insert(named.label().to_owned(), account.clone());
        }
        accounts.push(FileAccount {
            name: named.label().to_owned(),
            number: named.number.clone(),
            currency: named.currency.clone(),
            account,
        });
    }
    let mut categories = Vec::new();
    let rows = || statement.lines.iter().filter_map(|line| line.outcome.as_ref().ok());
    let mut lines_of: HashMap<&[String], u64> = HashMap::new();
    for row in rows() {
        let parts = row.splits.iter().map(|split| split.category.as_slice());
        let named: HashSet<&[String]> = parts.chain([row.category.as_slice()]).collect();
        named.into_iter().for_each(|path| *lines_of.entry(path).or_default() += 1);
    }
    for NamedCategory { path, kind } in &statement.categories {
        let kinds = [*kind, CategoryKind::Expense, CategoryKind::Income];
        let known = kinds.into_iter().find_map(|kind| category_of_path(chart, path, kind));
        let lines = lines_of.get(path.as_slice()).copied().unwrap_or_default();
        categories.push(FileCategory {
            path: path_label(path),
            kind: kind.as_str().to_owned(),
            lines,
            category: known.map(|id| id.to_string()),
        });
    }
    if rows().any(|row| row.account.is_none()) {
        mapping.account = likeliest(chart, AccountKind::Bank).map(|(id, _)| id.to_string());
    }
    let misses_some = accounts.iter().any(|account| account.account.is_none())
        || categories.iter().any(|category| category.category.is_none());
    mapping.create_missing = misses_some && format.is_ledger();
    mapping.default_expense_category = usual(chart, CategoryKind::Expense);
    mapping.default_income_category = usual(chart, CategoryKind::Income);

    let preview = preview(&statement, currency);
    let guess = FileGuess {
        mapping,
        lines: statement.lines.len() as u64,
        numbered_by: statement.numbered_by,
        reasons: statement.reasons,
        accounts,
        categories,
    };
    Ok(GuessAnswer { guess: Guess::File(guess), preview })
}

fn usual(chart: &Chart, kind: CategoryKind) -> Option<String> {
    usual_category(chart, kind).map(|id| id.to_string())
}

/// The first open account of this kind, else the first open one.
fn likeliest(chart: &Chart, kind: AccountKind) -> Option<(AccountId, Currency)> {
    let mut open = chart.accounts.iter().filter(|(_, account)| !account.closed);
    let first = open.clone().find(|(_, account)| account.kind == kind).or_else(|| open.next());
    first.map(|(id, account)| (*id, account.currency))
}

/// The first lines; amounts of lines that name no currency are of `currency`.
fn preview(statement: &Statement, currency: Option<Currency>) -> Vec<PreviewLine> {
    let named = |place: usize| statement.accounts.get(place).map(|account| account.label().to_owned());
    let shown = |line: &Line| match &line.outcome {
        Ok(row) => {
            let of_account = row.account.and_then(|place| statement.accounts.get(place)?.currency.clone());
            let code = row.currency.clone().or(of_account);
            let told = code.and_then(|code| Currency::parse(&code).ok()).or(currency);
            PreviewLine {
                line: line.number,
                occurred_on: Some(row.occurred_on.to_string()),
                amount: told.map(|currency| Money { minor: row.amount_minor, currency }.decimal()),
                payee: Some(row.payee.clone()),
                note: Some(row.note.clone()),
                account: row.account.and_then(named),
                category: Some(path_label(&row.category)).filter(|path| !path.is_empty()),
                transfer: row.transfer.as_ref().and_then(|transfer| named(transfer.account)),
                code: None,
                detail: None,
            }
        }
        Err(refusal) => PreviewLine {
            line: line.number,
            occurred_on: None,
            amount: None,
            payee: None,
            note: None,
            account: None,
            category: None,
            transfer: None,
            code: Some(refusal.code.to_owned()),
            detail: Some(refusal.detail.clone()),
        },
    };
    statement.lines.iter().take(PREVIEW_LINES).map(shown).collect()
}
