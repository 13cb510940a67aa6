use std::{
    collections::VecDeque,
    io::{BufRead, BufReader, Read},
    path::{Path, PathBuf},
    process::{Child, Command, ExitStatus, Stdio},
    sync::{
        Arc, Mutex, PoisonError,
        mpsc::{self, Receiver, RecvTimeoutError},
    },
    thread::{self, JoinHandle},
    time::Duration,
};

use rustix::process::{Pid, Signal, kill_process};

use crate::executable::daybook;

/// Beyond any start or stop that works; a test that hangs says so instead of hanging on.
const HANG: Duration = Duration::from_secs(60);
/// Lines of the log that are kept for those who want to know why it went wrong.
const LOG_LINES: usize = 200;

/// How a server is started.
#[derive(Debug, Clone)]
pub struct Options {
    pub executable: PathBuf,
    /// Over the defaults: `("command_api.queue_max", "10")`.
    pub settings: Vec<(&'static str, String)>,
    /// Further arguments of `serve`.
    pub arguments: Vec<String>,
}

impl Default for Options {
    fn default() -> Self {
        Self { executable: daybook().to_owned(), settings: Vec::new(), arguments: Vec::new() }
    }
}

/// A `daybook serve` of its own, killed when it is dropped.
pub struct Server {
    child: Child,
    base: String,
    operations: String,
    log: Arc<Mutex<VecDeque<String>>>,
    /// Ends when the process has closed its output.
    output: Vec<JoinHandle<()>>,
}

/// How a server that was told to stop has ended.
#[derive(Debug)]
pub struct Ended {
    pub status: ExitStatus,
    pub log: String,
}

impl Server {
    /// Starts the executable over the data directory and waits until it says that it is ready.
    pub async fn start(data: &Path, options: &Options) -> Self {
        let server = Self::start_listening(data, options);
        server.become_ready().await;
        server
    }

    /// Waits only until it listens; reads may lag behind what was written before.
    pub fn start_listening(data: &Path, options: &Options) -> Self {
        let (mut server, said) = Self::spawn(data, options);
        server.base = server.next_url(&said);
        server.operations = server.next_url(&said);
        server
    }

    /// Kills it after a while, wherever in its start it is by then.
    pub async fn start_and_kill(data: &Path, options: &Options, after: Duration) {
        let (mut server, _said) = Self::spawn(data, options);
        tokio::time::sleep(after).await;
        server.kill_9();
    }

    fn spawn(data: &Path, options: &Options) -> (Self, Receiver<String>) {
        let mut command = Command::new(&options.executable);
        command
            .args(["serve", "--listen", "127.0.0.1:0", "--operations-listen", "127.0.0.1:0", "--data"])
            .arg(data)
            .args(&options.arguments);
        for (key, value) in &options.settings {
            command.env(format!("DAYBOOK__{}", key.to_uppercase().replace('.', "__")), value);
        }
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command
            .spawn()
            .unwrap_or_else(|error| panic!("{} cannot be started: {error}", options.executable.display()));

        let log = Arc::new(Mutex::new(VecDeque::new()));
        let stderr = child.stderr.take().expect("it is piped");
        let stdout = child.stdout.take().expect("it is piped");
        let kept = Arc::clone(&log);
        let errors = thread::spawn(move || keep_last_lines(stderr, &kept));
        let (urls, said) = mpsc::channel();
        // Reads on to the end: a full pipe would block the process.
        let lines = thread::spawn(move || {
            for line in BufReader::new(stdout).lines().map_while(Result::ok) {
                if let Some(at) = line.find("http://") {
                    // Nobody listens any more once both addresses are known.
                    let _ = urls.send(line[at..].trim().to_owned());
                }
            }
        });
        let (base, operations) = (String::new(), String::new());
        (Self { child, base, operations, log, output: vec![errors, lines] }, said)
    }

