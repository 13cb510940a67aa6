//! Where the lines of a file go: accounts, categories and transfers, held against the book; and each line as it goes to
//! the owner of the book.

use std::collections::{BTreeMap, HashMap};

use domain::{
    command::{
        EntryDraft, ImportChart, ImportLine, NewAccount, NewCategory, PostedTo, PostingDraft, Reading, Side,
        Sides, Sorting, SplitDraft,
    },
    entry::{AccountKind, CategoryKind, EntryKind, statement_mark},
    id::{AccountId, CategoryId, EntryId, ImportId},
    money::{Amount, Currency},
    text::{NAME_MAX, NOTE_MAX, PAYEE_MAX, TAG_MAX, TAGS_MAX, Text},
};
use http_kit::problem::{FieldError, Problem};

use super::import_mapping::FileMapping;
use crate::{
    owner::{Chart, Sources},
    statements::{
        Line, NamedAccount, NamedCategory, Refusal, Row, Statement,
        csv::{self, CategoryRule},
    },
    writes::derived_uuid,
};

/// How many days the two sides of a transfer may be apart, where nobody says.
const TRANSFER_DAYS: u16 = 3;
const TRANSFER_DAYS_MAX: u16 = 14;

/// What a mapping of either kind says about where lines go.
#[derive(Default)]
struct Wishes {
    account: Option<String>,
    accounts: BTreeMap<String, Option<String>>,
    categories: BTreeMap<String, String>,
    rules: Vec<CategoryRule>,
    transfers: BTreeMap<String, String>,
    transfer_days: Option<u16>,
    default_expense_category: Option<String>,
    default_income_category: Option<String>,
    create_missing: bool,
}

/// An account of the book, or of those that the import makes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Known {
    id: AccountId,
    currency: Currency,
}

/// Where the lines of one of the file's accounts go.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Place {
    Account(Known),
    /// Somebody asked for this account to be passed over.
    LeftOut,
    Nowhere,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Sort {
    id: CategoryId,
    kind: CategoryKind,
}

/// Where the lines of a statement go.
pub struct Target {
    /// Of lines that name no account.
    account: Option<Known>,
    /// Of the file's accounts, in their order.
    places: Vec<Place>,
    /// As the file names them, for refusals.
    labels: Vec<String>,
    /// Accounts by their number in the file, without spaces.
    numbers: HashMap<String, Known>,
    categories: HashMap<(String, CategoryKind), CategoryId>,
    mapped: HashMap<String, Sort>,
    rules: Vec<(String, Sort)>,
    transfers: Vec<(String, Known)>,
    days_max: u16,
    expense: CategoryId,
    income: CategoryId,
    chart: ImportChart,
}

/// The faults of a mapping, all of them.
#[derive(Default)]
struct Faults(Vec<FieldError>);

impl Faults {
    fn add(&mut self, pointer: &str, code: &'static str, detail: &str) {
        let pointer = format!("/mapping/{pointer}");
        self.0.push(FieldError { pointer, code, detail: detail.to_owned() });
    }

    fn account(&mut self, pointer: &str, given: &str, chart: &Chart) -> Option<Known> {
        let id = given.parse::<AccountId>().ok();
        let known = id.and_then(|id| Some(Known { id, currency: chart.accounts.get(&id)?.currency }));
        if known.is_none() {
            self.add(pointer, "unknown_account", "The book has no such account.");
        }
        known
    }

    fn category(&mut self, pointer: &str, given: &str, chart: &Chart) -> Option<Sort> {
        let id = given.parse::<CategoryId>().ok();
        let known = id.and_then(|id| Some(Sort { id, kind: chart.categories.get(&id)?.kind }));
        if known.is_none() {
            self.add(pointer, "unknown_category", "The book has no such category.");
        }
        known
    }
}

impl Target {
    pub fn of_csv(
        mapping: &csv::Mapping,
        statement: &Statement,
        chart: &Chart,
        import: ImportId,
    ) -> Result<Self, Problem> {
        let wishes = Wishes {
            account: mapping.account.clone(),
            rules: mapping.rules.clone(),
            transfers: mapping.transfers.clone(),
            transfer_days: mapping.transfer_days,
            default_expense_category: mapping.default_expense_category.clone(),
            default_income_category: mapping.default_income_category.clone(),
            ..Wishes::default()
        };
        Self::find(&wishes, statement, chart, import)
    }

