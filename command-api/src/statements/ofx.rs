//! OFX 1 (SGML without closing tags) and OFX 2 (XML), of banks, credit cards and the cash side of investment accounts.
//! Layout: the Open Financial Exchange specification, versions 1.6 and 2.2, chapter 11.

mod sgml;

use chrono::{Datelike, NaiveDate};
use domain::entry::{AccountKind, EntryKind};

use self::sgml::Sgml;
use super::amount::Marks;
use super::encoding::decode_declared;
use super::gather::{Gathering, currency, date_refusal};
use super::markup::{Piece, Xml, declared_encoding};
use super::statement::{shown, single_spaced};
use super::{
    Confidence, DEPTH_MAX, DecimalsOf, Format, Hints, NamedAccount, Reason, Refusal, Row, Statement,
    StatementError,
};

/// Elements that group others, as far as they matter here. A tag of OFX 1 that has no value is either one of these or an
/// empty value; nothing in the file tells which.
const AGGREGATES: [&str; 21] = [
    "OFX",
    "BANKMSGSRSV1",
    "CREDITCARDMSGSRSV1",
    "INVSTMTMSGSRSV1",
    "STMTTRNRS",
    "CCSTMTTRNRS",
    "INVSTMTTRNRS",
    "STMTRS",
    "CCSTMTRS",
    "INVSTMTRS",
    "BANKACCTFROM",
    "CCACCTFROM",
    "INVACCTFROM",
    "BANKTRANLIST",
    "BANKTRANLISTP",
    "INVTRANLIST",
    "INVBANKTRAN",
    "STMTTRN",
    "PAYEE",
    "CURRENCY",
    "STATUS",
];
/// Accounts on the other side.
const OTHER_ACCOUNTS: [&str; 2] = ["BANKACCTTO", "CCACCTTO"];
/// What happens in an investment account besides money coming and going.
const INVESTMENTS: [&str; 20] = [
    "BUYDEBT",
    "BUYMF",
    "BUYOPT",
    "BUYOTHER",
    "BUYSTOCK",
    "CLOSUREOPT",
    "INCOME",
    "INVEXPENSE",
    "JRNLFUND",
    "JRNLSEC",
    "MARGININTEREST",
    "REINVEST",
    "RETOFCAP",
    "SELLDEBT",
    "SELLMF",
    "SELLOPT",
    "SELLOTHER",
    "SELLSTOCK",
    "SPLIT",
    "TRANSFER",
];

pub(super) fn read(
    bytes: &[u8],
    hints: &Hints,
    decimals_of: &DecimalsOf<'_>,
) -> Result<Statement, StatementError> {
    let mut gathering = Gathering::new(decimals_of);
    let declared = declared_encoding(bytes).or_else(|| sgml::declared_encoding(bytes));
    let text = decode_declared(bytes, declared, hints.encoding, &mut gathering.reasons)?;
    let start = text.trim_start_matches('\u{feff}').trim_start();
    let mut pieces = if start.starts_with("<?") {
        Pieces::Xml(Box::new(Xml::new(&text)))
    } else {
        Pieces::Sgml(Sgml::new(&text))
    };

    let mut reader = Reader::new(gathering);
    while let Some(piece) = pieces.next()? {
        match piece {
            Piece::Begin { name, line } => reader.begin(&name, line)?,
            Piece::Leaf { name, line, text, currency: _ } => reader.leaf(&name, &text, line),
            Piece::End { name } => reader.end(&name)?,
        }
    }
    let line = pieces.line();
    if reader.is_inside("BANKTRANLIST") || reader.is_inside("INVTRANLIST") {
        let reason = "the file ends inside a list of transactions; it seems cut off".to_owned();
        return Err(StatementError::Malformed { line, reason });
    }
    if let (0, Some((line, message))) = (reader.statements, reader.bank_error) {
        let reason = format!("the bank reports an error instead of a statement: {}", shown(&message));
        return Err(StatementError::Malformed { line, reason });
    }
    if reader.statements > 1 {
        reader.gathering.refuse_rows_without_account();
    }
    reader.gathering.finish(Format::Ofx, true, line)
}

enum Pieces<'t> {
    Xml(Box<Xml<'t>>),
    Sgml(Sgml<'t>),
}

impl Pieces<'_> {
    fn next(&mut self) -> Result<Option<Piece>, StatementError> {
        match self {
            Self::Xml(xml) => xml.next(),
            Self::Sgml(sgml) => sgml.next(),
        }
    }

    fn line(&mut self) -> u64 {
        match self {
            Self::Xml(xml) => xml.line(),
            Self::Sgml(sgml) => sgml.line(),
        }
    }
}

