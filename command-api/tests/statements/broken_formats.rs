//! Files of the formats that describe themselves, broken or hostile: one clear fault with its line, or a report line by
//! line.

use std::fmt::Write;

use daybook_command_api::statements::{
    ACCOUNTS_MAX, DEPTH_MAX, Format, Hints, NumberedBy, RECORDS_MAX, SPLITS_MAX, Statement, StatementError,
    read, recognise,
};

use super::formats::{read_as_recognised, samples};

/// One word per line of the report: its number and the amount or the refusal's code.
fn outcomes(statement: &Statement) -> Vec<String> {
    let outcome = |line: &daybook_command_api::statements::Line| match &line.outcome {
        Ok(row) => format!("{}:{}", line.number, row.amount_minor),
        Err(refusal) => format!("{}:{}", line.number, refusal.code),
    };
    statement.lines.iter().map(outcome).collect()
}

#[track_caller]
fn check(file: &str, expected: &[&str]) {
    assert_eq!(outcomes(&read_as_recognised(file.as_bytes()).unwrap()), expected);
}

#[track_caller]
fn check_fault(file: impl AsRef<[u8]>, code: &str, line: Option<u64>) -> String {
    let fault = read_as_recognised(file.as_ref()).unwrap_err();
    assert_eq!((fault.code(), fault.line()), (code, line), "{fault}");
    fault.to_string()
}

fn camt(entries: &str) -> String {
    format!(
        "<?xml version=\"1.0\"?>\n<Document><BkToCstmrStmt><Stmt><Acct><Id><IBAN>XX1</IBAN></Id></Acct>\n{entries}\n</Stmt></BkToCstmrStmt></Document>"
    )
}

fn camt_entry(fields: &str) -> String {
    format!(
        "<Ntry><Amt Ccy=\"EUR\">1.00</Amt><CdtDbtInd>DBIT</CdtDbtInd><BookgDt><Dt>2026-10-01</Dt></BookgDt>{fields}</Ntry>\n"
    )
}

fn ofx(transactions: &str) -> String {
    format!(
        "OFXHEADER:100\n<OFX><BANKMSGSRSV1><STMTTRNRS><STMTRS><CURDEF>EUR<BANKACCTFROM><ACCTID>1</BANKACCTFROM><BANKTRANLIST>\n{transactions}\n</BANKTRANLIST></STMTRS></STMTTRNRS></BANKMSGSRSV1></OFX>"
    )
}

#[test]
fn entities_and_document_types_are_refused_and_never_read() {
    let external = "<?xml version=\"1.0\"?>\n<!DOCTYPE Document [\n<!ENTITY secret SYSTEM \"file:///etc/passwd\">\n]>\n<Document><BkToCstmrStmt><Stmt>&secret;</Stmt></BkToCstmrStmt></Document>";
    let told = check_fault(external, "statement_entity_refused", Some(2));
    assert!(told.contains("document type declaration") && told.contains("Remove it"), "{told}");

    let mut laughs = "<?xml version=\"1.0\"?>\n<!DOCTYPE OFX [\n<!ENTITY l0 \"ha\">\n".to_owned();
    for level in 1..40 {
        writeln!(laughs, "<!ENTITY l{level} \"{}\">", format!("&l{};", level - 1).repeat(10)).unwrap();
    }
    laughs.push_str("]>\n<OFX>&l39;</OFX>");
    check_fault(&laughs, "statement_entity_refused", Some(2));

    check_fault(camt(&camt_entry("<AddtlNtryInf>&l9;</AddtlNtryInf>")), "statement_entity_refused", Some(3));
    check_fault(
        "OFXHEADER:100\n\n<!DOCTYPE OFX SYSTEM \"x\">\n<OFX></OFX>",
        "statement_entity_refused",
        Some(3),
    );
    check(&camt(&camt_entry("<AddtlNtryInf>a &amp; b &#x20AC; &lt;</AddtlNtryInf>")), &["3:-100"]);
}