    pub fn of_file(
        mapping: &FileMapping,
        statement: &Statement,
        chart: &Chart,
        import: ImportId,
    ) -> Result<Self, Problem> {
        let mapping = mapping.clone();
        let wishes = Wishes {
            account: mapping.account,
            accounts: mapping.accounts,
            categories: mapping.categories,
            rules: mapping.rules,
            transfers: mapping.transfers,
            transfer_days: mapping.transfer_days,
            default_expense_category: mapping.default_expense_category,
            default_income_category: mapping.default_income_category,
            create_missing: mapping.create_missing,
        };
        Self::find(&wishes, statement, chart, import)
    }

    /// What the mapping names, held against the book; its default categories may be left to the book's own.
    fn find(
        wishes: &Wishes,
        statement: &Statement,
        chart: &Chart,
        import: ImportId,
    ) -> Result<Self, Problem> {
        let mut faults = Faults::default();
        let settings = chart.settings.as_ref().ok_or_else(|| Problem::new("book_not_found"))?;
        let currency = settings.currency;
        let mut making = Making { import, chart, currency, made: ImportChart::default() };

        let takes_own = statement.accounts.is_empty() || rows(statement).any(|row| row.account.is_none());
        let account = match &wishes.account {
            Some(given) => faults.account("account", given, chart),
            None if takes_own => {
                faults.add("account", "field_missing", "Say which account the statement is of.");
                None
            }
            None => None,
        };
        let mut places = Vec::with_capacity(statement.accounts.len());
        for (number, named) in statement.accounts.iter().enumerate() {
            let label = named.label();
            let place = match wishes.accounts.get(label) {
                Some(Some(given)) => {
                    let known = faults.account(&format!("accounts/{}", escaped(label)), given, chart);
                    known.map_or(Place::Nowhere, Place::Account)
                }
                Some(None) => Place::LeftOut,
                None => match account_of_name(chart, named) {
                    Some(known) => Place::Account(known),
                    // A statement of one account need not be told twice.
                    None => match account.filter(|_| statement.accounts.len() == 1) {
                        Some(own) => Place::Account(own),
                        None if wishes.create_missing => {
                            Place::Account(making.account(named, opened_on(statement, number)))
                        }
                        None => Place::Nowhere,
                    },
                },
            };
            places.push(place);
        }

        let usual =
            |faults: &mut Faults, making: &mut Making<'_>, kind, name: &str, given: &Option<String>| {
                match given {
                    Some(given) => faults.category(name, given, chart).map(|sort| sort.id),
                    None => making.usual_category(kind, wishes.create_missing).or_else(|| {
                        faults.add(name, "field_missing", "Say which category takes what no rule sorts.");
                        None
                    }),
                }
            };
        let given = &wishes.default_expense_category;
        let expense =
            usual(&mut faults, &mut making, CategoryKind::Expense, "default_expense_category", given);
        let given = &wishes.default_income_category;
        let income = usual(&mut faults, &mut making, CategoryKind::Income, "default_income_category", given);

        let mut rules = Vec::with_capacity(wishes.rules.len());
        for (number, rule) in wishes.rules.iter().enumerate() {
            let sort = faults.category(&format!("rules/{number}/category"), &rule.category, chart);
            if rule.contains.trim().is_empty() {
                faults.add(
                    &format!("rules/{number}/contains"),
                    "invalid_value",
                    "This would fit every line.",
                );
            }
            rules.extend(sort.map(|sort| (rule.contains.to_lowercase(), sort)));
        }
        let mut transfers = Vec::with_capacity(wishes.transfers.len());
        for (text, given) in &wishes.transfers {
            let pointer = format!("transfers/{}", escaped(text));
            if text.trim().is_empty() {
                faults.add(&pointer, "invalid_value", "This would fit every line.");
            }
            let known = faults.account(&pointer, given, chart);
            transfers.extend(known.map(|known| (text.trim().to_lowercase(), known)));
        }
        let mut mapped = HashMap::new();
        for (path, given) in &wishes.categories {
            let sort = faults.category(&format!("categories/{}", escaped(path)), given, chart);
            mapped.extend(sort.map(|sort| (path.to_lowercase(), sort)));
        }
        let days_max = wishes.transfer_days.unwrap_or(TRANSFER_DAYS);
        if days_max > TRANSFER_DAYS_MAX {
            let detail = format!("At most {TRANSFER_DAYS_MAX} days.");
            faults.add("transfer_days", "invalid_value", &detail);
        }
        let (Some(expense), Some(income), true) = (expense, income, faults.0.is_empty()) else {
            return Err(Problem::from_fields(faults.0));
        };

