use std::time::Duration;

use anyhow::Result;

use crate::closed_loop::{self, Until};
use crate::load::Client;
use crate::open_loop;
use crate::options::Options;
use crate::rate_search::RateSearch;
use crate::report::{Against, Row};

const CLOSED_CLIENTS: [usize; 4] = [1, 16, 64, 256];
const OPEN_CLIENTS: usize = 256;
const WARM_UP: Duration = Duration::from_millis(500);
/// For what a run left in queues to be worked off before the next one begins.
const PAUSE: Duration = Duration::from_millis(300);

/// The whole course of one kind of write: closed loop with each number of clients, then the highest rate that an open
/// loop holds. `clients` makes that many fresh ones.
pub async fn run<C: Client>(
    options: &Options,
    against: Against,
    what: &str,
    mut clients: impl AsyncFnMut(usize) -> Result<Vec<C>>,
) -> Result<Vec<Row>> {
    eprintln!("{what}");
    closed_loop::run(clients(16).await?, Until::Elapsed(WARM_UP)).await;
    let mut rows = Vec::new();
    let mut fastest = 0.0_f64;
    for count in CLOSED_CLIENTS {
        tokio::time::sleep(PAUSE).await;
        let load = closed_loop::run(clients(count).await?, Until::Elapsed(options.duration())).await;
        eprintln!("  closed loop, {count} clients: {:.0}/s, {} failed", load.achieved_per_s(), load.failed);
        fastest = fastest.max(load.achieved_per_s());
        rows.push(Row::new(against, what, &format!("closed loop, {count} clients"), load));
    }
    let mut search = RateSearch::from(fastest / 2.0);
    let (mut held, mut last) = (None, None);
    while let Some(rate) = search.next_rate() {
        tokio::time::sleep(PAUSE).await;
        let load = open_loop::run(clients(OPEN_CLIENTS).await?, rate, options.duration()).await;
        let holds = load.held(options.p99_bound());
        let p99_ms = load.latencies.quantiles().p99_ms;
        let verdict = if holds { "holds" } else { "does not hold" };
        eprintln!("  open loop, {rate:.0}/s: {:.0}/s, p99 {p99_ms:.1} ms, {verdict}", load.achieved_per_s());
        search.tried(rate, holds);
        if holds { held = Some(load) } else { last = Some(load) }
    }
    match (held, last) {
        (Some(held), _) => rows.push(Row::new(against, what, "open loop, highest rate that holds", held)),
        (None, Some(last)) => {
            rows.push(Row::new(against, what, "open loop, no rate held; the lowest tried", last))
        }
        (None, None) => {}
    }
    Ok(rows)
}