#[test]
fn a_file_that_is_cut_off_is_refused_with_the_line_where_it_ends() {
    let entries = camt_entry("") + &camt_entry("");
    let whole = camt(&entries);
    check_fault(&whole[..whole.len() - 20], "statement_malformed", Some(6));
    check_fault(&whole[..whole.find("<BookgDt").unwrap()], "statement_malformed", Some(3));
    check_fault(&whole[..whole.find("<BookgDt").unwrap() + 4], "statement_malformed", Some(3));

    let transactions =
        "<STMTTRN><DTPOSTED>20261001<TRNAMT>-1<FITID>a\n</STMTTRN>\n<STMTTRN><DTPOSTED>20261002<TRNAMT>-2";
    let whole = ofx(transactions);
    // The last closing tag of OFX 1 may be missing, and what it closes is known.
    check(&whole, &["3:-100", "5:-200"]);
    check_fault(&whole[..whole.find("\n</BANKTRANLIST").unwrap()], "statement_malformed", Some(5));
    check_fault(&whole[..whole.find("DTPOSTED>20261002").unwrap() + 4], "statement_malformed", Some(5));

    check_fault("!Type:Bank\nD1/20/26\nT-1\n^\nD1/21/26\nT-", "statement_malformed", Some(6));
    check_fault("{\"transactions\": [\n{\"id\": \"a\"},\n{\"id\":", "statement_malformed", Some(3));
    check_fault("{\"data\": [\n{\"attributes\": {}}", "statement_malformed", Some(2));
}

#[test]
fn every_sample_survives_being_cut_anywhere() {
    for sample in samples() {
        for end in (0..sample.bytes.len()).step_by(7) {
            let _ = read_as_recognised(&sample.bytes[..end]);
        }
    }
}

#[test]
fn encodings_other_than_the_declared_are_found_or_refused_with_the_line() {
    let declared = camt(&camt_entry("<AddtlNtryInf>Caf\u{e9}</AddtlNtryInf>"));
    let latin: Vec<u8> = declared.chars().map(|letter| letter as u8).collect();
    check_fault(&latin, "statement_encoding_invalid", Some(3));

    let wrongly_latin = declared.replace("version=\"1.0\"", "version=\"1.0\" encoding=\"ISO-8859-1\"");
    let statement = read_as_recognised(wrongly_latin.as_bytes()).unwrap();
    assert_eq!(statement.lines[0].outcome.as_ref().unwrap().note, "Caf\u{e9}");
    assert_eq!(statement.reasons[0].about, "encoding");

    let unknown = declared.replace("version=\"1.0\"", "version=\"1.0\" encoding=\"EBCDIC-273\"");
    let told = check_fault(unknown, "statement_malformed", Some(1));
    assert!(told.contains("ebcdic-273"), "{told}");

    let mut utf_16 = vec![0xff, 0xfe];
    utf_16.extend(declared.encode_utf16().flat_map(u16::to_le_bytes));
    let statement = read_as_recognised(&utf_16).unwrap();
    assert_eq!(statement.lines[0].outcome.as_ref().unwrap().note, "Caf\u{e9}");
}

#[test]
fn depth_is_bounded_and_told() {
    let deep = format!("{}{}", "<a>".repeat(DEPTH_MAX), "<Ntry>".repeat(100_000));
    check_fault(camt(&deep), "statement_too_deep", Some(3));
    check_fault(ofx(&"<PAYEE>\n".repeat(100_000)), "statement_too_deep", Some(62));
    // Lists inside lists are passed over without going into them.
    let brackets = "[".repeat(100_000) + &"]".repeat(100_000);
    check(&format!("{{\"transactions\": {brackets}}}"), &["1:element_unreadable"]);
}

