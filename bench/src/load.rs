//! What both loops share: who is called, and what came of it.

use std::time::Duration;

use crate::histogram::Latencies;

/// One of the concurrent callers: a kept-alive connection, or a queue into the raw commit loop.
pub trait Client: Send + 'static {
    /// Sends one request and waits for its answer, `Err` with a sentence if it was not the expected one.
    fn call(&mut self) -> impl Future<Output = Result<(), String>> + Send;
}

/// What came of a run.
pub struct Load {
    /// Only an open loop intends a rate.
    pub intended_per_s: Option<f64>,
    pub completed: u64,
    pub failed: u64,
    /// Requests of an open loop that found no connection before the run was given up.
    pub unsent: u64,
    pub first_failure: Option<String>,
    pub elapsed: Duration,
    pub latencies: Latencies,
}

impl Load {
    pub fn new() -> Self {
        Self {
            intended_per_s: None,
            completed: 0,
            failed: 0,
            unsent: 0,
            first_failure: None,
            elapsed: Duration::ZERO,
            latencies: Latencies::new(),
        }
    }

    pub fn count(&mut self, outcome: Result<(), String>) {
        match outcome {
            Ok(()) => self.completed += 1,
            Err(failure) => {
                self.failed += 1;
                self.first_failure.get_or_insert(failure);
            }
        }
    }

    pub fn merge(&mut self, other: Load) {
        self.completed += other.completed;
        self.failed += other.failed;
        self.unsent += other.unsent;
        if self.first_failure.is_none() {
            self.first_failure = other.first_failure;
        }
        self.latencies.merge(&other.latencies);
    }

    pub fn achieved_per_s(&self) -> f64 {
        let seconds = self.elapsed.as_secs_f64();
        if seconds > 0.0 { self.completed as f64 / seconds } else { 0.0 }
    }

    /// Whether the intended rate held: every answer right, 98 % of the rate achieved, p99 within the bound.
    pub fn held(&self, p99_bound: Duration) -> bool {
        let intended = self.intended_per_s.unwrap_or(0.0);
        let p99_ms = self.latencies.quantiles().p99_ms;
        self.failed == 0
            && self.unsent == 0
            && self.achieved_per_s() >= 0.98 * intended
            && p99_ms <= p99_bound.as_secs_f64() * 1000.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn load(completed: u64, latency_ms: u64) -> Load {
        let mut load = Load::new();
        load.intended_per_s = Some(1000.0);
        load.elapsed = Duration::from_secs(1);
        for _ in 0..completed {
            load.count(Ok(()));
            load.latencies.record(Duration::from_millis(latency_ms));
        }
        load
    }

    #[test]
    fn a_rate_holds_only_if_it_is_achieved_in_time_and_without_failures() {
        let bound = Duration::from_millis(50);
        assert!(load(980, 10).held(bound));
        assert!(!load(979, 10).held(bound), "less than 98 % achieved");
        assert!(!load(1000, 60).held(bound), "too slow");
        let mut failing = load(999, 10);
        failing.count(Err("503".to_owned()));
        assert!(!failing.held(bound), "one wrong answer");
        let mut late = load(990, 10);
        late.unsent = 1;
        assert!(!late.held(bound), "one never sent");
    }
}