        // Nothing below can be refused.
        let mut categories = HashMap::new();
        for NamedCategory { path, kind } in &statement.categories {
            let label = path_label(path);
            if mapped.contains_key(&label.to_lowercase()) {
                continue;
            }
            let found = [CategoryKind::Expense, CategoryKind::Income]
                .map(|kind| category_of_path(chart, path, kind).map(|id| (kind, id)));
            let found: Vec<_> = found.into_iter().flatten().collect();
            if found.is_empty() && wishes.create_missing {
                categories.insert((label.to_lowercase(), *kind), making.category(path, *kind));
            }
            categories.extend(found.into_iter().map(|(kind, id)| ((label.to_lowercase(), kind), id)));
        }
        let numbers = statement.accounts.iter().zip(&places).filter_map(|(named, place)| match place {
            Place::Account(known) => Some((packed(named.number.as_deref()?), *known)),
            Place::LeftOut | Place::Nowhere => None,
        });
        Ok(Self {
            account,
            numbers: numbers.collect(),
            places,
            labels: statement.accounts.iter().map(|named| named.label().to_owned()).collect(),
            categories,
            mapped,
            rules,
            transfers,
            days_max,
            expense,
            income,
            chart: making.made,
        })
    }

    /// Accounts and categories that have to be made first.
    pub fn chart(&self) -> &ImportChart {
        &self.chart
    }

    /// Whether the line is of an account that somebody asked to pass over.
    pub fn leaves_out(&self, line: &Line) -> bool {
        let account = line.outcome.as_ref().ok().and_then(|row| row.account);
        account.is_some_and(|place| self.places.get(place) == Some(&Place::LeftOut))
    }

    /// What the line says, as an entry.
    pub fn line(&self, line: Line, sources: &Sources) -> ImportLine {
        let reading = line.outcome.and_then(|row| self.reading(&row, sources));
        let reading = reading.unwrap_or_else(|refusal| Reading::Unreadable {
            code: refusal.code.to_owned(),
            detail: Text::known(refusal.detail),
        });
        ImportLine { line: line.number, reading }
    }

    fn reading(&self, row: &Row, sources: &Sources) -> Result<Reading, Refusal> {
        let own = self.own_account(row)?;
        // Amounts are told in the line's currency; where that is not the account's, the rules refuse it.
        let recognised_by = match &row.reference {
            Some(reference) => format!("#{reference}"),
            None => row.text.clone(),
        };
        let mark = statement_mark(own.id, row.occurred_on, row.amount_minor, &recognised_by);
        let entry = EntryId::from_uuid((sources.next_uuid)());
        let side = Side {
            account: own.id,
            occurred_on: row.occurred_on,
            minor: row.amount_minor,
            days_max: self.days_max,
        };
        if let Some(other) = self.other_account(row, own)? {
            let (draft, other_minor) = self.transfer(row, own, other)?;
            let sides = Sides {
                own: side,
                other_account: other.id,
                other_minor,
                unsorted: vec![self.expense, self.income],
            };
            return Ok(Reading::Transfer { entry, draft: Box::new(draft), mark, sides });
        }
        if row.kind == Some(EntryKind::OpeningBalance) {
            let draft = Box::new(told(EntryKind::OpeningBalance, row, own, row.amount_minor));
            return Ok(Reading::Entry { entry, draft, mark });
        }
        match self.sorted(row, own)? {
            Some(draft) => Ok(Reading::Entry { entry, draft: Box::new(draft), mark }),
            None => {
                let draft = Box::new(self.unsorted(row, own));
                Ok(Reading::Unsorted { entry, draft, mark, side })
            }
        }
    }

    fn own_account(&self, row: &Row) -> Result<Known, Refusal> {
        let place = row.account.and_then(|place| Some((self.places.get(place)?, self.labels.get(place)?)));
        match (place, self.account) {
            (Some((Place::Account(known), _)), _) => Ok(*known),
            (None, Some(known)) => Ok(known),
            (Some((Place::LeftOut | Place::Nowhere, label)), _) => Err(refused(
                "unknown_account",
                format!("The mapping does not say which account of the book {label:?} is."),
            )),
            (None, None) => {
                Err(refused("unknown_account", "The line names no account, and neither does the mapping."))
            }
        }
    }

    /// The account on the other side, where file or mapping say that it is one of the book's.
    fn other_account(&self, row: &Row, own: Known) -> Result<Option<Known>, Refusal> {
        if let Some(transfer) = &row.transfer {
            return match self.places.get(transfer.account) {
                Some(Place::Account(known)) => Ok(Some(*known)),
                // For the book it is money that came from nowhere.
                Some(Place::LeftOut) | None => Ok(None),
                Some(Place::Nowhere) => {
                    let label = self.labels.get(transfer.account).map_or("", String::as_str);
                    let detail = format!("The mapping does not say which account of the book {label:?} is.");
                    Err(refused("unknown_account", detail))
                }
            };
        }
        let counterpart = row.counterpart.as_deref().map(packed).unwrap_or_default();
        let is_told_by =
            |text: &str| row.text.contains(text) || (!counterpart.is_empty() && counterpart == packed(text));
        let by_text = self.transfers.iter().find(|(text, _)| is_told_by(text)).map(|(_, known)| *known);
        let known = by_text.or_else(|| self.numbers.get(&counterpart).copied());
        Ok(known.filter(|known| known.id != own.id))
    }

    fn transfer(&self, row: &Row, own: Known, other: Known) -> Result<(EntryDraft, i64), Refusal> {
        if let Some(currency) = row.currency.as_deref()
            && currency != own.currency.code()
        {
            let detail = format!("The account keeps {}, not {currency}.", own.currency);
            return Err(refused("currency_mismatch", detail));
        }
        let other_amount = row.transfer.as_ref().and_then(|transfer| transfer.other_amount);
        if let Some(money) = other_amount
            && money.currency.code() != other.currency.code()
        {
            let detail =
                format!("The other account keeps {}, not {}.", other.currency, money.currency.code());
            return Err(refused("currency_mismatch", detail));
        }
        let own_minor = row.amount_minor.saturating_abs();
        let is_converted = own.currency != other.currency;
        // What arrives in another currency has to be told; the rules refuse the line where it is not.
        let other_minor = other_amount.map(|money| money.minor).or((!is_converted).then_some(own_minor));
        let is_outgoing = row.amount_minor < 0;
        let (own_amount, other_amount) = (
            Some(Amount::from_minor(own_minor, own.currency)),
            other_minor.map(|minor| Amount::from_minor(minor, other.currency)),
        );
        let (from, to) = if is_outgoing { (own, other) } else { (other, own) };
        let (left, arrived) =
            if is_outgoing { (own_amount, other_amount) } else { (other_amount, own_amount) };
        let draft = EntryDraft {
            account: Some(from.id),
            amount: left.or(own_amount),
            currency: None,
            to_account: Some(to.id),
            to_amount: arrived.filter(|_| is_converted && left.is_some()),
            ..told(EntryKind::Transfer, row, own, own_minor)
        };
        let signed = other_minor.unwrap_or_default() * if is_outgoing { 1 } else { -1 };
        Ok((draft, signed))
    }

    /// The entry, where a rule or the file says what the money was for.
    fn sorted(&self, row: &Row, own: Known) -> Result<Option<EntryDraft>, Refusal> {
        let is_spent = row.amount_minor < 0;
        if let Some(sort) = self.rule(row) {
            let kind = match (is_spent, sort.kind) {
                (true, _) => EntryKind::Expense,
                // Money that comes back for something once spent on.
                (false, CategoryKind::Expense) => EntryKind::Refund,
                (false, CategoryKind::Income) => EntryKind::Income,
            };
            return Ok(Some(whole(kind, row, own, sort.id)));
        }
        if !row.splits.is_empty() {
            return self.split(row, own).map(Some);
        }
        if row.category.is_empty() {
            let sort = match row.kind {
                Some(EntryKind::Income) if !is_spent => self.income,
                Some(EntryKind::Refund) if !is_spent => self.expense,
                Some(_) | None => return Ok(None),
            };
            return Ok(Some(whole(row.kind.unwrap_or(EntryKind::Income), row, own, sort)));
        }
        let sort = self.category(&row.category, row.kind, row.amount_minor)?;
        let draft = match (is_spent, sort.kind) {
            (true, CategoryKind::Expense) => whole(EntryKind::Expense, row, own, sort.id),
            (false, CategoryKind::Income) => whole(EntryKind::Income, row, own, sort.id),
            (false, CategoryKind::Expense) => whole(EntryKind::Refund, row, own, sort.id),
            // Income that was paid back is of no other kind.
            (true, CategoryKind::Income) => self.balanced(row, own, &[(sort, row.amount_minor, "")]),
        };
        Ok(Some(draft))
    }

    fn rule(&self, row: &Row) -> Option<Sort> {
        let hint = row.category_hint.as_deref().unwrap_or_default().to_lowercase();
        let category = path_label(&row.category).to_lowercase();
        let fits = |text: &String| row.text.contains(text) || hint.contains(text) || category.contains(text);
        self.rules.iter().find(|(text, _)| fits(text)).map(|(_, sort)| *sort)
    }

    fn category(&self, path: &[String], kind: Option<EntryKind>, amount_minor: i64) -> Result<Sort, Refusal> {
        let label = path_label(path).to_lowercase();
        if let Some(sort) = self.mapped.get(&label) {
            return Ok(*sort);
        }
        let is_income = kind == Some(EntryKind::Income) || (kind.is_none() && amount_minor > 0);
        let preferred = match is_income {
            true => [CategoryKind::Income, CategoryKind::Expense],
            false => [CategoryKind::Expense, CategoryKind::Income],
        };
        let found = preferred.into_iter().find_map(|kind| {
            let id = *self.categories.get(&(label.clone(), kind))?;
            Some(Sort { id, kind })
        });
        found.ok_or_else(|| {
            let detail =
                format!("The book has no category {:?}, and the mapping names none.", path_label(path));
            refused("unknown_category", detail)
        })
    }

    fn split(&self, row: &Row, own: Known) -> Result<EntryDraft, Refusal> {
        let mut parts: Vec<(Sort, i64, &str)> = Vec::with_capacity(row.splits.len());
        for split in &row.splits {
            let sort = match split.category.is_empty() {
                false => self.category(&split.category, row.kind, split.amount_minor)?,
                true if split.amount_minor < 0 => Sort { id: self.expense, kind: CategoryKind::Expense },
                true => Sort { id: self.income, kind: CategoryKind::Income },
            };
            parts.push((sort, split.amount_minor, &split.note));
        }
        let all = |kind: CategoryKind| parts.iter().all(|(sort, ..)| sort.kind == kind);
        let goes_one_way = parts.iter().all(|(_, minor, _)| (*minor < 0) == (row.amount_minor < 0));
        let kind = match (row.amount_minor < 0, all(CategoryKind::Expense), all(CategoryKind::Income)) {
            (true, true, _) => EntryKind::Expense,
            (false, true, _) => EntryKind::Refund,
            (false, _, true) => EntryKind::Income,
            (_, _, _) => EntryKind::Balanced,
        };
        if kind == EntryKind::Balanced || !goes_one_way {
            return Ok(self.balanced(row, own, &parts));
        }
        let splits = parts.iter().map(|(sort, minor, note)| SplitDraft {
            category: sort.id,
            amount: Amount::from_minor(minor.saturating_abs(), own.currency),
            note: readable(note, NOTE_MAX),
        });
        Ok(EntryDraft {
            sorting: Sorting::Split(splits.collect()),
            ..told(kind, row, own, row.amount_minor.saturating_abs())
        })
    }

    /// An entry with explicit postings, for parts that go different ways.
    fn balanced(&self, row: &Row, own: Known, parts: &[(Sort, i64, &str)]) -> EntryDraft {
        let posting = |to, minor: i64, note: &str| PostingDraft {
            to,
            amount: Amount::from_minor(minor, own.currency),
            currency: Some(own.currency),
            note: readable(note, NOTE_MAX),
        };
        let account = posting(PostedTo::Account(own.id), row.amount_minor, "");
        let categories =
            parts.iter().map(|(sort, minor, note)| posting(PostedTo::Category(sort.id), -minor, note));
        EntryDraft {
            account: None,
            amount: None,
            currency: None,
            postings: Some(std::iter::once(account).chain(categories).collect()),
            ..told(EntryKind::Balanced, row, own, 0)
        }
    }

    fn unsorted(&self, row: &Row, own: Known) -> EntryDraft {
        match row.amount_minor < 0 {
            true => whole(EntryKind::Expense, row, own, self.expense),
            false => whole(EntryKind::Income, row, own, self.income),
        }
    }
}