#[test]
fn sizes_are_bounded_and_told() {
    let many = "<STMTTRN></STMTTRN>\n".repeat(RECORDS_MAX + 1);
    check_fault(ofx(&many), "statement_too_many_records", Some(RECORDS_MAX as u64 + 3));
    let parts = "<TxDtls/>".repeat(RECORDS_MAX + 1);
    check_fault(
        camt(&format!("<Ntry><NtryDtls>{parts}</NtryDtls></Ntry>")),
        "statement_too_many_records",
        Some(3),
    );
    let many = "D1/20/26\nT1\n^\n".repeat(RECORDS_MAX + 1);
    check_fault(format!("!Type:Bank\n{many}"), "statement_too_many_records", Some(600_002));
    let many = "{},".repeat(RECORDS_MAX) + "{}";
    check_fault(
        format!("{{\"transactions\":[{many}]}}"),
        "statement_too_many_records",
        Some(RECORDS_MAX as u64 + 1),
    );

    let mut accounts = "Account,Date,Payee,Notes,Category,Amount,Cleared\n".to_owned();
    for number in 0..=ACCOUNTS_MAX {
        writeln!(accounts, "A{number},2026-10-01,,,,1,").unwrap();
    }
    check_fault(accounts, "statement_too_many_accounts", Some(ACCOUNTS_MAX as u64 + 2));

    let parts = "SFood\n$-1\n".repeat(SPLITS_MAX + 1);
    check(&format!("!Type:Bank\nD1/20/26\nT-{}\n{parts}^\n", SPLITS_MAX + 1), &["2:too_many_splits"]);

    let wide = format!("Account,Date,Payee,Notes,Category,Amount,Cleared{}\n", ",".repeat(100_000));
    let fault = read(wide.as_bytes(), Format::ActualCsv, &Hints::default(), &|_| 2).unwrap_err();
    assert_eq!((fault.code(), fault.line()), ("statement_too_many_columns", Some(1)), "{fault}");
    let wide = format!(
        "Account,Date,Payee,Notes,Category,Amount,Cleared\nA,2026-10-01,,,,1,\n{}\n",
        ",".repeat(100_000)
    );
    check_fault(wide, "statement_too_many_columns", Some(3));
}

#[test]
fn values_that_cannot_be_are_refused_on_their_line() {
    check(
        "Account,Date,Payee,Notes,Category,Amount,Cleared\n\
         A,2026-10-01,Shop,,,-5,\n\
         A,2026-10-01,Shop,,,NaN,\n\
         A,2026-10-01,Shop,,,1e9,\n\
         A,2026-10-01,Shop,,,99999999999999999999,\n\
         A,2026-10-01,Shop,,,10000000000000.01,\n\
         A,9999-10-01,Shop,,,-5,\n\
         A,0001-10-01,Shop,,,-5,\n\
         A,2026-02-30,Shop,,,-5,\n\
         A,2026-10-01,Sh\0op,,,-5,\n\
         A,2026-10-01,Shop,,,,\n\
         ,2026-10-01,Shop,,,-5,\n\
         A,2026-10-01,\"Shop,,,-5,\n\
         A,2026-10-01,=1+2,=HYPERLINK(\"x\"),,-6,\r\n\
         A,2026-10-01,Shop,,,-7,\r",
        &[
            "2:-500",
            "3:amount_invalid",
            "4:amount_invalid",
            "5:amount_too_large",
            "6:amount_too_large",
            "7:date_invalid",
            "8:date_invalid",
            "9:date_invalid",
            "10:control_character",
            "11:amount_missing",
            "12:account_missing",
            "13:quote_not_closed",
            "14:-600",
            "15:-700",
        ],
    );
    check(
        &ofx("<STMTTRN><DTPOSTED>20261001<TRNAMT>-1<NAME>a\0b</STMTTRN>\n\
             <STMTTRN><TRNAMT>-1</STMTTRN>\n\
             <STMTTRN><DTPOSTED>20261001</STMTTRN>\n\
             <STMTTRN><DTPOSTED>20261001<TRNAMT>-1<CURRENCY><CURSYM>ZZZ</CURRENCY></STMTTRN>\n\
             <STMTTRN><DTPOSTED>20261001<TRNAMT>-1.2.3</STMTTRN>"),
        &[
            "3:control_character",
            "4:date_missing",
            "5:amount_missing",
            "6:currency_invalid",
            "7:amount_invalid",
        ],
    );
    let long = "x".repeat(10_001);
    check(&camt(&camt_entry(&format!("<AddtlNtryInf>{long}</AddtlNtryInf>"))), &["3:field_too_long"]);
    check(
        "[{\"account\":\"a\",\"date\":\"2026-10-01\",\"amount\":1.5}, {\"account\":\"a\",\"date\":\"2026-10-01\",\"amount\":\"1\"},\n\
         {\"account\":\"a\",\"date\":\"2026-10-01\",\"amount\":-7,\"notes\":\"a\\u0000b\"}, 7, null, \"x\", {\"amount\":1,\"amount\":2},\n\
         {\"account\":\"a\",\"date\":\"2026-10-01\",\"amount\":-7,\"notes\":\"\\ud800\"}]",
        &[
            "1:amount_invalid",
            "2:1",
            "3:control_character",
            "4:element_unreadable",
            "5:element_unreadable",
            "6:element_unreadable",
            "7:element_unreadable",
            "8:element_unreadable",
        ],
    );
}

