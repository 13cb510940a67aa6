use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::{Duration, Instant};

use tokio::task::JoinSet;

use crate::load::{Client, Load};

/// When a closed loop ends.
#[derive(Clone, Copy)]
pub enum Until {
    Elapsed(Duration),
    Requests(u64),
}

/// Each client sends its next request when it has the answer to the last. Says how much a fixed number of patient
/// clients get done; says little about waiting, since a slow server slows its own clients (see `open_loop`).
pub async fn run<C: Client>(clients: Vec<C>, until: Until) -> Load {
    let (duration, requests) = match until {
        Until::Elapsed(duration) => (duration, i64::MAX),
        Until::Requests(requests) => (Duration::MAX, i64::try_from(requests).unwrap_or(i64::MAX)),
    };
    let left = Arc::new(AtomicI64::new(requests));
    let start = Instant::now();
    let mut running = JoinSet::new();
    for mut client in clients {
        let left = Arc::clone(&left);
        running.spawn(async move {
            let mut load = Load::new();
            while start.elapsed() < duration && left.fetch_sub(1, Ordering::Relaxed) > 0 {
                let sent = Instant::now();
                load.count(client.call().await);
                load.latencies.record(sent.elapsed());
            }
            load
        });
    }
    let mut sum = Load::new();
    while let Some(load) = running.join_next().await {
        sum.merge(load.expect("a client of the load generator does not panic"));
    }
    sum.elapsed = start.elapsed();
    sum
}

#[cfg(test)]
mod tests {
    use super::*;

    struct EveryTenthFails {
        calls: u64,
    }

    impl Client for EveryTenthFails {
        async fn call(&mut self) -> Result<(), String> {
            self.calls += 1;
            if self.calls.is_multiple_of(10) { Err(format!("call {} failed", self.calls)) } else { Ok(()) }
        }
    }

    #[tokio::test]
    async fn exactly_the_requested_number_is_sent_and_every_outcome_is_counted() {
        let load = run(vec![EveryTenthFails { calls: 0 }], Until::Requests(100)).await;
        assert_eq!((load.completed, load.failed, load.latencies.count()), (90, 10, 100));
        assert_eq!(load.first_failure.as_deref(), Some("call 10 failed"));
    }

    #[tokio::test]
    async fn clients_share_the_requested_number() {
        let clients = (0..7).map(|_| EveryTenthFails { calls: 0 }).collect();
        let load = run(clients, Until::Requests(100)).await;
        assert_eq!(load.completed + load.failed, 100);
    }
}