fn refused(code: &'static str, detail: impl Into<String>) -> Refusal {
    Refusal { code, detail: detail.into() }
}

/// What of a row stays the same whatever it was for.
fn told(kind: EntryKind, row: &Row, own: Known, minor: i64) -> EntryDraft {
    let mut tags: Vec<Text> = Vec::new();
    for tag in row.tags.iter().filter_map(|tag| readable(tag, TAG_MAX)) {
        if tags.len() < TAGS_MAX && !tags.iter().any(|known| known.reads_as(&tag)) {
            tags.push(tag);
        }
    }
    EntryDraft {
        currency: row.currency.clone(),
        payee: readable(&row.payee, PAYEE_MAX),
        note: readable(&row.note, NOTE_MAX),
        tags,
        foreign: row.foreign,
        ..EntryDraft::told(kind, row.occurred_on, own.id, Amount::from_minor(minor, own.currency))
    }
}

fn whole(kind: EntryKind, row: &Row, own: Known, category: CategoryId) -> EntryDraft {
    EntryDraft {
        sorting: Sorting::Whole(category),
        ..told(kind, row, own, row.amount_minor.saturating_abs())
    }
}

/// The accounts and categories that an import makes. Their ids follow from the import's and their names, so that a
/// repetition of the request names the same ones.
struct Making<'c> {
    import: ImportId,
    chart: &'c Chart,
    /// The book's.
    currency: Currency,
    made: ImportChart,
}

