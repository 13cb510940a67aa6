//! The layers of the configuration, put over each other setting by setting, so that each value remembers where it
//! was written.

use std::{collections::BTreeMap, fmt, path::PathBuf};

use toml::{Table, Value};

use super::{DEFAULTS, Fault, Faults, REDACTED, SECRETS, Settings};

const ENVIRONMENT_PREFIX: &str = "DAYBOOK__";

/// Where a value was written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Layer {
    Default,
    File(PathBuf),
    Environment(String),
    Flag(&'static str),
}

impl fmt::Display for Layer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Layer::Default => write!(f, "default"),
            Layer::File(path) => write!(f, "file {}", path.display()),
            Layer::Environment(name) => write!(f, "environment {name}"),
            Layer::Flag(name) => write!(f, "flag {name}"),
        }
    }
}

/// The flags that stand for settings.
#[derive(Debug, Clone, Default)]
pub struct Flags {
    pub config: Option<PathBuf>,
    pub data: Option<PathBuf>,
    pub listen: Option<String>,
    pub operations_listen: Option<String>,
}

/// What is in force.
#[derive(Debug)]
pub struct Effective {
    pub settings: Settings,
    values: BTreeMap<String, (Value, Layer)>,
}

impl Effective {
    /// Key, value (secrets redacted) and origin of every setting, in the order of their keys.
    pub fn values(&self) -> impl Iterator<Item = (&str, Value, &Layer)> {
        self.values.iter().map(|(key, (value, layer))| (key.as_str(), shown(key, value), layer))
    }
}

/// Puts the layers together and validates the sum. `environment` is every variable of the process.
pub fn load(
    flags: &Flags,
    environment: impl IntoIterator<Item = (String, String)>,
) -> Result<Effective, Faults> {
    let mut values = BTreeMap::new();
    for (key, value) in flattened(defaults()) {
        values.insert(key, (value, Layer::Default));
    }
    let mut stack = Stack { values, faults: Vec::new() };

    if let Some(path) = &flags.config {
        let layer = Layer::File(path.clone());
        match read(path) {
            Ok(table) => {
                for (key, value) in flattened(table) {
                    stack.set(&key, value, layer.clone());
                }
            }
            // What the other layers say is no use without this one.
            Err(fault) => return Err(Faults(vec![fault])),
        }
    }
    let mut variables: Vec<(String, String)> =
        environment.into_iter().filter(|(name, _)| name.starts_with(ENVIRONMENT_PREFIX)).collect();
    variables.sort();
    for (name, text) in variables {
        let key = name[ENVIRONMENT_PREFIX.len()..].to_lowercase().replace("__", ".");
        stack.set_text(&key, text, Layer::Environment(name));
    }
    let data = flags.data.as_ref().map(|path| path.to_string_lossy().into_owned());
    for (key, text, flag) in [
        ("data.dir", data, "--data"),
        ("server.listen", flags.listen.clone(), "--listen"),
        ("server.operations_listen", flags.operations_listen.clone(), "--operations-listen"),
    ] {
        if let Some(text) = text {
            stack.set_text(key, text, Layer::Flag(flag));
        }
    }
    stack.finish()
}

struct Stack {
    values: BTreeMap<String, (Value, Layer)>,
    faults: Vec<Fault>,
}

impl Stack {
    /// Takes text for what the default of the setting is: a number where that is a number, a list where that is one.
    fn set_text(&mut self, key: &str, text: String, layer: Layer) {
        let value = match self.values.get(key) {
            Some((Value::Integer(_), _)) => text.parse().map_or(Value::String(text), Value::Integer),
            Some((Value::Boolean(_), _)) => text.parse().map_or(Value::String(text), Value::Boolean),
            Some((Value::Array(_), _)) => {
                let words = text.split(',').map(str::trim).filter(|word| !word.is_empty());
                Value::Array(words.map(|word| Value::String(word.to_owned())).collect())
            }
            Some(_) | None => Value::String(text),
        };
        self.set(key, value, layer);
    }

    fn set(&mut self, key: &str, value: Value, layer: Layer) {
        let Some((known, _)) = self.values.get(key) else {
            let fix = match self.nearest(key) {
                Some(nearest) => format!("there is no such setting; {nearest} is meant?"),
                None => "there is no such setting; `daybook config default` lists them all".to_owned(),
            };
            // The value of a misspelt secret is one, too.
            self.faults.push(Fault { key: key.to_owned(), value: None, layer: Some(layer), fix });
            return;
        };
        if !known.same_type(&value) {
            let fix = match known {
                Value::Integer(_) => "write a whole number, without quotes".to_owned(),
                Value::Boolean(_) => "write true or false".to_owned(),
                Value::Array(_) => "write a list, as in [\"one\", \"two\"]".to_owned(),
                _ => "write text in quotes".to_owned(),
            };
            let value = Some(shown(key, &value).to_string());
            self.faults.push(Fault { key: key.to_owned(), value, layer: Some(layer), fix });
            return;
        }
        self.values.insert(key.to_owned(), (value, layer));
    }

