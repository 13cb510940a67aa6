//! The command API as its callers see it, in process: the real router, a real journal and key store in a directory of
//! their own.

mod faulty_journal;
mod world;

mod endpoints;
mod idempotency;
mod imports;
mod owner;
mod owner_storms;
mod problem_codes;
mod refusals;
mod replay;
mod versions;
