//! What identity does, apart from HTTP: people sign up and log in; a login is a session with a family of refresh
//! tokens, of which only the newest may be used.

use std::sync::Arc;

use chrono::{DateTime, Duration, Utc};
use domain::id::UserId;
use http_kit::{
    access::{AccessKeys, Caller},
    problem::{FieldError, Problem},
};
use secrecy::SecretString;
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use crate::{
    config::{Config, ConfigError},
    keys::{AccessClaims, KeysError, SigningKeys},
    passwords::{self, Passwords, PasswordsError},
    profile::{self, Email, Profile},
    store::{Predecessors, PresentedToken, Session, SessionId, Store, StoreError, User},
    throttle::Throttle,
    tokens::RefreshToken,
};

pub type Clock = Arc<dyn Fn() -> DateTime<Utc> + Send + Sync>;

/// How often keys are read again and what is over is forgotten.
const UPKEEP_EVERY: std::time::Duration = std::time::Duration::from_secs(60);
/// Ended sessions and retired tokens are remembered for so long, so that a late second use is still recognised.
const REMEMBERED_DAYS: i64 = 30;

pub struct Identity {
    pub config: Config,
    pub store: Store,
    pub(crate) keys: SigningKeys,
    pub(crate) throttle: Throttle,
    access: Arc<AccessKeys>,
    passwords: Passwords,
    clock: Clock,
}

