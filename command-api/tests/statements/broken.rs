//! Files that are broken, hostile or something else: each is refused with a line and a reason, none makes us panic.

use std::fs;
use std::path::Path;

use daybook_command_api::statements::csv::{CategoryRule, Mapping, guess, read};
use daybook_command_api::statements::{
    COLUMNS_MAX, FILE_BYTES_MAX, Line, RECORDS_MAX, Statement, StatementError,
};
use proptest::prelude::*;
use serde_json::json;

/// `date;payee;amount` with a header.
fn plain_mapping() -> Mapping {
    serde_json::from_value(json!({
        "delimiter": ";",
        "date": "Date",
        "date_format": "YYYY-MM-DD",
        "payee": ["Payee"],
        "amount": {"sign": "signed", "column": "Amount"},
    }))
    .unwrap()
}

fn read_plain(lines: &str) -> Result<Statement, StatementError> {
    read(format!("Date;Payee;Amount\n{lines}").as_bytes(), &plain_mapping(), 2)
}

/// One word per line of the file that is not passed over: its number and the amount or the refusal's code.
fn outcomes(statement: &Statement) -> Vec<String> {
    let outcome = |line: &Line| match &line.outcome {
        Ok(row) => format!("{}:{}", line.number, row.amount_minor),
        Err(refusal) => format!("{}:{}", line.number, refusal.code),
    };
    statement.lines.iter().map(outcome).collect()
}

#[track_caller]
fn check(lines: &str, expected: &[&str]) {
    assert_eq!(outcomes(&read_plain(lines).unwrap()), expected);
}

#[track_caller]
fn check_fault<T: std::fmt::Debug>(result: Result<T, StatementError>, code: &str, line: Option<u64>) {
    let fault = result.unwrap_err();
    assert_eq!((fault.code(), fault.line()), (code, line), "{fault}");
}

#[test]
fn a_line_that_is_no_transaction_is_refused_and_the_others_are_taken() {
    check(
        "2026-10-01;Shop;-4.50\n\
         2026-10-02;Shop\n\
         ;Shop;-1\n\
         31.10.2026;Shop;-1\n\
         2026-02-30;Shop;-1\n\
         2026-10-03;Shop;1e3\n\
         2026-10-03;Shop;NaN\n\
         2026-10-03;Shop;0.00\n\
         2026-10-03;Shop;1.005\n\
         2026-10-03;Shop;999999999999999999999999999999\n\
         Total;;-4.50\n\
         2026-10-04;Shop;2;more;cells\n",
        &[
            "2:-450",
            "3:amount_missing",
            "4:date_missing",
            "5:date_invalid",
            "6:date_invalid",
            "7:amount_invalid",
            "8:amount_invalid",
            "9:amount_zero",
            "10:amount_too_many_decimals",
            "11:amount_too_large",
            "12:date_invalid",
            "13:200",
        ],
    );
}

#[test]
fn blank_lines_and_lines_of_signs_are_passed_over_but_counted() {
    check(
        "\n\r\n  \n;;\n*****;***;**\n2026-10-01;Shop;1\n\n\n2026-10-02;Shop;2\n\u{1a}",
        &["7:100", "10:200"],
    );
}

#[test]
fn a_quoted_line_end_does_not_break_line_numbers() {
    check(
        "2026-10-01;\"Shop\non the\r\ncorner\";1\n2026-10-02;Shop;2\nx;y;z\n",
        &["2:100", "5:200", "6:date_invalid"],
    );
    let carriage_returns = "Date;Payee;Amount\r2026-10-01;Shop;1\r\r2026-10-02;Shop;2\r";
    let statement = read(carriage_returns.as_bytes(), &plain_mapping(), 2).unwrap();
    assert_eq!(outcomes(&statement), ["2:100", "4:200"]);
}

#[test]
fn a_quote_that_is_never_closed_costs_its_own_line_only() {
    check(
        "2026-10-01;Shop;1\n2026-10-02;\"Shop;2\n2026-10-03;Shop;3\n2026-10-04;\"Shop\";4\n",
        &["2:100", "3:quote_not_closed", "4:300", "5:400"],
    );
    check("2026-10-01;Shop;1\n2026-10-02;Cut;\"2", &["2:100", "3:quote_not_closed"]);
    check("2026-10-01;5\" nail;1\n2026-10-02;Cut;2", &["2:100", "3:200"]);
}

