use std::net::SocketAddr;
use std::process::{Command, Stdio};

use anyhow::{Context, Result, ensure};
use serde_json::Value;
use tempfile::TempDir;

use crate::options::Options;
use crate::server::Server;

/// The Daybook that is measured: one started for this run on fresh data, or one that runs already.
pub struct Daybook {
    pub address: SocketAddr,
    started: Option<Server>,
    directory: TempDir,
}

impl Daybook {
    pub async fn start(options: &Options) -> Result<Self> {
        let directory = scratch(options)?;
        let (started, address) = match options.url {
            Some(address) => (None, address),
            None => {
                let mut command = program(options)?;
                command.arg("serve").arg("--data").arg(directory.path().join("data"));
                command.args(["--listen", "127.0.0.1:0", "--operations-listen", "127.0.0.1:0"]);
                let server = Server::start(command, &directory.path().join("server.log")).await?;
                let address = server.address;
                (Some(server), address)
            }
        };
        Ok(Self { address, started, directory })
    }

    /// `None` for a server that this run has not started.
    pub fn peak_memory_mib(&self) -> Result<Option<f64>> {
        self.started.as_ref().map(Server::peak_memory_mib).transpose()
    }

    /// Ends a server that was started here. Its data stays until `self` is dropped.
    pub async fn stop(&mut self) -> Result<()> {
        if let Some(server) = self.started.take() {
            let status = server.stop().await?;
            ensure!(status.success(), "the server ended with {status}");
        }
        Ok(())
    }

    /// Runs an operator command on the data and returns what it printed. The server must have been stopped.
    pub fn operate(&self, options: &Options, arguments: &[&str]) -> Result<String> {
        let mut command = program(options)?;
        command.args(arguments).arg("--data").arg(self.directory.path().join("data"));
        let output = command.stdin(Stdio::null()).stderr(Stdio::piped()).output();
        let output = output.with_context(|| format!("running {arguments:?}"))?;
        let complaint = String::from_utf8_lossy(&output.stderr);
        ensure!(output.status.success(), "{arguments:?} ended with {}: {complaint}", output.status);
        String::from_utf8(output.stdout).with_context(|| format!("{arguments:?} did not print text"))
    }
}

pub fn scratch(options: &Options) -> Result<TempDir> {
    let directory = tempfile::tempdir_in(&options.scratch);
    directory.with_context(|| format!("making a directory in {}", options.scratch.display()))
}

fn program(options: &Options) -> Result<Command> {
    let path = &options.daybook;
    ensure!(
        path.is_file(),
        "{} is not there: build it with `cargo build --release -p daybook` or name it with --daybook",
        path.display()
    );
    let mut command = Command::new(path);
    if let Some(config) = &options.config {
        command.arg("--config").arg(config);
    }
    Ok(command)
}

/// Mean length of the records in an exported book, without the line ends.
pub fn mean_record_bytes(export: &str) -> Option<usize> {
    let records = export.lines().count();
    let bytes: usize = export.lines().map(str::len).sum();
    bytes.checked_div(records)
}

/// `{events, seconds}` from the last line of a rebuild's output that is such an object.
pub fn rebuilt(output: &str) -> Result<(u64, f64)> {
    let objects = output.lines().rev().filter_map(|line| serde_json::from_str::<Value>(line).ok());
    let mut figures =
        objects.filter_map(|value| Some((value["events"].as_u64()?, value["seconds"].as_f64()?)));
    figures.next().with_context(|| format!("the rebuild printed no {{events, seconds}}: {output}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_rebuild_is_read_from_its_last_json_line() {
        let output = "{\"progress\": 0.5}\n{\"events\": 100000, \"seconds\": 0.8}\nswitched\n";
        assert_eq!(rebuilt(output).unwrap(), (100_000, 0.8));
        assert!(rebuilt("done\n").is_err());
    }

    #[test]
    fn the_mean_record_leaves_line_ends_out() {
        assert_eq!(mean_record_bytes("aaaa\nbb\n"), Some(3));
        assert_eq!(mean_record_bytes(""), None);
    }
}
