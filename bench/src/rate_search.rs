const GROWTH: f64 = 1.4;
/// A rate that holds and one that fails are close enough at this ratio; runs differ by as much.
const CLOSE_ENOUGH: f64 = 1.04;
const STEPS_MAX: u32 = 32;
const RATE_MIN: f64 = 10.0;
const RATE_MAX: f64 = 500_000.0;

/// Finds the highest rate that holds: up in steps until one fails, then halving the gap until it is small. If the first
/// step fails, down in halves until one holds.
pub struct RateSearch {
    next: f64,
    held: Option<f64>,
    failed: Option<f64>,
    steps: u32,
}

impl RateSearch {
    pub fn from(start: f64) -> Self {
        let next = start.clamp(RATE_MIN, RATE_MAX);
        Self { next, held: None, failed: None, steps: 0 }
    }

    /// The rate to try now, or `None` when the answer is known closely enough.
    pub fn next_rate(&self) -> Option<f64> {
        let too_slow = self.held.is_none() && self.next < RATE_MIN;
        let too_fast = self.next > RATE_MAX;
        let close = self.held.zip(self.failed).is_some_and(|(held, failed)| failed < held * CLOSE_ENOUGH);
        let done = too_slow || too_fast || close || self.steps >= STEPS_MAX;
        (!done).then_some(self.next)
    }

    pub fn tried(&mut self, rate: f64, held: bool) {
        self.steps += 1;
        if held {
            self.held = Some(rate);
        } else {
            self.failed = Some(rate);
        }
        self.next = match (self.held, self.failed) {
            (Some(held), Some(failed)) => (held + failed) / 2.0,
            (Some(held), None) => held * GROWTH,
            (None, Some(failed)) => failed / 2.0,
            (None, None) => self.next,
        };
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn search(start: f64, capacity: f64) -> (Option<f64>, u32) {
        let mut search = RateSearch::from(start);
        while let Some(rate) = search.next_rate() {
            search.tried(rate, rate <= capacity);
        }
        (search.held, search.steps)
    }

    #[test]
    fn the_search_ends_just_below_a_planted_capacity() {
        for capacity in [120.0, 5_000.0, 87_654.0] {
            for start in [50.0, 1_000.0, 20_000.0] {
                let found = search(start, capacity).0.unwrap();
                assert!(found <= capacity && found > capacity * 0.95, "{found} of {capacity} from {start}");
            }
        }
    }

    #[test]
    fn a_server_that_holds_no_rate_ends_the_search_without_one() {
        assert_eq!(search(1_000.0, 0.0).0, None);
    }

    #[test]
    fn a_server_that_holds_every_rate_ends_the_search_too() {
        let (found, steps) = search(1_000.0, f64::INFINITY);
        assert!(found.is_some());
        assert!(steps <= STEPS_MAX);
    }
}
