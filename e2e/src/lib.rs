//! What whole-system tests stand on: the executable as a process of its own, and a person who uses its API.
//!
//! `tests/journeys` walk through the API as people and operators do; `tests/crash` kills the process while it writes
//! and holds what is left against what was answered.

mod executable;
mod server;

mod client;

pub use client::{Answer, Client, try_send};
pub use executable::daybook;
pub use server::{Ended, Options, Server};
