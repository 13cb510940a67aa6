//! People, their logins and the tokens of these, in SQLite. The verbs are few and each is one database tx, so that
//! another database can stand in for this one; what they mean is decided above, in [`crate::identity`].

use std::{collections::HashMap, fs::OpenOptions, io, path::Path, thread};

use chrono::{DateTime, Utc};
use domain::id::{Id, Kind, UserId};
use rusqlite::{Connection, OptionalExtension, Row, Transaction, TransactionBehavior, params};
use tokio::sync::{mpsc, oneshot};

use crate::{profile::Profile, tokens::TokenHash};

pub enum SessionKind {}
impl Kind for SessionKind {
    const PREFIX: &'static str = "ses";
}

/// One login: the family of refresh tokens that came from it.
pub type SessionId = Id<SessionKind>;

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct User {
    pub id: UserId,
    pub email: String,
    pub profile: Profile,
    pub created_at: DateTime<Utc>,
}

/// A person with what only the log-in may see.
#[derive(Clone)]
pub struct StoredUser {
    pub user: User,
    pub password_hash: String,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Session {
    pub id: SessionId,
    pub user: UserId,
    pub created_at: DateTime<Utc>,
    pub last_used_at: DateTime<Utc>,
    pub expires_at: DateTime<Utc>,
    pub user_agent: Option<String>,
    /// The refresh token travels in a cookie, never in a body.
    pub in_cookie: bool,
    pub ended_at: Option<DateTime<Utc>>,
}

/// What is known of a refresh token that was presented.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PresentedToken {
    pub session: Session,
    /// `None` while the token can still be used.
    pub retired_at: Option<DateTime<Utc>>,
}

/// What becomes of the tokens a session has when it gets another one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Predecessors {
    Retire,
    Keep,
}

#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    #[error("the identity database failed")]
    Database(#[from] rusqlite::Error),
    #[error("the identity database cannot be opened")]
    File(#[from] io::Error),
    #[error(
        "the identity database has schema version {found}, this program knows {known}: use a newer program"
    )]
    SchemaTooNew { found: usize, known: usize },
    #[error("the thread of the identity database has ended")]
    Ended,
}

const MIGRATIONS: &[&str] = &[include_str!("../migrations/0001_users_and_sessions.sql")];

/// Work that may wait for the thread before callers wait for room.
const QUEUE_LEN: usize = 256;

type Work = Box<dyn FnOnce(&mut Connection) + Send>;

/// A handle to the thread that owns the connection; clones share it, and the last one ends it.
#[derive(Clone)]
pub struct Store {
    work: mpsc::Sender<Work>,
}

impl Store {
    pub fn open(path: &Path) -> Result<Self, StoreError> {
        if let Some(folder) = path.parent() {
            std::fs::create_dir_all(folder)?;
        }
        create_private(path)?;
        let mut connection = Connection::open(path)?;
        connection.pragma_update(None, "journal_mode", "wal")?;
        connection.pragma_update(None, "synchronous", "full")?;
        connection.pragma_update(None, "foreign_keys", true)?;
        connection.busy_timeout(std::time::Duration::from_secs(5))?;
        connection.set_prepared_statement_cache_capacity(32);
        migrate(&mut connection)?;

        let (work, mut waiting) = mpsc::channel::<Work>(QUEUE_LEN);
        thread::Builder::new().name("identity-store".to_owned()).spawn(move || {
            while let Some(work) = waiting.blocking_recv() {
                work(&mut connection);
            }
        })?;
        Ok(Self { work })
    }

    /// False where the e-mail address or the id is taken.
    pub async fn add_user(
        &self,
        user: User,
        email_lookup: String,
        password_hash: String,
    ) -> Result<bool, StoreError> {
        self.call(move |tx| {
            let mut insert = tx.prepare_cached(include_str!("../sql/users_insert.sql"))?;
            let added = insert.execute(params![
                user.id.to_string(),
                user.email,
                email_lookup,
                user.profile.name,
                user.profile.locale,
                user.profile.time_zone,
                password_hash,
                millis(user.created_at),
            ])?;
            Ok(added == 1)
        })
        .await
    }

