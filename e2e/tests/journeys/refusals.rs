//! Every refusal that clients can meet, provoked on the running program: a table of requests with the status, the
//! code and the place of the fault that answer them. What is refused leaves the journal as it was.

mod asking;
mod table;
mod trouble;

use std::{collections::BTreeSet, fs, sync::Arc};

use http_kit::problem_codes::PROBLEM_CODES;

use crate::contract;
use asking::Met;

/// Codes that no request can come to, each with the reason.
const OUT_OF_REACH: [(&str, &str); 2] = [
    ("internal", "a fault of ours; a test that could provoke one would be a bug report"),
    ("statement_record_unreadable", "the CSV reader refuses nothing in text that was decoded before"),
];

#[tokio::test(flavor = "multi_thread")]
async fn every_code_is_met_and_every_operation_is_used() {
    let met = Arc::new(Met::default());
    tokio::join!(
        table::of_refusals(Arc::clone(&met)),
        trouble::a_journal_that_cannot_be_written(Arc::clone(&met)),
        trouble::a_read_model_that_lags(Arc::clone(&met)),
        trouble::keys_that_were_forgotten(Arc::clone(&met)),
        trouble::an_import_that_was_cut_short(Arc::clone(&met)),
        trouble::too_much_at_once(Arc::clone(&met)),
        trouble::a_full_book(Arc::clone(&met)),
    );

    let known: BTreeSet<&str> = PROBLEM_CODES.iter().map(|known| known.code).collect();
    let out_of_reach: BTreeSet<&str> = OUT_OF_REACH.iter().map(|(code, _)| *code).collect();
    assert!(out_of_reach.is_subset(&known), "the list of exceptions names codes that are gone");
    let codes = met.codes();
    let codes: BTreeSet<&str> = codes.iter().map(String::as_str).collect();
    let never_met: Vec<&&str> =
        known.difference(&codes).filter(|code| !out_of_reach.contains(**code)).collect();
    assert!(never_met.is_empty(), "no request came to {never_met:?}");
    let met_after_all: Vec<&&str> = out_of_reach.intersection(&codes).collect();
    assert!(met_after_all.is_empty(), "no longer out of reach: {met_after_all:?}");

    let api = serde_json::from_slice(&fs::read(contract::committed()).unwrap()).unwrap();
    let done = met.done();
    let never_done: Vec<_> = contract::operations(&api)
        .into_iter()
        .filter(|(method, template)| !done.iter().any(|(done, path)| done == method && is_of(path, template)))
        .collect();
    assert!(never_done.is_empty(), "no request succeeded at {never_done:?}");
}

fn is_of(path: &str, template: &str) -> bool {
    let (parts, wanted): (Vec<&str>, Vec<&str>) = (path.split('/').collect(), template.split('/').collect());
    parts.len() == wanted.len()
        && parts.iter().zip(wanted).all(|(part, wanted)| wanted.starts_with('{') || *part == wanted)
}
