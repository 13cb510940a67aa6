//! Money in minor units of a currency. Checked arithmetic only, never a float.
//!
//! In events an amount stands as a decimal string that always shows every decimal of its currency
//! (`"12.50"`, `"1250"` yen). So a record says by itself how many decimals its currency had when it was
//! written, whatever later editions of ISO 4217 say.

use std::{cmp::Ordering, fmt, str::FromStr};

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

/// The largest amount of one entry, in minor units: ten thousand billion euros. Sums of thousands of such
/// amounts still fit an `i64`.
pub const AMOUNT_MINOR_MAX: i64 = 1_000_000_000_000_000;

/// An ISO 4217 currency with the number of decimals it had when it was first written down.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Currency {
    code: [u8; 3],
    decimals: u8,
}

#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{found:?} is not an ISO 4217 currency code that money can be kept in, such as EUR")]
pub struct CurrencyError {
    pub found: String,
}

impl Currency {
    /// A currency of today's ISO 4217 list. Codes without minor units (gold, the testing code) are refused.
    pub fn parse(code: &str) -> Result<Self, CurrencyError> {
        let refuse = || CurrencyError { found: code.chars().take(16).collect() };
        let known = iso_currency::Currency::from_code(code).ok_or_else(refuse)?;
        let decimals =
            known.exponent().and_then(|exponent| u8::try_from(exponent).ok()).ok_or_else(refuse)?;
        Self::pinned(code, decimals).ok_or_else(refuse)
    }

    /// A currency as a record pinned it, even if the list has changed since.
    pub fn pinned(code: &str, decimals: u8) -> Option<Self> {
        let code: [u8; 3] = code.as_bytes().try_into().ok()?;
        (code.iter().all(u8::is_ascii_uppercase) && decimals <= 6).then_some(Self { code, decimals })
    }

    pub fn code(&self) -> &str {
        std::str::from_utf8(&self.code).unwrap_or_default()
    }

    pub fn decimals(&self) -> u8 {
        self.decimals
    }
}

impl fmt::Display for Currency {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.code())
    }
}

#[derive(Serialize, Deserialize)]
struct CurrencyRecord<S> {
    code: S,
    decimals: u8,
}

impl Serialize for Currency {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        CurrencyRecord { code: self.code(), decimals: self.decimals }.serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for Currency {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let record = CurrencyRecord::<String>::deserialize(deserializer)?;
        Self::pinned(&record.code, record.decimals)
            .ok_or_else(|| de::Error::custom(format!("{:?} is no currency code", record.code)))
    }
}

/// A decimal number as somebody wrote it, before it is known which currency it is in: `digits` × 10^-`decimals`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Amount {
    digits: i64,
    decimals: u8,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum AmountError {
    #[error("an amount is written in digits with a point, such as 12.50")]
    Malformed,
    #[error("an amount is greater than zero; the kind of the entry says the direction")]
    NotPositive,
    #[error("an amount is at most 10^15 minor units")]
    OutOfRange,
    #[error("{currency} has {} decimals; the amount has more", currency.decimals())]
    TooManyDecimals { currency: Currency },
}

impl AmountError {
    pub fn code(&self) -> &'static str {
        match self {
            AmountError::Malformed => "amount_malformed",
            AmountError::NotPositive => "amount_not_positive",
            AmountError::OutOfRange => "amount_out_of_range",
            AmountError::TooManyDecimals { .. } => "too_many_decimals",
        }
    }
}

impl Amount {
    /// Reads a positive amount; the direction of money is never in its sign.
    pub fn parse_positive(text: &str) -> Result<Self, AmountError> {
        let amount: Amount = text.parse()?;
        if amount.digits <= 0 {
            return Err(AmountError::NotPositive);
        }
        Ok(amount)
    }

    pub fn from_minor(minor: i64, currency: Currency) -> Self {
        Self { digits: minor, decimals: currency.decimals }
    }

    pub fn is_zero(&self) -> bool {
        self.digits == 0
    }

    /// Which is more, whatever the decimals of the one and the other.
    pub fn cmp_minor(&self, money: Money) -> Ordering {
        let scaled = |digits: i64, decimals: u8| {
            i128::from(digits).saturating_mul(10i128.saturating_pow(u32::from(decimals)))
        };
        scaled(self.digits, money.currency.decimals).cmp(&scaled(money.minor, self.decimals))
    }

    pub fn in_currency(&self, currency: Currency) -> Result<Money, AmountError> {
        let too_many = AmountError::TooManyDecimals { currency };
        let minor = if self.decimals <= currency.decimals {
            let factor = 10i64.pow(u32::from(currency.decimals - self.decimals));
            self.digits.checked_mul(factor).ok_or(AmountError::OutOfRange)?
        } else {
            // "12.500" euros is twelve and a half; "12.505" is not an amount of euros.
            let divisor = 10i64.checked_pow(u32::from(self.decimals - currency.decimals)).ok_or(too_many)?;
            if self.digits % divisor != 0 {
                return Err(too_many);
            }
            self.digits / divisor
        };
        if minor.unsigned_abs() > AMOUNT_MINOR_MAX.unsigned_abs() {
            return Err(AmountError::OutOfRange);
        }
        Ok(Money { minor, currency })
    }
}

impl FromStr for Amount {
    type Err = AmountError;

