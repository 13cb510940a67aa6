use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use clap::Args;

use crate::http_client::loopback_address;

/// Everything is bounded: a load generator that runs for ever is an accident.
#[derive(Args, Clone, Debug)]
pub struct Options {
    /// A second per run, few books and entries: shows that it works, not how fast it is
    #[arg(long, global = true)]
    pub quick: bool,
    /// Print JSON instead of a table
    #[arg(long, global = true)]
    pub json: bool,
    /// The release executable to start
    #[arg(long, global = true, value_name = "PATH", default_value = "target/release/daybook")]
    pub daybook: PathBuf,
    /// Settings handed to the executable as --config
    #[arg(long, global = true, value_name = "FILE")]
    pub config: Option<PathBuf>,
    /// A server that already runs, on a loopback address, instead of starting one
    #[arg(long, global = true, value_name = "URL", value_parser = loopback_address)]
    pub url: Option<SocketAddr>,
    /// How long each run lasts
    #[arg(long, global = true, default_value_t = 5, value_parser = clap::value_parser!(u64).range(1..=60))]
    seconds: u64,
    /// Books that uniform writes are spread over
    #[arg(long, global = true, default_value_t = 1000, value_parser = clap::value_parser!(u64).range(1..=10_000))]
    books: u64,
    /// Entries of the book that is read and rebuilt
    #[arg(long, global = true, default_value_t = 100_000, value_parser = clap::value_parser!(u64).range(200..=1_000_000))]
    entries: u64,
    /// A rate holds only while 99 % of its answers come within this
    #[arg(long, global = true, default_value_t = 50, value_parser = clap::value_parser!(u64).range(1..=10_000))]
    p99_bound_ms: u64,
    /// Fixed rate of the open-loop reads
    #[arg(long, global = true, default_value_t = 200, value_parser = clap::value_parser!(u64).range(1..=50_000))]
    read_rate: u64,
    /// Bytes of one raw record; measured from the journal where there is one
    #[arg(long, global = true, value_parser = clap::value_parser!(u64).range(1..=100_000))]
    record_bytes: Option<u64>,
    /// Where data is written, on the disk that is to be measured
    #[arg(long, global = true, value_name = "DIR", default_value = "target/bench")]
    pub scratch: PathBuf,
}

/// About what one expense takes in the journal, where it could not be measured.
const RECORD_BYTES: usize = 900;

impl Options {
    pub fn duration(&self) -> Duration {
        Duration::from_secs(if self.quick { 1 } else { self.seconds })
    }

    pub fn p99_bound(&self) -> Duration {
        Duration::from_millis(self.p99_bound_ms)
    }

    pub fn books(&self) -> usize {
        (if self.quick { self.books.min(50) } else { self.books }) as usize
    }

    pub fn entries(&self) -> u64 {
        if self.quick { self.entries.min(2_000) } else { self.entries }
    }

    pub fn read_rate(&self) -> f64 {
        self.read_rate as f64
    }

    /// What was asked for, else what was measured, else the usual.
    pub fn record_bytes(&self, measured: Option<usize>) -> usize {
        self.record_bytes.map(|bytes| bytes as usize).or(measured).unwrap_or(RECORD_BYTES)
    }
}
