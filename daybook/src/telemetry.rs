//! Logs and metrics of the process.

use std::{
    any::Any,
    io::{self, IsTerminal},
    panic,
    time::Duration,
};

use metrics_exporter_prometheus::{Matcher, PrometheusBuilder, PrometheusHandle};
use tokio::time;
use tokio_util::sync::CancellationToken;
use tracing_subscriber::{EnvFilter, fmt, layer::SubscriberExt, util::SubscriberInitExt};

use crate::config::{Log, LogFormat};

/// From half a millisecond, which a read from the cache takes, to the ten seconds of something that hangs.
const SECONDS_BUCKETS: &[f64] =
    &[0.0005, 0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0, 2.0, 5.0, 10.0];

const UPKEEP_INTERVAL: Duration = Duration::from_secs(5);

/// Starts logging to standard error and counting. Once per process.
pub fn start(log: &Log) -> anyhow::Result<PrometheusHandle> {
    start_logging(log)?;
    log_panics();
    let metrics = recorder()?.install_recorder()?;
    describe();
    Ok(metrics)
}

/// Keeps the histograms small. Without this they hold every value since they were last read.
pub async fn keep_up(metrics: PrometheusHandle, shutdown: CancellationToken) {
    let mut ticks = time::interval(UPKEEP_INTERVAL);
    loop {
        tokio::select! {
            () = shutdown.cancelled() => return,
            _ = ticks.tick() => metrics.run_upkeep(),
        }
    }
}

fn start_logging(log: &Log) -> anyhow::Result<()> {
    let filter = EnvFilter::try_new(&log.filter)?;
    let registry = tracing_subscriber::registry().with(filter);
    let lines = fmt::layer().with_ansi(io::stderr().is_terminal()).with_writer(io::stderr);
    match log.format {
        LogFormat::Text => registry.with(lines.with_target(false)).try_init()?,
        LogFormat::Json => registry.with(lines.json().flatten_event(true)).try_init()?,
    }
    Ok(())
}

/// A panic becomes one line of the log like any other, instead of several on standard error.
fn log_panics() {
    panic::set_hook(Box::new(|panic| {
        let location = panic.location().map(ToString::to_string).unwrap_or_default();
        let thread = std::thread::current();
        let thread = thread.name().unwrap_or("unnamed");
        tracing::error!(message = message_of(panic.payload()), location, thread, "a thread panicked");
    }));
}

fn message_of(payload: &dyn Any) -> &str {
    let text = payload.downcast_ref::<&str>().copied();
    text.or_else(|| payload.downcast_ref::<String>().map(String::as_str)).unwrap_or("without a message")
}

fn recorder() -> anyhow::Result<PrometheusBuilder> {
    Ok(PrometheusBuilder::new()
        .set_buckets_for_metric(Matcher::Suffix("_seconds".to_owned()), SECONDS_BUCKETS)?)
}

/// What `/metrics` says about each name.
fn describe() {
    metrics::describe_counter!("http_requests_total", "Requests answered, by route, method and status.");
    metrics::describe_histogram!(
        "http_request_duration_seconds",
        metrics::Unit::Seconds,
        "From a request's head to the head of its answer."
    );
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_are_counted_in_buckets() {
        let recorder = recorder().unwrap().build_recorder();
        metrics::with_local_recorder(&recorder, || {
            describe();
            metrics::histogram!("http_request_duration_seconds").record(0.003);
            metrics::counter!("http_requests_total").increment(1);
        });
        let text = recorder.handle().render();
        assert!(text.contains("# TYPE http_request_duration_seconds histogram"), "{text}");
        assert!(text.contains("http_request_duration_seconds_bucket{le=\"0.002\"} 0"), "{text}");
        assert!(text.contains("http_request_duration_seconds_bucket{le=\"0.005\"} 1"), "{text}");
        assert!(text.contains("# HELP http_requests_total Requests answered"), "{text}");
    }

    #[test]
    fn the_message_of_a_panic_is_found_however_it_was_made() {
        assert_eq!(message_of(&"plain"), "plain");
        assert_eq!(message_of(&"made".to_owned()), "made");
        assert_eq!(message_of(&7), "without a message");
    }

    #[tokio::test]
    async fn keeping_up_ends_with_the_process() {
        let handle = recorder().unwrap().build_recorder().handle();
        let shutdown = CancellationToken::new();
        let task = tokio::spawn(keep_up(handle, shutdown.clone()));
        shutdown.cancel();
        task.await.unwrap();
    }
}