    pub async fn user_by_email(&self, email_lookup: String) -> Result<Option<StoredUser>, StoreError> {
        self.call(move |tx| {
            let mut select = tx.prepare_cached(include_str!("../sql/users_select_by_email.sql"))?;
            select.query_row([email_lookup], read_user).optional()
        })
        .await
    }

    pub async fn user(&self, id: UserId) -> Result<Option<StoredUser>, StoreError> {
        self.call(move |tx| {
            let mut select = tx.prepare_cached(include_str!("../sql/users_select_by_id.sql"))?;
            select.query_row([id.to_string()], read_user).optional()
        })
        .await
    }

    /// The names of these people; who is not known is not in the answer.
    pub async fn names(&self, users: &[UserId]) -> Result<HashMap<UserId, String>, StoreError> {
        let ids = serde_json::json!(users).to_string();
        self.call(move |tx| {
            let mut select = tx.prepare_cached(include_str!("../sql/users_select_names.sql"))?;
            let names = select.query_map([ids], |row| Ok((read_id(row, 0)?, row.get(1)?)))?;
            names.collect()
        })
        .await
    }

    pub async fn change_profile(&self, user: UserId, profile: Profile) -> Result<(), StoreError> {
        self.call(move |tx| {
            let mut update = tx.prepare_cached(include_str!("../sql/users_update_profile.sql"))?;
            update.execute(params![user.to_string(), profile.name, profile.locale, profile.time_zone])?;
            Ok(())
        })
        .await
    }

    /// Sets the password and ends all sessions of the person but `kept`.
    pub async fn change_password(
        &self,
        user: UserId,
        password_hash: String,
        kept: SessionId,
        now: DateTime<Utc>,
    ) -> Result<(), StoreError> {
        self.call(move |tx| {
            tx.prepare_cached(include_str!("../sql/users_update_password.sql"))?
                .execute(params![user.to_string(), password_hash])?;
            tx.prepare_cached(include_str!("../sql/sessions_update_ended_all.sql"))?.execute(params![
                user.to_string(),
                kept.to_string(),
                millis(now)
            ])?;
            Ok(())
        })
        .await
    }

    /// Opens a session with its first token. Of the person's sessions the `sessions_max` used last stay open.
    pub async fn open_session(
        &self,
        session: Session,
        token: TokenHash,
        sessions_max: usize,
    ) -> Result<(), StoreError> {
        self.call(move |tx| {
            let created_at = millis(session.created_at);
            tx.prepare_cached(include_str!("../sql/sessions_insert.sql"))?.execute(params![
                session.id.to_string(),
                session.user.to_string(),
                created_at,
                millis(session.expires_at),
                session.user_agent,
                session.in_cookie,
            ])?;
            tx.prepare_cached(include_str!("../sql/refresh_tokens_insert.sql"))?.execute(params![
                token.as_bytes(),
                session.id.to_string(),
                created_at
            ])?;
            let sessions_max = i64::try_from(sessions_max).unwrap_or(i64::MAX);
            tx.prepare_cached(include_str!("../sql/sessions_update_ended_beyond.sql"))?.execute(params![
                session.user.to_string(),
                sessions_max,
                created_at
            ])?;
            Ok(())
        })
        .await
    }

    pub async fn presented_token(&self, token: TokenHash) -> Result<Option<PresentedToken>, StoreError> {
        self.call(move |tx| read_presented(tx, &token)).await
    }

