use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use tokio::sync::Semaphore;
use tokio::task::JoinSet;

use crate::load::{Client, Load};
use crate::schedule::Schedule;

/// How long after its end a run that cannot keep up may go on sending what was due. What is left then counts as
/// unsent, with the wait so far as its latency.
const GIVE_UP_AFTER: Duration = Duration::from_secs(1);

/// Sends at a fixed rate whatever the server does, and measures each answer from the time its request was meant to be
/// sent. Any free client takes the next request that is due; if none is free, the request waits and its clock runs.
pub async fn run<C: Client>(clients: Vec<C>, rate_per_s: f64, duration: Duration) -> Load {
    let schedule = Schedule::new(rate_per_s, duration);
    let due = Arc::new(Semaphore::new(0));
    let next = Arc::new(AtomicU64::new(0));
    let start = Instant::now();
    let pacer = thread::spawn({
        let (due, clients) = (Arc::clone(&due), clients.len());
        move || release_when_due(schedule, start, &due, clients)
    });
    let mut running = JoinSet::new();
    for mut client in clients {
        let (due, next) = (Arc::clone(&due), Arc::clone(&next));
        running.spawn(async move {
            let mut load = Load::new();
            loop {
                due.acquire().await.expect("the semaphore is never closed").forget();
                let index = next.fetch_add(1, Ordering::Relaxed);
                if index >= schedule.total() {
                    return load;
                }
                if start.elapsed() > duration + GIVE_UP_AFTER {
                    load.unsent += 1;
                } else {
                    load.count(client.call().await);
                }
                load.latencies.record(schedule.latency(index, start.elapsed()));
            }
        });
    }
    let mut sum = Load::new();
    while let Some(load) = running.join_next().await {
        sum.merge(load.expect("a client of the load generator does not panic"));
    }
    sum.elapsed = start.elapsed().max(duration);
    sum.intended_per_s = Some(rate_per_s);
    pacer.join().expect("the pacer does not panic");
    sum
}

/// A thread of its own, since the runtime's timer counts in whole milliseconds, longer than many an answer takes.
fn release_when_due(schedule: Schedule, start: Instant, due: &Semaphore, clients: usize) {
    let mut released = 0;
    while released < schedule.total() {
        let now_due = schedule.due_by(start.elapsed());
        if now_due > released {
            due.add_permits(usize::try_from(now_due - released).unwrap_or(usize::MAX));
            released = now_due;
        } else {
            thread::sleep(schedule.intended(released).saturating_sub(start.elapsed()));
        }
    }
    // One more for each client, by which it learns that there is no more to send.
    due.add_permits(clients);
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Immediate;

    impl Client for Immediate {
        async fn call(&mut self) -> Result<(), String> {
            Ok(())
        }
    }

    #[tokio::test]
    async fn every_request_of_the_schedule_is_sent_once() {
        let load = run(vec![Immediate, Immediate, Immediate], 20_000.0, Duration::from_millis(20)).await;
        assert_eq!((load.completed, load.unsent, load.latencies.count()), (400, 0, 400));
        assert_eq!(load.intended_per_s, Some(20_000.0));
    }
}
