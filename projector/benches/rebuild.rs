//! How fast a read model is rebuilt from a journal on this machine: `cargo bench -p daybook-projector`. Arguments:
//! books, entries, how often.

#[path = "../tests/household/mod.rs"]
#[allow(dead_code)]
mod household;

use daybook_projector::rebuild;
use household::Household;

fn main() {
    let mut numbers = std::env::args().filter_map(|argument| argument.parse::<usize>().ok());
    let books = numbers.next().unwrap_or(1_000);
    let entries = numbers.next().unwrap_or(300_000);
    let times = numbers.next().unwrap_or(2);
    let data_dir = tempfile::tempdir().expect("a temporary folder can be made");
    let mut household = Household::new(data_dir.path(), 4, books);
    for _ in 0..10 {
        household.add_entries(entries / 10);
    }
    // The first has nothing to compare with, the second has the first.
    for _ in 0..times {
        let (journal, keys) = (household.journal.clone(), household.keys.clone());
        let report =
            rebuild(journal, keys, data_dir.path(), None, &mut |_| {}).expect("the journal is sound");
        let building = report.seconds - report.seconds_comparing;
        println!(
            "{books} books, {} events built in {building:.1} s: {:.0} events/s; {} rows compared in {:.1} s, {} differences",
            report.events,
            report.events as f64 / building,
            report.compared_rows,
            report.seconds_comparing,
            report.differences.len()
        );
    }
}