    /// The setting that a misspelt key most probably means.
    fn nearest(&self, key: &str) -> Option<&str> {
        let name = key.rsplit('.').next().unwrap_or(key);
        let same_name = self.values.keys().find(|known| known.rsplit('.').next() == Some(name));
        let close = || {
            let distances = self.values.keys().map(|known| (edit_distance(known, key), known));
            distances.min().filter(|(distance, _)| *distance <= 3).map(|(_, known)| known)
        };
        same_name.or_else(close).map(String::as_str)
    }

    fn finish(self) -> Result<Effective, Faults> {
        let Stack { values, mut faults } = self;
        let mut table = defaults();
        for (key, (value, layer)) in &values {
            // Setting by setting, so that each value that cannot be read is told and the others are still checked.
            let mut trial = table.clone();
            if let Some((section, name)) = key.split_once('.')
                && let Some(Value::Table(section)) = trial.get_mut(section)
            {
                section.insert(name.to_owned(), value.clone());
            }
            match trial.clone().try_into::<Settings>() {
                Ok(_) => table = trial,
                Err(error) => faults.push(Fault {
                    key: key.clone(),
                    value: Some(shown(key, value).to_string()),
                    layer: Some(layer.clone()),
                    fix: error.message().to_owned(),
                }),
            }
        }
        let settings: Settings = table.try_into().expect("every step on the way to this table was read");
        if let Err(Faults(found)) = settings.validate() {
            let layer_of = |key: &str| values.get(key).map(|(_, layer)| layer.clone());
            faults.extend(found.into_iter().map(|fault| Fault { layer: layer_of(&fault.key), ..fault }));
        }
        if faults.is_empty() { Ok(Effective { settings, values }) } else { Err(Faults(faults)) }
    }
}

fn defaults() -> Table {
    toml::from_str(DEFAULTS).expect("a test reads the compiled-in defaults")
}

fn read(path: &PathBuf) -> Result<Table, Fault> {
    let fault = |fix: String| Fault {
        key: "--config".to_owned(),
        value: Some(path.display().to_string()),
        layer: None,
        fix,
    };
    let text = std::fs::read_to_string(path)
        .map_err(|error| fault(format!("the file cannot be read ({error}); name one that can")))?;
    toml::from_str(&text).map_err(|error| {
        let line =
            error.span().map_or(1, |span| text[..span.start.min(text.len())].matches('\n').count() + 1);
        fault(format!("line {line} is not TOML: {}", error.message()))
    })
}

/// `section.name` and value of everything in a file.
fn flattened(table: Table) -> Vec<(String, Value)> {
    let mut values = Vec::new();
    for (section, value) in table {
        match value {
            Value::Table(settings) => {
                values.extend(settings.into_iter().map(|(name, value)| (format!("{section}.{name}"), value)));
            }
            other => values.push((section, other)),
        }
    }
    values
}

fn shown(key: &str, value: &Value) -> Value {
    if SECRETS.contains(&key) { Value::String(REDACTED.to_owned()) } else { value.clone() }
}

