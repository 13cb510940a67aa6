//! Sheets: what the days of a month, or of a year, came to, packed into one value.
//!
//! A report over ten years reads a hundred and twenty rows of a category where it would read three thousand six
//! hundred if each day had its own, and still knows each day. A write touches one row either way.
//!
//! A day is three numbers: by how many days it comes after the one before, its amount, and how many entries it is of.
//! Each is a variable-length integer as Protocol Buffers write it (seven bits a byte, the low ones first), the last two
//! with their sign in the lowest bit. So most days take five bytes, and a month of a category fits a page nine times.

use chrono::{Datelike, NaiveDate};

#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub(crate) struct DaySum {
    pub amount_minor: i64,
    pub entries: i64,
}

impl DaySum {
    pub fn add(&mut self, other: &DaySum) {
        self.amount_minor = self.amount_minor.saturating_add(other.amount_minor);
        self.entries += other.entries;
    }
}

/// The days of a sheet by their number in the year, from 1, in order. A day without entries is not in it.
pub(crate) fn numbered(packed: &[u8]) -> Numbered<'_> {
    Numbered { rest: packed, number: 0 }
}

pub(crate) struct Numbered<'p> {
    rest: &'p [u8],
    number: u16,
}

impl Iterator for Numbered<'_> {
    type Item = (u16, DaySum);

    fn next(&mut self) -> Option<Self::Item> {
        let later = u16::try_from(self.integer()?).ok()?;
        self.number = self.number.checked_add(later)?;
        let (amount_minor, entries) = (signed(self.integer()?), signed(self.integer()?));
        Some((self.number, DaySum { amount_minor, entries }))
    }
}

impl Numbered<'_> {
    /// `None` at the end.
    fn integer(&mut self) -> Option<u64> {
        let mut value = 0;
        for shift in (0..u64::BITS).step_by(7) {
            let (byte, rest) = self.rest.split_first()?;
            self.rest = rest;
            value |= u64::from(byte & 0x7f) << shift;
            if *byte < 0x80 {
                return Some(value);
            }
        }
        None
    }
}

fn signed(value: u64) -> i64 {
    (value >> 1) as i64 ^ -((value & 1) as i64)
}

fn unsigned(value: i64) -> u64 {
    (value << 1 ^ value >> 63) as u64
}

fn push_integer(packed: &mut Vec<u8>, mut value: u64) {
    while value >= 0x80 {
        packed.push(value as u8 | 0x80);
        value >>= 7;
    }
    packed.push(value as u8);
}

/// The sheet after these days, all of its year and each given once, have moved by so much.
pub(crate) fn moved(packed: &[u8], moves: &[(NaiveDate, DaySum)]) -> Vec<u8> {
    let mut days: Vec<(u16, DaySum)> = numbered(packed).collect();
    for (day, by) in moves {
        let number = u16::try_from(day.ordinal()).expect("a year has 366 days at most");
        match days.binary_search_by_key(&number, |(number, _)| *number) {
            Ok(index) => {
                let sum = &mut days[index].1;
                // Nothing bounds the sum of a category as `decide` bounds balances. One beyond 64 bits wraps around,
                // so that it comes back when the entries go.
                sum.amount_minor = sum.amount_minor.wrapping_add(by.amount_minor);
                sum.entries += by.entries;
            }
            Err(index) => days.insert(index, (number, *by)),
        }
    }
    days.retain(|(_, sum)| sum.entries != 0);
    let (mut packed, mut before) = (Vec::with_capacity(days.len() * 5), 0);
    for (number, sum) in days {
        push_integer(&mut packed, u64::from(number - before));
        push_integer(&mut packed, unsigned(sum.amount_minor));
        push_integer(&mut packed, unsigned(sum.entries));
        before = number;
    }
    packed
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;
    use proptest::prelude::*;

    fn first() -> NaiveDate {
        NaiveDate::from_ymd_opt(2028, 1, 1).unwrap()
    }

    proptest! {
        #[test]
        fn a_sheet_says_what_its_days_came_to(
            moves in prop::collection::vec((0u64..366, any::<i64>(), -2i64..3), 0..40),
        ) {
            let mut sheet = Vec::new();
            let mut expected: BTreeMap<u16, DaySum> = BTreeMap::new();
            for (offset, amount_minor, entries) in moves {
                let day = first() + chrono::Days::new(offset);
                sheet = moved(&sheet, &[(day, DaySum { amount_minor, entries })]);
                let sum = expected.entry(day.ordinal() as u16).or_default();
                sum.amount_minor = sum.amount_minor.wrapping_add(amount_minor);
                sum.entries += entries;
                expected.retain(|_, sum| sum.entries != 0);
                prop_assert_eq!(numbered(&sheet).collect::<BTreeMap<_, _>>(), expected.clone());
            }
            let taken_back: Vec<(NaiveDate, DaySum)> = expected
                .iter()
                .map(|(number, sum)| {
                    let day = NaiveDate::from_yo_opt(2028, u32::from(*number)).unwrap();
                    let amount_minor = sum.amount_minor.wrapping_neg();
                    (day, DaySum { amount_minor, entries: -sum.entries })
                })
                .collect();
            prop_assert_eq!(moved(&sheet, &taken_back), Vec::<u8>::new());
        }
    }
}
