//! Samples of the formats that say by themselves what stands where. The `.expected.json` beside each lists every row and
//! every refusal; it was made from the same invented movements, not from our reading.

use std::fs;
use std::path::{Path, PathBuf};

use daybook_command_api::statements::{Format, Hints, NamedAccount, Row, Statement, read, recognise};
use serde::Deserialize;
use serde_json::{Map, Value, json};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Expected {
    format: Format,
    #[serde(default)]
    hints: Hints,
    accounts: Vec<Value>,
    /// `Food: Groceries` and the kind.
    categories: Vec<(String, String)>,
    transfers_stand_twice: bool,
    numbered_by: Value,
    /// What the reading had to guess.
    reasons: Vec<String>,
    refused: Vec<Value>,
    rows: Vec<Value>,
}

pub struct Sample {
    pub name: String,
    pub bytes: Vec<u8>,
    expected: Expected,
}

pub fn samples() -> Vec<Sample> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/statements/formats");
    let mut paths: Vec<PathBuf> = fs::read_dir(folder).unwrap().map(|file| file.unwrap().path()).collect();
    paths.retain(|path| !path.to_string_lossy().ends_with(".expected.json"));
    paths.sort();
    assert!(paths.len() >= 16, "only {} samples", paths.len());
    let sample = |path: PathBuf| Sample {
        name: path.file_name().unwrap().to_string_lossy().into_owned(),
        bytes: fs::read(&path).unwrap(),
        expected: serde_json::from_slice(&fs::read(path.with_extension("expected.json")).unwrap()).unwrap(),
    };
    paths.into_iter().map(sample).collect()
}

pub fn read_as_recognised(
    bytes: &[u8],
) -> Result<Statement, daybook_command_api::statements::StatementError> {
    read(bytes, recognise(bytes)?, &Hints::default(), &|_| 2)
}

fn filled(fields: Value) -> Value {
    let empty = |value: &Value| match value {
        Value::Null => true,
        Value::String(text) => text.is_empty(),
        Value::Array(items) => items.is_empty(),
        Value::Object(fields) => fields.is_empty(),
        Value::Bool(_) | Value::Number(_) => false,
    };
    let Value::Object(fields) = fields else { return fields };
    Value::Object(fields.into_iter().filter(|(_, value)| !empty(value)).collect::<Map<_, _>>())
}

fn account(account: &NamedAccount) -> Value {
    filled(json!({
        "name": account.name, "number": account.number, "bank": account.bank,
        "currency": account.currency, "kind": account.kind,
    }))
}

fn described(number: u64, row: &Row, statement: &Statement) -> Value {
    let label = |at: usize| statement.accounts[at].label();
    let transfer = row.transfer.as_ref().map(|transfer| {
        filled(json!({
            "account": label(transfer.account),
            "other_amount": transfer.other_amount.map(|money| money.to_string()),
        }))
    });
    let splits: Vec<Value> = row
        .splits
        .iter()
        .map(|split| json!({"amount_minor": split.amount_minor, "category": split.category, "note": split.note}))
        .collect();
    filled(json!({
        "line": number, "occurred_on": row.occurred_on, "amount_minor": row.amount_minor,
        "currency": row.currency, "account": row.account.map(label), "kind": row.kind,
        "payee": row.payee, "note": row.note, "category": row.category, "splits": splits,
        "transfer": transfer, "foreign": row.foreign.map(|money| money.to_string()), "tags": row.tags,
        "reference": row.reference, "counterpart": row.counterpart,
    }))
}

#[test]
fn every_format_is_recognised_and_reads_as_expected() {
    for Sample { name, bytes, expected } in samples() {
        let format = recognise(&bytes).unwrap_or_else(|fault| panic!("{name}: {fault}"));
        assert_eq!(format, expected.format, "{name}");
        let statement =
            read(&bytes, format, &expected.hints, &|_| 2).unwrap_or_else(|fault| panic!("{name}: {fault}"));

        let accounts: Vec<Value> = statement.accounts.iter().map(account).collect();
        assert_eq!(accounts, expected.accounts, "{name}");
        let categories: Vec<(String, String)> = statement
            .categories
            .iter()
            .map(|category| (category.path.join(": "), category.kind.as_str().to_owned()))
            .collect();
        assert_eq!(categories, expected.categories, "{name}");
        let (mut rows, mut refused) = (Vec::new(), Vec::new());
        for line in &statement.lines {
            match &line.outcome {
                Ok(row) => rows.push(described(line.number, row, &statement)),
                Err(refusal) => {
                    assert!(!refusal.detail.is_empty());
                    refused.push(json!({"line": line.number, "code": refusal.code}));
                }
            }
        }
        let mut expected_refused = expected.refused;
        expected_refused.sort_by_key(|refusal| refusal["line"].as_u64());
        assert_eq!(refused, expected_refused, "{name}");
        for (row, expected) in rows.iter().zip(&expected.rows) {
            assert_eq!(row, expected, "{name}");
        }
        assert_eq!(rows.len(), expected.rows.len(), "{name}");
        let reasons: Vec<&str> = statement.reasons.iter().map(|reason| reason.about.as_str()).collect();
        assert_eq!(reasons, expected.reasons, "{name}: {:#?}", statement.reasons);
        assert_eq!(serde_json::to_value(statement.numbered_by).unwrap(), expected.numbered_by, "{name}");
        assert_eq!(statement.transfers_stand_twice, expected.transfers_stand_twice, "{name}");
    }
}

