//! What a record of the journal may say of an entry. Written by this program it is right; this is for the others.

use domain::posting::Postings;

#[track_caller]
fn check(postings: &str, expected: &str) {
    let account = "acc_01h455vb4pex5vsknk084sn02q";
    let category = "cat_01h455vb4pex5vsknk084sn02q";
    let json = postings.replace("acc_", account).replace("cat_", category);
    let answer = serde_json::from_str::<Postings>(&json).map_err(|error| error.to_string());
    match answer {
        Ok(_) => assert_eq!("read", expected, "{postings}"),
        Err(error) => assert!(error.contains(expected), "{postings}: {error}"),
    }
}

#[test]
fn postings_are_read_only_if_they_balance() {
    let of = |amounts: [(&str, &str); 2]| {
        let [(left, of_left), (right, of_right)] = amounts;
        format!(
            r#"[{{"account":"acc_","amount":"{left}","currency":"{of_left}"}},
                {{"category":"cat_","amount":"{right}","currency":"{of_right}"}}]"#
        )
    };
    check(&of([("-1.00", "EUR"), ("1.00", "EUR")]), "read");
    check(&of([("-1.00", "EUR"), ("1.01", "EUR")]), "do not sum to zero");
    check(&of([("-1.00", "EUR"), ("1.00", "USD")]), "do not sum to zero");
    check(&of([("-1.00", "EUR"), ("10.0", "EUR")]), "do not sum to zero");
    check(&of([("-1.00", "EURO"), ("1.00", "EURO")]), "no currency code");
    check(&of([("-1.00", "eur"), ("1.00", "eur")]), "no currency code");
    check(&of([("-1e2", "EUR"), ("1e2", "EUR")]), "digits with a point");
    check(&of([("9223372036854775808", "JPY"), ("-9223372036854775808", "JPY")]), "minor units");
    check("[]", "do not sum to zero");
    check(r#"[{"account":"acc_","amount":"0.00","currency":"EUR"}]"#, "do not sum to zero");
}

#[test]
fn a_posting_names_one_place_and_nothing_unknown() {
    let beside = |posting: &str| {
        format!(r#"[{posting},{{"equity":"opening_balances","amount":"-1.00","currency":"EUR"}}]"#)
    };
    check(&beside(r#"{"account":"acc_","amount":"1.00","currency":"EUR"}"#), "read");
    check(
        &beside(r#"{"account":"acc_","category":"cat_","amount":"1.00","currency":"EUR"}"#),
        "names exactly one",
    );
    check(&beside(r#"{"amount":"1.00","currency":"EUR"}"#), "names exactly one");
    check(&beside(r#"{"equity":"gifts","amount":"1.00","currency":"EUR"}"#), "unknown variant");
    check(&beside(r#"{"account":"cat_","amount":"1.00","currency":"EUR"}"#), "looks like acc_");
    check(&beside(r#"{"account":"acc_","amount":1.00,"currency":"EUR"}"#), "invalid type");
    check(&beside(r#"{"account":"acc_","amount":"1.00","currency":"EUR","memo":"x"}"#), "unknown field");
}
