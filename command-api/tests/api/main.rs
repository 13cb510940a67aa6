//! The command API as its callers see it, in process: the real router, a real journal and key store in a directory of
//! their own.

mod faulty_journal;
mod world;

mod balanced;
mod bulk;
mod conversion;
mod endpoints;
mod idempotency;
mod import_books;
mod import_formats;
mod import_transfers;
mod imports;
mod members;
mod merge;
mod owner;
mod owner_storms;
mod problem_codes;
mod recategorise;
mod refusals;
mod replay;
mod undo;
mod versions;
