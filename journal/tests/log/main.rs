//! The log of record, from the outside: what every backend owes, what counts, what is sealed, what shows.

mod contract;
mod sqlite;

mod events;
mod names;
mod writing;

mod commit_reader;
mod keys;
mod ownership;
mod ownership_properties;
mod record;
mod seal;
mod tenure;
mod verify;
mod verify_export;
mod verify_records;
