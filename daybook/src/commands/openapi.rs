use anyhow::Context;
use clap::Args;

use crate::{cli::Failure, embedded};

/// Print the API's description, OpenAPI 3.1 in JSON.
#[derive(Debug, Args)]
#[command(after_help = "\
Example:
  daybook openapi > schemas/openapi.json")]
pub struct OpenApi {}

pub fn run() -> Result<(), Failure> {
    println!("{}", document().context("write the description")?);
    Ok(())
}

/// As it is committed under `schemas/`.
pub fn document() -> serde_json::Result<String> {
    serde_json::to_string_pretty(&embedded::openapi())
}
