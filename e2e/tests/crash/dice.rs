use rand::{Rng, SeedableRng, rngs::Xoshiro256PlusPlus};
use uuid::Uuid;

/// Numbers that follow from the run's seed.
#[derive(Debug)]
pub struct Dice(Xoshiro256PlusPlus);

impl Dice {
    /// Dice of one of those who roll; the others roll independently.
    pub fn of(seed: u64, who: u64) -> Self {
        Self(Xoshiro256PlusPlus::seed_from_u64(seed.wrapping_mul(1_000_003).wrapping_add(who)))
    }

    /// From `min` to `max`, both possible.
    pub fn between(&mut self, min: u64, max: u64) -> u64 {
        min + self.0.next_u64() % (max - min + 1)
    }

    pub fn percent(&mut self, percent: u64) -> bool {
        self.between(1, 100) <= percent
    }

    /// Where in a list of so many, which is not empty.
    pub fn place(&mut self, len: usize) -> usize {
        self.between(0, len as u64 - 1) as usize
    }

    pub fn pick<'a, T>(&mut self, choices: &'a [T]) -> &'a T {
        &choices[self.place(choices.len())]
    }

    pub fn uuid(&mut self) -> Uuid {
        let mut bytes = [0; 16];
        self.0.fill_bytes(&mut bytes);
        uuid::Builder::from_random_bytes(bytes).into_uuid()
    }
}
