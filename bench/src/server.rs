use std::fs::{self, File};
use std::io::{BufRead, BufReader};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::mpsc;
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use http::{Request, StatusCode};
use http_body_util::Full;
use rustix::process::{Pid, Signal, kill_process};

use crate::http_client::{Connection, loopback_address};

const START_LIMIT: Duration = Duration::from_secs(60);
const STOP_LIMIT: Duration = Duration::from_secs(60);
const POLL: Duration = Duration::from_millis(50);

/// A server process that this run has started and will end.
pub struct Server {
    child: Child,
    pub address: SocketAddr,
}

impl Server {
    /// Starts the command and waits for its line `listening on http://…`. What it logs goes to a file, since a
    /// terminal that scrolls takes its share of the cores.
    pub async fn start(mut command: Command, log: &Path) -> Result<Self> {
        let program = PathBuf::from(command.get_program());
        let stderr = File::create(log).with_context(|| format!("creating {}", log.display()))?;
        let child = command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(stderr).spawn();
        let mut child = child.with_context(|| format!("starting {}", program.display()))?;
        let stdout = child.stdout.take().expect("stdout is piped");
        // From here on the child is ended whatever happens; the address is known in a moment.
        let mut server = Self { child, address: SocketAddr::from(([127, 0, 0, 1], 0)) };
        let (sender, addresses) = mpsc::channel();
        thread::spawn(move || {
            // Reads on to the end: a full pipe would block the server.
            for line in BufReader::new(stdout).lines().map_while(Result::ok) {
                if let Some((_, url)) = line.split_once("listening on ") {
                    sender.send(url.trim().to_owned()).ok();
                }
            }
        });
        let Ok(url) = addresses.recv_timeout(START_LIMIT) else {
            let log = fs::read_to_string(log).unwrap_or_default();
            bail!("{} did not say where it listens. Its log:\n{log}", program.display());
        };
        server.address = loopback_address(&url)?;
        server.wait_until_ready().await?;
        Ok(server)
    }

    /// A server whose health is asked for on another listener answers 404 here; its line is then all there is.
    async fn wait_until_ready(&self) -> Result<()> {
        let deadline = Instant::now() + START_LIMIT;
        while Instant::now() < deadline {
            let request = Request::builder().uri("/health/ready").header("host", "localhost");
            let request = request.body(Full::default()).context("a request for the health")?;
            let response = Connection::to(self.address).send(request).await?;
            if matches!(response.status(), StatusCode::OK | StatusCode::NOT_FOUND) {
                return Ok(());
            }
            tokio::time::sleep(POLL).await;
        }
        bail!("the server at {} did not become ready", self.address)
    }

    /// The most memory that the process has held so far (VmHWM).
    pub fn peak_memory_mib(&self) -> Result<f64> {
        let path = format!("/proc/{}/status", self.child.id());
        let status = fs::read_to_string(&path).with_context(|| format!("reading {path}"))?;
        peak_memory_mib(&status).with_context(|| format!("{path} has no VmHWM"))
    }

    /// Asks the process to end and waits for it.
    pub async fn stop(mut self) -> Result<ExitStatus> {
        let pid =
            i32::try_from(self.child.id()).ok().and_then(Pid::from_raw).context("the server's process id")?;
        kill_process(pid, Signal::TERM).context("ending the server")?;
        let deadline = Instant::now() + STOP_LIMIT;
        while Instant::now() < deadline {
            if let Some(status) = self.child.try_wait().context("waiting for the server")? {
                return Ok(status);
            }
            tokio::time::sleep(POLL).await;
        }
        bail!("the server did not end within {} s of SIGTERM", STOP_LIMIT.as_secs())
    }
}

impl Drop for Server {
    /// For a run that ends by an error. A server that has been stopped is gone, and both calls then do nothing.
    fn drop(&mut self) {
        self.child.kill().ok();
        self.child.wait().ok();
    }
}

fn peak_memory_mib(status: &str) -> Option<f64> {
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    let kib: f64 = line.trim().strip_suffix("kB")?.trim().parse().ok()?;
    Some(kib / 1024.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn peak_memory_is_read_from_the_process_status() {
        let status = "Name:\tdaybook\nVmPeak:\t  901120 kB\nVmHWM:\t   51200 kB\nVmRSS:\t   40000 kB\n";
        assert_eq!(peak_memory_mib(status), Some(50.0));
        assert_eq!(peak_memory_mib("Name:\tdaybook\n"), None);
    }
}
