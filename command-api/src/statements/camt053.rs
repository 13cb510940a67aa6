//! CAMT.053, the ISO 20022 bank to customer statement. One table of paths serves versions 02 to 08 and later, which only
//! wrap some elements in others. Layout: the message definition reports of ISO 20022 and the Swiss and German
//! implementation guidelines.

use domain::entry::{AccountKind, EntryKind};
use domain::money::Money;

use super::dates::iso_date;
use super::encoding::decode_declared;
use super::gather::{Gathering, POINT, currency, date_refusal};
use super::markup::{Piece, Xml, declared_encoding};
use super::statement::{shown, single_spaced};
use super::{
    Confidence, DecimalsOf, Format, Hints, NamedAccount, RECORDS_MAX, Reason, Refusal, Row, Statement,
    StatementError,
};

pub(super) fn read(
    bytes: &[u8],
    hints: &Hints,
    decimals_of: &DecimalsOf<'_>,
) -> Result<Statement, StatementError> {
    let mut gathering = Gathering::new(decimals_of);
    let text = decode_declared(
        bytes,
        declared_encoding(bytes).or(Some("utf-8")),
        hints.encoding,
        &mut gathering.reasons,
    )?;
    let mut xml = Xml::new(&text);
    let mut reader = Reader {
        gathering,
        path: String::new(),
        statements: 0,
        account: NamedAccount::default(),
        account_at: None,
        entry: Entry::default(),
    };
    while let Some(piece) = xml.next()? {
        match piece {
            Piece::Begin { name, line } => reader.begin(&name, line)?,
            Piece::Leaf { name, line, text, currency } => reader.leaf(&name, &text, currency, line)?,
            Piece::End { name } => reader.end(&name)?,
        }
    }
    if reader.statements == 0 {
        let instead = "Export the account's statement as CAMT.053, OFX, QIF or CSV.";
        return Err(StatementError::FormatNotRead {
            what: "an XML document without a CAMT.053 statement",
            instead,
        });
    }
    if reader.statements > 1 {
        reader.gathering.refuse_rows_without_account();
    }
    let line = xml.line();
    reader.gathering.finish(Format::Camt053, true, line)
}

struct Reader<'d> {
    gathering: Gathering<'d>,
    /// The open elements below `Stmt`, joined by `/`; empty outside a statement.
    path: String,
    statements: usize,
    account: NamedAccount,
    /// The statement's account once an entry has asked for it.
    account_at: Option<Option<usize>>,
    entry: Entry,
}

/// A booking of the account, which may stand for several transactions.
#[derive(Default)]
struct Entry {
    line: u64,
    amount: Told,
    direction: String,
    is_reversal: bool,
    status: String,
    booked_on: String,
    valued_on: String,
    reference: String,
    note: String,
    parts: Vec<Part>,
}

#[derive(Default)]
struct Part {
    line: u64,
    amount: Told,
    /// In the currency that was ordered, when it is another.
    ordered: Told,
    direction: String,
    reference: String,
    debtor: Party,
    creditor: Party,
    remittance: Vec<String>,
    structured: Vec<String>,
    note: String,
}

/// An amount as text, with its currency.
#[derive(Default)]
struct Told {
    text: String,
    currency: String,
}

#[derive(Default)]
struct Party {
    name: String,
    ultimate: String,
    account: String,
}