/// How many letters have to be added, taken away or changed to come from one word to the other.
fn edit_distance(from: &str, to: &str) -> usize {
    let to: Vec<char> = to.chars().collect();
    let mut row: Vec<usize> = (0..=to.len()).collect();
    for (index, letter) in from.chars().enumerate() {
        let mut diagonal = row[0];
        row[0] = index + 1;
        for (column, other) in to.iter().enumerate() {
            let changed = diagonal + usize::from(letter != *other);
            diagonal = row[column + 1];
            row[column + 1] = changed.min(row[column] + 1).min(diagonal + 1);
        }
    }
    row[to.len()]
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Write;

    fn file(text: &str) -> tempfile::NamedTempFile {
        let mut file = tempfile::NamedTempFile::new().unwrap();
        file.write_all(text.as_bytes()).unwrap();
        file
    }

    fn load_with(
        file_text: &str,
        variables: &[(&str, &str)],
        flags: Flags,
    ) -> Result<Effective, Vec<String>> {
        let file = file(file_text);
        let flags = Flags { config: Some(file.path().to_owned()), ..flags };
        let variables = variables.iter().map(|(name, text)| ((*name).to_owned(), (*text).to_owned()));
        load(&flags, variables).map_err(|Faults(faults)| {
            let path = file.path().display().to_string();
            faults.iter().map(|fault| fault.to_string().replace(&path, "F")).collect()
        })
    }

    #[track_caller]
    fn refused(file_text: &str, variables: &[(&str, &str)], expected: &[&str]) {
        let faults = load_with(file_text, variables, Flags::default()).unwrap_err();
        assert_eq!(faults, expected);
    }

    #[test]
    fn later_layers_go_over_earlier_ones_and_each_value_knows_its_layer() {
        let file_text = "[server]\nlisten = \"127.0.0.1:1\"\nconnections_max = 7\ndrain_deadline_ms = 5\n";
        let variables = [
            ("DAYBOOK__SERVER__LISTEN", "127.0.0.1:2"),
            ("DAYBOOK__SERVER__CONNECTIONS_MAX", "8"),
            ("OTHER", "x"),
        ];
        let flags = Flags { listen: Some("127.0.0.1:3".to_owned()), ..Flags::default() };
        let effective = load_with(file_text, &variables, flags).unwrap();
        assert_eq!(effective.settings.server.listen, "127.0.0.1:3");
        assert_eq!(effective.settings.server.connections_max, 8);
        assert_eq!(effective.settings.server.drain_deadline_ms, 5);
        assert_eq!(effective.settings.journal.partitions, 4);
        let layer = |key: &str| effective.values().find(|(known, _, _)| *known == key).unwrap().2.clone();
        assert_eq!(layer("server.listen"), Layer::Flag("--listen"));
        assert_eq!(
            layer("server.connections_max"),
            Layer::Environment("DAYBOOK__SERVER__CONNECTIONS_MAX".to_owned())
        );
        assert!(matches!(layer("server.drain_deadline_ms"), Layer::File(_)));
        assert_eq!(layer("journal.partitions"), Layer::Default);
    }

    #[test]
    fn unknown_settings_are_refused_with_the_one_that_is_probably_meant() {
        refused(
            "colour = 1\n[server]\nlisten_on = \"x\"\n[log]\nfilters = \"info\"\n[elsewhere]\npartitions = 3\n",
            &[("DAYBOOK__COMMAND_API__NONSENSE", "1")],
            &[
                "colour (file F): there is no such setting; `daybook config default` lists them all",
                "elsewhere.partitions (file F): there is no such setting; journal.partitions is meant?",
                "log.filters (file F): there is no such setting; log.filter is meant?",
                "server.listen_on (file F): there is no such setting; server.listen is meant?",
                "command_api.nonsense (environment DAYBOOK__COMMAND_API__NONSENSE): there is no such setting; \
                 `daybook config default` lists them all",
            ],
        );
    }

    #[test]
    fn values_of_another_type_are_refused_where_they_are_written() {
        refused(
            "[server]\nlisten = 8080\n[log]\nformat = \"xml\"\n[demo]\npassword = 12345678\n",
            &[("DAYBOOK__JOURNAL__PARTITIONS", "four"), ("DAYBOOK__QUERY_API__MIN_VERSION_WAIT_MS", "-1")],
            &[
                "demo.password = \"[redacted]\" (file F): write text in quotes",
                "server.listen = 8080 (file F): write text in quotes",
                "journal.partitions = \"four\" (environment DAYBOOK__JOURNAL__PARTITIONS): write a whole number, \
                 without quotes",
                "log.format = \"xml\" (file F): unknown variant `xml`, expected `text` or `json`",
                "query_api.min_version_wait_ms = -1 (environment DAYBOOK__QUERY_API__MIN_VERSION_WAIT_MS): invalid value: integer \
                 `-1`, expected u64",
            ],
        );
    }

    #[test]
    fn values_that_do_not_hold_are_told_with_their_layer_beside_the_unreadable_ones() {
        refused(
            "[command_api]\nkeys_kept_days = 7\n[log]\nformat = \"xml\"\n",
            &[],
            &[
                "log.format = \"xml\" (file F): unknown variant `xml`, expected `text` or `json`",
                "command_api.keys_kept_days = 7 (file F): write a number from 30 to 3650",
            ],
        );
    }

    #[test]
    fn text_that_looks_like_a_number_stays_text_where_text_is_meant() {
        let effective = load_with("", &[("DAYBOOK__DEMO__PASSWORD", "12345678")], Flags::default()).unwrap();
        let password = effective.values().find(|(key, _, _)| *key == "demo.password").unwrap();
        assert_eq!(password.1, Value::String("[redacted]".to_owned()));
    }

    #[test]
    fn lists_stand_in_the_environment_with_commas_between() {
        let proxies = ("DAYBOOK__IDENTITY__TRUSTED_PROXIES", "10.0.0.1, ::1");
        let effective = load_with("", &[proxies], Flags::default()).unwrap();
        assert_eq!(effective.settings.identity.trusted_proxies.len(), 2);
        refused(
            "[identity]\ntrusted_origins = \"https://one.example\"\n",
            &[("DAYBOOK__IDENTITY__TRUSTED_PROXIES", "gateway")],
            &[
                "identity.trusted_origins = \"https://one.example\" (file F): write a list, as in [\"one\", \"two\"]",
                "identity.trusted_proxies = [\"gateway\"] (environment DAYBOOK__IDENTITY__TRUSTED_PROXIES): invalid IP \
                 address syntax",
            ],
        );
    }

    #[test]
    fn a_file_that_is_missing_or_not_toml_is_named() {
        let missing = Flags { config: Some(PathBuf::from("/nowhere/daybook.toml")), ..Flags::default() };
        let faults = load(&missing, []).unwrap_err().to_string();
        assert!(
            faults.starts_with("--config = /nowhere/daybook.toml: the file cannot be read ("),
            "{faults}"
        );
        let faults = load_with("[server]\nlisten = \n", &[], Flags::default()).unwrap_err();
        assert!(faults[0].starts_with("--config = F: line 2 is not TOML: "), "{faults:?}");
    }
}
