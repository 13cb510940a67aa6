use std::time::Duration;

use hdrhistogram::Histogram;
use serde::Serialize;

/// Longer than any call may last (see `http_client::CALL_LIMIT`) plus the longest run.
const LATENCY_MAX_US: u64 = 120_000_000;

/// Latencies in microseconds, three significant digits, in an HDR histogram.
pub struct Latencies {
    histogram: Histogram<u64>,
}

/// What a table row shows of a histogram. All in milliseconds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize)]
pub struct Quantiles {
    pub p50_ms: f64,
    pub p99_ms: f64,
    pub p999_ms: f64,
    pub max_ms: f64,
}

impl Latencies {
    pub fn new() -> Self {
        let histogram = Histogram::new_with_bounds(1, LATENCY_MAX_US, 3).expect("the bounds are constants");
        Self { histogram }
    }

    /// What lies above the bound counts as the bound: an outlier is never dropped.
    pub fn record(&mut self, latency: Duration) {
        let us = u64::try_from(latency.as_micros()).unwrap_or(LATENCY_MAX_US);
        self.histogram.saturating_record(us.max(1));
    }

    /// Adds up counts. Quantiles are read from the sum, since means of quantiles say nothing.
    pub fn merge(&mut self, other: &Latencies) {
        self.histogram.add(&other.histogram).expect("both have the same bounds");
    }

    pub fn count(&self) -> u64 {
        self.histogram.len()
    }

    pub fn quantiles(&self) -> Quantiles {
        let at = |quantile| self.histogram.value_at_quantile(quantile) as f64 / 1000.0;
        Quantiles {
            p50_ms: at(0.5),
            p99_ms: at(0.99),
            p999_ms: at(0.999),
            max_ms: self.histogram.max() as f64 / 1000.0,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn close(actual: f64, expected: f64) {
        assert!((actual - expected).abs() <= expected * 0.002, "{actual} is not {expected}");
    }

    #[test]
    fn quantiles_of_a_thousand_even_steps_are_the_steps() {
        let mut latencies = Latencies::new();
        for ms in 1..=1000 {
            latencies.record(Duration::from_millis(ms));
        }
        let quantiles = latencies.quantiles();
        assert_eq!(latencies.count(), 1000);
        close(quantiles.p50_ms, 500.0);
        close(quantiles.p99_ms, 990.0);
        close(quantiles.p999_ms, 999.0);
        close(quantiles.max_ms, 1000.0);
    }

    #[test]
    fn merging_adds_counts_and_keeps_the_slowest() {
        let mut fast = Latencies::new();
        let mut slow = Latencies::new();
        for _ in 0..99 {
            fast.record(Duration::from_millis(1));
        }
        slow.record(Duration::from_millis(80));
        fast.merge(&slow);
        assert_eq!(fast.count(), 100);
        close(fast.quantiles().p50_ms, 1.0);
        close(fast.quantiles().max_ms, 80.0);
    }

    #[test]
    fn a_latency_beyond_the_bound_is_counted_at_the_bound() {
        let mut latencies = Latencies::new();
        latencies.record(Duration::from_secs(10_000));
        assert_eq!(latencies.count(), 1);
        close(latencies.quantiles().max_ms, 120_000.0);
    }
}
