//! Writes the rows of a batch and the checkpoint they stand for in one tx.

use std::collections::BTreeMap;

use chrono::NaiveDate;
use domain::{entry::Entry, event::Verdict, id::BookId, money::Currency, text::Text};
use rusqlite::{Connection, OptionalExtension, Statement, TransactionBehavior, params};

use crate::{
    projection::{DaySums, Edit, EntryChange, EntryRow, PostingRow, PostingRows, Rows, Sums},
    sheet::{self, DaySum},
};

/// What a projector hands over: rows, and the records of a partition they were made of.
#[derive(Debug)]
pub struct Batch {
    pub partition: u32,
    /// Where the checkpoint has to stand for these rows to be the next ones.
    pub after: u64,
    pub through: u64,
    /// The state of the ownership rule after `through`, as the journal's reader writes it down.
    pub fence: String,
    pub rows: Rows,
}

#[derive(Debug, thiserror::Error)]
pub enum ApplyError {
    /// Somebody else has written these rows, or the model is another one by now. Nothing was written.
    #[error("the checkpoint of partition {partition} is no longer at {expected}")]
    CheckpointMoved { partition: u32, expected: u64 },
    #[error("the read model could not be written")]
    Sqlite(#[from] rusqlite::Error),
    #[error("the entry {entry} is in the read model in a form that cannot be read")]
    Body { entry: String, source: serde_json::Error },
    #[error("the read model's writer has stopped")]
    Stopped,
}

impl ApplyError {
    /// Whether the same batch may well succeed in a moment.
    pub fn is_busy(&self) -> bool {
        match self {
            ApplyError::Sqlite(error) => matches!(
                error.sqlite_error_code(),
                Some(rusqlite::ErrorCode::DatabaseBusy | rusqlite::ErrorCode::DatabaseLocked)
            ),
            ApplyError::CheckpointMoved { .. } | ApplyError::Body { .. } | ApplyError::Stopped => false,
        }
    }
}

pub(crate) fn apply(connection: &mut Connection, batch: &Batch) -> Result<(), ApplyError> {
    // A tx that only became a writing one later would be refused at once if another wrote in between.
    let tx = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
    write_batch(&tx, batch)?;
    tx.commit()?;
    Ok(())
}

/// Inside the caller's tx, which is to be rolled back if this fails.
pub(crate) fn write_batch(tx: &Connection, batch: &Batch) -> Result<(), ApplyError> {
    move_checkpoint(tx, batch)?;
    write(tx, &batch.rows)
}

fn move_checkpoint(tx: &Connection, batch: &Batch) -> Result<(), ApplyError> {
    let Batch { partition, after, through, fence, .. } = batch;
    if *after == 0 {
        tx.prepare_cached(include_str!("../sql/checkpoints_insert_first.sql"))?.execute([partition])?;
    }
    let moved = tx
        .prepare_cached(include_str!("../sql/checkpoints_update_from_old.sql"))?
        .execute(params![partition, after, through, fence])?;
    if moved == 0 {
        return Err(ApplyError::CheckpointMoved { partition: *partition, expected: *after });
    }
    Ok(())
}

fn write(tx: &Connection, rows: &Rows) -> Result<(), ApplyError> {
    for edit in &rows.edits {
        write_edit(tx, edit)?;
    }
    write_entries_added(tx, &rows.entries_added)?;
    insert_postings(tx, &rows.postings_added)?;
    if rows.entries_changed.is_empty() {
        write_sums(tx, &rows.sums)?;
    } else {
        let mut sums = rows.sums.clone();
        for change in &rows.entries_changed {
            write_entry_change(tx, change, &mut sums)?;
        }
        write_sums(tx, &sums)?;
    }
    write_history(tx, rows)?;
    Ok(())
}

fn write_edit(tx: &Connection, edit: &Edit) -> rusqlite::Result<()> {
    match edit {
        Edit::BookCreated { book, settings, created_at } => {
            tx.prepare_cached(include_str!("../sql/books_insert.sql"))?.execute(params![
                book.as_bytes(),
                settings.name.as_str(),
                settings.currency.code(),
                settings.currency.decimals(),
                settings.time_zone,
                settings.week_starts_on.as_str(),
                settings.month_starts_on,
                created_at,
            ])?;
        }
        Edit::BookChanged { book, settings } => {
            tx.prepare_cached(include_str!("../sql/books_update_settings.sql"))?.execute(params![
                book.as_bytes(),
                settings.name.as_str(),
                settings.currency.code(),
                settings.currency.decimals(),
                settings.time_zone,
                settings.week_starts_on.as_str(),
                settings.month_starts_on,
            ])?;
        }
        Edit::MemberAdded { book, user, role } => {
            let mut upsert = tx.prepare_cached(include_str!("../sql/members_upsert.sql"))?;
            upsert.execute(params![book.as_bytes(), user.as_bytes(), role.as_str()])?;
        }
        Edit::MemberRemoved { book, user } => {
            let mut delete = tx.prepare_cached(include_str!("../sql/members_delete.sql"))?;
            delete.execute(params![book.as_bytes(), user.as_bytes()])?;
        }
        Edit::InvitationMade { book, invitation, email, role, expires_at } => {
            tx.prepare_cached(include_str!("../sql/invitations_insert.sql"))?.execute(params![
                book.as_bytes(),
                invitation.as_bytes(),
                email.as_str(),
                role.as_str(),
                expires_at,
            ])?;
        }
        Edit::InvitationGone { book, invitation } => {
            let mut delete = tx.prepare_cached(include_str!("../sql/invitations_delete.sql"))?;
            delete.execute(params![book.as_bytes(), invitation.as_bytes()])?;
        }
        Edit::AccountOpened { book, account, name, kind, currency, opened_on } => {
            tx.prepare_cached(include_str!("../sql/accounts_insert.sql"))?.execute(params![
                book.as_bytes(),
                account.as_bytes(),
                name.as_str(),
                kind.as_str(),
                currency.code(),
                currency.decimals(),
                opened_on.to_string(),
            ])?;
        }
        Edit::AccountChanged { book, account, name, kind } => {
            let mut update = tx.prepare_cached(include_str!("../sql/accounts_update_change.sql"))?;
            update.execute(params![book.as_bytes(), account.as_bytes(), name.as_str(), kind.as_str()])?;
        }
        Edit::AccountClosed { book, account, closed } => {
            let mut update = tx.prepare_cached(include_str!("../sql/accounts_update_closed.sql"))?;
            update.execute(params![book.as_bytes(), account.as_bytes(), closed])?;
        }
        Edit::AccountWithdrawn { book, account, withdrawn } => {
            let mut update = tx.prepare_cached(include_str!("../sql/accounts_update_withdrawn.sql"))?;
            update.execute(params![book.as_bytes(), account.as_bytes(), withdrawn])?;
        }
        Edit::CategoryAdded { book, category, name, kind, parent, icon, colour } => {
            tx.prepare_cached(include_str!("../sql/categories_insert.sql"))?.execute(params![
                book.as_bytes(),
                category.as_bytes(),
                name.as_str(),
                kind.as_str(),
                parent.as_ref().map(|parent| parent.as_bytes()),
                icon,
                colour,
            ])?;
        }
        Edit::CategoryChanged { book, category, name, parent, icon, colour } => {
            tx.prepare_cached(include_str!("../sql/categories_update_change.sql"))?.execute(params![
                book.as_bytes(),
                category.as_bytes(),
                name.as_str(),
                parent.as_ref().map(|parent| parent.as_bytes()),
                icon,
                colour,
            ])?;
        }
        Edit::CategoryArchived { book, category, archived, merged_into } => {
            tx.prepare_cached(include_str!("../sql/categories_update_archived.sql"))?.execute(params![
                book.as_bytes(),
                category.as_bytes(),
                archived,
                merged_into.as_ref().map(|into| into.as_bytes()),
            ])?;
        }
        Edit::CategoryWithdrawn { book, category, withdrawn } => {
            let mut update = tx.prepare_cached(include_str!("../sql/categories_update_withdrawn.sql"))?;
            update.execute(params![book.as_bytes(), category.as_bytes(), withdrawn])?;
        }
        Edit::ImportStarted { book, import, file_name, lines, started_at, version } => {
            tx.prepare_cached(include_str!("../sql/imports_insert.sql"))?.execute(params![
                book.as_bytes(),
                import.as_bytes(),
                file_name.as_str(),
                lines,
                started_at,
                version,
            ])?;
        }
        Edit::ImportLinesJudged { book, import, lines, version } => {
            let (mut taken, mut duplicates, mut refused) = (0, 0, 0);
            let mut insert = tx.prepare_cached(include_str!("../sql/import_lines_insert.sql"))?;
            for judged in lines {
                let (verdict, entry, code, detail) = match &judged.verdict {
                    Verdict::Taken { entry } => {
                        taken += 1;
                        ("taken", Some(entry.as_bytes()), None, None)
                    }
                    Verdict::DuplicateOf { entry } | Verdict::MirrorOf { entry, .. } => {
                        duplicates += 1;
                        ("duplicate_of", Some(entry.as_bytes()), None, None)
                    }
                    Verdict::Refused { code, detail } => {
                        refused += 1;
                        ("refused", None, Some(code), detail.as_str())
                    }
                };
                let (book, import) = (book.as_bytes(), import.as_bytes());
                insert.execute(params![book, import, judged.line, verdict, entry, code, detail])?;
            }
            tx.prepare_cached(include_str!("../sql/imports_update_judged.sql"))?.execute(params![
                book.as_bytes(),
                import.as_bytes(),
                taken,
                duplicates,
                refused,
                version,
            ])?;
        }
        Edit::ImportFinished { book, import, version } => {
            let mut update = tx.prepare_cached(include_str!("../sql/imports_update_finished.sql"))?;
            update.execute(params![book.as_bytes(), import.as_bytes(), version])?;
        }
        Edit::ImportReverted { book, import, reverted, version } => {
            let mut update = tx.prepare_cached(include_str!("../sql/imports_update_reverted.sql"))?;
            update.execute(params![book.as_bytes(), import.as_bytes(), version, reverted])?;
        }
    }
    Ok(())
}

fn write_entries_added(tx: &Connection, rows: &[EntryRow]) -> rusqlite::Result<()> {
    let mut insert = tx.prepare_cached(include_str!("../sql/entries_insert.sql"))?;
    for row in rows {
        write_entry(&mut insert, row)?;
    }
    Ok(())
}

/// Insert and update take the same values in the same order.
fn write_entry(statement: &mut Statement, row: &EntryRow) -> rusqlite::Result<()> {
    let entry = &row.entry;
    let told = entry.told();
    statement.execute(params![
        row.book.as_bytes(),
        entry.id.as_bytes(),
        entry.occurred_on.to_string(),
        entry.kind.as_str(),
        entry.account().as_ref().map(|(account, _)| account.as_bytes()),
        told.minor,
        told.currency.code(),
        entry.payee.as_ref().and_then(Text::as_str),
        row.words,
        row.version,
        row.recorded_at,
        row.corrected_at,
        row.removed,
        row.body,
    ])?;
    Ok(())
}

fn insert_postings(tx: &Connection, rows: &PostingRows) -> rusqlite::Result<()> {
    for (statement, rows) in [
        (include_str!("../sql/entry_accounts_insert.sql"), &rows.to_accounts),
        (include_str!("../sql/entry_categories_insert.sql"), &rows.to_categories),
    ] {
        let mut insert = tx.prepare_cached(statement)?;
        for PostingRow { book, ledger, occurred_on, entry, position, money } in rows {
            let (book, ledger, entry) = (book.as_bytes(), ledger.as_bytes(), entry.as_bytes());
            let (occurred_on, currency) = (occurred_on.to_string(), money.currency.code());
            insert.execute(params![book, ledger, occurred_on, entry, position, money.minor, currency])?;
        }
    }
    Ok(())
}

fn delete_postings(tx: &Connection, rows: &PostingRows) -> rusqlite::Result<()> {
    for (statement, rows) in [
        (include_str!("../sql/entry_accounts_delete.sql"), &rows.to_accounts),
        (include_str!("../sql/entry_categories_delete.sql"), &rows.to_categories),
    ] {
        let mut delete = tx.prepare_cached(statement)?;
        for PostingRow { book, ledger, occurred_on, entry, position, .. } in rows {
            let (book, ledger, entry) = (book.as_bytes(), ledger.as_bytes(), entry.as_bytes());
            delete.execute(params![book, ledger, occurred_on.to_string(), entry, position])?;
        }
    }
    Ok(())
}

fn write_entry_change(tx: &Connection, change: &EntryChange, sums: &mut Sums) -> Result<(), ApplyError> {
    let EntryChange { book, entry: id, version, corrected, recategorised, removed } = change;
    let found: Option<(String, String, bool)> = tx
        .prepare_cached(include_str!("../sql/entries_select_before.sql"))?
        .query_row(params![book.as_bytes(), id.as_bytes()], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))
        .optional()?;
    // As in `Book::evolve`, nothing becomes of an entry that is not there.
    let Some((body, recorded_at, removed_before)) = found else { return Ok(()) };
    let before: Entry =
        serde_json::from_str(&body).map_err(|source| ApplyError::Body { entry: id.to_string(), source })?;
    let removed = removed.unwrap_or(removed_before);
    let recategorised = recategorised.as_ref().map(|recategorised| recategorised.apply(&before));
    let corrected = corrected.as_ref().or(recategorised.as_ref());