/// Why something was refused or failed; [`Problem`] says the same to clients.
#[derive(Debug, thiserror::Error)]
pub enum IdentityError {
    #[error("fields are wrong: {0:?}")]
    Fields(Vec<FieldError>),
    #[error("the e-mail address is taken")]
    EmailTaken,
    #[error("e-mail address and password do not belong together")]
    LoginFailed,
    #[error("the current password is wrong")]
    PasswordWrong,
    #[error("the refresh token is unknown, expired or revoked")]
    RefreshInvalid,
    #[error("the refresh token was used twice")]
    RefreshReused,
    #[error("the session or the person behind an access token is gone")]
    CallerGone,
    #[error(transparent)]
    Passwords(#[from] PasswordsError),
    #[error(transparent)]
    Keys(#[from] KeysError),
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl From<IdentityError> for Problem {
    fn from(error: IdentityError) -> Self {
        match error {
            IdentityError::Fields(errors) => Problem::from_fields(errors),
            IdentityError::EmailTaken => {
                let detail = "There is an account with this e-mail address already.";
                Problem::from_fields(vec![profile::fault("/email", "email_taken", detail)])
            }
            IdentityError::LoginFailed => Problem::new("login_failed"),
            IdentityError::PasswordWrong => {
                let detail = "The current password is wrong.";
                Problem::from_fields(vec![profile::fault("/current_password", "password_wrong", detail)])
            }
            IdentityError::RefreshInvalid => Problem::new("refresh_invalid"),
            IdentityError::RefreshReused => Problem::new("refresh_reused"),
            IdentityError::CallerGone => Problem::new("token_invalid"),
            IdentityError::Passwords(PasswordsError::Overloaded) => Problem::new("overloaded").retry_after(1),
            IdentityError::Passwords(error) => Problem::internal("hash a password", &error),
            IdentityError::Keys(error) => Problem::internal("sign an access token", &error),
            IdentityError::Store(error) => Problem::internal("use the identity database", &error),
        }
    }
}

#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    #[error("the settings of identity are wrong: {0}")]
    Config(#[from] ConfigError),
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error(transparent)]
    Keys(#[from] KeysError),
    #[error(transparent)]
    Passwords(#[from] PasswordsError),
    #[error(transparent)]
    Access(#[from] http_kit::access::KeysError),
}

/// What a person gives to sign up; not yet checked.
#[derive(Debug)]
pub struct SignUp {
    pub email: String,
    pub password: SecretString,
    pub name: String,
    pub locale: Option<String>,
    pub time_zone: Option<String>,
}

/// A change of the profile: outer `None` leaves a field, inner `None` empties it.
#[derive(Debug, Default)]
pub struct ProfileChange {
    pub name: Option<String>,
    pub locale: Option<Option<String>>,
    pub time_zone: Option<Option<String>>,
}

/// Where a session is opened from.
#[derive(Debug, Clone)]
pub struct Opening {
    pub user_agent: Option<String>,
    pub in_cookie: bool,
}

/// What a client gets from a sign-up, a log-in and a refresh.
#[derive(Debug)]
pub struct Login {
    pub user: User,
    pub access_token: SecretString,
    pub refresh_token: RefreshToken,
    pub in_cookie: bool,
}

impl Identity {
    pub fn open(config: Config) -> Result<Arc<Self>, OpenError> {
        Self::open_with_clock(config, Arc::new(Utc::now))
    }

    pub fn open_with_clock(config: Config, clock: Clock) -> Result<Arc<Self>, OpenError> {
        config.validate()?;
        let settle = Duration::seconds(i64::try_from(config.key_settle_seconds).unwrap_or(i64::MAX / 1_000));
        let keys = SigningKeys::open(&config.keys_dir, settle, clock())?;
        let access = Arc::new(AccessKeys::new(&config.issuer, &config.audience));
        access.replace(&keys.public())?;
        Ok(Arc::new(Self {
            store: Store::open(&config.database)?,
            keys,
            throttle: Throttle::new(&config),
            access,
            passwords: Passwords::new(config.password_hashes_at_once, config.password_queue_max)?,
            clock,
            config,
        }))
    }

    /// The keys that verify this identity's access tokens, kept up to date by [`Identity::upkeep`].
    pub fn access_keys(&self) -> Arc<AccessKeys> {
        self.access.clone()
    }

    pub(crate) fn now(&self) -> DateTime<Utc> {
        (self.clock)()
    }

    /// Adds a person under an id that the caller chose.
    pub async fn sign_up(&self, id: UserId, sign_up: SignUp) -> Result<User, IdentityError> {
        let (email, profile) = checked(&sign_up)?;
        // Asked before hashing, which is dear; the insert decides.
        if self.store.user_by_email(email.lookup.clone()).await?.is_some() {
            return Err(IdentityError::EmailTaken);
        }
        let password_hash = self.passwords.hash(sign_up.password).await?;
        let user = User { id, email: email.shown, profile, created_at: whole_millis(self.now()) };
        if !self.store.add_user(user.clone(), email.lookup, password_hash).await? {
            return Err(IdentityError::EmailTaken);
        }
        Ok(user)
    }

    /// The same work, and the same words, whether or not the e-mail address is known.
    pub async fn log_in(&self, email: &str, password: SecretString) -> Result<User, IdentityError> {
        let found = self.store.user_by_email(Email::lookup_of(email)).await?;
        let password_hash = found.as_ref().map(|stored| stored.password_hash.clone());
        let matches = self.passwords.verify(password, password_hash).await?;
        match found {
            Some(stored) if matches => Ok(stored.user),
            Some(_) | None => Err(IdentityError::LoginFailed),
        }
    }

    pub async fn open_session(&self, user: User, opening: Opening) -> Result<Login, IdentityError> {
        let now = whole_millis(self.now());
        let session = Session {
            id: SessionId::from_uuid(Uuid::now_v7()),
            user: user.id,
            created_at: now,
            last_used_at: now,
            expires_at: self.expiry(now, now),
            user_agent: opening.user_agent,
            in_cookie: opening.in_cookie,
            ended_at: None,
        };
        let (id, refresh_token) = (session.id, RefreshToken::generate());
        let sessions_max = self.config.sessions_per_user_max;
        self.store.open_session(session, refresh_token.hash(), sessions_max).await?;
        self.login(user, id, refresh_token, opening.in_cookie, now)
    }

    /// Exchanges a refresh token for the next one. A second use of a token ends the session, since either the
    /// first or the second was not its owner's. Only in a cookie, which the tabs of a browser share, is a second
    /// use within `cookie_grace_ms` taken for a race of two tabs: it gets a token of its own beside the first,
    /// and whichever of the two is used next retires the other.
    pub async fn refresh(&self, presented: RefreshToken, in_cookie: bool) -> Result<Login, IdentityError> {
        let hash = presented.hash();
        let next = RefreshToken::generate();
        loop {
            let now = whole_millis(self.now());
            let found = self.store.presented_token(hash).await?.ok_or(IdentityError::RefreshInvalid)?;
            let session = &found.session;
            // A token that left its cookie, or got into one, is not where it was put.
            if session.in_cookie != in_cookie {
                return Err(IdentityError::RefreshInvalid);
            }
            if session.ended_at.is_some() || session.expires_at <= now {
                return Err(IdentityError::RefreshInvalid);
            }
            let Some(predecessors) = self.allowed(&found, now) else {
                self.store.end_session(session.user, session.id, now).await?;
                tracing::warn!(session = %session.id, "a refresh token was used twice and its session was ended");
                return Err(IdentityError::RefreshReused);
            };
            let (user, id) = (session.user, session.id);
            let expires_at = self.expiry(session.created_at, now);
            // False only where another request got in between; then the token is retired, and the next round says so.
            if self.store.rotate(hash, found, next.hash(), predecessors, now, expires_at).await? {
                let stored = self.store.user(user).await?.ok_or(IdentityError::RefreshInvalid)?;
                return self.login(stored.user, id, next, in_cookie, now);
            }
        }
    }

    fn allowed(&self, found: &PresentedToken, now: DateTime<Utc>) -> Option<Predecessors> {
        let Some(retired_at) = found.retired_at else {
            return Some(Predecessors::Retire);
        };
        let grace = Duration::milliseconds(i64::try_from(self.config.cookie_grace_ms).unwrap_or_default());
        (found.session.in_cookie && now - retired_at <= grace).then_some(Predecessors::Keep)
    }

    /// Ends all sessions of the person but the caller's own.
    pub async fn change_password(
        &self,
        caller: &Caller,
        current: SecretString,
        new: SecretString,
    ) -> Result<(), IdentityError> {
        passwords::check(&new, "/new_password").map_err(|fault| IdentityError::Fields(vec![fault]))?;
        let session = self.open_session_of(caller).await?;
        let stored = self.store.user(caller.user).await?.ok_or(IdentityError::CallerGone)?;
        if !self.passwords.verify(current, Some(stored.password_hash)).await? {
            return Err(IdentityError::PasswordWrong);
        }
        let password_hash = self.passwords.hash(new).await?;
        Ok(self.store.change_password(caller.user, password_hash, session.id, self.now()).await?)
    }

    /// An access token outlives its session by minutes; what is grave asks whether the session is still open.
    pub async fn open_session_of(&self, caller: &Caller) -> Result<Session, IdentityError> {
        let sessions = self.store.open_sessions(caller.user, self.now()).await?;
        let own = sessions.into_iter().find(|session| session.id.to_string() == caller.session);
        own.ok_or(IdentityError::CallerGone)
    }

    pub async fn user(&self, id: UserId) -> Result<User, IdentityError> {
        Ok(self.store.user(id).await?.ok_or(IdentityError::CallerGone)?.user)
    }

    pub async fn change_profile(&self, id: UserId, change: ProfileChange) -> Result<User, IdentityError> {
        let mut user = self.user(id).await?;
        let mut faults = Vec::new();
        let profile = &mut user.profile;
        if let Some(text) = &change.name {
            take(&mut faults, profile::name(text), |name| profile.name = name);
        }
        match &change.locale {
            Some(Some(text)) => {
                take(&mut faults, profile::locale(text), |locale| profile.locale = Some(locale))
            }
            Some(None) => profile.locale = None,
            None => {}
        }
        match &change.time_zone {
            Some(Some(text)) => {
                take(&mut faults, profile::time_zone(text), |zone| profile.time_zone = Some(zone))
            }
            Some(None) => profile.time_zone = None,
            None => {}
        }
        if !faults.is_empty() {
            return Err(IdentityError::Fields(faults));
        }
        self.store.change_profile(id, user.profile.clone()).await?;
        Ok(user)
    }

    /// Runs beside the service until it is told to stop.
    pub async fn upkeep(&self, shutdown: CancellationToken) {
        let mut tick = tokio::time::interval(UPKEEP_EVERY);
        loop {
            tokio::select! {
                () = shutdown.cancelled() => return,
                _ = tick.tick() => self.upkeep_once().await,
            }
        }
    }

    pub(crate) async fn upkeep_once(&self) {
        self.throttle.forget_quiet_ones();
        let forgotten = self.store.forget_before(self.now() - Duration::days(REMEMBERED_DAYS)).await;
        if let Err(error) = forgotten {
            tracing::error!(%error, "old sessions could not be forgotten");
        }
        if let Err(error) = self.keys.reload() {
            tracing::error!(%error, "the signing keys could not be read again; the old ones stay");
            return;
        }
        if let Err(error) = self.access.replace(&self.keys.public()) {
            tracing::error!(%error, "the signing keys could not be taken up; the old ones stay");
        }
    }

    fn expiry(&self, created_at: DateTime<Utc>, used_at: DateTime<Utc>) -> DateTime<Utc> {
        let idle = used_at + Duration::days(self.config.session_idle_days.into());
        let aged = created_at + Duration::days(self.config.session_age_days_max.into());
        idle.min(aged)
    }

    fn login(
        &self,
        user: User,
        session: SessionId,
        refresh_token: RefreshToken,
        in_cookie: bool,
        now: DateTime<Utc>,
    ) -> Result<Login, IdentityError> {
        let issued_at = now.timestamp();
        let claims = AccessClaims {
            iss: &self.config.issuer,
            sub: user.id.to_string(),
            aud: &self.config.audience,
            exp: issued_at.saturating_add_unsigned(self.config.access_token_seconds),
            iat: issued_at,
            jti: Uuid::now_v7().to_string(),
            sid: session.to_string(),
        };
        let access_token = self.keys.sign(&claims, now)?.into();
        Ok(Login { user, access_token, refresh_token, in_cookie })
    }
}

fn checked(sign_up: &SignUp) -> Result<(Email, Profile), IdentityError> {
    let mut faults = Vec::new();
    let mut email = None;
    let mut profile = Profile { name: String::new(), locale: None, time_zone: None };
    take(&mut faults, Email::parse(&sign_up.email), |found| email = Some(found));
    take(&mut faults, passwords::check(&sign_up.password, "/password"), |()| {});
    take(&mut faults, profile::name(&sign_up.name), |name| profile.name = name);
    if let Some(text) = &sign_up.locale {
        take(&mut faults, profile::locale(text), |locale| profile.locale = Some(locale));
    }
    if let Some(text) = &sign_up.time_zone {
        take(&mut faults, profile::time_zone(text), |time_zone| profile.time_zone = Some(time_zone));
    }
    match email {
        Some(email) if faults.is_empty() => Ok((email, profile)),
        Some(_) | None => Err(IdentityError::Fields(faults)),
    }
}

fn take<T>(faults: &mut Vec<FieldError>, checked: Result<T, FieldError>, keep: impl FnOnce(T)) {
    match checked {
        Ok(value) => keep(value),
        Err(fault) => faults.push(fault),
    }
}

/// The precision that instants are kept and shown with.
fn whole_millis(instant: DateTime<Utc>) -> DateTime<Utc> {
    DateTime::from_timestamp_millis(instant.timestamp_millis()).unwrap_or(instant)
}

impl std::fmt::Debug for Identity {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Identity").field("config", &self.config).finish_non_exhaustive()
    }
}
