use domain::book::KeptEntry;
use http_kit::exchange::{Account, Book, Category, Entry, Format};
use serde::Serialize;

use super::{Write, chart::Chart};
use crate::answer::json_text;

/// Writes an [`http_kit::exchange::BookFile`], one thing a line.
pub struct Json {
    chart: Chart,
    has_entries: bool,
}

impl Json {
    pub fn new(chart: Chart) -> Self {
        Self { chart, has_entries: false }
    }
}

impl Write for Json {
    fn head(&mut self) -> Vec<u8> {
        let Chart { standing, accounts, tree, .. } = &self.chart;
        let accounts = lines(accounts.iter().map(|(id, account)| Account::of(*id, account)));
        let categories = lines(tree.iter().map(|(id, category)| Category::of(id, category)));
        let (format, book) = (json_text(&Format::BookV1), json_text(&Book::of(&standing.settings)));
        let head = format!(
            "{{\"format\":{format},\n\"book\":{book},\n\"accounts\":[{accounts}],\n\"categories\":[{categories}],\n\"entries\":["
        );
        head.into_bytes()
    }

    fn entries(&mut self, batch: &[KeptEntry]) -> Vec<u8> {
        let told = lines(batch.iter().filter(|kept| self.chart.has_all_of(&kept.entry)).map(Entry::of));
        if told.is_empty() {
            return Vec::new();
        }
        let comma = if self.has_entries { "," } else { "" };
        self.has_entries = true;
        format!("{comma}{told}").into_bytes()
    }

    fn tail(&mut self) -> Vec<u8> {
        b"]}\n".to_vec()
    }

    fn has_removed(&self) -> bool {
        true
    }
}

fn lines(things: impl Iterator<Item = impl Serialize>) -> String {
    let lines: Vec<String> = things.map(|thing| format!("\n{}", json_text(&thing))).collect();
    lines.join(",")
}