impl Making<'_> {
    fn account(&mut self, named: &NamedAccount, opened_on: chrono::NaiveDate) -> Known {
        let label = Some(named.label()).filter(|label| !label.is_empty()).unwrap_or("Account");
        let name = readable(label, NAME_MAX).unwrap_or_else(|| Text::known("Account"));
        let currency = named.currency.as_deref().and_then(|code| Currency::parse(code).ok());
        let currency = currency.unwrap_or(self.currency);
        if let Some(made) = self.made.accounts.iter().find(|made| made.name.reads_as(&name)) {
            return Known { id: made.account, currency: made.currency.unwrap_or(currency) };
        }
        let id = AccountId::from_uuid(self.derived(b"account", label));
        self.made.accounts.push(NewAccount {
            account: id,
            name,
            kind: named.kind.unwrap_or(AccountKind::Other),
            currency: Some(currency),
            opened_on,
            opening_balance: None,
        });
        Known { id, currency }
    }

    /// The category at this path, and those above it.
    fn category(&mut self, path: &[String], kind: CategoryKind) -> CategoryId {
        let mut parent = None;
        for end in 1..=path.len() {
            let above = &path[..end];
            let name = readable(&path[end - 1], NAME_MAX).unwrap_or_else(|| Text::known("?"));
            let known = category_of_path(self.chart, above, kind).filter(|_| end < path.len());
            let made = self
                .made
                .categories
                .iter()
                .find(|made| made.parent == parent && made.kind == kind && made.name.reads_as(&name))
                .map(|made| made.category);
            let id = known.or(made).unwrap_or_else(|| {
                let word = format!("{} {}", kind.as_str(), path_label(above).to_lowercase());
                let id = CategoryId::from_uuid(self.derived(b"category", &word));
                let (icon, colour) = (None, None);
                self.made.categories.push(NewCategory { category: id, name, kind, parent, icon, colour });
                id
            });
            parent = Some(id);
        }
        parent.unwrap_or_else(|| CategoryId::from_uuid(self.derived(b"category", "")))
    }

    /// The category that takes what nothing else does; one that an earlier try of this import made comes first.
    fn usual_category(&mut self, kind: CategoryKind, may_make: bool) -> Option<CategoryId> {
        let name = match kind {
            CategoryKind::Expense => "Other expenses",
            CategoryKind::Income => "Other income",
        };
        let word = format!("{} {}", kind.as_str(), name.to_lowercase());
        let made = CategoryId::from_uuid(self.derived(b"category", &word));
        if self.chart.categories.contains_key(&made) {
            return Some(made);
        }
        usual_category(self.chart, kind).or_else(|| may_make.then(|| self.category(&[name.to_owned()], kind)))
    }

    fn derived(&self, what: &[u8], name: &str) -> uuid::Uuid {
        derived_uuid(&[b"daybook.import.chart.v1", self.import.as_bytes(), what, name.as_bytes()])
    }
}