    if !removed_before {
        sums.post(*book, &before, -1);
    }
    if !removed {
        sums.post(*book, corrected.map_or(&before, |correction| &correction.entry), 1);
    }
    match corrected {
        None => {
            let mut update = tx.prepare_cached(include_str!("../sql/entries_update_removed.sql"))?;
            update.execute(params![book.as_bytes(), id.as_bytes(), version, removed])?;
        }
        Some(correction) => {
            let row = EntryRow {
                book: *book,
                entry: correction.entry.clone(),
                body: correction.body.clone(),
                words: correction.words.clone(),
                version: *version,
                recorded_at,
                corrected_at: Some(correction.at.clone()),
                removed,
            };
            let mut update = tx.prepare_cached(include_str!("../sql/entries_update.sql"))?;
            write_entry(&mut update, &row)?;
            delete_postings(tx, &PostingRows::of([(*book, &before)].into_iter()))?;
            insert_postings(tx, &PostingRows::of([(*book, &row.entry)].into_iter()))?;
        }
    }
    Ok(())
}

fn write_sums(tx: &Connection, sums: &Sums) -> rusqlite::Result<()> {
    let mut balances: Vec<_> = sums.balances.iter().filter(|(_, minor)| **minor != 0).collect();
    balances.sort_unstable_by_key(|(key, _)| **key);
    let mut update = tx.prepare_cached(include_str!("../sql/accounts_update_balance.sql"))?;
    for ((book, account), minor) in balances {
        update.execute(params![book.as_bytes(), account.as_bytes(), minor])?;
    }

    write_sheets(tx, &CATEGORY_MONTHS, &sums.categories, |category| category.as_bytes().to_vec())?;
    write_sheets(tx, &ACCOUNT_MONTHS, &sums.accounts, |account| account.as_bytes().to_vec())?;
    write_sheets(tx, &SPLIT_YEARS, &sums.splits, |categories| {
        categories.iter().flat_map(|category| *category.as_bytes()).collect()
    })
}