#[test]
fn quotes_that_swallow_the_whole_file_again_and_again_are_given_up() {
    let lines = "2026-10-01;a\";\"b\n".repeat(100_000);
    let outcomes = outcomes(&read_plain(&lines).unwrap());
    assert_eq!(outcomes.len(), 21);
    assert!(outcomes.iter().all(|outcome| outcome.ends_with("quote_not_closed")), "{outcomes:?}");
}

#[test]
fn cells_that_look_like_formulas_stay_text() {
    let statement =
        read_plain("2026-10-01;=HYPERLINK(\"\"x\"\");-1\n2026-10-01;=1+2;=1+2\n2026-10-01;@SUM(A1);-1\n");
    let statement = statement.unwrap();
    assert_eq!(outcomes(&statement), ["2:-100", "3:amount_invalid", "4:-100"]);
    assert_eq!(statement.lines[2].outcome.as_ref().unwrap().payee, "@SUM(A1)");
}

#[test]
fn zero_bytes_and_overlong_fields_are_refused_on_their_line() {
    let long = "x".repeat(10_001);
    check(
        &format!("2026-10-01;Sh\0op;1\n\0\0\0\n2026-10-02;{long};2\n2026-10-03;Shop;3\n"),
        &["2:control_character", "3:control_character", "4:field_too_long", "5:300"],
    );
}

#[test]
fn wrong_bytes_for_the_encoding_are_refused_with_the_line() {
    let file = b"Date;Payee;Amount\n2026-10-01;Shop;1\n2026-10-02;Caf\xe9;2\n";
    check_fault(read(file, &plain_mapping(), 2), "statement_encoding_invalid", Some(3));
    let mapping: Mapping = serde_json::from_value(json!({
        "encoding": "utf-16le", "delimiter": ";", "date": 1, "date_format": "YYYY-MM-DD",
        "amount": {"sign": "signed", "column": 3},
    }))
    .unwrap();
    check_fault(read(b"\xff\xfeD\0;\0\n\0\0\xd8x\0", &mapping, 2), "statement_encoding_invalid", Some(2));
}

#[test]
fn files_without_transactions_are_refused() {
    check_fault(guess(b""), "statement_empty", None);
    check_fault(guess(b"\r\n \n"), "statement_empty", None);
    check_fault(read(b"", &plain_mapping(), 2), "statement_empty", None);
    check_fault(guess(b"Date,Description,Amount\n"), "statement_without_records", Some(1));
    check_fault(
        guess(b"My bank\n\nDate,Description,Amount\nnothing,to,show\n"),
        "statement_without_records",
        Some(3),
    );
    check_fault(read_plain(""), "statement_without_records", Some(1));
    check_fault(guess(b"Dear customer,\nnothing happened.\n"), "statement_format_not_recognised", None);
}

#[test]
fn files_that_are_something_else_are_named() {
    for (file, what) in [
        (&b"PK\x03\x04\x14\0\x06\0"[..], "Excel workbook"),
        (b"%PDF-1.7\n", "PDF"),
        (b"\x89PNG\r\n\x1a\n\0\0", "picture"),
        (b"<?xml version=\"1.0\"?>", "XML"),
        (b"\x01\x02\x03\x04binary\x05\x06\x07", "binary"),
    ] {
        let fault = guess(file).unwrap_err();
        assert_eq!(fault.code(), "statement_not_text");
        assert!(fault.to_string().contains(what), "{fault}");
    }
}

#[test]
fn bounds_are_told_with_their_line() {
    let wide = ";".repeat(100_000);
    check_fault(read_plain(&format!("2026-10-01;Shop;1\n{wide}\n")), "statement_too_many_columns", Some(3));
    check_fault(
        guess(format!("Date;Amount{wide}\n2026-10-01;1{wide}\n").as_bytes()),
        "statement_too_many_columns",
        Some(2),
    );
    let narrow = ";".repeat(COLUMNS_MAX - 3);
    check(&format!("2026-10-01;Shop;1{narrow}\n"), &["2:100"]);

    let record = "2026-10-01;S;1\n";
    assert_eq!(read_plain(&record.repeat(RECORDS_MAX - 1)).unwrap().lines.len(), RECORDS_MAX - 1);
    let fault = read_plain(&record.repeat(RECORDS_MAX));
    check_fault(fault, "statement_too_many_records", Some(RECORDS_MAX as u64 + 1));
    check_fault(guess(&vec![b'x'; FILE_BYTES_MAX + 1]), "statement_too_large", None);
}

