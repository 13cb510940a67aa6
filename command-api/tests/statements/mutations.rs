//! Thousands of damaged samples, the same ones in every run: whatever the bytes are, there is an answer, it can be used,
//! and it costs no memory to speak of.

use std::panic::{AssertUnwindSafe, catch_unwind};

use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};

use super::formats::{check_invariants, read_as_recognised, samples};

const SEED: u64 = 0x5747_4d45;
const MUTATIONS: usize = 20_000;

/// What parsers stumble over.
const FRAGMENTS: [&[u8]; 24] = [
    b"<",
    b">",
    b"</",
    b"&",
    b"&#0;",
    b"&x;",
    b"<!DOCTYPE a [<!ENTITY b \"c\">]>",
    b"<![CDATA[",
    b"\"",
    b"{",
    b"[",
    b"^\n",
    b"!Type:Bank\n",
    b"S[",
    b"$",
    b"\0",
    b"\xff",
    b"\xe2\x82",
    b"\r",
    b"-",
    b"99999999999999999999",
    b"NaN",
    b"\\ud800",
    b",,,,,,,,",
];

fn damage(bytes: &mut Vec<u8>, random: &mut StdRng) {
    for _ in 0..random.random_range(1..=4) {
        let at = random.random_range(0..=bytes.len());
        let to = (at + random.random_range(0..40)).min(bytes.len());
        match random.random_range(0..6) {
            0 => bytes.truncate(at),
            1 => drop(bytes.drain(at..to)),
            2 => {
                let copied = bytes[at..to].to_vec();
                bytes.splice(at..at, copied);
            }
            3 if at < bytes.len() => bytes[at] = random.random(),
            _ => {
                let fragment = FRAGMENTS[random.random_range(0..FRAGMENTS.len())];
                bytes.splice(at..at, fragment.iter().copied());
            }
        }
    }
}

#[test]
fn no_damaged_sample_panics_or_breaks_what_an_import_relies_on() {
    let samples = samples();
    let mut random = StdRng::seed_from_u64(SEED);
    let (mut read, mut refused) = (0, 0);
    for number in 0..MUTATIONS {
        let sample = &samples[number % samples.len()];
        let mut bytes = sample.bytes.clone();
        damage(&mut bytes, &mut random);
        let outcome = catch_unwind(AssertUnwindSafe(|| match read_as_recognised(&bytes) {
            Ok(statement) => {
                check_invariants(&statement);
                // A line of the report stands for some of the file's bytes.
                assert!(statement.lines.len() <= bytes.len());
                true
            }
            Err(fault) => {
                assert!(!fault.to_string().is_empty());
                false
            }
        }));
        let name = &sample.name;
        let shown = String::from_utf8_lossy(&bytes);
        let was_read =
            outcome.unwrap_or_else(|_| panic!("mutation {number} of {name}, seed {SEED}:\n{shown}"));
        read += usize::from(was_read);
        refused += usize::from(!was_read);
    }
    // Damage that always or never made a file unreadable would test little.
    assert!(read > MUTATIONS / 5 && refused > MUTATIONS / 20, "{read} read, {refused} refused");
}
