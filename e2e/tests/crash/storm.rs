//! Rounds of load, each ended by `kill -9`, and what has to hold after each and at the end.

use std::{
    fmt, fs, mem,
    path::{Path, PathBuf},
    process::Command,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

use daybook::layout::Layout;
use daybook_e2e::{Client, Options, Server, daybook};
use serde_json::Value;
use tokio::task::JoinSet;

use crate::{
    desk::{Desk, Person},
    dice::Dice,
    fault::Fault,
    journaled::Journaled,
    shown,
    writer::{Counts, IMPORT_COMMIT_LINES, Taken, Writer},
};

const WRITERS: u64 = 16;
const LOAD_MS: (u64, u64) = (20, 400);
/// How long a start may take before it is killed, where it is to be killed.
const START_MS: (u64, u64) = (1, 150);
const FIRST_STARTS_KILLED: u32 = 5;
/// Access tokens live ten minutes.
const LOG_IN_AGAIN_AFTER: Duration = Duration::from_secs(240);

pub struct Plan<'a> {
    pub seed: u64,
    pub kills: u32,
    pub data: &'a Path,
    pub options: Options,
}

#[derive(Default)]
pub struct Report {
    pub kills: u32,
    /// Further kills, of processes that were still starting.
    pub kills_while_starting: u32,
    pub counts: Counts,
    /// Acknowledged while the load lasted, and for how long it did.
    pub acknowledged_under_load: u64,
    pub load: Duration,
    pub commits: usize,
    pub books: usize,
    pub took: Duration,
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Counts { acknowledged, unknown, unknown_applied, put_off, .. } = self.counts;
        let Counts { replays, refusals, reads, reads_put_off, .. } = self.counts;
        let per_second = self.acknowledged_under_load as f64 / self.load.as_secs_f64().max(0.001);
        writeln!(
            f,
            "{} kills under load and {} of starting processes in {:.1} s",
            self.kills,
            self.kills_while_starting,
            self.took.as_secs_f64()
        )?;
        writeln!(
            f,
            "{acknowledged} writes acknowledged ({per_second:.0}/s under load), {unknown} unknown, of which \
             {unknown_applied} had been applied, {put_off} put off"
        )?;
        writeln!(
            f,
            "{replays} repetitions answered again, {refusals} requests refused, {reads} own writes read, \
             {reads_put_off} reads put off"
        )?;
        write!(f, "{} commits of {} books compared", self.commits, self.books)
    }
}

/// A storm, and whether what is left of it is right.
pub async fn storm(plan: Plan<'_>) -> (Report, Result<(), Fault>) {
    let mut report = Report::default();
    let began = Instant::now();
    let outcome = Storm::begin(plan).await.run(&mut report).await;
    report.took = began.elapsed();
    (report, outcome)
}

struct Storm<'a> {
    data: &'a Path,
    options: Options,
    kills: u32,
    dice: Dice,
    people: Vec<Person>,
    logged_in_at: Instant,
    writers: Vec<Writer>,
    /// By writer: how much of what it was answered has been held against the journal.
    checked: Vec<usize>,
    /// The books that everything happens in.
    made: Vec<Taken>,
    journaled: Journaled,
}

impl<'a> Storm<'a> {
    async fn begin(Plan { seed, kills, data, mut options }: Plan<'a>) -> Self {
        // Small bounds, so that everything that is done now and then is done in every round.
        options.settings.extend([
            ("command_api.save_every_commits", "50".to_owned()),
            ("command_api.hot_books_max", "2".to_owned()),
            ("command_api.import_commit_lines", IMPORT_COMMIT_LINES.to_string()),
            ("log.filter", "warn".to_owned()),
        ]);
        let mut dice = Dice::of(seed, u64::MAX);
        // A directory that is only half made has to be no hindrance either.
        for _ in 0..FIRST_STARTS_KILLED {
            let after = Duration::from_millis(dice.between(START_MS.0, START_MS.1));
            Server::start_and_kill(data, &options, after).await;
        }
        let server = Server::start(data, &options).await;
        let mut people = Vec::new();
        for name in ["Ada", "Ben"] {
            people.push(Person::sign_up(server.base(), name).await);
        }
        let (mut desks, mut made) = (Vec::new(), Vec::new());
        for (person, name) in [
            (0, "Busy"),
            (1, "Shop"),
            (0, "House"),
            (1, "Car"),
            (0, "Garden"),
            (1, "Holidays"),
            (0, "Children"),
        ] {
            let (desk, taken) = Desk::open(&people, person, name).await;
            desks.push(desk);
            made.push(taken);
        }
        let desks = Arc::new(desks);
        let writers: Vec<Writer> =
            (0..WRITERS).map(|number| Writer::new(number, seed, &people, &desks)).collect();
        Self {
            data,
            options,
            kills,
            dice,
            people,
            logged_in_at: Instant::now(),
            checked: vec![0; writers.len()],
            writers,
            made,
            journaled: Journaled::default(),
        }
    }