    /// Gives a session its next token, if what was read of the presented one still holds; else false, and the
    /// caller reads and decides again.
    pub async fn rotate(
        &self,
        presented: TokenHash,
        as_read: PresentedToken,
        next: TokenHash,
        predecessors: Predecessors,
        now: DateTime<Utc>,
        expires_at: DateTime<Utc>,
    ) -> Result<bool, StoreError> {
        self.call(move |tx| {
            let Some(current) = read_presented(tx, &presented)? else {
                return Ok(false);
            };
            if current.session.ended_at.is_some() || current.retired_at != as_read.retired_at {
                return Ok(false);
            }
            let session = as_read.session.id.to_string();
            match predecessors {
                Predecessors::Retire => {
                    tx.prepare_cached(include_str!("../sql/refresh_tokens_update_retired.sql"))?
                        .execute(params![session, millis(now)])?;
                }
                Predecessors::Keep => {}
            }
            tx.prepare_cached(include_str!("../sql/refresh_tokens_insert.sql"))?.execute(params![
                next.as_bytes(),
                session,
                millis(now)
            ])?;
            tx.prepare_cached(include_str!("../sql/sessions_update_used.sql"))?.execute(params![
                session,
                millis(now),
                millis(expires_at)
            ])?;
            Ok(true)
        })
        .await
    }

    /// The sessions of a person that are open, the one used last first.
    pub async fn open_sessions(&self, user: UserId, now: DateTime<Utc>) -> Result<Vec<Session>, StoreError> {
        self.call(move |tx| {
            let mut select = tx.prepare_cached(include_str!("../sql/sessions_select_open.sql"))?;
            select.query_map(params![user.to_string(), millis(now)], read_session)?.collect()
        })
        .await
    }

    /// False where the person has no such open session.
    pub async fn end_session(
        &self,
        user: UserId,
        session: SessionId,
        now: DateTime<Utc>,
    ) -> Result<bool, StoreError> {
        self.call(move |tx| {
            let mut update = tx.prepare_cached(include_str!("../sql/sessions_update_ended_one.sql"))?;
            Ok(update.execute(params![session.to_string(), user.to_string(), millis(now)])? == 1)
        })
        .await
    }

    pub async fn end_all_sessions(&self, user: UserId, now: DateTime<Utc>) -> Result<(), StoreError> {
        self.call(move |tx| {
            let mut update = tx.prepare_cached(include_str!("../sql/sessions_update_ended_all.sql"))?;
            // No session has an empty id, so none is spared.
            update.execute(params![user.to_string(), "", millis(now)])?;
            Ok(())
        })
        .await
    }

    /// Forgets sessions that ended, and tokens that were retired, before this instant.
    pub async fn forget_before(&self, instant: DateTime<Utc>) -> Result<(), StoreError> {
        self.call(move |tx| {
            tx.prepare_cached(include_str!("../sql/sessions_delete_old.sql"))?.execute([millis(instant)])?;
            tx.prepare_cached(include_str!("../sql/refresh_tokens_delete_old.sql"))?
                .execute([millis(instant)])?;
            Ok(())
        })
        .await
    }

    async fn call<T: Send + 'static>(
        &self,
        verb: impl FnOnce(&Transaction<'_>) -> rusqlite::Result<T> + Send + 'static,
    ) -> Result<T, StoreError> {
        let (answer, answered) = oneshot::channel();
        let work: Work = Box::new(move |connection| {
            let result = connection
                .transaction_with_behavior(TransactionBehavior::Immediate)
                .and_then(|tx| verb(&tx).and_then(|value| tx.commit().map(|()| value)));
            // Nobody waits any more where a client has hung up; the work is done all the same.
            drop(answer.send(result));
        });
        self.work.send(work).await.map_err(|_| StoreError::Ended)?;
        Ok(answered.await.map_err(|_| StoreError::Ended)??)
    }
}

/// Password hashes are for the eyes of the service only; SQLite gives its journal the rights of the database.
fn create_private(path: &Path) -> io::Result<()> {
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    match options.open(path) {
        Ok(_) => Ok(()),
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Ok(()),
        Err(error) => Err(error),
    }
}

