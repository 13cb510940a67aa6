use std::time::Duration;

/// When each request of an open loop is meant to be sent, as time since the start of the run. It is fixed before
/// the first answer comes, so that a server that stalls cannot slow down the clients that would have noticed.
#[derive(Clone, Copy, Debug)]
pub struct Schedule {
    rate_per_s: f64,
    total: u64,
}

impl Schedule {
    pub fn new(rate_per_s: f64, duration: Duration) -> Self {
        let total = (rate_per_s * duration.as_secs_f64()).round().max(1.0) as u64;
        Self { rate_per_s, total }
    }

    pub fn total(&self) -> u64 {
        self.total
    }

    pub fn intended(&self, index: u64) -> Duration {
        Duration::from_secs_f64(index as f64 / self.rate_per_s)
    }

    /// How many requests should have been sent by then, the one due at that very instant included.
    pub fn due_by(&self, elapsed: Duration) -> u64 {
        let due = (elapsed.as_secs_f64() * self.rate_per_s).floor() as u64 + 1;
        due.min(self.total)
    }

    /// From the intended send time, not from the actual one: the time a request waited for a free connection
    /// is time that its sender waited.
    pub fn latency(&self, index: u64, finished: Duration) -> Duration {
        finished.saturating_sub(self.intended(index))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::histogram::Latencies;

    #[test]
    fn requests_are_spread_evenly_over_the_duration() {
        let schedule = Schedule::new(500.0, Duration::from_secs(2));
        assert_eq!(schedule.total(), 1000);
        assert_eq!(schedule.intended(0), Duration::ZERO);
        assert_eq!(schedule.intended(250), Duration::from_millis(500));
        assert_eq!(schedule.intended(999), Duration::from_millis(1998));
    }

    #[test]
    fn a_request_is_due_at_its_intended_time_and_none_after_the_last() {
        let schedule = Schedule::new(100.0, Duration::from_secs(1));
        assert_eq!(schedule.due_by(Duration::ZERO), 1);
        assert_eq!(schedule.due_by(Duration::from_millis(9)), 1);
        assert_eq!(schedule.due_by(Duration::from_millis(25)), 3);
        assert_eq!(schedule.due_by(Duration::from_secs(60)), 100);
    }

    /// One connection to a server that takes 1 ms per request and once stands still for 100 ms, in virtual time.
    /// Returns (open loop, closed loop): latency from the intended and from the actual send time.
    fn stalled_server() -> (Latencies, Latencies) {
        let schedule = Schedule::new(500.0, Duration::from_secs(4));
        let (mut open, mut closed) = (Latencies::new(), Latencies::new());
        let mut free_at = Duration::ZERO;
        for index in 0..schedule.total() {
            let sent = free_at.max(schedule.intended(index));
            let stall = if index == 700 { Duration::from_millis(100) } else { Duration::ZERO };
            let finished = sent + stall + Duration::from_millis(1);
            open.record(schedule.latency(index, finished));
            closed.record(finished - sent);
            free_at = finished;
        }
        (open, closed)
    }

    #[test]
    fn a_stall_of_100_ms_shows_in_the_p99_of_the_open_loop() {
        let (open, closed) = stalled_server();
        // The stall delays the hundred requests behind it, 5 % of all; measured from the actual send time it
        // is a single outlier that no quantile but the maximum would show.
        assert!(open.quantiles().p99_ms > 75.0, "{:?}", open.quantiles());
        assert!(closed.quantiles().p999_ms < 1.1, "{:?}", closed.quantiles());
        assert!(closed.quantiles().max_ms > 100.0, "{:?}", closed.quantiles());
    }
}