/// A table of sheets: their statements take book, span, subject, currency and days in this order.
struct Sheets {
    select: &'static str,
    upsert: &'static str,
    delete: &'static str,
    /// How many letters of a day its span is: `2026-11` or `2026`.
    span_letters: usize,
}

const CATEGORY_MONTHS: Sheets = Sheets {
    select: include_str!("../sql/category_months_select_days.sql"),
    upsert: include_str!("../sql/category_months_upsert_days.sql"),
    delete: include_str!("../sql/category_months_delete.sql"),
    span_letters: 7,
};
const ACCOUNT_MONTHS: Sheets = Sheets {
    select: include_str!("../sql/account_months_select_days.sql"),
    upsert: include_str!("../sql/account_months_upsert_days.sql"),
    delete: include_str!("../sql/account_months_delete.sql"),
    span_letters: 7,
};
const SPLIT_YEARS: Sheets = Sheets {
    select: include_str!("../sql/split_years_select_days.sql"),
    upsert: include_str!("../sql/split_years_upsert_days.sql"),
    delete: include_str!("../sql/split_years_delete.sql"),
    span_letters: 4,
};

/// Book, span, subject and currency.
type SheetKey = (BookId, String, Vec<u8>, Currency);

/// In the order of the table's key: neighbours in the tree are written one after the other.
fn write_sheets<S>(
    tx: &Connection,
    table: &Sheets,
    sums: &DaySums<S>,
    subject_bytes: impl Fn(&S) -> Vec<u8>,
) -> rusqlite::Result<()> {
    let mut sheets: BTreeMap<SheetKey, Vec<(NaiveDate, DaySum)>> = BTreeMap::new();
    for ((book, day, subject, currency), sum) in sums.iter().filter(|(_, sum)| **sum != DaySum::default()) {
        let mut span = day.to_string();
        span.truncate(table.span_letters);
        sheets.entry((*book, span, subject_bytes(subject), *currency)).or_default().push((*day, *sum));
    }
    let mut select = tx.prepare_cached(table.select)?;
    let mut upsert = tx.prepare_cached(table.upsert)?;
    let mut delete = tx.prepare_cached(table.delete)?;
    for ((book, span, subject, currency), moves) in sheets {
        let key = (book.as_bytes(), span, subject, currency.code());
        let found: Option<Vec<u8>> =
            select.query_row(params![key.0, key.1, key.2, key.3], |row| row.get(0)).optional()?;
        let days = sheet::moved(found.as_deref().unwrap_or_default(), &moves);
        if days.is_empty() {
            delete.execute(params![key.0, key.1, key.2, key.3])?;
        } else {
            upsert.execute(params![key.0, key.1, key.2, key.3, days])?;
        }
    }
    Ok(())
}

fn write_history(tx: &Connection, rows: &Rows) -> rusqlite::Result<()> {
    let mut insert = tx.prepare_cached(include_str!("../sql/commits_insert.sql"))?;
    for commit in &rows.commits {
        insert.execute(params![
            commit.book.as_bytes(),
            commit.version,
            commit.recorded_at,
            commit.actor.as_bytes(),
            commit.command,
            commit.events,
            commit.hash,
        ])?;
    }
    let mut insert = tx.prepare_cached(include_str!("../sql/thing_versions_insert.sql"))?;
    for touched in &rows.thing_versions {
        insert.execute(params![touched.book.as_bytes(), touched.thing.as_bytes(), touched.version])?;
    }
    let mut update = tx.prepare_cached(include_str!("../sql/books_update_head.sql"))?;
    for (book, head) in &rows.heads {
        update.execute(params![book.as_bytes(), head.version, head.hash])?;
    }
    Ok(())
}
