use std::{collections::HashMap, fs};

use serde_json::Value;

use crate::{
    figures::{Figures, exact},
    run,
};

/// Asks beancount's own query language and prints the answers as JSON: account, month or none, currency, sum.
const ASK: &str = r#"
import json, sys
import beanquery
connection = beanquery.connect("beancount:" + sys.argv[1])
assert not connection.errors, connection.errors
rows = []
for account, currency, amount in connection.execute(
    "SELECT account, currency, sum(number) WHERE account ~ '^(Assets|Liabilities):' GROUP BY account, currency"
):
    rows.append([account, "", currency, f"{amount:f}"])
for account, year, month, currency, amount in connection.execute(
    "SELECT account, year, month, currency, sum(number) WHERE account ~ '^(Expenses|Income):' "
    "GROUP BY account, year, month, currency"
):
    rows.append([account, f"{year:04}-{month:02}", currency, f"{amount:f}"])
json.dump(rows, sys.stdout)
"#;

/// What beancount makes of an exported file.
pub fn figures(export: &str) -> Figures {
    let file = tempfile::Builder::new().suffix(".beancount").tempfile().unwrap();
    fs::write(file.path(), export).unwrap();
    let path = file.path().to_str().unwrap();
    assert_eq!(run("bean-check", &["--no-cache", path]), "");

    let ids = ids(export);
    let rows: Vec<[String; 4]> = serde_json::from_str(&run("python", &["-c", ASK, path])).unwrap();
    let mut figures = Figures::default();
    for [name, month, currency, amount] in rows {
        let amount = exact(&amount);
        match name.split_once(':').unwrap().0 {
            "Income" => {
                figures.add("income", &month, &currency, -amount);
                figures.add(&ids[&name], &month, &currency, -amount);
            }
            "Expenses" => {
                figures.add("expense", &month, &currency, amount);
                figures.add(&ids[&name], &month, &currency, amount);
            }
            _ => figures.add(&ids[&name], "", &currency, amount),
        }
    }
    figures
}

/// The ids behind the names, as the file opens them.
fn ids(export: &str) -> HashMap<String, String> {
    let lines: Vec<&str> = export.lines().collect();
    let opened = lines.windows(2).filter_map(|pair| {
        let (_, name) = pair[0].split_once(" open ")?;
        let id: Value = serde_json::from_str(pair[1].strip_prefix("  id: ")?).ok()?;
        Some((name.split(' ').next()?.to_owned(), id.as_str()?.to_owned()))
    });
    opened.collect()
}