fn migrate(connection: &mut Connection) -> Result<(), StoreError> {
    let tx = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
    let done: usize = tx.pragma_query_value(None, "user_version", |row| row.get(0))?;
    if done > MIGRATIONS.len() {
        return Err(StoreError::SchemaTooNew { found: done, known: MIGRATIONS.len() });
    }
    for migration in &MIGRATIONS[done..] {
        tx.execute_batch(migration)?;
    }
    tx.pragma_update(None, "user_version", MIGRATIONS.len())?;
    tx.commit()?;
    Ok(())
}

fn read_presented(tx: &Transaction<'_>, token: &TokenHash) -> rusqlite::Result<Option<PresentedToken>> {
    let mut select = tx.prepare_cached(include_str!("../sql/sessions_select_by_token.sql"))?;
    select
        .query_row([token.as_bytes()], |row| {
            let retired_at = row.get::<_, Option<i64>>(8)?.map(instant).transpose()?;
            Ok(PresentedToken { session: read_session(row)?, retired_at })
        })
        .optional()
}

fn read_user(row: &Row<'_>) -> rusqlite::Result<StoredUser> {
    let profile = Profile { name: row.get(2)?, locale: row.get(3)?, time_zone: row.get(4)? };
    let user = User { id: read_id(row, 0)?, email: row.get(1)?, profile, created_at: instant(row.get(5)?)? };
    Ok(StoredUser { user, password_hash: row.get(6)? })
}

fn read_session(row: &Row<'_>) -> rusqlite::Result<Session> {
    Ok(Session {
        id: read_id(row, 0)?,
        user: read_id(row, 1)?,
        created_at: instant(row.get(2)?)?,
        last_used_at: instant(row.get(3)?)?,
        expires_at: instant(row.get(4)?)?,
        user_agent: row.get(5)?,
        in_cookie: row.get(6)?,
        ended_at: row.get::<_, Option<i64>>(7)?.map(instant).transpose()?,
    })
}

fn read_id<K: Kind>(row: &Row<'_>, column: usize) -> rusqlite::Result<Id<K>> {
    row.get_ref(column)?.as_str()?.parse().map_err(|error| {
        rusqlite::Error::FromSqlConversionFailure(column, rusqlite::types::Type::Text, Box::new(error))
    })
}

fn millis(instant: DateTime<Utc>) -> i64 {
    instant.timestamp_millis()
}