#[test]
fn a_statement_without_an_account_id_is_the_imports_own_only_when_it_is_alone() {
    let statement = |account: &str| {
        format!(
            "<STMTTRNRS><STMTRS><CURDEF>EUR<BANKACCTFROM>{account}</BANKACCTFROM><BANKTRANLIST>\n<STMTTRN><DTPOSTED>20261001<TRNAMT>-1</STMTTRN>\n</BANKTRANLIST></STMTRS></STMTTRNRS>"
        )
    };
    let file =
        |statements: &str| format!("OFXHEADER:100\n<OFX><BANKMSGSRSV1>{statements}</BANKMSGSRSV1></OFX>");
    let alone = read_as_recognised(file(&statement("<BANKID>5")).as_bytes()).unwrap();
    assert_eq!(outcomes(&alone), ["3:-100"]);
    assert_eq!(alone.lines[0].outcome.as_ref().unwrap().account, None);
    assert!(alone.reasons[0].because.contains("ACCTID"));

    let both = statement("<ACCTID>1") + &statement("<BANKID>5");
    check(&file(&both), &["3:-100", "5:account_missing"]);
}

#[test]
fn files_of_another_kind_are_named() {
    for (file, what) in [
        ("<html><body>Session expired</body></html>", "web page"),
        ("<?xml version=\"1.0\"?><rss></rss>", "XML document"),
        (
            "<Document><BkToCstmrDbtCdtNtfctn>\n<Ntfctn></Ntfctn></BkToCstmrDbtCdtNtfctn></Document>",
            "CAMT.054",
        ),
        ("<Document><BkToCstmrAcctRpt>\n<Rpt></Rpt></BkToCstmrAcctRpt></Document>", "CAMT.052"),
    ] {
        let told = check_fault(file, "statement_format_not_recognised", None);
        assert!(told.contains(what), "{told}");
    }
    check_fault("!Type:Bank\n", "statement_without_records", Some(1));
    check_fault(ofx(""), "statement_without_records", Some(4));
    check_fault("Account,Date,Payee,Memo,Outflow,Inflow\n", "statement_without_records", Some(1));
    check_fault("{\"data\": [], \"attributes\": 1}", "statement_without_records", Some(1));
    check_fault("{\"accounts\": []}", "statement_malformed", Some(1));
    check_fault(" \n", "statement_empty", None);
    let failed = "OFXHEADER:100\n<OFX><BANKMSGSRSV1><STMTTRNRS><STATUS><CODE>2000\n<SEVERITY>ERROR\n<MESSAGE>Try tomorrow\n</STATUS></STMTTRNRS></BANKMSGSRSV1></OFX>";
    let told = check_fault(failed, "statement_malformed", Some(3));
    assert!(told.contains("Try tomorrow"), "{told}");
    assert!(matches!(recognise(b"\x01\x02"), Ok(Format::Csv)));
}

#[test]
fn a_file_without_line_ends_is_numbered_by_its_transactions() {
    let one_line =
        camt(&(camt_entry("") + &camt_entry("<Sts>PDNG</Sts>") + &camt_entry(""))).replace('\n', "");
    let statement = read_as_recognised(one_line.as_bytes()).unwrap();
    assert_eq!(statement.numbered_by, NumberedBy::Transaction);
    assert_eq!(outcomes(&statement), ["1:-100", "2:not_settled", "3:-100"]);
}

#[test]
fn a_statement_error_tells_its_fix() {
    let faults = [
        StatementError::Malformed { line: 7, reason: "the file ends".to_owned() },
        StatementError::TooDeep { line: 7 },
        StatementError::TooManyAccounts { line: 7 },
        StatementError::EntityRefused { line: 7, what: "an entity of its own" },
    ];
    for fault in faults {
        let told = fault.to_string();
        assert!(told.contains('7') && told.ends_with('.') && told.matches(". ").count() >= 1, "{told}");
    }
}
