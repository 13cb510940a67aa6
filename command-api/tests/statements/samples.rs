//! Each sample is guessed without a hint and read with that guess; the `.expected.json` beside it was made from the same
//! invented lines, not from our reading.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use daybook_command_api::statements::csv::{AmountRule, Guess, Mapping, guess, read};
use daybook_command_api::statements::{Confidence, Line, Row, Statement};
use serde::Deserialize;
use serde_json::Value;

const DECIMALS: u8 = 2;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Expected {
    lines_taken: usize,
    sum_minor: i64,
    /// What every line or the header says, if anything does.
    currency: Option<String>,
    /// Lines that equal an earlier one in everything.
    twins: usize,
    confidence: Confidence,
    /// The parts of the guessed mapping that tell this layout from others.
    mapping: BTreeMap<String, Value>,
    refused: Vec<ExpectedRefusal>,
    first: ExpectedRow,
    last: ExpectedRow,
    opening_minor: Option<i64>,
    closing_minor: Option<i64>,
}

#[derive(Debug, PartialEq, Deserialize)]
struct ExpectedRefusal {
    line: u64,
    code: String,
}

#[derive(Debug, PartialEq, Deserialize)]
struct ExpectedRow {
    line: u64,
    occurred_on: String,
    amount_minor: i64,
    currency: Option<String>,
    payee: String,
    note: String,
}

struct Sample {
    name: String,
    bytes: Vec<u8>,
    expected: Expected,
}

fn samples() -> Vec<Sample> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/statements");
    let mut paths: Vec<PathBuf> = fs::read_dir(folder).unwrap().map(|file| file.unwrap().path()).collect();
    paths.retain(|path| path.extension().is_some_and(|extension| extension == "csv" || extension == "txt"));
    paths.sort();
    assert!(paths.len() >= 12, "only {} samples", paths.len());
    paths
        .into_iter()
        .map(|path| {
            let expected = fs::read_to_string(path.with_extension("expected.json")).unwrap();
            Sample {
                name: path.file_name().unwrap().to_string_lossy().into_owned(),
                bytes: fs::read(&path).unwrap(),
                expected: serde_json::from_str(&expected).unwrap(),
            }
        })
        .collect()
}

fn rows(statement: &Statement) -> Vec<(u64, &Row)> {
    statement.lines.iter().filter_map(|line| Some((line.number, line.outcome.as_ref().ok()?))).collect()
}

fn described(line: (u64, &Row)) -> ExpectedRow {
    let (number, row) = line;
    ExpectedRow {
        line: number,
        occurred_on: row.occurred_on.to_string(),
        amount_minor: row.amount_minor,
        currency: row.currency.clone(),
        payee: row.payee.clone(),
        note: row.note.clone(),
    }
}

fn refused(line: &Line) -> Option<ExpectedRefusal> {
    let refusal = line.outcome.as_ref().err()?;
    assert!(!refusal.detail.is_empty());
    Some(ExpectedRefusal { line: line.number, code: refusal.code.to_owned() })
}

fn guessed(sample: &Sample) -> Guess {
    guess(&sample.bytes).unwrap_or_else(|fault| panic!("{}: {fault}", sample.name))
}

#[test]
fn every_sample_reads_as_expected_with_its_guess_alone() {
    for sample in samples() {
        let guess = guessed(&sample);
        let statement = read(&sample.bytes, &guess.mapping, DECIMALS).unwrap();
        let name = &sample.name;
        let expected = &sample.expected;

        let mapping = serde_json::to_value(&guess.mapping).unwrap();
        for (field, value) in &expected.mapping {
            assert_eq!(&mapping[field], value, "{name}: {field}, {:#?}", guess.reasons);
        }
        let rows = rows(&statement);
        assert_eq!(
            statement.lines.iter().filter_map(refused).collect::<Vec<_>>(),
            expected.refused,
            "{name}"
        );
        assert_eq!(rows.len(), expected.lines_taken, "{name}");
        assert_eq!(described(rows[0]), expected.first, "{name}");
        assert_eq!(described(rows[rows.len() - 1]), expected.last, "{name}");
        assert_eq!(rows.iter().map(|(_, row)| row.amount_minor).sum::<i64>(), expected.sum_minor, "{name}");
        assert_eq!(guess.currency, expected.currency, "{name}");
        assert_eq!(guess.confidence, expected.confidence, "{name}: {:#?}", guess.reasons);
    }
}

#[test]
fn twins_stay_twins() {
    for sample in samples() {
        let statement = read(&sample.bytes, &guessed(&sample).mapping, DECIMALS).unwrap();
        let mut seen = BTreeMap::<_, usize>::new();
        for (_, row) in rows(&statement) {
            *seen.entry((row.occurred_on, row.amount_minor, &row.text)).or_default() += 1;
        }
        let twins: usize = seen.values().map(|count| count - 1).sum();
        assert_eq!(twins, sample.expected.twins, "{}", sample.name);
    }
}

/// The balance column is read as if it were the amount.
#[test]
fn the_running_balance_agrees_with_the_sum() {
    let mut checked = 0;
    for sample in samples() {
        let (Some(opening), Some(closing)) = (sample.expected.opening_minor, sample.expected.closing_minor)
        else {
            continue;
        };
        let mapping = guessed(&sample).mapping;
        let column = mapping.balance.clone().unwrap_or_else(|| panic!("{} has a balance", sample.name));
        let amounts = read(&sample.bytes, &mapping, DECIMALS).unwrap();
        let amount = AmountRule::Signed { column };
        let as_balance = Mapping { amount, fee: None, invert_sign: false, ..mapping };
        let balances = read(&sample.bytes, &as_balance, DECIMALS).unwrap();

        let amounts: BTreeMap<u64, i64> =
            rows(&amounts).into_iter().map(|(line, row)| (line, row.amount_minor)).collect();
        let mut balances: Vec<(i64, i64)> = rows(&balances)
            .into_iter()
            .filter_map(|(line, row)| Some((*amounts.get(&line)?, row.amount_minor)))
            .collect();
        if balances[balances.len() - 1].1 != closing {
            balances.reverse();
        }
        let mut balance = opening;
        for (amount, after) in &balances {
            balance += amount;
            assert_eq!(balance, *after, "{}", sample.name);
        }
        assert_eq!((balances.len(), balance), (sample.expected.lines_taken, closing), "{}", sample.name);
        checked += 1;
    }
    assert!(checked >= 6, "only {checked} samples have a running balance");
}

#[test]
fn a_guess_survives_its_way_through_json() {
    for sample in samples() {
        let mapping = guessed(&sample).mapping;
        let text = serde_json::to_string(&mapping).unwrap();
        assert_eq!(serde_json::from_str::<Mapping>(&text).unwrap(), mapping, "{}", sample.name);
    }
}