#[test]
fn a_mapping_that_cannot_be_used_says_which_field() {
    let lines = b"Date;Payee;Amount\n2026-10-01;Shop;1\n";
    let with = |field: &str, value: serde_json::Value| {
        let mut mapping = serde_json::to_value(plain_mapping()).unwrap();
        mapping[field] = value;
        serde_json::from_value::<Mapping>(mapping)
    };
    for (field, value, code) in [
        ("date", json!("Day"), "statement_column_not_found"),
        ("date", json!(4), "statement_column_not_found"),
        ("date", json!(0), "statement_column_not_found"),
        ("note", json!(["Note"]), "statement_column_not_found"),
        ("balance", json!("Balance"), "statement_column_not_found"),
        ("has_header", json!(false), "statement_mapping_invalid"),
        ("delimiter", json!("é"), "statement_mapping_invalid"),
        ("delimiter", json!("\n"), "statement_mapping_invalid"),
        ("quote", json!(";"), "statement_mapping_invalid"),
        ("decimal_mark", json!("x"), "statement_mapping_invalid"),
        ("thousands_mark", json!("."), "statement_mapping_invalid"),
        ("rules", json!([{"contains": " ", "category": "c"}]), "statement_mapping_invalid"),
        ("header_lines", json!(9), "statement_without_records"),
    ] {
        let fault = read(lines, &with(field, value).unwrap(), 2).unwrap_err();
        assert_eq!(fault.code(), code, "{field}: {fault}");
    }
    for (field, value) in [
        ("date_format", json!("dd.mm.yyyy")),
        ("colour", json!("red")),
        ("encoding", json!("latin1")),
        ("date", json!(true)),
        ("amount", json!({"sign": "signed", "column": 1, "credit": 2})),
    ] {
        assert!(with(field, value).is_err(), "{field}");
    }
}

#[test]
fn columns_are_found_without_regard_to_case_and_by_number() {
    let mut mapping = serde_json::to_value(plain_mapping()).unwrap();
    mapping["date"] = json!(" DATE ");
    mapping["amount"] = json!({"sign": "signed", "column": 3});
    let mapping = serde_json::from_value(mapping).unwrap();
    let statement = read(b"Date;Payee;Amount\n2026-10-01;Shop;1\n", &mapping, 2).unwrap();
    assert_eq!(outcomes(&statement), ["2:100"]);
}

#[test]
fn a_line_that_contradicts_its_columns_is_refused() {
    let with = |amount: serde_json::Value, lines: &str| {
        let mapping = json!({
            "delimiter": ";", "has_header": false, "date": 1, "date_format": "YYYY-MM-DD",
            "amount": amount, "currency": 4,
        });
        let mapping = serde_json::from_value(mapping).unwrap();
        outcomes(&read(lines.as_bytes(), &mapping, 2).unwrap())
    };
    let two_columns = json!({"sign": "debit_credit", "debit": 2, "credit": 3});
    let lines = "2026-10-01;5;;EUR\n2026-10-01;5;6;EUR\n2026-10-01;0.00;6;EUR\n2026-10-01;;;EUR\n2026-10-01;;6;money\n";
    let expected = ["1:-500", "2:debit_and_credit", "3:600", "4:amount_missing", "5:currency_invalid"];
    assert_eq!(with(two_columns, lines), expected);

    let words = json!({"sign": "direction", "column": 2, "direction": 3, "debit": ["Af"], "credit": ["Bij"]});
    let lines = "2026-10-01;5;af;EUR\n2026-10-01;5;Bij;EUR\n2026-10-01;5;Op;EUR\n";
    assert_eq!(with(words, lines), ["1:-500", "2:500", "3:direction_unknown"]);
}

