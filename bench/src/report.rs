use std::fmt::Write;

use serde::Serialize;

use crate::histogram::Quantiles;
use crate::load::Load;
use crate::machine::Machine;

/// What a run was against. The two limits are what ratios are formed with.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Against {
    Daybook,
    RawCommit,
    BareHttp,
}

/// One load run. `bound_by` says what keeps the figure from being higher; a person writes it.
#[derive(Serialize)]
pub struct Row {
    pub against: Against,
    pub what: String,
    pub setting: String,
    pub intended_per_s: Option<f64>,
    pub achieved_per_s: f64,
    /// How many latencies the quantiles are of: a p99.9 of a few hundred is a maximum.
    pub calls: u64,
    #[serde(flatten)]
    pub quantiles: Quantiles,
    pub failed: u64,
    pub unsent: u64,
    pub first_failure: Option<String>,
    pub of_raw_commit: Option<f64>,
    pub of_bare_http: Option<f64>,
    pub aim: Option<String>,
    pub bound_by: String,
}

impl Row {
    pub fn new(against: Against, what: &str, setting: &str, load: Load) -> Self {
        Self {
            against,
            what: what.to_owned(),
            setting: setting.to_owned(),
            intended_per_s: load.intended_per_s,
            achieved_per_s: load.achieved_per_s(),
            calls: load.latencies.count(),
            quantiles: load.latencies.quantiles(),
            failed: load.failed,
            unsent: load.unsent,
            first_failure: load.first_failure,
            of_raw_commit: None,
            of_bare_http: None,
            aim: None,
            bound_by: String::new(),
        }
    }
}

/// A figure that is no load run: memory, bytes, a rebuild.
#[derive(Serialize)]
pub struct Figure {
    pub what: String,
    pub value: f64,
    pub unit: String,
    pub aim: Option<String>,
    pub bound_by: String,
}

impl Figure {
    pub fn new(what: &str, value: f64, unit: &str) -> Self {
        Self { what: what.to_owned(), value, unit: unit.to_owned(), aim: None, bound_by: String::new() }
    }

    pub fn aim(mut self, aim: &str) -> Self {
        self.aim = Some(aim.to_owned());
        self
    }
}

#[derive(Serialize)]
pub struct Report {
    pub machine: Machine,
    pub rows: Vec<Row>,
    pub figures: Vec<Figure>,
    pub notes: Vec<String>,
}

impl Report {
    pub fn new(machine: Machine) -> Self {
        Self { machine, rows: Vec::new(), figures: Vec::new(), notes: Vec::new() }
    }

    /// Sets the share of each limit that was measured in the same setting, since only like is compared with like.
    pub fn form_ratios(&mut self) {
        let limits: Vec<(Against, String, f64)> =
            self.rows.iter().map(|row| (row.against, row.setting.clone(), row.achieved_per_s)).collect();
        let limit = |against: Against, setting: &str| {
            let same = limits.iter().find(|limit| limit.0 == against && limit.1 == setting);
            same.map(|limit| limit.2).filter(|per_s| *per_s > 0.0)
        };
        for row in self.rows.iter_mut().filter(|row| row.against != Against::RawCommit) {
            row.of_raw_commit =
                limit(Against::RawCommit, &row.setting).map(|per_s| row.achieved_per_s / per_s);
            if row.against == Against::Daybook {
                row.of_bare_http =
                    limit(Against::BareHttp, &row.setting).map(|per_s| row.achieved_per_s / per_s);
            }
        }
    }

    /// The first wrong answer of any run in the table.
    pub fn failure(&self) -> Option<String> {
        let row = self.rows.iter().find(|row| row.failed > 0)?;
        let first = row.first_failure.as_deref().unwrap_or_default();
        Some(format!("{} calls failed in {}, {}. The first: {first}", row.failed, row.what, row.setting))
    }

