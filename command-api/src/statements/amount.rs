use super::Refusal;
use super::statement::shown;

/// What is wrong with the text of an amount.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum AmountFault {
    Missing,
    Invalid,
    TooManyDecimals,
    TooLarge,
}

impl AmountFault {
    /// What to tell of the text that is no amount.
    pub fn refusal(self, text: &str, marks: Marks, decimals: u8) -> Refusal {
        match self {
            Self::Missing => Refusal::new("amount_missing", "The line has no amount."),
            Self::Invalid => {
                let detail =
                    format!("`{}` is no amount with the decimal mark `{}`.", shown(text), marks.decimal);
                Refusal::new("amount_invalid", detail)
            }
            Self::TooManyDecimals => {
                let detail = format!("`{}` has more than {decimals} decimals.", shown(text));
                Refusal::new("amount_too_many_decimals", detail)
            }
            Self::TooLarge => Refusal::new("amount_too_large", format!("`{}` is too large.", shown(text))),
        }
    }
}

/// The signs a file uses inside its numbers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Marks {
    pub decimal: char,
    pub thousands: Option<char>,
}

const CURRENCY_SIGNS: [char; 12] = ['€', '$', '£', '¥', '₹', '₺', '₽', '₩', '₪', '₫', '₴', '฿'];
const MINUS_SIGNS: [char; 3] = ['-', '\u{2212}', '\u{2013}'];

impl Marks {
    /// Signed minor units of a currency with `decimals` decimals. A minus may stand on either side, parentheses and `DR`
    /// mean minus too, and a currency sign or code beside the number is read over. Zeros beyond the currency's decimals
    /// are accepted, other digits there are not: nothing is rounded.
    pub fn parse(&self, cell: &str, decimals: u8) -> Result<i64, AmountFault> {
        if cell.trim().is_empty() {
            return Err(AmountFault::Missing);
        }
        let (negative, number) = unwrap_number(cell).ok_or(AmountFault::Invalid)?;
        let (whole, fraction) = match number.rsplit_once(self.decimal) {
            Some((_, "")) => return Err(AmountFault::Invalid),
            Some((whole, fraction)) => (whole, fraction),
            None => (number, ""),
        };
        if whole.is_empty() && fraction.is_empty() || !fraction.bytes().all(|byte| byte.is_ascii_digit()) {
            return Err(AmountFault::Invalid);
        }
        let whole = self.without_thousands(whole).ok_or(AmountFault::Invalid)?;

        let decimals = usize::from(decimals);
        let (kept, beyond) = fraction.split_at(fraction.len().min(decimals));
        if beyond.bytes().any(|byte| byte != b'0') {
            return Err(AmountFault::TooManyDecimals);
        }
        let zeros = std::iter::repeat_n(b'0', decimals - kept.len());
        let mut minor: i64 = 0;
        for digit in whole.bytes().chain(kept.bytes()).chain(zeros) {
            minor = minor
                .checked_mul(10)
                .and_then(|minor| minor.checked_add(i64::from(digit - b'0')))
                .ok_or(AmountFault::TooLarge)?;
        }
        Ok(if negative { -minor } else { minor })
    }

    /// The digits before the decimal mark, if the thousands marks stand where they may: `1,234,567` and, as in India,
    /// `12,34,567`.
    fn without_thousands(&self, whole: &str) -> Option<String> {
        let all_digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
        if all_digits(whole) {
            return Some(whole.to_owned());
        }
        let mark = self.thousands?;
        let groups: Vec<&str> = whole.split(|letter| same_mark(letter, mark)).collect();
        let (last, before) = groups.split_last()?;
        let (first, middle) = before.split_first()?;
        let sound = last.len() == 3
            && (1..=3).contains(&first.len())
            && middle.iter().all(|group| (2..=3).contains(&group.len()))
            && groups.iter().all(|group| all_digits(group));
        sound.then(|| groups.concat())
    }
}

/// Spaces and apostrophes come in several shapes, often mixed in one file.
fn same_mark(letter: char, mark: char) -> bool {
    match mark {
        ' ' => is_space(letter),
        '\'' => matches!(letter, '\'' | '\u{2019}'),
        _ => letter == mark,
    }
}

pub(super) fn is_space(letter: char) -> bool {
    matches!(letter, ' ' | '\u{a0}' | '\u{202f}' | '\u{2009}')
}

