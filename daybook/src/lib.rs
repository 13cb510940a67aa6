//! The one executable: it composes the services, and gives operators their commands.
//!
//! Read in this order: what can be asked for ([`cli`], [`commands`]), what can be set ([`config`]), what a process
//! has around its services ([`data_dir`], [`telemetry`], [`operations`], [`shutdown`]), and the household that
//! shows what Daybook is like ([`demo`]).

pub mod cli;
pub mod commands;

pub mod config;

pub mod data_dir;
pub mod operations;
pub mod shutdown;
pub mod telemetry;

pub mod demo;

pub mod embedded;
pub mod layout;
