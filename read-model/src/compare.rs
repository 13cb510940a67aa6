//! Two read models side by side, row by row.

use std::{collections::BTreeSet, path::Path};

use rusqlite::{Connection, Row, types::Value};

use crate::connection::{Checkpoint, OpenError, checkpoints, open_reader};

/// The first row of a table in which two models differ.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Difference {
    pub table: String,
    /// The row's key, column by column; ids in hexadecimal digits.
    pub key: String,
    pub what: String,
}

#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Comparison {
    pub tables: usize,
    pub rows: u64,
    pub differences: Vec<Difference>,
}

/// A model as it was at one moment, whatever is written to it meanwhile.
pub struct Snapshot {
    connection: Connection,
    pub checkpoints: Vec<Checkpoint>,
}

impl Snapshot {
    pub fn open(path: &Path) -> Result<Self, OpenError> {
        let connection = open_reader(path)?;
        let begin = || {
            connection.execute_batch("begin")?;
            // A tx sees the moment of its first select.
            checkpoints(&connection)
        };
        let checkpoints =
            begin().map_err(|source| OpenError::Sqlite { path: path.display().to_string(), source })?;
        Ok(Self { connection, checkpoints })
    }

    pub fn connection(&self) -> &Connection {
        &self.connection
    }
}

/// Reads every table of both in the order of its key, up to its first difference. Of a model
/// that is being written, give a [`Snapshot`]'s connection.
pub fn compare(a: &Connection, b: &Connection) -> rusqlite::Result<Comparison> {
    let mut comparison = Comparison::default();
    let (tables_a, tables_b) = (tables(a)?, tables(b)?);
    for table in tables_a.union(&tables_b) {
        comparison.tables += 1;
        if !tables_a.contains(table) || !tables_b.contains(table) {
            let what = "only one of the two has the table".to_owned();
            comparison.differences.push(Difference { table: table.clone(), key: String::new(), what });
            continue;
        }
        comparison.differences.extend(compare_table(a, b, table, &mut comparison.rows)?);
    }
    Ok(comparison)
}

fn compare_table(
    a: &Connection,
    b: &Connection,
    table: &str,
    rows: &mut u64,
) -> rusqlite::Result<Option<Difference>> {
    let (columns_a, columns_b) = (columns(a, table)?, columns(b, table)?);
    if columns_a != columns_b {
        let what = "the columns differ".to_owned();
        return Ok(Some(Difference { table: table.to_owned(), key: String::new(), what }));
    }
    let columns = columns_a;
    let key_indexes = key_indexes(&columns);
    let key_columns: Vec<&str> = key_indexes.iter().map(|index| columns[*index].name.as_str()).collect();
    let scan = format!("select * from {table} order by {}", key_columns.join(", "));
    let (mut scan_a, mut scan_b) = (a.prepare(&scan)?, b.prepare(&scan)?);
    let (mut rows_a, mut rows_b) = (scan_a.query(())?, scan_b.query(())?);

    let key_of = |row: &Row| -> rusqlite::Result<Vec<Value>> {
        key_indexes.iter().map(|index| row.get::<_, Value>(*index)).collect()
    };
    let differs = |key: &[Value], what: &str| {
        let key = key_columns.iter().zip(key).map(|(column, value)| format!("{column} {}", text(value)));
        Some(Difference {
            table: table.to_owned(),
            key: key.collect::<Vec<_>>().join(", "),
            what: what.to_owned(),
        })
    };
    loop {
        match (rows_a.next()?, rows_b.next()?) {
            (None, None) => return Ok(None),
            (Some(row), None) => return Ok(differs(&key_of(row)?, "only the first has the row")),
            (None, Some(row)) => return Ok(differs(&key_of(row)?, "only the second has the row")),
            (Some(row_a), Some(row_b)) => {
                *rows += 1;
                for (index, column) in columns.iter().enumerate() {
                    if row_a.get_ref(index)? == row_b.get_ref(index)? {
                        continue;
                    }
                    let (key_a, key_b) = (key_of(row_a)?, key_of(row_b)?);
                    if key_a == key_b {
                        return Ok(differs(&key_a, &format!("{} differs", column.name)));
                    }
                    let is_missing_in_b = compare_keys(&key_a, &key_b).is_lt();
                    return Ok(if is_missing_in_b {
                        differs(&key_a, "only the first has the row")
                    } else {
                        differs(&key_b, "only the second has the row")
                    });
                }
            }
        }
    }
}

#[derive(Debug, PartialEq, Eq)]
struct Column {
    name: String,
    /// Its place in the primary key, from 1; 0 for a column outside of it.
    in_key: usize,
}

fn tables(connection: &Connection) -> rusqlite::Result<BTreeSet<String>> {
    let mut select = connection
        .prepare("select name from sqlite_schema where type = 'table' and name not like 'sqlite_%'")?;
    select.query_map((), |row| row.get(0))?.collect()
}

fn columns(connection: &Connection, table: &str) -> rusqlite::Result<Vec<Column>> {
    let mut select = connection.prepare("select name, pk from pragma_table_info(?1) order by cid")?;
    let rows = select.query_map([table], |row| Ok(Column { name: row.get(0)?, in_key: row.get(1)? }))?;
    rows.collect()
}

fn key_indexes(columns: &[Column]) -> Vec<usize> {
    let mut indexes: Vec<usize> = (0..columns.len()).filter(|index| columns[*index].in_key > 0).collect();
    indexes.sort_by_key(|index| columns[*index].in_key);
    indexes
}

/// As SQLite orders values of one column; keys hold integers, texts and blobs, each column of one sort.
fn compare_keys(a: &[Value], b: &[Value]) -> std::cmp::Ordering {
    let part = |value: &Value| match value {
        Value::Integer(number) => (*number, Vec::new()),
        Value::Text(text) => (0, text.clone().into_bytes()),
        Value::Blob(bytes) => (0, bytes.clone()),
        Value::Null | Value::Real(_) => (0, Vec::new()),
    };
    a.iter().map(part).cmp(b.iter().map(part))
}

fn text(value: &Value) -> String {
    match value {
        Value::Null => "null".to_owned(),
        Value::Integer(number) => number.to_string(),
        Value::Real(number) => number.to_string(),
        Value::Text(text) => text.clone(),
        Value::Blob(bytes) => hex::encode(bytes),
    }
}
