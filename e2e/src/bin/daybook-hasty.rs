//! `daybook serve` with a fault built in: its journal says that records are written before they are. The crash tests
//! run against it to show that they would notice.

use std::{
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicU64, Ordering},
        mpsc::{self, Receiver, Sender},
    },
    thread,
    time::{Duration, Instant},
};

use anyhow::Context;
use clap::Parser;
use daybook::{
    cli::{Cli, Command},
    config::{self, Settings},
    data_dir::DataDir,
    embedded::Embedded,
    operations, shutdown, telemetry,
};
use http_kit::serve;
use journal::{AppendDone, Appended, Journal, NewRecord, Position, ReadError, Reader};
use tokio::net::TcpListener;

/// How long records lie in memory before they go to the journal.
const GATHERED_FOR: Duration = Duration::from_millis(30);

/// A journal that answers an append with where its records will stand, and writes them a little later.
struct Hasty {
    journal: Arc<dyn Journal>,
    /// Where each partition will end once everything promised is written.
    promised: Vec<AtomicU64>,
    /// Held while a place is promised and queued, so that the two keep the same order.
    promises: Mutex<Sender<Promise>>,
}

struct Promise {
    partition: u32,
    records: Vec<NewRecord>,
}

impl Hasty {
    fn around(journal: Arc<dyn Journal>) -> Arc<dyn Journal> {
        let head = |partition| journal.head(partition).map_or(0, |position| position.0);
        let promised = (0..journal.partitions()).map(|partition| AtomicU64::new(head(partition))).collect();
        let (sender, promises) = mpsc::channel();
        let inner = Arc::clone(&journal);
        thread::spawn(move || keep_promises(inner.as_ref(), &promises));
        Arc::new(Self { journal, promised, promises: Mutex::new(sender) })
    }
}

fn keep_promises(journal: &dyn Journal, promises: &Receiver<Promise>) {
    while let Ok(first) = promises.recv() {
        let mut gathered = vec![first];
        let until = Instant::now() + GATHERED_FOR;
        while let Ok(promise) = promises.recv_timeout(until.saturating_duration_since(Instant::now())) {
            gathered.push(promise);
        }
        for Promise { partition, records } in gathered {
            journal.append(partition, records, Box::new(|_| ()));
        }
    }
}

impl Journal for Hasty {
    fn id(&self) -> &str {
        self.journal.id()
    }

    fn partitions(&self) -> u32 {
        self.journal.partitions()
    }

    fn append(&self, partition: u32, records: Vec<NewRecord>, done: AppendDone) {
        let count = records.len() as u64;
        let before = {
            let promises = self.promises.lock().unwrap_or_else(PoisonError::into_inner);
            let before = self.promised[partition as usize].fetch_add(count, Ordering::Relaxed);
            promises
                .send(Promise { partition, records })
                .expect("promises are taken for as long as this lives");
            before
        };
        done(Ok(Appended { first: Position(before + 1), last: Position(before + count) }));
    }

    fn read(&self, partition: u32, after: Position) -> Result<Box<dyn Reader>, ReadError> {
        self.journal.read(partition, after)
    }

    fn head(&self, partition: u32) -> Option<Position> {
        self.promised.get(partition as usize).map(|head| Position(head.load(Ordering::Relaxed)))
    }
}

fn main() -> anyhow::Result<()> {
    let cli = Cli::parse();
    let settings = config::of_process(&cli.flags()).map_err(|failure| anyhow::anyhow!("{failure}"))?;
    anyhow::ensure!(matches!(cli.command, Command::Serve(_)), "it only serves");
    let runtime = tokio::runtime::Runtime::new()?;
    runtime.block_on(serve_hastily(&settings))
}

async fn serve_hastily(settings: &Settings) -> anyhow::Result<()> {
    let metrics = telemetry::start(&settings.log)?;
    let data = DataDir::take(&settings.data.dir)?;
    let shutdown = shutdown::on_signals()?;
    let listener = TcpListener::bind(&settings.server.listen).await.context("listen")?;
    let operations = TcpListener::bind(&settings.server.operations_listen).await.context("listen")?;
    let (address, operations_address) = (listener.local_addr()?, operations.local_addr()?);

    let embedded = Embedded::open_over(settings, data, Hasty::around).await?;
    let router = operations::router(Arc::clone(&embedded.readiness), metrics);
    tokio::spawn(serve::serve(operations, router, settings.server.serve_limits(), shutdown.clone()));
    println!("listening on http://{address}");
    println!("health and metrics on http://{operations_address}");
    embedded.serve(settings, listener, shutdown).await
}