/// The bare number and whether it is negative, or nothing when two signs or other things stand around it.
pub(super) fn unwrap_number(cell: &str) -> Option<(bool, &str)> {
    let mut rest = cell.trim();
    let mut sign: Option<bool> = None;
    let mut currency_seen = false;
    loop {
        rest = rest.trim();
        let (found, after) = if let Some(after) = rest.strip_prefix(MINUS_SIGNS) {
            (true, after)
        } else if let Some(after) = rest.strip_suffix(MINUS_SIGNS) {
            (true, after)
        } else if let Some(after) = rest.strip_prefix('+').or_else(|| rest.strip_suffix('+')) {
            (false, after)
        } else if let Some(after) = rest.strip_prefix('(').and_then(|rest| rest.strip_suffix(')')) {
            (true, after)
        } else if let Some(after) = strip_word(rest, &["DR", "Dr", "dr"]) {
            (true, after)
        } else if let Some(after) = strip_word(rest, &["CR", "Cr", "cr"]) {
            (false, after)
        } else if let Some(after) = strip_currency(rest).filter(|_| !currency_seen) {
            currency_seen = true;
            rest = after;
            continue;
        } else {
            let has_digit = rest.bytes().any(|byte| byte.is_ascii_digit());
            return has_digit.then_some((sign.unwrap_or(false), rest));
        };
        if sign.is_some() {
            return None;
        }
        sign = Some(found);
        rest = after;
    }
}

fn strip_word<'c>(text: &'c str, words: &[&str]) -> Option<&'c str> {
    let after = words.iter().find_map(|word| text.strip_suffix(word))?;
    after
        .ends_with(|last: char| last.is_ascii_digit() || last.is_whitespace() || last == '.')
        .then_some(after)
}

fn strip_currency(text: &str) -> Option<&str> {
    if let Some(after) = text.strip_prefix(CURRENCY_SIGNS).or_else(|| text.strip_suffix(CURRENCY_SIGNS)) {
        return Some(after);
    }
    if let Some(after) = text.strip_prefix("Rs.").or_else(|| text.strip_prefix("Rs")) {
        return Some(after);
    }
    let is_code = |word: &str| word.len() == 3 && word.bytes().all(|byte| byte.is_ascii_uppercase());
    if text.get(..3).is_some_and(is_code) {
        return text.get(3..);
    }
    let cut = text.len().checked_sub(3)?;
    if text.get(cut..).is_some_and(is_code) {
        return text.get(..cut);
    }
    None
}

/// The ISO code a currency sign or code stands for.
pub(super) fn currency_code(cell: &str) -> Option<String> {
    let cell = cell.trim();
    let code = match cell {
        "€" => "EUR",
        "$" | "US$" => "USD",
        "£" => "GBP",
        "₹" => "INR",
        _ => cell,
    };
    (code.len() == 3 && code.bytes().all(|byte| byte.is_ascii_alphabetic()))
        .then(|| code.to_ascii_uppercase())
}

#[cfg(test)]
mod tests {
    use super::*;

    const ENGLISH: Marks = Marks { decimal: '.', thousands: Some(',') };
    const GERMAN: Marks = Marks { decimal: ',', thousands: Some('.') };

    #[track_caller]
    fn check(marks: Marks, decimals: u8, cell: &str, expected: &str) {
        let found = match marks.parse(cell, decimals) {
            Ok(minor) => minor.to_string(),
            Err(fault) => format!("{fault:?}"),
        };
        assert_eq!(found, expected, "{cell}");
    }

    #[test]
    fn amounts_of_the_usual_layouts_are_read() {
        check(ENGLISH, 2, "-4.5", "-450");
        check(ENGLISH, 2, "+1,234.56", "123456");
        check(ENGLISH, 2, "12,34,567.00", "123456700");
        check(ENGLISH, 2, "$-4.75", "-475");
        check(ENGLISH, 2, "-$4.75", "-475");
        check(ENGLISH, 2, "(4.75)", "-475");
        check(ENGLISH, 2, "14,719.00 CR", "1471900");
        check(ENGLISH, 2, "14719 DR", "-1471900");
        check(ENGLISH, 2, ".5", "50");
        check(ENGLISH, 2, "3.000", "300");
        check(ENGLISH, 0, "1,200", "1200");
        check(GERMAN, 2, "-1.234,56 €", "-123456");
        check(GERMAN, 2, "EUR 12,50-", "-1250");
        check(GERMAN, 2, "\u{2212}7", "-700");
        check(Marks { decimal: ',', thousands: Some(' ') }, 2, "1\u{202f}234,5", "123450");
        check(Marks { decimal: '.', thousands: Some('\'') }, 2, "1’234.50", "123450");
    }

    #[test]
    fn what_is_no_amount_is_refused() {
        check(ENGLISH, 2, " ", "Missing");
        check(ENGLISH, 2, "1e3", "Invalid");
        check(ENGLISH, 2, "NaN", "Invalid");
        check(ENGLISH, 2, "=1+2", "Invalid");
        check(ENGLISH, 2, "--5", "Invalid");
        check(ENGLISH, 2, "-5-", "Invalid");
        check(ENGLISH, 2, "5.", "Invalid");
        check(ENGLISH, 2, "1.234,56", "Invalid");
        check(ENGLISH, 2, "12,3", "Invalid");
        check(ENGLISH, 2, "1.005", "TooManyDecimals");
        check(ENGLISH, 2, "99999999999999999999999999999999", "TooLarge");
        check(Marks { decimal: '.', thousands: None }, 2, "1,234", "Invalid");
    }
}