    async fn run(mut self, report: &mut Report) -> Result<(), Fault> {
        for _ in 0..self.kills {
            let outcome = self.round(report).await;
            report.counts = self.counts();
            outcome?;
            report.kills += 1;
        }
        let outcome = self.reckon(report).await;
        report.counts = self.counts();
        outcome
    }

    fn counts(&self) -> Counts {
        self.writers.iter().fold(Counts::default(), |sum, writer| sum + writer.counts)
    }

    /// Starts on what the last round left, lets everybody write, kills, and reads what is left.
    async fn round(&mut self, report: &mut Report) -> Result<(), Fault> {
        if self.dice.percent(12) {
            let after = Duration::from_millis(self.dice.between(START_MS.0, START_MS.1));
            Server::start_and_kill(self.data, &self.options, after).await;
            report.kills_while_starting += 1;
        }
        let mut server = Server::start_listening(self.data, &self.options);
        let clients = self.clients(&server).await;
        let over = Arc::new(AtomicBool::new(false));
        let acknowledged = Arc::new(AtomicU64::new(0));
        let mut writing = JoinSet::new();
        for mut writer in mem::take(&mut self.writers) {
            let client = clients[writer.person()].clone();
            let (over, acknowledged) = (Arc::clone(&over), Arc::clone(&acknowledged));
            writing.spawn(async move {
                let outcome = writer.write(&client, &over, &acknowledged).await;
                (writer, outcome)
            });
        }
        // This is the load's length, not a wait for anything.
        let began = Instant::now();
        tokio::time::sleep(Duration::from_millis(self.dice.between(LOAD_MS.0, LOAD_MS.1))).await;
        report.acknowledged_under_load += acknowledged.load(Ordering::Relaxed);
        report.load += began.elapsed();
        server.kill_9();
        over.store(true, Ordering::Relaxed);

        let mut outcome = Ok(());
        while let Some(written) = writing.join_next().await {
            let (writer, found) = written.expect("a writer does not panic");
            self.writers.push(writer);
            outcome = outcome.and(found);
        }
        self.writers.sort_by_key(Writer::number);
        self.journaled.read_on_in_copy(self.data).await?;
        // A lost write may show in an answer first; what is lost says more.
        self.check_journal()?;
        outcome.map_err(|fault| match server.log() {
            log if log.is_empty() => fault,
            log => Fault::Process(format!("{fault}\nits log:\n{log}")),
        })
    }

    async fn clients(&mut self, server: &Server) -> Vec<Client> {
        if self.logged_in_at.elapsed() > LOG_IN_AGAIN_AFTER {
            for person in &mut self.people {
                person.client = Client::log_in(server.base(), person.name).await;
            }
            self.logged_in_at = Instant::now();
        }
        self.people.iter().map(|person| person.client.at(server.base())).collect()
    }

    /// Everything that was answered since the last time stands in the journal, and nothing that was refused does.
    fn check_journal(&mut self) -> Result<(), Fault> {
        for (writer, checked) in self.writers.iter_mut().zip(&mut self.checked) {
            let (taken, refused) = writer.news(checked);
            for taken in taken {
                self.journaled.holds(taken)?;
            }
            for (user, book, key) in refused {
                self.journaled.holds_nothing_of(user, book, &key)?;
            }
        }
        Ok(())
    }

