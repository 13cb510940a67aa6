//! What the columns hold: the header's words, confirmed by the cells.

use csv::StringRecord;

use super::super::header_words::{IN_WORDS, OUT_WORDS, Role, UNSETTLED_WORDS, currency_in, plain};
use super::super::mapping::Header;
use super::super::read::cell;
use super::super::{Column, SkipRule, SkipWhen};
use super::TRIED_MAX;
use super::dates::is_date;
use super::table::{Table, is_money};
use crate::statements::StatementError;
use crate::statements::amount::currency_code;

/// The table's columns, seen through the rows that have a date.
pub(super) struct Sheet<'t> {
    pub names: Vec<&'t str>,
    pub rows: Vec<&'t StringRecord>,
    pub width: usize,
    pub header: Option<&'t StringRecord>,
    pub header_line: u64,
}

pub(super) struct Texts {
    pub payee: Vec<usize>,
    pub payer: Vec<usize>,
    pub note: Vec<usize>,
}

pub(super) struct Currency {
    pub column: Option<usize>,
    pub code: Option<String>,
}

impl<'t> Sheet<'t> {
    pub fn new(table: &'t Table) -> Self {
        let names: Vec<&str> = table.header.iter().flatten().map(str::trim).collect();
        let has_date = |row: &&StringRecord| (0..row.len()).any(|at| is_date(cell(row, at)));
        let rows: Vec<&StringRecord> = table.rows.iter().filter(has_date).collect();
        // A header's width counts where there is one: names are looked up in it, numbers checked against it.
        let widest = rows.iter().map(|row| row.len()).max().unwrap_or(0);
        let width = if table.header.is_some() { names.len() } else { widest };
        Self { names, rows, width, header: table.header.as_ref(), header_line: table.header_lines + 1 }
    }

    pub fn columns(&self) -> impl Iterator<Item = usize> + use<> {
        0..self.width
    }

