//! Password hashes: Argon2id with 19 MiB and two passes, as [OWASP] advises. One takes some 35 ms of a core and its
//! memory, so few run at once, off the async threads, and a bounded number wait.
//!
//! [OWASP]: https://cheatsheetseries.owasp.org/cheatsheets/Password_Storage_Cheat_Sheet.html

use std::sync::Arc;

use argon2::{
    Algorithm, Argon2, Params, Version,
    password_hash::{PasswordHasher, PasswordVerifier, phc::PasswordHash},
};
use http_kit::problem::FieldError;
use secrecy::{ExposeSecret, SecretString};
use tokio::{
    sync::{OwnedSemaphorePermit, Semaphore},
    task,
};

use crate::profile::fault;

const LETTERS_MIN: usize = 8;
const LETTERS_MAX: usize = 1_024;
const MEMORY_KIB: u32 = 19 * 1_024;
const PASSES: u32 = 2;
const LANES: u32 = 1;

#[derive(Debug, thiserror::Error)]
pub enum PasswordsError {
    #[error("too many passwords are waiting to be checked")]
    Overloaded,
    #[error("hashing a password failed: {0}")]
    Hash(String),
    #[error("the task that hashes a password did not finish")]
    Task(#[from] task::JoinError),
}

#[derive(Clone)]
pub struct Passwords {
    argon2: Argon2<'static>,
    at_once: Arc<Semaphore>,
    /// Those at work and those waiting.
    admitted: Arc<Semaphore>,
    /// Checked in place of the hash of a person who does not exist, so that both take the same time.
    nobody: Arc<str>,
}

impl Passwords {
    pub fn new(at_once: usize, queue_max: usize) -> Result<Self, PasswordsError> {
        let params = Params::new(MEMORY_KIB, PASSES, LANES, None).map_err(failed)?;
        let argon2 = Argon2::new(Algorithm::Argon2id, Version::V0x13, params);
        let nobody = argon2.hash_password(b"nobody has this password").map_err(failed)?.to_string();
        Ok(Self {
            argon2,
            at_once: Arc::new(Semaphore::new(at_once)),
            admitted: Arc::new(Semaphore::new(at_once + queue_max)),
            nobody: nobody.into(),
        })
    }

    pub async fn hash(&self, password: SecretString) -> Result<String, PasswordsError> {
        let permits = self.admit().await?;
        let argon2 = self.argon2.clone();
        task::spawn_blocking(move || {
            // A client that hangs up drops this task's handle, not the task: it keeps its place until it is done.
            let _permits = permits;
            Ok(argon2.hash_password(password.expose_secret().as_bytes()).map_err(failed)?.to_string())
        })
        .await?
    }

    /// Whether this is the password behind `stored`; where there is none, the same work is done and it is not.
    pub async fn verify(
        &self,
        password: SecretString,
        stored: Option<String>,
    ) -> Result<bool, PasswordsError> {
        let permits = self.admit().await?;
        let (argon2, nobody) = (self.argon2.clone(), self.nobody.clone());
        task::spawn_blocking(move || {
            let _permits = permits;
            let hash = PasswordHash::new(stored.as_deref().unwrap_or(&nobody)).map_err(failed)?;
            let matches = argon2.verify_password(password.expose_secret().as_bytes(), &hash).is_ok();
            Ok(matches && stored.is_some())
        })
        .await?
    }

    async fn admit(&self) -> Result<(OwnedSemaphorePermit, OwnedSemaphorePermit), PasswordsError> {
        let admitted = self.admitted.clone().try_acquire_owned().map_err(|_| PasswordsError::Overloaded)?;
        let at_work = self.at_once.clone().acquire_owned().await.map_err(failed)?;
        Ok((admitted, at_work))
    }
}

fn failed(error: impl std::fmt::Display) -> PasswordsError {
    PasswordsError::Hash(error.to_string())
}

/// Any letters do; only the length counts.
pub fn check(password: &SecretString, pointer: &str) -> Result<(), FieldError> {
    let letters = password.expose_secret().chars().count();
    if letters < LETTERS_MIN {
        return Err(fault(pointer, "password_too_short", "A password has at least 8 characters."));
    }
    if letters > LETTERS_MAX {
        return Err(fault(pointer, "password_too_long", "A password has at most 1,024 characters."));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_password_matches_its_own_hash_only() {
        let passwords = Passwords::new(2, 8).unwrap();
        let hash = passwords.hash("correct horse".into()).await.unwrap();
        assert!(hash.starts_with("$argon2id$v=19$m=19456,t=2,p=1$"), "{hash}");
        assert!(passwords.verify("correct horse".into(), Some(hash.clone())).await.unwrap());
        assert!(!passwords.verify("Correct horse".into(), Some(hash)).await.unwrap());
    }

    #[tokio::test]
    async fn nobody_has_a_password_not_even_the_right_one() {
        let passwords = Passwords::new(2, 8).unwrap();
        assert!(!passwords.verify("nobody has this password".into(), None).await.unwrap());
    }

    #[tokio::test]
    async fn what_does_not_fit_the_queue_is_refused_at_once() {
        let passwords = Passwords::new(1, 1).unwrap();
        let held = passwords.admitted.clone().try_acquire_many_owned(2).unwrap();
        assert!(matches!(passwords.hash("a password".into()).await, Err(PasswordsError::Overloaded)));
        drop(held);
        assert!(passwords.hash("a password".into()).await.is_ok());
    }

    #[test]
    fn the_length_of_a_password_counts_letters() {
        let code = |text: String| check(&text.into(), "/password").err().map(|fault| fault.code);
        assert_eq!(code("ä".repeat(7)), Some("password_too_short"));
        assert_eq!(code("ä".repeat(8)), None);
        assert_eq!(code("ä".repeat(1_024)), None);
        assert_eq!(code("ä".repeat(1_025)), Some("password_too_long"));
    }
}