impl Reader<'_> {
    fn begin(&mut self, name: &str, line: u64) -> Result<(), StatementError> {
        if self.path.is_empty() {
            match name {
                "Stmt" => {
                    self.statements += 1;
                    self.account = NamedAccount::default();
                    self.account_at = None;
                    self.path.push_str(name);
                    Ok(())
                }
                "BkToCstmrAcctRpt" => other_message("an intraday report (CAMT.052)"),
                "BkToCstmrDbtCdtNtfctn" => other_message("a notification of single bookings (CAMT.054)"),
                "CstmrCdtTrfInitn" | "CstmrDrctDbtInitn" => other_message("a payment order"),
                _ => Ok(()),
            }?;
            return Ok(());
        }
        self.path.push('/');
        self.path.push_str(name);
        match self.path.as_str() {
            "Stmt/Ntry" => self.entry = Entry { line, ..Entry::default() },
            "Stmt/Ntry/NtryDtls/TxDtls" => {
                if self.entry.parts.len() == RECORDS_MAX {
                    return Err(StatementError::TooManyRecords { line });
                }
                self.entry.parts.push(Part { line, ..Part::default() });
            }
            _ => {}
        }
        Ok(())
    }

    fn end(&mut self, name: &str) -> Result<(), StatementError> {
        if self.path.is_empty() {
            return Ok(());
        }
        if self.path == "Stmt/Ntry" {
            let entry = std::mem::take(&mut self.entry);
            self.finish(entry)?;
        }
        let parent = self.path.len().saturating_sub(name.len() + 1);
        self.path.truncate(parent);
        Ok(())
    }

    fn leaf(
        &mut self,
        name: &str,
        text: &str,
        currency: Option<String>,
        line: u64,
    ) -> Result<(), StatementError> {
        if self.path.is_empty() {
            if name == "Stmt" {
                self.statements += 1;
            }
            return Ok(());
        }
        let parent = self.path.len();
        self.path.push('/');
        self.path.push_str(name);
        // The parts that a bank leaves empty are not there.
        match self.path.as_str() {
            "Stmt/Ntry" | "Stmt/Ntry/NtryDtls/TxDtls" => {
                self.path.truncate(parent);
                self.begin(name, line)?;
                return self.end(name);
            }
            path => {
                let text = single_spaced(text);
                if !text.is_empty() {
                    learn(path, text, currency, &mut self.account, &mut self.entry);
                }
            }
        }
        self.path.truncate(parent);
        Ok(())
    }

    fn finish(&mut self, mut entry: Entry) -> Result<(), StatementError> {
        let account = match self.account_at {
            Some(account) => account,
            None => {
                let account = self.place_account(entry.line)?;
                self.account_at = Some(account);
                account
            }
        };
        let (head, amount_minor, currency) = match self.head(&entry, account) {
            Ok(head) => head,
            Err(refusal) => return self.gathering.take(entry.line, Err(refusal)),
        };
        let parts = std::mem::take(&mut entry.parts);
        if parts.len() > 1
            && let Some(amounts) = self.part_amounts(&parts, &entry, amount_minor, currency.code(), account)
        {
            for (number, (part, minor)) in parts.iter().zip(amounts).enumerate() {
                let row = Row { amount_minor: minor, ..head.clone() };
                let row = told_by(row, &entry, Some(part), currency.code(), Some(number + 1));
                self.gathering.take(part.line, Ok(row))?;
            }
            return Ok(());
        }
        // The details of several payments would make one of them speak for all.
        let part = if parts.len() == 1 { parts.first() } else { None };
        let row = told_by(head, &entry, part, currency.code(), None);
        self.gathering.take(entry.line, Ok(row))
    }

    fn place_account(&mut self, line: u64) -> Result<Option<usize>, StatementError> {
        if self.account.number.is_some() {
            return self.gathering.account(line, self.account.clone()).map(Some);
        }
        self.gathering.reasons.push(Reason {
            about: "account".to_owned(),
            because: format!("The statement around line {line} names no account; choose it yourself."),
            confidence: Confidence::Low,
        });
        Ok(None)
    }

    /// What all rows of an entry share: date, amount, currency, kind.
    fn head(
        &self,
        entry: &Entry,
        account: Option<usize>,
    ) -> Result<(Row, i64, domain::money::Currency), Refusal> {
        if !matches!(entry.status.as_str(), "" | "BOOK") {
            let detail = format!("The bank has not booked this: its status is `{}`.", shown(&entry.status));
            return Err(Refusal::new("not_settled", detail));
        }
        let told = if entry.booked_on.is_empty() { &entry.valued_on } else { &entry.booked_on };
        let occurred_on = iso_date(told).ok_or_else(|| date_refusal(told, "YYYY-MM-DD"))?;
        let code = match entry.amount.currency.as_str() {
            "" => self.account.currency.as_deref().unwrap_or_default(),
            code => code,
        };
        let currency = currency(code)?;
        let sign = sign(&entry.direction)?;
        let amount = self.gathering.amount_minor(&entry.amount.text, POINT, Some(currency), account)?;
        let amount_minor = sign * amount.abs();
        // A reversal's direction is its own: what was taken by mistake comes in.
        let kind = (entry.is_reversal && amount_minor > 0).then_some(EntryKind::Refund);
        let row = Row {
            account,
            currency: Some(currency.code().to_owned()),
            kind,
            ..Row::new(occurred_on, amount_minor)
        };
        Ok((row, amount_minor, currency))
    }

    /// The amounts of a batch, where every part says its own and together they are the entry's.
    fn part_amounts(
        &self,
        parts: &[Part],
        entry: &Entry,
        whole: i64,
        code: &str,
        account: Option<usize>,
    ) -> Option<Vec<i64>> {
        let currency = currency(code).ok()?;
        let mut amounts = Vec::with_capacity(parts.len());
        let mut sum = 0i64;
        for part in parts {
            let told = if part.amount.text.is_empty() { &part.ordered } else { &part.amount };
            if told.currency != code {
                return None;
            }
            let direction = if part.direction.is_empty() { &entry.direction } else { &part.direction };
            let minor = self.gathering.amount_minor(&told.text, POINT, Some(currency), account).ok()?;
            let minor = sign(direction).ok()? * minor.abs();
            sum = sum.checked_add(minor)?;
            amounts.push(minor);
        }
        (sum == whole).then_some(amounts)
    }
}

