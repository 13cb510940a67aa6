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
}

impl Default for Config {
    fn default() -> Self {
        Self { answers_bytes_max: 64 << 20, min_version_wait_ms: 2_000, report_days_max: 36_600 }
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