/// The category that takes what nothing else does: the one named `Other …`, else the first of its kind.
pub fn usual_category(chart: &Chart, kind: CategoryKind) -> Option<CategoryId> {
    let usable = || chart.categories.iter().filter(|(_, known)| known.kind == kind && !known.archived);
    let is_other = |name: &Text| name.as_str().is_some_and(|name| name.to_lowercase().starts_with("other"));
    usable().find(|(_, known)| is_other(&known.name)).or_else(|| usable().next()).map(|(id, _)| *id)
}

/// The book's account that is called as the file's.
pub fn account_id_of_name(chart: &Chart, named: &NamedAccount) -> Option<AccountId> {
    account_of_name(chart, named).map(|known| known.id)
}

fn account_of_name(chart: &Chart, named: &NamedAccount) -> Option<Known> {
    // A name that was cut when the account was made is cut in the same way here.
    let label = readable(named.label(), NAME_MAX)?;
    let found = chart.accounts.iter().find(|(_, account)| account.name.reads_as(&label));
    found.map(|(id, account)| Known { id: *id, currency: account.currency })
}

/// The book's category at this path, or the only one of its kind with the last of its names.
pub fn category_of_path(chart: &Chart, path: &[String], kind: CategoryKind) -> Option<CategoryId> {
    let wanted: Vec<Text> = path.iter().filter_map(|name| readable(name, NAME_MAX)).collect();
    let last = wanted.last()?;
    let named: Vec<CategoryId> = chart
        .categories
        .iter()
        .filter(|(_, known)| known.kind == kind && known.name.reads_as(last))
        .map(|(id, _)| *id)
        .collect();
    let is_there = |id: &CategoryId| {
        let mut next = Some(*id);
        for name in wanted.iter().rev() {
            let Some(known) = next.and_then(|id| chart.categories.get(&id)) else { return false };
            if !known.name.reads_as(name) {
                return false;
            }
            next = known.parent;
        }
        next.is_none()
    };
    let in_use = |id: &CategoryId| chart.categories.get(id).is_some_and(|known| !known.archived);
    named.iter().copied().find(is_there).or_else(|| match named.as_slice() {
        [only] if in_use(only) => Some(*only),
        _ => None,
    })
}