    /// Once the storm is over: nothing is missing, nothing is there that nobody was answered for, and everything
    /// that can be read says the same as the journal.
    async fn reckon(&mut self, report: &mut Report) -> Result<(), Fault> {
        let server = Server::start(self.data, &self.options).await;
        let clients = self.clients(&server).await;
        for writer in &mut self.writers {
            writer.settle(&clients[writer.person()]).await?;
        }
        self.journaled = Journaled::default();
        self.journaled.read_on(self.data).await?;
        self.checked.fill(0);
        self.check_journal()?;
        self.made.iter().try_for_each(|taken| self.journaled.holds(taken))?;
        let all = || self.writers.iter().flat_map(|writer| &writer.taken).chain(&self.made);
        let answered: usize = all().map(|taken| taken.commits).sum();
        report.commits = self.journaled.commits();
        report.books = self.journaled.books.len();
        if report.commits != answered {
            let told = format!("{} commits stand in the journal, {answered} were answered", report.commits);
            return Err(Fault::Surplus(told));
        }

        self.repeat_all(&clients).await?;
        for (id, folded) in &self.journaled.books {
            let is_member = |person: &&Person| folded.book.role_of(person.user).is_some();
            let person = self.people.iter().position(|person| is_member(&person));
            let person = person.ok_or_else(|| Fault::Journal(format!("{id} is nobody's")))?;
            shown::check(&clients[person], *id, folded).await?;
        }
        self.run_command(&["audit", "verify", "--json"]).await?;
        self.rebuild(report.commits as u64).await?;
        stop(server).await?;

        // The journal alone has to come to the same answers.
        fs::remove_dir_all(Layout::of(self.data).decision_state)
            .map_err(|error| Fault::Process(format!("remove the decision state: {error}")))?;
        let server = Server::start(self.data, &self.options).await;
        let clients = self.clients(&server).await;
        self.repeat_all(&clients).await?;
        stop(server).await
    }

    /// Sends everything that was ever acknowledged once more.
    async fn repeat_all(&self, clients: &[Client]) -> Result<(), Fault> {
        let mut repeating = JoinSet::new();
        for writer in &self.writers {
            let (client, taken) = (clients[writer.person()].clone(), writer.taken.clone());
            repeating.spawn(async move {
                for taken in taken {
                    let again = taken.sent.by(&client).await;
                    let again = again.map_err(|error| Fault::Process(format!("{error:?}")))?;
                    taken.check_replay(&again)?;
                }
                Ok(())
            });
        }
        while let Some(repeated) = repeating.join_next().await {
            repeated.expect("a repetition does not panic")?;
        }
        Ok(())
    }

    /// A read model made from the journal alone is the one that grew through all the kills.
    async fn rebuild(&self, commits: u64) -> Result<(), Fault> {
        let said = self.run_command(&["rebuild", "--json"]).await?;
        let rebuilt: Value = serde_json::from_str(said.lines().last().unwrap_or_default())
            .map_err(|error| Fault::Process(format!("rebuild said {said:?}: {error}")))?;
        let is_equal = rebuilt["differences"].as_array().is_some_and(Vec::is_empty)
            && rebuilt["old_unreadable"].is_null()
            && rebuilt["commits"] == commits
            && rebuilt["compared_rows"].as_u64().is_some_and(|rows| rows > commits);
        match is_equal {
            true => Ok(()),
            false => Err(Fault::Shown(format!("a rebuild came to {rebuilt}"))),
        }
    }

    /// A command of the operator, beside the running server.
    async fn run_command(&self, arguments: &[&str]) -> Result<String, Fault> {
        let mut command = Command::new(daybook());
        command.args(arguments).arg("--data").arg(PathBuf::from(self.data));
        let ran =
            tokio::task::spawn_blocking(move || command.output()).await.expect("a command does not panic");
        let ran = ran.map_err(|error| Fault::Process(format!("{arguments:?}: {error}")))?;
        let said = String::from_utf8_lossy(&ran.stdout).into_owned();
        match ran.status.success() {
            true => Ok(said),
            false => {
                let log = String::from_utf8_lossy(&ran.stderr);
                Err(Fault::Process(format!("{arguments:?} ended with {}: {said}{log}", ran.status)))
            }
        }
    }
}

async fn stop(server: Server) -> Result<(), Fault> {
    let ended = tokio::task::spawn_blocking(|| server.terminate()).await.expect("stopping does not panic");
    match ended.status.code() {
        Some(0) => Ok(()),
        _ => Err(Fault::Process(format!("the server ended with {}:\n{}", ended.status, ended.log))),
    }
}
