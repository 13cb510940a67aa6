use std::{collections::HashMap, fs};

use chrono::{Datelike, NaiveDate};

use crate::{
    figures::{Figures, Span, exact},
    run,
};

/// What hledger makes of an exported journal, strictly read.
pub fn figures(journal: &str) -> Figures {
    let file = tempfile::Builder::new().suffix(".journal").tempfile().unwrap();
    fs::write(file.path(), journal).unwrap();
    let path = file.path().to_str().unwrap();
    let complaints = run("hledger", &["-f", path, "check", "--strict", "ordereddates"]);
    assert_eq!(complaints, "");

    let ids = ids(journal);
    let mut figures = Figures::default();
    let balances = [
        "-f",
        path,
        "balance",
        "--flat",
        "--no-total",
        "--layout=bare",
        "-O",
        "csv",
        "assets",
        "liabilities",
    ];
    for row in rows(&run("hledger", &balances)) {
        let [account, currency, balance] = row.as_slice() else { panic!("{row:?}") };
        figures.add(&ids[account], "", currency, exact(balance));
    }
    // Asked for all of it at once, it would write a column for every month of ten thousand years.
    for Span { from, to } in Span::ALL {
        let mut months =
            vec!["-f", path, "balance", "--flat", "--no-total", "--monthly", "--layout=tidy", "-O", "csv"];
        months.extend(["--begin", from, "expenses", "income"]);
        // The day after the last one; there is none after the end of time.
        let to: NaiveDate = to.parse().unwrap();
        let end = to.succ_opt().filter(|end| end.year() <= 9999).map(|end| end.to_string());
        months.extend(end.iter().flat_map(|end| ["--end", end]));
        for row in rows(&run("hledger", &months)) {
            let [category, month, _, _, currency, amount] = row.as_slice() else { panic!("{row:?}") };
            let (kind, sign) = if category.starts_with("income:") { ("income", -1) } else { ("expense", 1) };
            for of in [kind, &ids[category]] {
                figures.add(of, month, currency, sign * exact(amount));
            }
        }
    }
    figures
}

/// The ids behind the names, as the journal declares them.
fn ids(journal: &str) -> HashMap<String, String> {
    let declared = journal.lines().filter_map(|line| line.strip_prefix("account ")?.split_once("  ; id:"));
    declared.map(|(name, id)| (name.to_owned(), id.to_owned())).collect()
}

/// But for the head.
fn rows(csv: &str) -> Vec<Vec<String>> {
    let mut reader = csv::Reader::from_reader(csv.as_bytes());
    reader.records().map(|row| row.unwrap().iter().map(str::to_owned).collect()).collect()
}