#[test]
fn decimals_are_those_of_the_currency() {
    let file = b"Date;Payee;Amount\n2026-10-01;Shop;1200\n2026-10-01;Shop;1200.5\n";
    assert_eq!(outcomes(&read(file, &plain_mapping(), 0).unwrap()), ["2:1200", "3:amount_too_many_decimals"]);
    assert_eq!(outcomes(&read(file, &plain_mapping(), 3).unwrap()), ["2:1200000", "3:1200500"]);
}

#[test]
fn rules_choose_the_category_before_the_defaults() {
    let mut mapping = plain_mapping();
    mapping.rules = vec![CategoryRule { contains: "KETTLE".to_owned(), category: "coffee".to_owned() }];
    mapping.default_expense_category = Some("other".to_owned());
    mapping.default_income_category = Some("income".to_owned());
    let statement =
        read_plain("2026-10-01;Kettle & Crumb;-1\n2026-10-01;Shop;-1\n2026-10-01;Shop;1\n").unwrap();
    let categories: Vec<Option<&str>> =
        statement.lines.iter().map(|line| mapping.category_of(line.outcome.as_ref().unwrap())).collect();
    assert_eq!(categories, [Some("coffee"), Some("other"), Some("income")]);
}

/// Swapped days and months would import without a complaint, so the guess has to say how sure it is.
#[test]
fn days_and_months_that_could_be_swapped_lower_the_confidence() {
    let confidence = |lines: &str| {
        let guess = guess(format!("Date,Description,Amount\n{lines}").as_bytes()).unwrap();
        let text = serde_json::to_value(guess.confidence).unwrap();
        format!("{} {}", guess.mapping.date_format, text.as_str().unwrap())
    };
    assert_eq!(confidence("10/31/2026,a,-1.50\n10/01/2026,b,2.50\n"), "MM/DD/YYYY high");
    assert_eq!(confidence("01/10/2026,a,-1.50\n02/11/2026,b,-1.50\n01/12/2026,c,2.50\n"), "DD/MM/YYYY high");
    assert_eq!(
        confidence("01/02/2026,a,-1.50\n01/03/2026,b,-2.50\n01/04/2026,b,2.50\n"),
        "MM/DD/YYYY medium"
    );
    assert_eq!(confidence("01/02/2026,a,-1.50\n01/02/2026,b,2.50\n"), "MM/DD/YYYY low");
}

#[test]
fn a_balance_that_is_a_debt_does_not_turn_purchases_into_income() {
    let file = b"Date,Description,Amount,Balance\n\
        2026-10-13,Coffee,5.00,105.00\n2026-10-14,Fuel,40.00,145.00\n\
        2026-10-15,PAYMENT - THANK YOU,-100.00,45.00\n2026-10-16,Coffee,5.00,50.00\n";
    let guess = guess(file).unwrap();
    assert!(guess.mapping.invert_sign);
    assert_eq!(serde_json::to_value(guess.confidence).unwrap(), "low");
}

fn sample(name: &str) -> Vec<u8> {
    fs::read(Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/statements").join(name)).unwrap()
}

/// Whatever the bytes are: an answer, and one that can be used.
fn survives(bytes: &[u8]) {
    let _ = read(bytes, &plain_mapping(), 2);
    if let Ok(guess) = guess(bytes) {
        let _ = read(bytes, &guess.mapping, 2);
    }
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn arbitrary_bytes_never_panic(bytes in prop::collection::vec(any::<u8>(), 0..600)) {
        survives(&bytes);
    }

    #[test]
    fn text_that_resembles_a_statement_never_panics(
        text in "(Date|Datum|Amount|Betrag|Saldo|[0-9]{1,4}|[./;,\t\"\r\n€ -]|[a-zé\0]{0,3}){0,120}"
    ) {
        survives(text.as_bytes());
        let header = format!("Date;Description;Amount;Balance\n2026-10-01;a;1.00;2.00\n{text}");
        survives(header.as_bytes());
    }

    #[test]
    fn damaged_samples_never_panic(
        name in prop::sample::select(&["hdfc.csv", "credit_agricole.csv", "spanish_bank_unicode_text.txt", "paypal.csv"]),
        cut in any::<prop::sample::Index>(),
        hits in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 0..6),
    ) {
        let mut bytes = sample(name);
        for (at, byte) in &hits {
            let at = at.index(bytes.len());
            bytes[at] = *byte;
        }
        bytes.truncate(cut.index(bytes.len()) + 1);
        survives(&bytes);
    }
}