struct Reader<'d> {
    gathering: Gathering<'d>,
    /// The aggregates that are open, those that matter.
    open: Vec<String>,
    statements: usize,
    account: NamedAccount,
    /// The statement's account once a transaction has asked for it.
    account_at: Option<Option<usize>>,
    movement: Option<Movement>,
    /// What the bank says went wrong, and where.
    bank_error: Option<(u64, String)>,
}

/// A transaction, as it is told.
#[derive(Default)]
struct Movement {
    line: u64,
    kind: String,
    posted: String,
    amount: String,
    currency: Option<String>,
    reference: String,
    correction: String,
    name: String,
    memo: String,
    check_number: String,
    other_account: String,
    settled: bool,
}

impl<'d> Reader<'d> {
    fn new(gathering: Gathering<'d>) -> Self {
        Self {
            gathering,
            open: Vec::new(),
            statements: 0,
            account: NamedAccount::default(),
            account_at: None,
            movement: None,
            bank_error: None,
        }
    }

    fn is_inside(&self, aggregate: &str) -> bool {
        self.open.iter().any(|open| open == aggregate)
    }

    fn begin(&mut self, name: &str, line: u64) -> Result<(), StatementError> {
        let is_known = AGGREGATES.contains(&name) || OTHER_ACCOUNTS.contains(&name) || name == "STMTTRNP";
        let is_investment = INVESTMENTS.contains(&name) && self.is_inside("INVTRANLIST");
        if !is_known && !is_investment {
            return Ok(());
        }
        match name {
            "STMTRS" | "CCSTMTRS" | "INVSTMTRS" => {
                self.statements += 1;
                self.account_at = None;
                let kind = match name {
                    "CCSTMTRS" => Some(AccountKind::Card),
                    "INVSTMTRS" => Some(AccountKind::Other),
                    _ => None,
                };
                self.account = NamedAccount { kind, ..NamedAccount::default() };
            }
            "STMTTRN" | "STMTTRNP" => {
                // Without closing tags the next transaction ends the one before.
                self.finish_movement()?;
                self.movement = Some(Movement { line, settled: name == "STMTTRN", ..Movement::default() });
            }
            _ if is_investment && self.open.last().is_some_and(|open| open == "INVTRANLIST") => {
                let detail = format!(
                    "<{name}> trades securities, which Daybook does not keep. Enter its money yourself."
                );
                self.gathering.take(line, Err(Refusal::new("investment_not_read", detail)))?;
            }
            _ => {}
        }
        if self.open.len() == DEPTH_MAX {
            return Err(StatementError::TooDeep { line });
        }
        self.open.push(name.to_owned());
        Ok(())
    }

    fn end(&mut self, name: &str) -> Result<(), StatementError> {
        let Some(at) = self.open.iter().rposition(|open| open == name) else { return Ok(()) };
        self.open.truncate(at);
        match name {
            "STMTTRN" | "STMTTRNP" | "BANKTRANLIST" | "BANKTRANLISTP" | "INVTRANLIST" => {
                self.finish_movement()
            }
            _ => Ok(()),
        }
    }

    fn leaf(&mut self, name: &str, text: &str, line: u64) {
        let text = single_spaced(text);
        if text.is_empty() {
            return;
        }
        let inside = self.open.last().map(String::as_str).unwrap_or_default();
        match (inside, name) {
            ("STMTRS" | "CCSTMTRS" | "INVSTMTRS", "CURDEF") => {
                self.account.currency = Some(text.to_ascii_uppercase());
            }
            ("BANKACCTFROM" | "CCACCTFROM" | "INVACCTFROM", "ACCTID") => self.account.number = Some(text),
            ("BANKACCTFROM", "BANKID") | ("INVACCTFROM", "BROKERID") => self.account.bank = Some(text),
            ("BANKACCTFROM", "ACCTTYPE") => {
                self.account.kind = match text.as_str() {
                    "CHECKING" => Some(AccountKind::Bank),
                    "SAVINGS" | "MONEYMRKT" | "CD" => Some(AccountKind::Savings),
                    "CREDITLINE" => Some(AccountKind::Loan),
                    _ => None,
                };
            }
            ("STATUS", "SEVERITY") if text == "ERROR" => {
                self.bank_error = Some((line, "no reason is given".to_owned()));
            }
            ("STATUS", "MESSAGE") => {
                if let Some((_, message)) = &mut self.bank_error {
                    *message = text;
                }
            }
            (_, _) => {
                if let Some(movement) = &mut self.movement {
                    movement.learn(inside, name, text);
                }
            }
        }
    }

