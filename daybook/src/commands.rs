//! One file per command.

pub mod serve;

pub mod demo;

pub mod audit;
pub mod rebuild;

pub mod config;
pub mod keys;
pub mod openapi;