fn other_message(what: &'static str) -> Result<(), StatementError> {
    let instead = "Export the account's booked statement, CAMT.053.";
    Err(StatementError::FormatNotRead { what, instead })
}

fn learn(path: &str, text: String, currency: Option<String>, account: &mut NamedAccount, entry: &mut Entry) {
    let told =
        |text: String| Told { text, currency: currency.unwrap_or_default().trim().to_ascii_uppercase() };
    match path {
        "Stmt/Acct/Id/IBAN" | "Stmt/Acct/Id/Othr/Id" => account.number = Some(text),
        "Stmt/Acct/Ccy" => account.currency = Some(text.to_ascii_uppercase()),
        "Stmt/Acct/Nm" => account.name = Some(text),
        "Stmt/Acct/Svcr/FinInstnId/BIC" | "Stmt/Acct/Svcr/FinInstnId/BICFI" => account.bank = Some(text),
        "Stmt/Acct/Tp/Cd" => {
            account.kind = match text.as_str() {
                "CACC" | "TRAN" => Some(AccountKind::Bank),
                "SVGS" => Some(AccountKind::Savings),
                "CARD" => Some(AccountKind::Card),
                "LOAN" => Some(AccountKind::Loan),
                "CASH" => Some(AccountKind::Cash),
                _ => None,
            };
        }
        "Stmt/Ntry/Amt" => entry.amount = told(text),
        "Stmt/Ntry/CdtDbtInd" => entry.direction = text,
        "Stmt/Ntry/RvslInd" => entry.is_reversal = matches!(text.as_str(), "true" | "1"),
        "Stmt/Ntry/Sts" | "Stmt/Ntry/Sts/Cd" => entry.status = text,
        "Stmt/Ntry/BookgDt/Dt" | "Stmt/Ntry/BookgDt/DtTm" => entry.booked_on = text,
        "Stmt/Ntry/ValDt/Dt" | "Stmt/Ntry/ValDt/DtTm" => entry.valued_on = text,
        "Stmt/Ntry/AcctSvcrRef" => entry.reference = text,
        "Stmt/Ntry/AddtlNtryInf" => entry.note = text,
        _ => {
            let Some(path) = path.strip_prefix("Stmt/Ntry/NtryDtls/TxDtls/") else { return };
            let Some(part) = entry.parts.last_mut() else { return };
            match path {
                "Refs/AcctSvcrRef" => part.reference = text,
                "Amt" => part.amount = told(text),
                "CdtDbtInd" => part.direction = text,
                // What was ordered, and what became of it, in the order of trust.
                "AmtDtls/InstdAmt/Amt" => part.ordered = told(text),
                "AmtDtls/TxAmt/Amt" if part.ordered.text.is_empty() => part.ordered = told(text),
                "RltdPties/Dbtr/Nm" | "RltdPties/Dbtr/Pty/Nm" => part.debtor.name = text,
                "RltdPties/Cdtr/Nm" | "RltdPties/Cdtr/Pty/Nm" => part.creditor.name = text,
                "RltdPties/UltmtDbtr/Nm" | "RltdPties/UltmtDbtr/Pty/Nm" => part.debtor.ultimate = text,
                "RltdPties/UltmtCdtr/Nm" | "RltdPties/UltmtCdtr/Pty/Nm" => part.creditor.ultimate = text,
                "RltdPties/DbtrAcct/Id/IBAN" | "RltdPties/DbtrAcct/Id/Othr/Id" => part.debtor.account = text,
                "RltdPties/CdtrAcct/Id/IBAN" | "RltdPties/CdtrAcct/Id/Othr/Id" => {
                    part.creditor.account = text
                }
                "RmtInf/Ustrd" => part.remittance.push(text),
                "RmtInf/Strd/CdtrRefInf/Ref" | "RmtInf/Strd/AddtlRmtInf" => part.structured.push(text),
                "AddtlTxInf" => part.note = text,
                _ => {}
            }
        }
    }
}

