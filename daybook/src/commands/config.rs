use clap::Subcommand;
use serde_json::json;

use crate::{
    cli::Failure,
    config::{self, Flags, Layer},
};

/// Show and check the settings.
#[derive(Debug, Subcommand)]
#[command(after_help = "\
Examples:
  daybook config default > daybook.toml
  daybook config show --config daybook.toml
  DAYBOOK__LOG__FORMAT=json daybook config check")]
pub enum Command {
    /// Print every setting with its default and what it is for, as a file to start from.
    Default,
    /// Print every setting in force and where its value was written; secrets are not shown.
    Show {
        /// Print one JSON document.
        #[arg(long)]
        json: bool,
    },
    /// Read all layers and name everything that is wrong with them; ends with 2 if anything is.
    Check,
}

pub fn run(command: Command, flags: Flags) -> Result<(), Failure> {
    match command {
        Command::Default => print!("{}", config::DEFAULTS),
        Command::Show { json: false } => print!("{}", table(&load(&flags)?)),
        Command::Show { json: true } => println!("{:#}", document(&load(&flags)?)),
        Command::Check => {
            load(&flags)?;
            println!("The configuration is valid.");
        }
    }
    Ok(())
}

fn load(flags: &Flags) -> Result<config::Effective, Failure> {
    Ok(config::load(flags, config::environment())?)
}

fn table(effective: &config::Effective) -> String {
    let lines: Vec<(String, &Layer)> =
        effective.values().map(|(key, value, layer)| (format!("{key} = {value}"), layer)).collect();
    let width = lines.iter().map(|(line, _)| line.chars().count()).max().unwrap_or(0);
    lines.iter().map(|(line, layer)| format!("{line:width$}  # {layer}\n")).collect()
}

fn document(effective: &config::Effective) -> serde_json::Value {
    let settings: Vec<_> = effective
        .values()
        .map(|(key, value, layer)| json!({"key": key, "value": value, "layer": layer.to_string()}))
        .collect();
    json!({ "settings": settings })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn effective() -> config::Effective {
        let environment = [("DAYBOOK__DEMO__PASSWORD".to_owned(), "a hidden word".to_owned())];
        config::load(&Flags { listen: Some("127.0.0.1:0".to_owned()), ..Flags::default() }, environment)
            .unwrap()
    }

    #[test]
    fn the_table_names_the_layer_of_each_value_and_hides_secrets() {
        let table = table(&effective());
        let has =
            |start: &str, end: &str| table.lines().any(|line| line.starts_with(start) && line.ends_with(end));
        assert!(has("server.listen = \"127.0.0.1:0\" ", " # flag --listen"), "{table}");
        assert!(has("demo.password = \"[redacted]\" ", " # environment DAYBOOK__DEMO__PASSWORD"), "{table}");
        assert!(has("journal.partitions = 4 ", " # default"), "{table}");
        assert!(!table.contains("hidden word"));
    }

    #[test]
    fn the_document_says_the_same_for_machines() {
        let document = document(&effective());
        let settings = document["settings"].as_array().unwrap();
        assert!(settings.contains(&json!({"key": "journal.partitions", "value": 4, "layer": "default"})));
        assert!(!document.to_string().contains("hidden word"));
    }

    #[test]
    fn what_default_prints_is_a_file_that_changes_nothing() {
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), config::DEFAULTS).unwrap();
        let flags = Flags { config: Some(file.path().to_owned()), ..Flags::default() };
        config::load(&flags, []).unwrap();
    }
}
