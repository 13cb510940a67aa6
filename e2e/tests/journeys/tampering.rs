//! What was done to the journal behind Daybook's back shows, and where.

use std::{fs, path::Path};

use daybook_e2e::{Client, Options, Server};
use rusqlite::{Connection, params};
use serde_json::{Value, json};

use crate::desk::{self, Ran};

/// A stopped server's data with one book of some commits.
struct Kept {
    data: tempfile::TempDir,
    book: String,
    partition: u32,
    /// Position and version of the record that is tampered with; the one after it is of the same book.
    position: u64,
    version: u64,
}

impl Kept {
    async fn new() -> Self {
        let data = tempfile::tempdir().unwrap();
        let server = Server::start(data.path(), &Options::default()).await;
        let client = Client::sign_up(server.base(), "Ada").await;
        let made = client.post("/api/v1/books", "book", &json!({"name": "Home", "currency": "EUR"})).await;
        let book = made.expect(201).json()["id"].as_str().unwrap().to_owned();
        let path = format!("/api/v1/books/{book}");
        for number in 0..8 {
            let change = json!({"name": format!("Home {number}")});
            client.patch(&path, number, &change).await.expect(200);
        }
        assert!(server.terminate().status.success());

        let journal = Connection::open(desk::journal_of(data.path())).unwrap();
        // One file that can be put back as it was.
        journal.query_row("pragma wal_checkpoint(truncate)", [], |_| Ok(())).unwrap();
        let find = |partition: u32| -> Option<(u32, u64)> {
            let sql = format!("select position from journal_{partition} where record like ?1");
            let mut statement = journal.prepare(&sql).unwrap();
            let mut found = statement.query([format!("%\"book\":\"{book}\",\"version\":5,%")]).unwrap();
            found.next().unwrap().map(|row| (partition, row.get(0).unwrap()))
        };
        let (partition, position) = (0..4).find_map(find).unwrap();
        drop(journal);
        Self { data, book, partition, position, version: 5 }
    }

    fn path(&self) -> &Path {
        self.data.path()
    }

    fn verify(&self) -> Ran {
        desk::run_on(self.path(), &["audit", "verify", "--json"])
    }

    /// Does something to the journal, has it verified, and puts everything back.
    fn tampered(&self, tamper: impl FnOnce(&Connection, &str)) -> Fault {
        let file = desk::journal_of(self.path());
        let kept = fs::read(&file).unwrap();
        let journal = Connection::open(&file).unwrap();
        tamper(&journal, &format!("journal_{}", self.partition));
        drop(journal);

        let ran = self.verify().expect(1);
        assert!(ran.err.starts_with("daybook: the first bad record: "), "{}", ran.err);
        let told = ran.json();
        assert_eq!(told["ok"], false);

        for suffix in ["-wal", "-shm"] {
            let _ = fs::remove_file(file.with_file_name(format!("journal.sqlite{suffix}")));
        }
        fs::write(&file, kept).unwrap();
        self.verify().expect(0);
        Fault(told["fault"].clone())
    }
}

/// What `audit verify` says of the first bad record.
struct Fault(Value);

impl Fault {
    #[track_caller]
    fn is_at(&self, place: &str) -> &Self {
        assert_eq!(self.0["place"], place, "{}", self.0);
        self
    }

    #[track_caller]
    fn is_of(&self, book: &str, version: u64) -> &Self {
        assert_eq!((&self.0["book"], &self.0["version"]), (&json!(book), &json!(version)), "{}", self.0);
        self
    }
}