#[test]
fn what_holds_for_every_statement_holds_for_the_samples() {
    for sample in samples() {
        check_invariants(&read_as_recognised(&sample.bytes).unwrap());
    }
}

/// What whoever imports a statement relies on.
pub fn check_invariants(statement: &Statement) {
    assert!(!statement.lines.is_empty());
    assert!(statement.lines.windows(2).all(|pair| pair[0].number < pair[1].number));
    for row in statement.lines.iter().filter_map(|line| line.outcome.as_ref().ok()) {
        assert_ne!(row.amount_minor, 0);
        let places = row.account.into_iter().chain(row.transfer.as_ref().map(|transfer| transfer.account));
        assert!(places.into_iter().all(|at| at < statement.accounts.len()));
        assert!(row.transfer.as_ref().is_none_or(|transfer| Some(transfer.account) != row.account));
        assert!(row.transfer.is_none() || row.splits.is_empty());
        assert_ne!(row.splits.len(), 1);
        if !row.splits.is_empty() {
            assert_eq!(row.splits.iter().map(|split| split.amount_minor).sum::<i64>(), row.amount_minor);
            assert!(row.category.is_empty());
        }
        assert!(!row.text.contains(char::is_control));
    }
}

#[test]
fn what_a_person_says_counts_more_than_what_the_file_seems_to_be() {
    let swapped = b"!Type:Bank\nD1/2/26\nT-1,234\nPShop\n^\n";
    let with = |hints: &Hints| {
        let statement = read(swapped, Format::Qif, hints, &|_| 3).unwrap();
        let row = statement.lines[0].outcome.clone().unwrap();
        format!("{} {} {}", row.occurred_on, row.amount_minor, statement.reasons.len())
    };
    assert_eq!(with(&Hints::default()), "2026-01-02 -1234000 2");
    let hints: Hints =
        serde_json::from_value(json!({"date_order": "day_first", "decimal_mark": ","})).unwrap();
    assert_eq!(with(&hints), "2026-02-01 -1234 0");

    let hints: Hints = serde_json::from_value(json!({"decimal_mark": "x"})).unwrap();
    assert_eq!(read(swapped, Format::Qif, &hints, &|_| 3).unwrap_err().code(), "statement_mapping_invalid");

    let latin = b"!Type:Bank\nD1/20/26\nT-1.00\nPCaf\xe9\n^\n";
    let hints: Hints = serde_json::from_value(json!({"encoding": "utf-8"})).unwrap();
    assert_eq!(read(latin, Format::Qif, &hints, &|_| 2).unwrap_err().line(), Some(4));
}

#[test]
fn decimals_are_asked_for_where_the_file_names_no_currency() {
    let file = b"!Account\nNYen\nTBank\n^\n!Type:Bank\nD1/20/26\nT-500\n^\n!Account\nNDollars\nTBank\n^\n!Type:Bank\nD1/20/26\nT-5.00\n^\n";
    let decimals_of = |account: Option<&NamedAccount>| match account.map(NamedAccount::label) {
        Some("Yen") => 0,
        _ => 2,
    };
    let statement = read(file, Format::Qif, &Hints::default(), &decimals_of).unwrap();
    let amounts: Vec<i64> =
        statement.lines.iter().map(|line| line.outcome.as_ref().unwrap().amount_minor).collect();
    assert_eq!(amounts, [-500, -500]);
}

#[test]
fn a_bank_table_is_still_csv() {
    let file = b"Date,Description,Amount\n2026-10-31,Shop,-5.00\n2026-11-01,Shop,7.00\n";
    assert_eq!(recognise(file).unwrap(), Format::Csv);
    let statement = read_as_recognised(file).unwrap();
    assert_eq!((statement.format, statement.lines.len()), (Format::Csv, 2));
}

#[test]
fn an_older_register_has_group_and_category_in_one_column() {
    let file = b"Account,Flag,Date,Payee,Category,Memo,Outflow,Inflow,Cleared\nGiro,,2020-02-01,Shop,Home: Repairs: Roof,,5.00,0.00,C\n";
    let statement = read_as_recognised(file).unwrap();
    assert_eq!(statement.lines[0].outcome.as_ref().unwrap().category, ["Home", "Repairs: Roof"]);
}