    /// Digits with at most one point and an optional leading minus. No exponent, no plus, no separators.
    fn from_str(text: &str) -> Result<Self, AmountError> {
        let (negative, unsigned) = match text.strip_prefix('-') {
            Some(rest) => (true, rest),
            None => (false, text),
        };
        let (whole, fraction) = match unsigned.split_once('.') {
            Some((_, "")) => return Err(AmountError::Malformed),
            Some(parts) => parts,
            None => (unsigned, ""),
        };
        let all_digits = |part: &str| part.bytes().all(|byte| byte.is_ascii_digit());
        if whole.is_empty() || !all_digits(whole) || !all_digits(fraction) {
            return Err(AmountError::Malformed);
        }
        let decimals = u8::try_from(fraction.len()).map_err(|_| AmountError::OutOfRange)?;
        let mut digits: i64 = 0;
        for byte in whole.bytes().chain(fraction.bytes()) {
            digits = digits
                .checked_mul(10)
                .and_then(|shifted| shifted.checked_add(i64::from(byte - b'0')))
                .ok_or(AmountError::OutOfRange)?;
        }
        Ok(Self { digits: if negative { -digits } else { digits }, decimals })
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Money {
    pub minor: i64,
    pub currency: Currency,
}

impl Money {
    pub fn parse_decimal(text: &str, currency: Currency) -> Result<Self, AmountError> {
        text.parse::<Amount>()?.in_currency(currency)
    }

    /// The amount with every decimal of its currency: `-12.50`.
    pub fn decimal(&self) -> String {
        let decimals = usize::from(self.currency.decimals);
        let sign = if self.minor < 0 { "-" } else { "" };
        let digits = self.minor.unsigned_abs().to_string();
        if decimals == 0 {
            return format!("{sign}{digits}");
        }
        let padded = format!("{digits:0>width$}", width = decimals + 1);
        let (whole, fraction) = padded.split_at(padded.len() - decimals);
        format!("{sign}{whole}.{fraction}")
    }

    pub fn negated(self) -> Self {
        Self { minor: -self.minor, currency: self.currency }
    }
}

impl fmt::Display for Money {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.decimal(), self.currency)
    }
}

/// As events write it: `{"amount":"12.50","currency":"EUR"}`.
#[derive(Serialize, Deserialize)]
struct MoneyRecord<C> {
    amount: String,
    currency: C,
}

impl Serialize for Money {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        MoneyRecord { amount: self.decimal(), currency: self.currency.code() }.serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for Money {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let record = MoneyRecord::<String>::deserialize(deserializer)?;
        Self::from_record(&record.amount, &record.currency).map_err(de::Error::custom)
    }
}

impl Money {
    /// Reads an amount as a record wrote it: the decimals shown are the currency's.
    pub fn from_record(amount: &str, currency: &str) -> Result<Self, String> {
        let parsed: Amount = amount.parse().map_err(|error| format!("amount {amount:?}: {error}"))?;
        let currency = Currency::pinned(currency, parsed.decimals)
            .ok_or_else(|| format!("{currency:?} is no currency code, or {amount:?} no amount in it"))?;
        Ok(Money { minor: parsed.digits, currency })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[track_caller]
    fn check(text: &str, code: &str, expected: &str) {
        let answer = match Currency::parse(code) {
            Err(_) => "unknown_currency".to_owned(),
            Ok(currency) => {
                match Amount::parse_positive(text).and_then(|amount| amount.in_currency(currency)) {
                    Ok(money) => money.decimal(),
                    Err(error) => error.code().to_owned(),
                }
            }
        };
        assert_eq!(answer, expected, "{text} {code}");
    }

    #[test]
    fn amounts_are_read_exactly_or_refused_by_name() {
        check("12.5", "EUR", "12.50");
        check("12", "EUR", "12.00");
        check("0.01", "EUR", "0.01");
        check("12.500", "EUR", "12.50");
        check("12.505", "EUR", "too_many_decimals");
        check("12.5", "JPY", "too_many_decimals");
        check("1250", "JPY", "1250");
        check("1.234", "KWD", "1.234");
        check("0", "EUR", "amount_not_positive");
        check("0.00", "EUR", "amount_not_positive");
        check("-1", "EUR", "amount_not_positive");
        check("1e3", "EUR", "amount_malformed");
        check("NaN", "EUR", "amount_malformed");
        check("", "EUR", "amount_malformed");
        check(".5", "EUR", "amount_malformed");
        check("5.", "EUR", "amount_malformed");
        check("+5", "EUR", "amount_malformed");
        check("1,50", "EUR", "amount_malformed");
        check("1 000", "EUR", "amount_malformed");
        check("٣", "EUR", "amount_malformed");
        check("10000000000000.00", "EUR", "10000000000000.00");
        check("10000000000000.01", "EUR", "amount_out_of_range");
        check("123456789012345678901234567890", "EUR", "amount_out_of_range");
        check("1", "XAU", "unknown_currency");
        check("1", "eur", "unknown_currency");
        check("1", "EURO", "unknown_currency");
    }

    proptest! {
        #[test]
        fn money_comes_back_from_its_record(minor in -AMOUNT_MINOR_MAX..=AMOUNT_MINOR_MAX, code in prop::sample::select(vec!["EUR", "JPY", "KWD"])) {
            let money = Money { minor, currency: Currency::parse(code).unwrap() };
            let json = serde_json::to_string(&money).unwrap();
            prop_assert_eq!(serde_json::from_str::<Money>(&json).unwrap(), money);
        }

        #[test]
        fn reading_an_amount_never_panics(text in ".*") {
            let _ = text.parse::<Amount>();
        }
    }
}