    fn finish_movement(&mut self) -> Result<(), StatementError> {
        let Some(movement) = self.movement.take() else { return Ok(()) };
        let account = match self.account_at {
            Some(account) => account,
            None => {
                let account = self.place_account(movement.line)?;
                self.account_at = Some(account);
                account
            }
        };
        let row = self.row(&movement, account);
        self.gathering.take(movement.line, row)
    }

    fn place_account(&mut self, line: u64) -> Result<Option<usize>, StatementError> {
        if self.account.number.is_some() {
            return self.gathering.account(line, self.account.clone()).map(Some);
        }
        self.gathering.reasons.push(Reason {
            about: "account".to_owned(),
            because: format!("The statement around line {line} has no ACCTID; choose the account yourself."),
            confidence: Confidence::Low,
        });
        Ok(None)
    }

    fn row(&self, movement: &Movement, account: Option<usize>) -> Result<Row, Refusal> {
        if !movement.settled {
            return Err(Refusal::new("not_settled", "The bank has not booked this transaction yet."));
        }
        if !movement.correction.is_empty() {
            let detail = format!(
                "The bank takes back or replaces the transaction {}. Correct that entry yourself.",
                movement.correction
            );
            return Err(Refusal::new("corrects_another", detail));
        }
        let occurred_on = date(&movement.posted).ok_or_else(|| date_refusal(&movement.posted, "YYYYMMDD"))?;
        let told = movement.currency.as_deref().or(self.account.currency.as_deref());
        let currency = told.map(currency).transpose()?;
        let marks = marks_of(&movement.amount);
        let amount_minor = self.gathering.amount_minor(&movement.amount, marks, currency, account)?;

        // Nothing below can be refused.
        let mut notes = vec![movement.memo.as_str(), movement.check_number.as_str()];
        notes.retain(|note| !note.is_empty() && *note != movement.name);
        let row = Row {
            account,
            currency: currency.map(|currency| currency.code().to_owned()),
            kind: (movement.kind == "XFER").then_some(EntryKind::Transfer),
            counterpart: (!movement.other_account.is_empty()).then(|| movement.other_account.clone()),
            reference: (movement.reference.bytes().any(|byte| byte != b'0'))
                .then(|| movement.reference.clone()),
            ..Row::new(occurred_on, amount_minor)
        };
        let note = notes.join(" ");
        Ok(row.with_texts(movement.name.clone(), note))
    }
}

impl Movement {
    fn learn(&mut self, inside: &str, name: &str, text: String) {
        match (inside, name) {
            ("STMTTRN" | "STMTTRNP", _) => match name {
                "TRNTYPE" => self.kind = text,
                "DTPOSTED" => self.posted = text,
                "DTTRAN" if self.posted.is_empty() => self.posted = text,
                "TRNAMT" => self.amount = text,
                "FITID" => self.reference = text,
                "CORRECTFITID" => self.correction = text,
                "NAME" => self.name = text,
                "MEMO" => self.memo = text,
                "CHECKNUM" => self.check_number = text,
                _ => {}
            },
            ("PAYEE", "NAME") if self.name.is_empty() => self.name = text,
            ("CURRENCY", "CURSYM") => self.currency = Some(text),
            ("BANKACCTTO" | "CCACCTTO", "ACCTID") => self.other_account = text,
            (_, _) => {}
        }
    }
}

/// `YYYYMMDD`, with or without a time and its zone; the day is the one where the bank is.
fn date(text: &str) -> Option<NaiveDate> {
    let (day, rest) = text.split_at_checked(8)?;
    let is_time =
        |sign: char| sign.is_ascii_digit() || "[]:.+- ".contains(sign) || sign.is_ascii_alphabetic();
    if !day.bytes().all(|byte| byte.is_ascii_digit()) || !rest.chars().all(is_time) {
        return None;
    }
    let part = |from: usize, to: usize| day[from..to].parse::<u32>().ok();
    let date = NaiveDate::from_ymd_opt(part(0, 4)? as i32, part(4, 6)?, part(6, 8)?)?;
    (1900..2200).contains(&date.year()).then_some(date)
}

/// The specification allows a point or a comma before the decimals and nothing between the thousands; banks that write
/// thousands use the other sign.
fn marks_of(amount: &str) -> Marks {
    match (amount.rfind('.'), amount.rfind(',')) {
        (None, Some(_)) => Marks { decimal: ',', thousands: None },
        (Some(point), Some(comma)) if comma > point => Marks { decimal: ',', thousands: Some('.') },
        (_, _) => Marks { decimal: '.', thousands: Some(',') },
    }
}