/// As the guess shows a category of the file, and the mapping names it.
pub fn path_label(path: &[String]) -> String {
    path.join(" / ")
}

fn rows(statement: &Statement) -> impl Iterator<Item = &Row> {
    statement.lines.iter().filter_map(|line| line.outcome.as_ref().ok())
}

/// The first day on which the file knows of the account.
fn opened_on(statement: &Statement, account: usize) -> chrono::NaiveDate {
    let is_about = |row: &&Row| {
        let other = row.transfer.as_ref().map(|transfer| transfer.account);
        row.account == Some(account) || other == Some(account)
    };
    let first = rows(statement).filter(is_about).map(|row| row.occurred_on).min();
    let first_of_all = || rows(statement).map(|row| row.occurred_on).min();
    first.or_else(first_of_all).unwrap_or_default()
}

/// An account's number, however it is spaced.
fn packed(number: &str) -> String {
    number.chars().filter(|letter| !letter.is_whitespace()).collect::<String>().to_lowercase()
}

/// As a part of a JSON pointer.
fn escaped(name: &str) -> String {
    name.replace('~', "~0").replace('/', "~1")
}

/// A bank's text, cut to what an entry holds.
fn readable(text: &str, letters_max: usize) -> Option<Text> {
    let cleared: String = text.chars().map(|letter| if letter.is_control() { ' ' } else { letter }).collect();
    let cut: String = cleared.trim().chars().take(letters_max).collect();
    Text::line(&cut, letters_max).ok()
}