    pub fn name(&self, at: usize) -> &'t str {
        self.names.get(at).copied().unwrap_or_default()
    }

    pub fn filled(&self, at: usize) -> impl Iterator<Item = &'t str> + '_ {
        self.rows.iter().map(move |row| cell(row, at)).filter(|cell| !cell.is_empty())
    }

    /// More than half of the cells that are filled, and at least one.
    pub fn mostly(&self, at: usize, fits: impl Fn(&str) -> bool) -> bool {
        let (mut filled, mut fitting) = (0, 0);
        for cell in self.filled(at) {
            filled += 1;
            fitting += usize::from(fits(cell));
        }
        fitting * 2 > filled
    }

    /// Columns whose header has a word of the role, the better word first.
    pub fn with_words(&self, role: Role) -> impl Iterator<Item = usize> + use<> {
        let mut ranked: Vec<(usize, usize)> =
            self.columns().filter_map(|at| role.rank(self.name(at)).map(|rank| (rank, at))).collect();
        ranked.sort_unstable();
        ranked.into_iter().map(|(_, at)| at)
    }

    /// By name where the name is the column's own, else by number.
    pub fn column(&self, at: usize) -> Column {
        let name = self.name(at);
        let same = self.names.iter().filter(|other| other.to_lowercase() == name.to_lowercase()).count();
        if name.is_empty() || same > 1 {
            return Column::Number(at as u16 + 1);
        }
        Column::Name(name.to_owned())
    }

    pub fn named(&self, columns: &[usize]) -> Vec<Column> {
        columns.iter().map(|at| self.column(*at)).collect()
    }

    pub fn date_column(&self) -> Result<usize, StatementError> {
        self.with_words(Role::Date)
            .chain(self.columns())
            .find(|at| self.mostly(*at, is_date))
            .ok_or(StatementError::FormatNotRecognised { reason: "No column has dates in a known format." })
    }

    pub fn is_money_column(&self, at: usize) -> bool {
        self.mostly(at, is_money) && !self.mostly(at, is_date)
    }

    pub fn money_cells(&self) -> impl Iterator<Item = &'t str> + '_ {
        self.columns().filter(|at| self.is_money_column(*at)).flat_map(|at| self.filled(at))
    }

    /// The amounts themselves where headers name them: a French bank writes its balance with a point and its amounts
    /// with a comma.
    pub fn amount_cells(&self) -> Vec<&'t str> {
        let roles = [Role::Amount, Role::Debit, Role::Credit];
        let named = roles.into_iter().flat_map(|role| self.money_with_words(role));
        let cells: Vec<&str> = named.flat_map(|at| self.filled(at)).collect();
        if cells.is_empty() { self.money_cells().collect() } else { cells }
    }

    /// Money columns of a role, and empty ones too: a month without income has an empty credit column.
    pub fn money_with_words(&self, role: Role) -> Vec<usize> {
        self.with_words(role)
            .filter(|at| self.is_money_column(*at) || self.filled(*at).next().is_none())
            .collect()
    }

    pub fn speaks_direction(&self, at: usize) -> bool {
        let known = |word: &str| {
            let word = word.to_lowercase();
            OUT_WORDS.contains(&word.as_str()) || IN_WORDS.contains(&word.as_str())
        };
        self.filled(at).next().is_some() && self.filled(at).all(known)
    }

    pub fn currency(&self) -> Currency {
        let amount = self.with_words(Role::Amount).find(|at| self.is_money_column(*at));
        let is_code = |cell: &str| currency_code(cell).is_some();
        // Where balance and amount have a currency each, the amount's stands beside it, usually behind.
        let column = self
            .with_words(Role::Currency)
            .filter(|at| self.mostly(*at, is_code))
            .min_by_key(|at| amount.map_or((0, false), |amount| (at.abs_diff(amount), *at < amount)));
        if let Some(at) = column {
            let mut codes = self.filled(at).filter_map(currency_code);
            let code = codes.next().filter(|first| codes.all(|code| code == *first));
            return Currency { column, code };
        }
        let roles = [Role::Amount, Role::Debit, Role::Credit, Role::Balance];
        let named =
            roles.iter().flat_map(|role| self.with_words(*role)).find_map(|at| currency_in(self.name(at)));
        let signed = || {
            [('€', "EUR"), ('£', "GBP"), ('₹', "INR"), ('$', "USD")]
                .iter()
                .find(|(sign, _)| self.money_cells().any(|cell| cell.contains(*sign)))
                .map(|(_, code)| (*code).to_owned())
        };
        Currency { column: None, code: named.or_else(signed) }
    }

    pub fn texts(&self) -> Texts {
        let has_words = |at: &usize| {
            let wordy = |cell: &str| {
                let letters = cell.chars().filter(|letter| letter.is_alphabetic()).count();
                letters * 2 > cell.chars().filter(|letter| letter.is_ascii_digit()).count()
            };
            self.mostly(*at, wordy) && !self.mostly(*at, is_date) && !self.speaks_direction(*at)
        };
        let mut payee: Vec<usize> = self.with_words(Role::Payee).filter(has_words).take(1).collect();
        // Wise names the other person in one column and the shop in another.
        let merchant = self.columns().find(|at| plain(self.name(*at)) == "merchant");
        if let Some(at) = merchant.filter(|at| !payee.is_empty() && !payee.contains(at)) {
            payee.push(at);
        }
        let mut note: Vec<usize> = self.with_words(Role::Note).filter(has_words).take(3).collect();
        if payee.is_empty() && !note.is_empty() {
            payee.push(note.remove(0));
        }
        if payee.is_empty() {
            let wordiest = |at: &usize| self.filled(*at).map(str::len).sum::<usize>();
            let free =
                self.columns().filter(|at| has_words(at) && Role::Category.rank(self.name(*at)).is_none());
            payee.extend(free.max_by_key(wordiest));
        }
        note.retain(|at| !payee.contains(at));
        let payer = self.with_words(Role::Payer).filter(|at| !payee.contains(at)).take(1).collect();
        Texts { payee, payer, note }
    }

    pub fn skip_rules(&self) -> Vec<SkipRule> {
        let mut rules = Vec::new();
        for at in self.with_words(Role::Status).take(TRIED_MAX) {
            let mut seen: Vec<&str> = self.filled(at).collect();
            seen.sort_unstable();
            seen.dedup();
            let unsettled = |word: &&&str| UNSETTLED_WORDS.contains(&word.to_lowercase().as_str());
            let mut values: Vec<String> =
                seen.iter().filter(unsettled).map(|word| (*word).to_owned()).collect();
            if seen.iter().any(|word| word.eq_ignore_ascii_case("completed")) {
                for word in ["pending", "reverted", "declined", "failed", "denied"] {
                    if !values.iter().any(|value| value.eq_ignore_ascii_case(word)) {
                        values.push(word.to_owned());
                    }
                }
            }
            if !values.is_empty() {
                rules.push(SkipRule { column: self.column(at), when: SkipWhen::OneOf, values });
            }
        }
        // PayPal lists authorisations that never touch the balance.
        for at in self.with_words(Role::Impact).take(TRIED_MAX) {
            rules.push(SkipRule {
                column: self.column(at),
                when: SkipWhen::OneOf,
                values: vec!["Memo".to_owned()],
            });
        }
        rules
    }

    pub fn header(&self) -> Header<'t> {
        Header { fields: self.header, line: self.header_line }
    }
}
