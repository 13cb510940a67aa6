use serde::{Deserialize, Serialize};

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Config {
    /// Memory for answers that were computed before, in bytes. They are kept by the book's version, so none is ever
    /// stale; 0 keeps none. Default 67,108,864 (64 MiB).
    pub answers_bytes_max: u64,
    /// How long a read with `min_version` waits for that version, in milliseconds. Default 2,000.
    pub min_version_wait_ms: u64,
    /// The longest span that a report covers, in days. Default 36,600, about a hundred years.
    pub report_days_max: u32,
    /// Exports at once, each of which has a connection to the read model of its own. Default 4.
    pub exports_max: usize,
    /// How long an export may take, in milliseconds; a client that reads too slowly is cut off. Default 600,000.
    pub export_deadline_ms: u64,
    /// Live streams at once, each of which is a connection. Default 5,000.
    pub live_streams_max: usize,
    /// Live streams of one person at once: open pages on all their devices. Default 32.
    pub live_streams_per_user_max: usize,
    /// How often an idle live stream sends a comment, in milliseconds; gateways cut what is silent for a minute.
    /// Default 15,000.
    pub live_keep_alive_ms: u64,
    /// How long a client waits before it connects to a live stream anew, in milliseconds. Default 2,000.
    pub live_retry_ms: u64,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            answers_bytes_max: 64 << 20,
            min_version_wait_ms: 2_000,
            report_days_max: 36_600,
            exports_max: 4,
            export_deadline_ms: 600_000,
            live_streams_max: 5_000,
            live_streams_per_user_max: 32,
            live_keep_alive_ms: 15_000,
            live_retry_ms: 2_000,
        }
    }
}

impl Config {
    /// Names the key, the value and the fix where a value cannot work.
    pub fn validate(&self) -> Result<(), String> {
        if self.min_version_wait_ms > 60_000 {
            let found = self.min_version_wait_ms;
            return Err(format!(
                "query_api.min_version_wait_ms is {found}; clients give up before a minute: use at most 60000"
            ));
        }
        if !(1..=366_000).contains(&self.report_days_max) {
            let found = self.report_days_max;
            return Err(format!("query_api.report_days_max is {found}; use 1 to 366000 days"));
        }
        Ok(())
    }
}
