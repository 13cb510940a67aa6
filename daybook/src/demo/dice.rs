//! Randomness that stays the same: a named generator, and numbers drawn from it by rules of our own, because how
//! `rand` maps bits to ranges may change between its releases.

use chrono::{NaiveDate, NaiveTime};
use domain::id::EntryId;
use rand::{Rng, SeedableRng, rngs::Xoshiro256PlusPlus};
use uuid::Builder;

pub struct Dice {
    generator: Xoshiro256PlusPlus,
}

impl Dice {
    /// Dice of one theme; those of another roll independently.
    pub fn of(seed: u32, theme: &str) -> Self {
        // FNV-1a, to tell the themes apart.
        let theme = theme
            .bytes()
            .fold(0x811c_9dc5_u32, |hash, byte| (hash ^ u32::from(byte)).wrapping_mul(0x0100_0193));
        let generator = Xoshiro256PlusPlus::seed_from_u64((u64::from(seed) << 32) | u64::from(theme));
        Self { generator }
    }

    /// From `min` to `max`, both possible, all equally likely.
    pub fn between(&mut self, min: i64, max: i64) -> i64 {
        let choices = u128::from(max.abs_diff(min)) + 1;
        let scaled = (u128::from(self.generator.next_u64()) * choices) >> 64;
        min + i64::try_from(scaled).expect("fewer than there are numbers between min and max")
    }

    pub fn percent(&mut self, percent: u8) -> bool {
        self.between(1, 100) <= i64::from(percent)
    }

    pub fn pick<'a, T>(&mut self, choices: &'a [T]) -> Option<&'a T> {
        let last = i64::try_from(choices.len()).ok()?.checked_sub(1).filter(|last| *last >= 0)?;
        choices.get(usize::try_from(self.between(0, last)).ok()?)
    }

    /// Like `between`, but the middle is likelier, as sums at a till are.
    pub fn amount(&mut self, (min, max): (i64, i64)) -> i64 {
        (self.between(min, max) + self.between(min, max)) / 2
    }

    /// An id in the order of the days.
    pub fn entry_id(&mut self, day: NaiveDate) -> EntryId {
        let millis = day.and_time(NaiveTime::MIN).and_utc().timestamp_millis();
        let mut random = [0; 10];
        self.generator.fill_bytes(&mut random);
        let uuid =
            Builder::from_unix_timestamp_millis(u64::try_from(millis).unwrap_or(0), &random).into_uuid();
        EntryId::from_uuid(uuid)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_numbers_of_a_seed_never_change() {
        let mut dice = Dice::of(1, "a theme");
        let rolled: Vec<i64> = (0..6).map(|_| dice.between(1, 6)).collect();
        assert_eq!(rolled, [2, 2, 5, 6, 6, 1]);
    }

    #[test]
    fn both_ends_can_be_rolled_and_nothing_beyond() {
        let mut dice = Dice::of(1, "");
        let rolled: Vec<i64> = (0..200).map(|_| dice.between(-1, 1)).collect();
        assert!((-1..=1).all(|face| rolled.contains(&face)));
        assert!(rolled.iter().all(|face| (-1..=1).contains(face)));
        assert_eq!(dice.between(7, 7), 7);
    }
}
