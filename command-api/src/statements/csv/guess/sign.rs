//! Which columns are the amount and which way the money went.

use super::super::header_words::{CARD_HEADERS, CARD_PAYMENT_WORDS, IN_WORDS, OUT_WORDS, Role, plain};
use super::super::mapping::Positions;
use super::super::read::{cell, refuse_skipped, signed_amount};
use super::super::{AmountRule, Column, Mapping};
use super::sheet::{Sheet, Texts};
use super::{DECIMALS, Reasons, TRIED_MAX};
use crate::statements::Confidence;
use crate::statements::StatementError;
use crate::statements::amount::Marks;

/// How well amounts explain the steps of the running balance.
#[derive(Clone, Copy, Default)]
struct Agreement {
    agree: usize,
    steps: usize,
    newest_first: bool,
}

impl Agreement {
    fn proves(&self) -> bool {
        self.agree >= 2 && self.agree * 10 >= self.steps * 9
    }
}

struct Candidate {
    mapping: Mapping,
    because: &'static str,
    agreement: Agreement,
}

pub(super) fn settle_amount(
    sheet: &Sheet<'_>,
    mapping: &mut Mapping,
    texts: &Texts,
    reasons: &mut Reasons,
) -> Result<(), StatementError> {
    let marks = mapping.marks();
    let balances: Vec<usize> = sheet.money_with_words(Role::Balance);
    let mut candidates = Vec::new();
    for (rule, because) in amount_rules(sheet, marks, balances.is_empty() && !mapping.has_header) {
        let signed = matches!(rule, AmountRule::Signed { .. });
        let fees = sheet.money_with_words(Role::Fee).into_iter().map(Some);
        for fee in std::iter::once(None).chain(fees) {
            for invert_sign in [false, true] {
                if invert_sign && !signed {
                    continue;
                }
                let fee = fee.map(|at| sheet.column(at));
                let mapping = Mapping { amount: rule.clone(), fee, invert_sign, ..mapping.clone() };
                candidates.push((mapping, because));
            }
        }
    }

    // Without a header any other number may turn out to be the balance.
    let balance_columns: Vec<usize> = if balances.is_empty() && !mapping.has_header {
        sheet.columns().filter(|at| sheet.is_money_column(*at)).take(TRIED_MAX).collect()
    } else {
        balances
    };
    let mut best: Option<(Candidate, Option<usize>)> = None;
    for (mapping, because) in candidates {
        let measured = measured_columns(&balance_columns, &mapping, sheet);
        for balance in measured {
            let agreement = match balance {
                Some(at) => agreement(sheet, &mapping, at)?,
                None => Agreement::default(),
            };
            // The first candidate is the likeliest; only a proof by the balance puts another before it.
            let better = match &best {
                None => true,
                Some((best, _)) => {
                    agreement.proves() && (!best.agreement.proves() || agreement.agree > best.agreement.agree)
                }
            };
            if better {
                best = Some((Candidate { mapping: mapping.clone(), because, agreement }, balance));
            }
        }
    }
    let Some((mut candidate, balance)) = best else {
        return Err(StatementError::FormatNotRecognised { reason: "No column has amounts." });
    };

    let proven = candidate.agreement.proves();
    if proven || mapping.has_header {
        candidate.mapping.balance = balance.map(|at| sheet.column(at));
    }
    let (invert, confidence, because) = card_sign(sheet, &candidate, texts)?;
    if proven && invert && confidence == Confidence::High {
        candidate.mapping.invert_sign = !candidate.mapping.invert_sign;
        let because =
            "The balance grows with the amounts but payments are negative: it is taken for a card's debt.";
        reasons.add("amount", Confidence::Low, because);
    } else if proven {
        let Agreement { agree, steps, newest_first } = candidate.agreement;
        let order = if newest_first { "newest line first" } else { "oldest line first" };
        let because = format!("The running balance agrees with {agree} of {steps} amounts, {order}.");
        reasons.add("amount", Confidence::High, because);
    } else {
        candidate.mapping.invert_sign = invert;
        reasons.add("amount", confidence, because);
    }
    *mapping = candidate.mapping;
    Ok(())
}

