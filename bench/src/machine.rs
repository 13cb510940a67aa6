use std::fs;
use std::path::Path;
use std::process::Command;

use chrono::Utc;
use serde::Serialize;

/// What a figure is worth nothing without. `unknown` where the system does not tell.
#[derive(Serialize)]
pub struct Machine {
    pub cores: usize,
    pub cpu: String,
    pub kernel: String,
    pub filesystem: String,
    pub commit: String,
    pub measured_at: String,
}

impl Machine {
    /// `scratch` is the directory that data is written to: its filesystem decides what a commit costs.
    pub fn here(scratch: &Path) -> Self {
        Self {
            cores: std::thread::available_parallelism().map_or(0, usize::from),
            cpu: read("/proc/cpuinfo").and_then(|text| cpu_model(&text)).unwrap_or_else(unknown),
            kernel: read("/proc/sys/kernel/osrelease")
                .map(|text| text.trim().to_owned())
                .unwrap_or_else(unknown),
            filesystem: filesystem(scratch).unwrap_or_else(unknown),
            commit: commit().unwrap_or_else(unknown),
            measured_at: Utc::now().format("%Y-%m-%d %H:%M UTC").to_string(),
        }
    }
}

fn unknown() -> String {
    "unknown".to_owned()
}

fn read(path: &str) -> Option<String> {
    fs::read_to_string(path).ok()
}

fn cpu_model(cpuinfo: &str) -> Option<String> {
    let line = cpuinfo.lines().find(|line| line.starts_with("model name"))?;
    Some(line.split_once(':')?.1.trim().to_owned())
}

fn filesystem(directory: &Path) -> Option<String> {
    let directory = directory.canonicalize().ok()?;
    filesystem_of(&directory, &read("/proc/self/mounts")?)
}

/// The innermost mount that holds the directory; of two at one place the later lies on top.
fn filesystem_of(directory: &Path, mounts: &str) -> Option<String> {
    let mounts = mounts.lines().filter_map(|line| {
        let mut fields = line.split(' ');
        let (_device, at, kind) = (fields.next()?, fields.next()?, fields.next()?);
        directory.starts_with(at).then_some((at.len(), kind))
    });
    mounts.max_by_key(|(length, _)| *length).map(|(_, kind)| kind.to_owned())
}

fn commit() -> Option<String> {
    let output =
        Command::new("git").args(["describe", "--always", "--dirty", "--abbrev=12"]).output().ok()?;
    let text = String::from_utf8(output.stdout).ok()?;
    let commit = text.trim();
    (output.status.success() && !commit.is_empty()).then(|| commit.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_filesystem_is_that_of_the_innermost_mount() {
        let mounts = "/dev/vda / ext4 rw 0 0\ntmpfs /tmp tmpfs rw 0 0\n/dev/vdb /tmp/data xfs rw 0 0\n";
        for (directory, expected) in
            [("/home", "ext4"), ("/tmp/x", "tmpfs"), ("/tmp/data/y", "xfs"), ("/tmpx", "ext4")]
        {
            assert_eq!(filesystem_of(Path::new(directory), mounts).as_deref(), Some(expected), "{directory}");
        }
    }

    #[test]
    fn the_cpu_model_is_the_first_one_named() {
        let cpuinfo = "processor\t: 0\nmodel name\t: Some CPU @ 2.0GHz\n\nmodel name\t: Other\n";
        assert_eq!(cpu_model(cpuinfo).as_deref(), Some("Some CPU @ 2.0GHz"));
    }
}