    fn next_url(&self, said: &Receiver<String>) -> String {
        said.recv_timeout(HANG).unwrap_or_else(|error| {
            let what = match error {
                RecvTimeoutError::Timeout => "does not say where it listens",
                RecvTimeoutError::Disconnected => "ended before it listened",
            };
            panic!("the server {what}; its log:\n{}", self.log())
        })
    }

    /// Asks again as soon as it is answered that something is not ready; what is not does not take long.
    pub async fn become_ready(&self) {
        let url = format!("{}/health/ready", self.operations);
        let http = reqwest::Client::new();
        let ready = async {
            loop {
                match http.get(&url).send().await {
                    Ok(answer) if answer.status() == 200 => return,
                    Ok(_) => tokio::task::yield_now().await,
                    Err(error) => panic!("{url} is not answered: {error}; the log:\n{}", self.log()),
                }
            }
        };
        if tokio::time::timeout(HANG, ready).await.is_err() {
            panic!("the server does not become ready; its log:\n{}", self.log());
        }
    }

    /// `http://127.0.0.1:<port>` of the API.
    pub fn base(&self) -> &str {
        &self.base
    }

    /// The same of health and metrics.
    pub fn operations(&self) -> &str {
        &self.operations
    }

    /// The last lines that it logged.
    pub fn log(&self) -> String {
        let lines = self.log.lock().unwrap_or_else(PoisonError::into_inner);
        lines.iter().map(|line| format!("{line}\n")).collect()
    }

    /// The most memory that the process has held at once since it started, or since [`Server::forget_memory_peak`].
    pub fn memory_peak_bytes(&self) -> u64 {
        let path = format!("/proc/{}/status", self.child.id());
        let status = std::fs::read_to_string(path).expect("the process is our child");
        let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
        let kilobytes =
            peak.and_then(|peak| peak.trim().strip_suffix(" kB")).and_then(|peak| peak.parse().ok());
        kilobytes.map(|kilobytes: u64| kilobytes * 1024).expect("the kernel says how much it was")
    }

    /// From now on the peak is that of what follows.
    pub fn forget_memory_peak(&self) {
        std::fs::write(format!("/proc/{}/clear_refs", self.child.id()), "5")
            .expect("the process is our child");
    }

    /// Ends the process at once, without a word to it. What it had handed to the system stays: this is no power failure.
    pub fn kill_9(&mut self) {
        // `kill` is SIGKILL; a process that is gone already is as dead as it can be.
        let _ = self.child.kill();
        self.child.wait().expect("the process is our child");
    }

    /// Sends SIGTERM and goes on at once.
    pub fn ask_to_stop(&self) {
        let pid = i32::try_from(self.child.id()).ok().and_then(Pid::from_raw);
        kill_process(pid.expect("a process has a number"), Signal::TERM).expect("the process is our child");
    }

    /// Sends SIGTERM and waits until the process has ended. Blocking.
    pub fn terminate(self) -> Ended {
        self.ask_to_stop();
        self.wait()
    }

    /// Waits until the process has ended. Blocking.
    pub fn wait(mut self) -> Ended {
        let (sender, ended) = mpsc::channel();
        let output = std::mem::take(&mut self.output);
        thread::spawn(move || {
            // The output is closed when the process ends, and not before.
            output.into_iter().for_each(|reader| reader.join().expect("reading lines does not panic"));
            sender.send(())
        });
        if ended.recv_timeout(HANG).is_err() {
            panic!("the server does not stop; its log:\n{}", self.log());
        }
        let status = self.child.wait().expect("the process is our child");
        Ended { status, log: self.log() }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.kill_9();
        if thread::panicking() {
            eprintln!("the last lines of the server's log:\n{}", self.log());
        }
    }
}

fn keep_last_lines(stderr: impl Read, kept: &Mutex<VecDeque<String>>) {
    for line in BufReader::new(stderr).lines().map_while(Result::ok) {
        let mut lines = kept.lock().unwrap_or_else(PoisonError::into_inner);
        if lines.len() == LOG_LINES {
            lines.pop_front();
        }
        lines.push_back(line);
    }
}