fn measured_columns(balances: &[usize], mapping: &Mapping, sheet: &Sheet<'_>) -> Vec<Option<usize>> {
    let own = |at: &&usize| !uses(&mapping.amount, &sheet.column(**at));
    let mut columns: Vec<Option<usize>> = balances.iter().filter(own).map(|at| Some(*at)).collect();
    if columns.is_empty() {
        columns.push(None);
    }
    columns
}

fn uses(rule: &AmountRule, wanted: &Column) -> bool {
    match rule {
        AmountRule::Signed { column } => column == wanted,
        AmountRule::DebitCredit { debit, credit } => debit == wanted || credit == wanted,
        AmountRule::Direction { column, direction, .. } => column == wanted || direction == wanted,
    }
}

/// The sign rules the columns allow, the likeliest first.
fn amount_rules(sheet: &Sheet<'_>, marks: Marks, unnamed: bool) -> Vec<(AmountRule, &'static str)> {
    let has_minus =
        |at: usize| sheet.filled(at).any(|cell| marks.parse(cell, DECIMALS).is_ok_and(|minor| minor < 0));
    let mut rules = Vec::new();
    let amounts = sheet.money_with_words(Role::Amount);
    let direction = sheet
        .with_words(Role::Direction)
        .chain(sheet.columns().filter(|_| unnamed))
        .find(|at| sheet.speaks_direction(*at));
    if let (Some(amount), Some(at)) = (amounts.first(), direction)
        && !has_minus(*amount)
    {
        rules.push((direction_rule(sheet, *amount, at), "A column says in words which way the money went."));
    }

    let debit = sheet.money_with_words(Role::Debit).into_iter().next();
    let credit = sheet.money_with_words(Role::Credit).into_iter().find(|at| Some(*at) != debit);
    let pair = debit.zip(credit).map(|(debit, credit)| {
        let rule = AmountRule::DebitCredit { debit: sheet.column(debit), credit: sheet.column(credit) };
        (rule, "Money out and money in have a column each.")
    });
    let signed =
        |at: usize| (AmountRule::Signed { column: sheet.column(at) }, "One column has signed amounts.");
    let (with_minus, without): (Vec<usize>, Vec<usize>) = amounts.into_iter().partition(|at| has_minus(*at));
    rules.extend(with_minus.into_iter().map(signed));
    rules.extend(pair);
    rules.extend(without.into_iter().map(signed));

    if rules.is_empty() {
        let mut money: Vec<usize> = sheet.columns().filter(|at| sheet.is_money_column(*at)).collect();
        let has_decimals = |at: usize| sheet.filled(at).any(|cell| cell.contains(marks.decimal));
        money.sort_by_key(|at| (!has_minus(*at), !has_decimals(*at), *at));
        rules.extend(money.into_iter().take(TRIED_MAX).map(signed));
    }
    rules
}

fn direction_rule(sheet: &Sheet<'_>, amount: usize, at: usize) -> AmountRule {
    let mut words: Vec<&str> = sheet.filled(at).collect();
    words.sort_unstable();
    words.dedup();
    let is_out = |word: &&str| OUT_WORDS.contains(&word.to_lowercase().as_str());
    let (mut debit, mut credit): (Vec<String>, Vec<String>) =
        (words.iter().filter(|word| is_out(word)).map(|word| (*word).to_owned()).collect(), Vec::new());
    credit.extend(words.iter().filter(|word| !is_out(word)).map(|word| (*word).to_owned()));
    // The other word is known even if this month has no such line.
    let partner = |own: &[String], from: &[&str], to: &[&str]| {
        let place = own.first().and_then(|word| from.iter().position(|known| *known == word.to_lowercase()));
        place.and_then(|place| to.get(place)).map(|word| (*word).to_owned())
    };
    if debit.is_empty() {
        debit.extend(partner(&credit, IN_WORDS, OUT_WORDS));
    }
    if credit.is_empty() {
        credit.extend(partner(&debit, OUT_WORDS, IN_WORDS));
    }
    AmountRule::Direction { column: sheet.column(amount), direction: sheet.column(at), debit, credit }
}

