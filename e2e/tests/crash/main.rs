//! The process is killed while many people write to it, and what is left is held against what they were answered.
//!
//! `storm` runs the rounds, `writer` is one of the sixteen who write, `fault` is what can come out; `journaled` reads the
//! journal as an auditor would, `shown` holds the API's reads against it. The same storm runs over `daybook-hasty`, which
//! answers before records are durable, and has to end in a lost write.
//!
//! `DAYBOOK_CRASH_SEED` and `DAYBOOK_CRASH_ROUNDS` choose another run. The seed decides who writes what and how long a
//! round lasts; which write is in flight when the process dies is up to the machine.

mod storm;
mod writer;

mod desk;
mod dice;
mod fault;
mod journaled;
mod shown;

mod one_key;
mod shutdown;

use std::{env, path::Path};

use daybook_e2e::Options;
use tokio::sync::Mutex;

use fault::Fault;
use storm::{Plan, storm};

/// Each test wants the whole machine: the load is to be heavy, and is measured.
static MACHINE: Mutex<()> = Mutex::const_new(());

const KILLS: u32 = 100;
/// The fault is there in every round; that one of the first few shows it is not left to luck.
const KILLS_OF_HASTY: u32 = 20;

fn from_environment<T: std::str::FromStr>(name: &str) -> Option<T> {
    let value = env::var(name).ok()?;
    Some(value.parse().unwrap_or_else(|_| panic!("{name}={value:?} is no number")))
}

fn seed() -> u64 {
    let seed = from_environment("DAYBOOK_CRASH_SEED").unwrap_or_else(|| rand::random::<u32>().into());
    println!("DAYBOOK_CRASH_SEED={seed}");
    seed
}

#[tokio::test(flavor = "multi_thread")]
async fn a_hundred_kills_lose_nothing_and_repeat_nothing() {
    let _machine = MACHINE.lock().await;
    let kills = from_environment("DAYBOOK_CRASH_ROUNDS").unwrap_or(KILLS);
    let data = tempfile::tempdir().unwrap();
    let (report, outcome) =
        storm(Plan { seed: seed(), kills, data: data.path(), options: Options::default() }).await;
    println!("{report}");
    if let Err(fault) = outcome {
        let kept = data.keep();
        panic!("{fault}\nthe data directory is kept: {}", kept.display());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_journal_that_answers_before_it_writes_is_found_out() {
    let _machine = MACHINE.lock().await;
    let data = tempfile::tempdir().unwrap();
    let executable = Path::new(env!("CARGO_BIN_EXE_daybook-hasty")).to_owned();
    let options = Options { executable, ..Options::default() };
    let (report, outcome) =
        storm(Plan { seed: seed(), kills: KILLS_OF_HASTY, data: data.path(), options }).await;
    println!("{report}");
    match outcome {
        Err(Fault::Lost(told)) => println!("found out: {told}"),
        Err(other) => panic!("something else was found than a lost write: {other}"),
        Ok(()) => panic!("nothing was found"),
    }
}