    pub fn markdown(&self) -> String {
        let machine = &self.machine;
        let mut text = format!(
            "{} cores, {}, kernel {}, {}; commit {}; {}\n",
            machine.cores,
            machine.cpu,
            machine.kernel,
            machine.filesystem,
            machine.commit,
            machine.measured_at
        );
        if !self.rows.is_empty() {
            text.push_str(
                "\n| what | setting | intended/s | achieved/s | calls | p50 ms | p99 ms | p99.9 ms | max ms | failed | \
                 of raw commit | of bare axum | aim | bound by |\n\
                 |---|---|--:|--:|--:|--:|--:|--:|--:|--:|--:|--:|--:|---|\n",
            );
        }
        for row in &self.rows {
            let Quantiles { p50_ms, p99_ms, p999_ms, max_ms } = row.quantiles;
            let cells = [
                row.what.clone(),
                row.setting.clone(),
                row.intended_per_s.map(|per_s| format!("{per_s:.0}")).unwrap_or_default(),
                format!("{:.0}", row.achieved_per_s),
                row.calls.to_string(),
                format!("{p50_ms:.2}"),
                format!("{p99_ms:.2}"),
                format!("{p999_ms:.2}"),
                format!("{max_ms:.1}"),
                (row.failed + row.unsent).to_string(),
                row.of_raw_commit.map(|ratio| format!("{ratio:.2}")).unwrap_or_default(),
                row.of_bare_http.map(|ratio| format!("{ratio:.2}")).unwrap_or_default(),
                row.aim.clone().unwrap_or_default(),
                row.bound_by.clone(),
            ];
            writeln!(text, "| {} |", cells.join(" | ")).expect("writing to a string");
        }
        if !self.figures.is_empty() {
            text.push_str("\n| figure | value | unit | aim | bound by |\n|---|--:|---|--:|---|\n");
        }
        for figure in &self.figures {
            let aim = figure.aim.as_deref().unwrap_or_default();
            let Figure { what, value, unit, bound_by, .. } = figure;
            writeln!(text, "| {what} | {value:.1} | {unit} | {aim} | {bound_by} |")
                .expect("writing to a string");
        }
        for note in &self.notes {
            write!(text, "\n- {note}").expect("writing to a string");
        }
        text
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    fn row(against: Against, setting: &str, completed: u64) -> Row {
        let mut load = Load::new();
        load.completed = completed;
        load.elapsed = Duration::from_secs(1);
        Row::new(against, "writes", setting, load)
    }

    fn report() -> Report {
        let machine = Machine {
            cores: 2,
            cpu: "a CPU".into(),
            kernel: "6.1".into(),
            filesystem: "ext4".into(),
            commit: "abc".into(),
            measured_at: "2026-11-23 12:00 UTC".into(),
        };
        let mut report = Report::new(machine);
        report.rows = vec![
            row(Against::Daybook, "closed, 16 clients", 500),
            row(Against::Daybook, "closed, 64 clients", 600),
            row(Against::RawCommit, "closed, 16 clients", 2000),
            row(Against::BareHttp, "closed, 16 clients", 1000),
        ];
        report.form_ratios();
        report
    }

    #[test]
    fn ratios_are_formed_with_the_limit_in_the_same_setting_only() {
        let ratios: Vec<_> = report().rows.iter().map(|row| (row.of_raw_commit, row.of_bare_http)).collect();
        assert_eq!(ratios, [(Some(0.25), Some(0.5)), (None, None), (None, None), (Some(0.5), None)]);
    }

    #[test]
    fn every_row_of_the_table_has_a_cell_per_column() {
        let mut report = report();
        report.figures.push(Figure::new("peak memory", 50.25, "MiB"));
        let columns = |line: &str| line.matches('|').count();
        let text = report.markdown();
        let mut table = text.lines().filter(|line| line.starts_with('|'));
        assert_eq!(table.by_ref().take(6).map(columns).collect::<Vec<_>>(), [15; 6], "{text}");
        assert_eq!(table.map(columns).collect::<Vec<_>>(), [6; 3], "{text}");
    }
}
