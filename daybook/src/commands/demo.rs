use std::{fs, io, path::Path};

use anyhow::{Context, bail};
use chrono::{NaiveDate, Utc};
use clap::Args;
use command_api::{Order, Owners, Print, Refusal};
use domain::{Rejection, id::UserId};
use identity::{IdentityError, SignUp};
use secrecy::ExposeSecret;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::{
    cli::Failure, config::Settings, data_dir::DataDir, demo, embedded::Embedded, layout::Layout, telemetry,
};

/// Make a demo person with three years of a household's life; a second time changes nothing.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  daybook demo
  daybook demo --seed 7 --last-day 2026-11-23 --data /tmp/daybook")]
pub struct Demo {
    /// The same seed and last day make the same household; goes over the setting `demo.seed`.
    #[arg(long)]
    pub seed: Option<u32>,
    /// The last of the household's days; goes over the setting `demo.last_day`.
    #[arg(long, value_name = "DAY")]
    pub last_day: Option<NaiveDate>,
}

pub fn run(options: &Demo, settings: &Settings) -> Result<(), Failure> {
    telemetry::start(&settings.log)?;
    let mut settings = settings.clone();
    settings.demo.seed = options.seed.unwrap_or(settings.demo.seed);
    if let Some(last_day) = options.last_day {
        settings.demo.last_day = last_day.to_string();
    }
    let data = DataDir::take(&settings.data.dir)?;
    let runtime =
        tokio::runtime::Builder::new_multi_thread().enable_all().build().context("start the runtime")?;
    runtime.block_on(async {
        let embedded = Embedded::open(&settings, data).await?;
        let entries = fill(&embedded, &settings, &settings.data.dir).await?;
        embedded.stop().await?;
        match entries {
            Some(entries) => println!("The demo household is there, with {entries} entries."),
            None => println!("The demo household was there already."),
        }
        anyhow::Ok(())
    })?;
    Ok(())
}

/// Which household was made here, so that a later start does not make another one for its own day.
#[derive(Debug, Serialize, Deserialize)]
struct Made {
    user: UserId,
    seed: u32,
    last_day: NaiveDate,
    complete: bool,
}

/// Makes the demo person and their book, where they are not there yet; says how many entries it wrote. What was
/// begun before is finished: every command has its key, so none is done twice.
pub async fn fill(embedded: &Embedded, settings: &Settings, data: &Path) -> anyhow::Result<Option<usize>> {
    let path = Layout::of(data).demo;
    let mut made = match read(&path)? {
        Some(made) => made,
        None => {
            let made = Made {
                user: UserId::from_uuid(Uuid::now_v7()),
                seed: settings.demo.seed,
                last_day: settings.demo.last_day().unwrap_or_else(|| Utc::now().date_naive()),
                complete: false,
            };
            write(&path, &made)?;
            made
        }
    };
    if made.complete {
        return Ok(None);
    }
    sign_up(embedded, settings, made.user).await?;
    let entries = write_household(&embedded.owners, &made).await?;
    // Whoever is told that it is there finds all of it.
    embedded.settled().await;
    made.complete = true;
    write(&path, &made)?;
    Ok(Some(entries))
}

async fn sign_up(embedded: &Embedded, settings: &Settings, user: UserId) -> anyhow::Result<()> {
    let sign_up = SignUp {
        email: settings.demo.email.clone(),
        password: settings.demo.password.clone(),
        name: "Robin Berger".to_owned(),
        locale: Some("en".to_owned()),
        time_zone: Some("Europe/Berlin".to_owned()),
    };
    match embedded.identity.sign_up(user, sign_up).await {
        Ok(_) => Ok(()),
        Err(IdentityError::EmailTaken) => {
            let found = embedded.identity.store.user_by_email(settings.demo.email.to_lowercase()).await?;
            if found.is_some_and(|found| found.user.id == user) {
                return Ok(());
            }
            bail!(
                "demo.email = {:?} belongs to somebody else here; set another one, or another data.dir",
                settings.demo.email
            )
        }
        Err(IdentityError::Fields(faults)) => {
            let told: Vec<&str> = faults.iter().map(|fault| fault.detail.as_str()).collect();
            bail!("demo.email or demo.password cannot be used: {}", told.join(" "))
        }
        Err(error) => Err(error).context("sign the demo person up"),
    }
}

/// All at once in line, in order: the owner batches them as it would batch anybody's.
async fn write_household(owners: &Owners, made: &Made) -> anyhow::Result<usize> {
    let planned = demo::household(made.seed, made.last_day).commands();
    let book = planned.first().map(|first| command_api::book_id(made.user, &first.key));
    let book = book.context("the demo household has no book")?;
    let entries = planned.len() - 1;
    let mut answers = Vec::with_capacity(planned.len());
    for planned in planned {
        let key = command_api::key_print(made.user, book, &planned.key, "");
        let order = Order {
            book,
            actor: made.user,
            key,
            // The key says it all: there is one command to each.
            fingerprint: Print(key.0),
            if_match: None,
            command: planned.command,
            correlation_id: None,
            causation_id: None,
        };
        answers.push(owners.submit(order).context("put a demo command in line")?);
    }
    for answer in answers {
        match answer.await.unwrap_or(Err(Refusal::Unknown)) {
            // Its key may have been forgotten since, its effect has not.
            Ok(_) | Err(Refusal::Rejected(Rejection::BookExists | Rejection::IdTaken { .. })) => {}
            Err(refusal) => return Err(refusal).context("write the demo household"),
        }
    }
    Ok(entries)
}

fn read(path: &Path) -> anyhow::Result<Option<Made>> {
    match fs::read(path) {
        Ok(bytes) => {
            Ok(Some(serde_json::from_slice(&bytes).with_context(|| format!("read {}", path.display()))?))
        }
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error).with_context(|| format!("read {}", path.display())),
    }
}

fn write(path: &Path, made: &Made) -> anyhow::Result<()> {
    let fresh = path.with_extension("json.new");
    fs::write(&fresh, serde_json::to_vec_pretty(made)?)
        .and_then(|()| fs::rename(&fresh, path))
        .with_context(|| format!("write {}", path.display()))
}

/// For somebody who has just started the program.
pub fn tell_how_to_log_in(settings: &Settings, base: &str) {
    let (email, password) = (&settings.demo.email, settings.demo.password.expose_secret());
    println!(
        r#"
The demo household's three years are there. Log in as
  e-mail    {email}
  password  {password}

A first look:
  TOKEN=$(curl -s {base}/api/v1/auth/log-in -H 'Content-Type: application/json' \
    -d '{{"email":"{email}","password":"{password}"}}' | sed 's/.*"access_token":"\([^"]*\)".*/\1/')
  BOOK=$(curl -s {base}/api/v1/books -H "Authorization: Bearer $TOKEN" | grep -o 'book_[a-z0-9]*' | head -n 1)
  curl -s "{base}/api/v1/books/$BOOK/overview" -H "Authorization: Bearer $TOKEN"
"#
    );
}
