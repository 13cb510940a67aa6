//! What the operator of a Daybook has at hand: the executable's commands and the files of the data directory.

use std::{
    path::{Path, PathBuf},
    process::{Command, Output},
};

use daybook_e2e::daybook;
use rusqlite::{Connection, types::Value};

/// How a command of the executable ended.
pub struct Ran {
    pub code: i32,
    pub out: String,
    pub err: String,
}

impl Ran {
    pub fn json(&self) -> serde_json::Value {
        serde_json::from_str(&self.out).unwrap_or_else(|error| panic!("{:?} is no JSON: {error}", self.out))
    }

    #[track_caller]
    pub fn expect(self, code: i32) -> Self {
        assert_eq!(self.code, code, "out: {}\nerr: {}", self.out, self.err);
        self
    }
}

/// Runs `daybook ARGUMENTS` to its end.
pub fn run(arguments: &[&str]) -> Ran {
    ran(Command::new(daybook()).args(arguments))
}

/// The same over a data directory.
pub fn run_on(data: &Path, arguments: &[&str]) -> Ran {
    ran(Command::new(daybook()).args(arguments).arg("--data").arg(data))
}

pub fn ran(command: &mut Command) -> Ran {
    let Output { status, stdout, stderr } = command.output().unwrap();
    Ran {
        code: status.code().unwrap(),
        out: String::from_utf8(stdout).unwrap(),
        err: String::from_utf8(stderr).unwrap(),
    }
}

pub fn journal_of(data: &Path) -> PathBuf {
    data.join("journal.sqlite")
}

/// How many records the journal holds, in all partitions.
pub fn records_of(data: &Path) -> u64 {
    let journal = Connection::open(journal_of(data)).unwrap();
    journal.busy_timeout(std::time::Duration::from_secs(10)).unwrap();
    journal.query_row("select sum(position) from heads", [], |row| row.get(0)).unwrap()
}

/// The file that the read model is in now.
pub fn read_model_of(data: &Path) -> PathBuf {
    let folder = data.join("read-model");
    let current = std::fs::read_to_string(folder.join("current")).unwrap();
    folder.join(format!("{}.sqlite", current.trim()))
}

/// The decision state, one file for each partition.
pub fn decision_state_of(data: &Path) -> Vec<PathBuf> {
    let folder = std::fs::read_dir(data.join("decision-state")).unwrap();
    let mut files: Vec<PathBuf> = folder.map(|file| file.unwrap().path()).collect();
    files.retain(|path| path.extension().is_some_and(|extension| extension == "sqlite"));
    files.sort();
    files
}

/// A table as it stands: its rows in the order of all their columns.
#[derive(Debug, Clone, PartialEq)]
pub struct Table {
    pub name: String,
    pub columns: Vec<String>,
    pub rows: Vec<Vec<Value>>,
}

impl Table {
    /// The same without a column.
    pub fn without(mut self, column: &str) -> Self {
        let at = self.columns.iter().position(|name| name == column).unwrap();
        self.columns.remove(at);
        for row in &mut self.rows {
            row.remove(at);
        }
        self
    }
}

/// Every table of a SQLite file.
pub fn tables(file: &Path) -> Vec<Table> {
    let connection = Connection::open(file).unwrap();
    let names: Vec<String> = rows(
        &connection,
        "select name from sqlite_schema where type = 'table' and name not like 'sqlite_%' order by name",
    )
    .into_iter()
    .map(|row| text(&row[0]))
    .collect();
    let read = |name: &String| {
        let columns: Vec<String> =
            rows(&connection, &format!("select name from pragma_table_info('{name}')"))
                .into_iter()
                .map(|row| text(&row[0]))
                .collect();
        let order = (1..=columns.len()).map(|number| number.to_string()).collect::<Vec<_>>().join(", ");
        let rows = rows(&connection, &format!("select * from {name} order by {order}"));
        Table { name: name.clone(), columns, rows }
    };
    names.iter().map(read).collect()
}

fn rows(connection: &Connection, sql: &str) -> Vec<Vec<Value>> {
    let mut statement = connection.prepare(sql).unwrap();
    let columns = statement.column_count();
    let rows = statement.query_map([], |row| (0..columns).map(|at| row.get(at)).collect()).unwrap();
    rows.map(Result::unwrap).collect()
}

fn text(value: &Value) -> String {
    match value {
        Value::Text(text) => text.clone(),
        Value::Null | Value::Integer(_) | Value::Real(_) | Value::Blob(_) => panic!("{value:?} is no text"),
    }
}

/// Two states of the same tables, with the first row that differs named.
#[track_caller]
pub fn assert_equal(before: &[Table], after: &[Table], when: &str) {
    let names = |tables: &[Table]| tables.iter().map(|table| table.name.clone()).collect::<Vec<_>>();
    assert_eq!(names(before), names(after), "{when}");
    for (before, after) in before.iter().zip(after) {
        let name = &before.name;
        for (old, new) in before.rows.iter().zip(&after.rows) {
            assert_eq!(old, new, "{when}: the table {name} ({:?}) differs", before.columns);
        }
        assert_eq!(before.rows.len(), after.rows.len(), "{when}: rows of the table {name}");
        assert_eq!(before.columns, after.columns, "{when}: columns of the table {name}");
    }
}

#[test]
#[should_panic(expected = "after a change: the table entries ([\"entry\", \"removed\"]) differs")]
fn a_row_that_differs_is_noticed() {
    let table = |removed| Table {
        name: "entries".to_owned(),
        columns: vec!["entry".to_owned(), "removed".to_owned()],
        rows: vec![vec![Value::Integer(1), Value::Integer(removed)]],
    };
    assert_equal(&[table(0)], &[table(1)], "after a change");
}