fn agreement(sheet: &Sheet<'_>, mapping: &Mapping, balance: usize) -> Result<Agreement, StatementError> {
    let positions = Positions::find(mapping, &sheet.header())?;
    let mut lines = Vec::new();
    for row in &sheet.rows {
        if refuse_skipped(row, mapping, &positions).is_err() {
            continue;
        }
        // A line without money leaves the balance where it is.
        let amount = signed_amount(row, mapping, &positions, DECIMALS).unwrap_or(0);
        let balance = mapping.marks().parse(cell(row, balance), DECIMALS).ok();
        let currency = positions.currency.map_or("", |at| cell(row, at));
        lines.push((amount, balance, currency));
    }
    let oldest_first = steps(lines.iter().copied());
    let newest_first = steps(lines.iter().rev().copied());
    if newest_first.agree > oldest_first.agree {
        return Ok(Agreement { newest_first: true, ..newest_first });
    }
    Ok(oldest_first)
}

/// Each currency has a balance of its own.
fn steps<'c>(lines: impl Iterator<Item = (i64, Option<i64>, &'c str)>) -> Agreement {
    let mut agreement = Agreement::default();
    let mut last: Vec<(&str, Option<i64>)> = Vec::new();
    for (amount, balance, currency) in lines {
        let at = last.iter().position(|(known, _)| *known == currency).unwrap_or_else(|| {
            last.push((currency, None));
            last.len() - 1
        });
        if let (Some(before), Some(after)) = (last[at].1, balance)
            && amount != 0
        {
            agreement.steps += 1;
            agreement.agree += usize::from(before.checked_add(amount) == Some(after));
        }
        last[at].1 = balance;
    }
    agreement
}

/// Without a balance as witness, a card that writes purchases as positive amounts is known by its payments, by its
/// headers, or because nearly nothing is negative.
fn card_sign(
    sheet: &Sheet<'_>,
    candidate: &Candidate,
    texts: &Texts,
) -> Result<(bool, Confidence, &'static str), StatementError> {
    let mapping = &candidate.mapping;
    if !matches!(mapping.amount, AmountRule::Signed { .. }) {
        return Ok((false, Confidence::High, candidate.because));
    }
    let positions = Positions::find(mapping, &sheet.header())?;
    let (mut positive, mut negative) = (0, 0);
    let (mut payments_in, mut payments_out) = (0, 0);
    for row in &sheet.rows {
        let Ok(amount) = signed_amount(row, mapping, &positions, DECIMALS) else { continue };
        let text: Vec<String> =
            texts.payee.iter().chain(&texts.note).map(|at| plain(cell(row, *at))).collect();
        let text = text.join(" ");
        let is_payment = CARD_PAYMENT_WORDS.iter().any(|words| text.contains(words));
        positive += usize::from(amount > 0);
        negative += usize::from(amount < 0);
        payments_in += usize::from(is_payment && amount > 0);
        payments_out += usize::from(is_payment && amount < 0);
    }
    let card_headers = sheet.names.iter().any(|name| CARD_HEADERS.contains(&plain(name).as_str()));
    let mostly_positive = positive > 3 * negative;

    if payments_out > payments_in && positive > negative {
        return Ok((
            true,
            Confidence::High,
            "Payments of the card are negative, so purchases are the positive amounts.",
        ));
    }
    if payments_in > payments_out {
        return Ok((
            false,
            Confidence::High,
            "Payments of the card are positive, so purchases are the negative amounts.",
        ));
    }
    if card_headers && positive > negative {
        return Ok((
            true,
            Confidence::Medium,
            "It is a card's statement and most amounts are positive: purchases.",
        ));
    }
    if mostly_positive {
        return Ok((
            true,
            Confidence::Low,
            "Nearly all amounts are positive; they are taken for money spent.",
        ));
    }
    if negative > 0 {
        return Ok((false, Confidence::High, candidate.because));
    }
    Ok((false, Confidence::Low, "Nothing shows which way the money went."))
}