#[tokio::test]
async fn whatever_is_done_to_a_record_is_named() {
    let kept = Kept::new().await;
    let Kept { book, partition, position, version, .. } = &kept;
    let verified = kept.verify().expect(0).json();
    assert_eq!(verified["ok"], true);
    assert_eq!(verified["verified"]["commits"], 9);
    assert_eq!(verified["verified"]["books"], 1);
    let place = |position: u64| format!("partition {partition}, record {position}");

    // One byte of the record: the minute of its recording.
    let fault = kept.tampered(|journal, table| {
        let sql = format!("select record from {table} where position = ?1");
        let record: String = journal.query_row(&sql, [position], |row| row.get(0)).unwrap();
        let at = record.find("\"recorded_at\":\"").unwrap() + "\"recorded_at\":\"YYYY-MM-DDTHH:M".len();
        let mut bytes = record.into_bytes();
        bytes[at] = if bytes[at] == b'0' { b'1' } else { b'0' };
        let sql = format!("update {table} set record = ?2 where position = ?1");
        journal.execute(&sql, params![position, String::from_utf8(bytes).unwrap()]).unwrap();
    });
    fault.is_at(&place(*position)).is_of(book, *version);

    // One byte of the hash beside it.
    let fault = kept.tampered(|journal, table| {
        let sql = format!(
            "update {table} set digest = cast(x'00' || substr(digest, 2) as blob) where position = ?1"
        );
        let changed = journal.execute(&sql, [position]).unwrap();
        assert_eq!(changed, 1);
    });
    fault.is_at(&place(*position));

    let fault = kept.tampered(|journal, table| {
        journal.execute(&format!("delete from {table} where position = ?1"), [position]).unwrap();
    });
    fault.is_at(&place(*position));

    // The gap closed again behind it.
    let fault = kept.tampered(|journal, table| {
        journal.execute(&format!("delete from {table} where position = ?1"), [position]).unwrap();
        let sql = format!("update {table} set position = position - 1 where position > ?1");
        journal.execute(&sql, [position]).unwrap();
        let sql = "update heads set position = position - 1 where partition = ?1";
        journal.execute(sql, [partition]).unwrap();
    });
    fault.is_at(&place(*position));

    let fault = kept.tampered(|journal, table| {
        for (from, to) in [(*position, 1_000_000), (position + 1, *position), (1_000_000, position + 1)] {
            let sql = format!("update {table} set position = ?2 where position = ?1");
            assert_eq!(journal.execute(&sql, [from, to]).unwrap(), 1);
        }
    });
    fault.is_at(&place(*position));

    // The last record of all, which no other follows.
    let last = position + 4;
    let fault = kept.tampered(|journal, table| {
        assert_eq!(journal.execute(&format!("delete from {table} where position = ?1"), [last]).unwrap(), 1);
    });
    fault.is_at(&place(last));
}

#[tokio::test]
async fn an_exported_book_is_verified_without_server_and_data() {
    let kept = Kept::new().await;
    let exported = desk::run_on(kept.path(), &["audit", "export", "--book", &kept.book]).expect(0).out;
    let lines: Vec<&str> = exported.lines().collect();
    assert_eq!(lines.len(), 10, "nine commits and the line that ends the file");
    let elsewhere = tempfile::tempdir().unwrap();
    let file = elsewhere.path().join("book.jsonl");
    let verify = |text: &str| {
        fs::write(&file, text).unwrap();
        let missing = elsewhere.path().join("no-data-here");
        desk::run_on(&missing, &["audit", "verify", file.to_str().unwrap(), "--json"])
    };

    let whole = verify(&exported).expect(0).json();
    assert_eq!((&whole["ok"], &whole["verified"]["commits"]), (&json!(true), &json!(9)));
    assert!(!elsewhere.path().join("no-data-here").exists(), "checking a file needs no data directory");

    let joined = |lines: &[&str]| lines.iter().map(|line| format!("{line}\n")).collect::<String>();
    let fault = |text: &str| Fault(verify(text).expect(1).json()["fault"].clone());
    fault(&exported.replacen("\"version\":4,", "\"version\":5,", 1)).is_at("line 4");
    fault(&joined(&[&lines[..3], &lines[4..]].concat())).is_at("line 4").is_of(&kept.book, 5);
    let mut swapped = lines.clone();
    swapped.swap(4, 5);
    fault(&joined(&swapped)).is_at("line 5").is_of(&kept.book, 6);
    fault(&joined(&lines[..9])).is_at("the end of the file");
    fault(&joined(&[&lines[..8], &lines[9..]].concat())).is_at("the end of the file");
    fault(&format!("{exported}{{}}\n")).is_at("line 11");
}