/// A row with the texts of a payment and of the entry it was booked in. `number` tells the payments of a batch apart.
fn told_by(row: Row, entry: &Entry, part: Option<&Part>, code: &str, number: Option<usize>) -> Row {
    let own = |reference: &str| !matches!(reference, "" | "NOTPROVIDED" | "NONREF");
    let of_entry = own(&entry.reference).then(|| match number {
        Some(number) => format!("{}/{number}", entry.reference),
        None => entry.reference.clone(),
    });
    let Some(part) = part else {
        return Row { reference: of_entry, ..row }.with_texts(String::new(), entry.note.clone());
    };
    let other = if row.amount_minor < 0 { &part.creditor } else { &part.debtor };
    let payee = if other.name.is_empty() { &other.ultimate } else { &other.name };
    let notes = [&part.remittance, &part.structured].into_iter().find(|texts| !texts.is_empty());
    let note = match notes {
        Some(texts) => texts.join(" "),
        None if part.note.is_empty() => entry.note.clone(),
        None => part.note.clone(),
    };
    let reference = if own(&part.reference) { Some(part.reference.clone()) } else { of_entry };
    let row = Row {
        counterpart: (!other.account.is_empty()).then(|| other.account.clone()),
        foreign: foreign(&part.ordered, code),
        reference,
        ..row
    };
    row.with_texts(payee.clone(), note)
}

fn foreign(ordered: &Told, code: &str) -> Option<Money> {
    let currency = currency(&ordered.currency).ok().filter(|currency| currency.code() != code)?;
    let minor = POINT.parse(&ordered.text, currency.decimals()).ok()?;
    (minor != 0).then_some(Money { minor: minor.abs(), currency })
}

fn sign(direction: &str) -> Result<i64, Refusal> {
    match direction {
        "CRDT" => Ok(1),
        "DBIT" => Ok(-1),
        _ => {
            let detail = format!("`{}` is neither CRDT (money in) nor DBIT (money out).", shown(direction));
            Err(Refusal::new("direction_unknown", detail))
        }
    }
}