fn instant(millis: i64) -> rusqlite::Result<DateTime<Utc>> {
    DateTime::from_timestamp_millis(millis).ok_or(rusqlite::Error::IntegralValueOutOfRange(0, millis))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tokens::RefreshToken;
    use uuid::Uuid;

    fn at(seconds: i64) -> DateTime<Utc> {
        DateTime::from_timestamp(1_800_000_000 + seconds, 0).unwrap()
    }

    fn user(number: u128) -> User {
        let profile = Profile { name: format!("Person {number}"), locale: None, time_zone: None };
        let id = UserId::from_uuid(Uuid::from_u128(number));
        User { id, email: format!("p{number}@example.org"), profile, created_at: at(0) }
    }

    fn session(number: u128, user: UserId) -> Session {
        Session {
            id: SessionId::from_uuid(Uuid::from_u128(number)),
            user,
            created_at: at(number as i64),
            last_used_at: at(number as i64),
            expires_at: at(10_000),
            user_agent: Some("Browser".into()),
            in_cookie: true,
            ended_at: None,
        }
    }

    async fn add(store: &Store, user: &User) -> bool {
        store.add_user(user.clone(), user.email.clone(), "hash".into()).await.unwrap()
    }

    #[tokio::test]
    async fn a_person_is_kept_across_a_restart_and_an_address_only_once() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("deep/identity.sqlite");
        let store = Store::open(&path).unwrap();
        assert!(add(&store, &user(1)).await);
        assert!(!add(&store, &User { email: user(1).email, ..user(2) }).await);
        drop(store);
        let store = Store::open(&path).unwrap();
        let found = store.user_by_email("p1@example.org".into()).await.unwrap().unwrap();
        assert_eq!(found.user, user(1));
        assert_eq!(store.user(user(1).id).await.unwrap().unwrap().user, user(1));
        assert!(store.user(user(2).id).await.unwrap().is_none());
    }

    #[tokio::test]
    async fn names_are_answered_for_those_who_are_known() {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::open(&folder.path().join("i.sqlite")).unwrap();
        add(&store, &user(1)).await;
        add(&store, &user(2)).await;
        let names = store.names(&[user(1).id, user(2).id, user(3).id]).await.unwrap();
        let expected =
            HashMap::from([(user(1).id, "Person 1".to_owned()), (user(2).id, "Person 2".to_owned())]);
        assert_eq!(names, expected);
        assert!(store.names(&[]).await.unwrap().is_empty());
    }

    #[tokio::test]
    async fn only_one_of_two_rotations_of_a_token_happens() {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::open(&folder.path().join("i.sqlite")).unwrap();
        add(&store, &user(1)).await;
        let token = RefreshToken::generate().hash();
        store.open_session(session(1, user(1).id), token, 10).await.unwrap();
        let read = store.presented_token(token).await.unwrap().unwrap();
        let rotate = || {
            let next = RefreshToken::generate().hash();
            store.rotate(token, read.clone(), next, Predecessors::Retire, at(5), at(20_000))
        };
        let (first, second) = tokio::join!(rotate(), rotate());
        assert_eq!([first.unwrap(), second.unwrap()], [true, false]);
        let read = store.presented_token(token).await.unwrap().unwrap();
        assert_eq!((read.retired_at, read.session.last_used_at), (Some(at(5)), at(5)));
    }

    #[tokio::test]
    async fn sessions_over_the_bound_end_the_longest_unused_first() {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::open(&folder.path().join("i.sqlite")).unwrap();
        add(&store, &user(1)).await;
        for number in 1..=4 {
            let token = RefreshToken::generate().hash();
            store.open_session(session(number, user(1).id), token, 3).await.unwrap();
        }
        let open = store.open_sessions(user(1).id, at(100)).await.unwrap();
        let ids: Vec<_> = open.iter().map(|session| session.id.uuid().as_u128()).collect();
        assert_eq!(ids, [4, 3, 2]);
    }

    #[tokio::test]
    async fn what_ended_long_ago_is_forgotten_with_its_tokens() {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::open(&folder.path().join("i.sqlite")).unwrap();
        add(&store, &user(1)).await;
        let (ended, open) = (RefreshToken::generate().hash(), RefreshToken::generate().hash());
        store.open_session(session(1, user(1).id), ended, 10).await.unwrap();
        store.open_session(session(2, user(1).id), open, 10).await.unwrap();
        assert!(store.end_session(user(1).id, session(1, user(1).id).id, at(10)).await.unwrap());
        store.forget_before(at(11)).await.unwrap();
        assert_eq!(store.presented_token(ended).await.unwrap(), None);
        assert!(store.presented_token(open).await.unwrap().is_some());
    }

    #[test]
    fn a_database_of_a_newer_program_is_left_alone() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("i.sqlite");
        Connection::open(&path).unwrap().pragma_update(None, "user_version", 99).unwrap();
        let Err(error) = Store::open(&path) else { panic!("it was opened") };
        assert!(error.to_string().contains("schema version 99"), "{error}");
    }

    #[cfg(unix)]
    #[test]
    fn the_database_can_be_read_by_its_owner_only() {
        use std::os::unix::fs::PermissionsExt;
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("i.sqlite");
        let _store = Store::open(&path).unwrap();
        for name in ["i.sqlite", "i.sqlite-wal"] {
            let mode = std::fs::metadata(folder.path().join(name)).unwrap().permissions().mode();
            assert_eq!(mode & 0o777, 0o600, "{name}");
        }
    }
}
