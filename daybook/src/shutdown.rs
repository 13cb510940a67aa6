//! From a signal to a token that everything in the process watches.

use std::{io, pin::pin, process};

use futures::{Stream, StreamExt, stream};
use tokio::signal::unix::{SignalKind, signal};
use tokio_util::sync::CancellationToken;

/// What a process is told to stop with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Stop {
    Interrupt,
    Terminate,
}

impl Stop {
    fn name(self) -> &'static str {
        match self {
            Stop::Interrupt => "SIGINT",
            Stop::Terminate => "SIGTERM",
        }
    }

    /// 128 and the signal's number, as shells say it.
    fn exit_code(self) -> i32 {
        match self {
            Stop::Interrupt => 130,
            Stop::Terminate => 143,
        }
    }
}

/// A token that the first SIGINT or SIGTERM cancels; a second one ends the process at once. That is safe at any
/// moment: what has been answered is durable already.
pub fn on_signals() -> io::Result<CancellationToken> {
    let signals = (signal(SignalKind::interrupt())?, signal(SignalKind::terminate())?);
    let stops = stream::unfold(signals, async |(mut interrupt, mut terminate)| {
        let stop = tokio::select! {
            _ = interrupt.recv() => Stop::Interrupt,
            _ = terminate.recv() => Stop::Terminate,
        };
        Some((stop, (interrupt, terminate)))
    });
    let token = CancellationToken::new();
    tokio::spawn(obey(stops, token.clone(), |stop| process::exit(stop.exit_code())));
    Ok(token)
}

async fn obey(stops: impl Stream<Item = Stop>, token: CancellationToken, end_at_once: impl FnOnce(Stop)) {
    let mut stops = pin!(stops);
    let Some(first) = stops.next().await else { return };
    tracing::info!(signal = first.name(), "stopping; a second signal ends the process at once");
    token.cancel();
    let Some(second) = stops.next().await else { return };
    tracing::warn!(signal = second.name(), "ending at once");
    end_at_once(second);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn the_first_signal_cancels_and_leaves_the_process_its_time() {
        let token = CancellationToken::new();
        obey(stream::iter([Stop::Terminate]), token.clone(), |stop| panic!("ended by {stop:?}")).await;
        assert!(token.is_cancelled());
    }

    #[tokio::test]
    async fn the_second_signal_ends_the_process_at_once() {
        let mut ended_with = None;
        let stops = stream::iter([Stop::Terminate, Stop::Interrupt]);
        obey(stops, CancellationToken::new(), |stop| ended_with = Some(stop.exit_code())).await;
        assert_eq!(ended_with, Some(130));
    }
}
