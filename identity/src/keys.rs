//! The Ed25519 keys that sign access tokens, one file each in a folder that only its owner may read. The newest
//! that has been published long enough signs; the one before it still verifies, so a rotation ends no session.

use std::{
    fs, io,
    path::{Path, PathBuf},
    sync::{Arc, RwLock},
};

use aws_lc_rs::{rand::SystemRandom, signature::Ed25519KeyPair};
use chrono::{DateTime, Duration, Utc};
use http_kit::access::TOKEN_TYPE;
use jsonwebtoken::{
    Algorithm, EncodingKey, Header,
    jwk::{Jwk, JwkSet, PublicKeyUse},
};
use serde::Serialize;
use zeroize::Zeroizing;

const EXTENSION: &str = "pkcs8";
/// Keys alive at once: the one that signs and the one before or after it.
const KEYS_MAX: usize = 2;

#[derive(Debug, thiserror::Error)]
pub enum KeysError {
    #[error("the signing keys in {} cannot be read or written", folder.display())]
    Folder { folder: PathBuf, source: io::Error },
    #[error("{} can be read by others than its owner: make it private (chmod 600) or rotate the keys", path.display())]
    NotPrivate { path: PathBuf },
    #[error("{} is not a signing key", path.display())]
    Malformed { path: PathBuf },
    #[error("no signing key could be made")]
    Generation,
    #[error("an access token could not be signed")]
    Signing(#[from] jsonwebtoken::errors::Error),
}

/// What an access token says ([RFC 9068]), and `sid`, the login it came from.
///
/// [RFC 9068]: https://www.rfc-editor.org/rfc/rfc9068
#[derive(Serialize)]
pub struct AccessClaims<'a> {
    pub iss: &'a str,
    pub sub: String,
    pub aud: &'a str,
    pub exp: i64,
    pub iat: i64,
    pub jti: String,
    pub sid: String,
}

pub struct SigningKeys {
    folder: PathBuf,
    settle: Duration,
    alive: RwLock<Arc<Vec<SigningKey>>>,
}

/// The id begins with the millisecond of its making, so that ids sort by age.
struct SigningKey {
    id: String,
    made_at: DateTime<Utc>,
    private: EncodingKey,
    public: Jwk,
}

impl SigningKeys {
    /// Reads the keys, and makes the first one where there is none.
    pub fn open(folder: &Path, settle: Duration, now: DateTime<Utc>) -> Result<Self, KeysError> {
        let keys = Self { folder: folder.to_owned(), settle, alive: RwLock::default() };
        keys.reload()?;
        if keys.alive().is_empty() {
            make_key(folder, now)?;
            keys.reload()?;
        }
        Ok(keys)
    }

    /// Takes up what was rotated in the folder by another process.
    pub fn reload(&self) -> Result<(), KeysError> {
        let alive = Arc::new(read_keys(&self.folder)?);
        *self.alive.write().unwrap_or_else(|poisoned| poisoned.into_inner()) = alive;
        Ok(())
    }

    /// Signs with the newest key that has settled, or with the oldest where none has.
    pub fn sign(&self, claims: &AccessClaims<'_>, now: DateTime<Utc>) -> Result<String, KeysError> {
        let alive = self.alive();
        let settled = alive.iter().rev().find(|key| key.made_at + self.settle <= now);
        let key = settled.or(alive.first()).ok_or(KeysError::Generation)?;
        let mut header = Header::new(Algorithm::EdDSA);
        header.typ = Some(TOKEN_TYPE.to_owned());
        header.kid = Some(key.id.clone());
        Ok(jsonwebtoken::encode(&header, claims, &key.private)?)
    }

    /// The public halves of all keys alive, the signing one among them.
    pub fn public(&self) -> JwkSet {
        JwkSet { keys: self.alive().iter().map(|key| key.public.clone()).collect() }
    }

    fn alive(&self) -> Arc<Vec<SigningKey>> {
        self.alive.read().unwrap_or_else(|poisoned| poisoned.into_inner()).clone()
    }
}

/// Makes a new key and removes all but the one before it. A running service takes it up within a minute and signs
/// with it once it has settled. Twice within the life of an access token would end tokens that are still good;
/// their holders refresh.
pub fn rotate(folder: &Path, now: DateTime<Utc>) -> Result<String, KeysError> {
    let id = make_key(folder, now)?;
    let mut paths = key_paths(folder)?;
    paths.truncate(paths.len().saturating_sub(KEYS_MAX));
    for path in paths {
        fs::remove_file(&path).map_err(|source| KeysError::Folder { folder: folder.to_owned(), source })?;
    }
    Ok(id)
}

fn make_key(folder: &Path, now: DateTime<Utc>) -> Result<String, KeysError> {
    let failed = |source| KeysError::Folder { folder: folder.to_owned(), source };
    fs::create_dir_all(folder).map_err(failed)?;
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        fs::set_permissions(folder, fs::Permissions::from_mode(0o700)).map_err(failed)?;
    }
    // Version 1 of PKCS#8: jsonwebtoken derives no public key from version 2.
    let document =
        Ed25519KeyPair::generate_pkcs8v1(&SystemRandom::new()).map_err(|_| KeysError::Generation)?;
    let random: [u8; 4] = rand::random();
    let id = format!("{:013}-{}", now.timestamp_millis(), hex::encode(random));
    let unfinished = folder.join(format!("{id}.new"));
    write_private(&unfinished, document.as_ref()).map_err(failed)?;
    fs::rename(&unfinished, folder.join(format!("{id}.{EXTENSION}"))).map_err(failed)?;
    Ok(id)
}

fn write_private(path: &Path, bytes: &[u8]) -> io::Result<()> {
    use io::Write;
    let mut options = fs::OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let mut file = options.open(path)?;
    file.write_all(bytes)?;
    file.sync_all()
}

/// The files of the keys, oldest first.
fn key_paths(folder: &Path) -> Result<Vec<PathBuf>, KeysError> {
    let failed = |source| KeysError::Folder { folder: folder.to_owned(), source };
    let entries = match fs::read_dir(folder) {
        Ok(entries) => entries,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => return Err(failed(error)),
    };
    let mut paths = Vec::new();
    for entry in entries {
        let path = entry.map_err(failed)?.path();
        if path.extension().is_some_and(|extension| extension == EXTENSION) {
            paths.push(path);
        }
    }
    paths.sort();
    Ok(paths)
}

fn read_keys(folder: &Path) -> Result<Vec<SigningKey>, KeysError> {
    key_paths(folder)?.iter().map(|path| read_key(folder, path)).collect()
}

fn read_key(folder: &Path, path: &Path) -> Result<SigningKey, KeysError> {
    let failed = |source| KeysError::Folder { folder: folder.to_owned(), source };
    let malformed = || KeysError::Malformed { path: path.to_owned() };
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        let mode = fs::metadata(path).map_err(failed)?.permissions().mode();
        if mode & 0o077 != 0 {
            return Err(KeysError::NotPrivate { path: path.to_owned() });
        }
    }
    let id = path.file_stem().and_then(|stem| stem.to_str()).ok_or_else(malformed)?.to_owned();
    let made_at_ms = id.split('-').next().and_then(|digits| digits.parse().ok()).ok_or_else(malformed)?;
    let made_at = DateTime::from_timestamp_millis(made_at_ms).ok_or_else(malformed)?;
    let document = Zeroizing::new(fs::read(path).map_err(failed)?);
    // Checks that the two halves belong together, which jsonwebtoken does only when it signs.
    Ed25519KeyPair::from_pkcs8_maybe_unchecked(&document).map_err(|_| malformed())?;
    let private = EncodingKey::from_ed_der(&document);
    let mut public = Jwk::from_encoding_key(&private, Algorithm::EdDSA).map_err(|_| malformed())?;
    public.common.key_id = Some(id.clone());
    public.common.public_key_use = Some(PublicKeyUse::Signature);
    Ok(SigningKey { id, made_at, private, public })
}

#[cfg(test)]
mod tests {
    use super::*;
    use http_kit::access::AccessKeys;

    fn at(seconds: i64) -> DateTime<Utc> {
        DateTime::from_timestamp(1_800_000_000 + seconds, 0).unwrap()
    }

    fn settle() -> Duration {
        Duration::seconds(60)
    }

    fn token(keys: &SigningKeys, now: DateTime<Utc>) -> String {
        let claims = AccessClaims {
            iss: "issuer",
            sub: "usr_00000000000000000000000007".into(),
            aud: "daybook",
            exp: now.timestamp() + 600,
            iat: now.timestamp(),
            jti: "1".into(),
            sid: "s".into(),
        };
        keys.sign(&claims, now).unwrap()
    }

    fn signer_of(token: &str) -> String {
        jsonwebtoken::decode_header(token).unwrap().kid.unwrap()
    }

    #[test]
    fn the_first_start_makes_a_key_and_the_second_keeps_it() {
        let folder = tempfile::tempdir().unwrap();
        let folder = folder.path().join("keys");
        let first = SigningKeys::open(&folder, settle(), at(0)).unwrap().public();
        let second = SigningKeys::open(&folder, settle(), at(9)).unwrap().public();
        assert_eq!(first, second);
        assert_eq!(first.keys.len(), 1);
        let published = serde_json::to_value(&first).unwrap();
        assert_eq!(published["keys"][0]["kty"], "OKP");
        assert_eq!(published["keys"][0]["use"], "sig");
        assert!(published["keys"][0].get("d").is_none(), "the private half stays here");
    }

    #[test]
    fn a_rotation_keeps_the_key_before_and_signs_with_the_new_one_once_it_has_settled() {
        let folder = tempfile::tempdir().unwrap();
        let keys = SigningKeys::open(folder.path(), settle(), at(0)).unwrap();
        let access = AccessKeys::new("issuer", "daybook");
        let old_token = token(&keys, at(1_000));
        let new_id = rotate(folder.path(), at(1_000)).unwrap();
        keys.reload().unwrap();
        access.replace(&keys.public()).unwrap();
        assert_eq!(keys.public().keys.len(), 2);
        assert_ne!(signer_of(&token(&keys, at(1_059))), new_id);
        let new_token = token(&keys, at(1_060));
        assert_eq!(signer_of(&new_token), new_id);
        assert!(access.verify_at(&old_token, at(1_060)).is_ok());
        assert!(access.verify_at(&new_token, at(1_060)).is_ok());

        rotate(folder.path(), at(2_000)).unwrap();
        keys.reload().unwrap();
        access.replace(&keys.public()).unwrap();
        assert_eq!(keys.public().keys.len(), 2);
        assert_eq!(access.verify_at(&old_token, at(1_060)).unwrap_err().code(), "token_invalid");
        assert!(access.verify_at(&new_token, at(1_060)).is_ok());
    }

    #[cfg(unix)]
    #[test]
    fn a_key_that_others_could_read_is_not_used() {
        use std::os::unix::fs::PermissionsExt;
        let folder = tempfile::tempdir().unwrap();
        SigningKeys::open(folder.path(), settle(), at(0)).unwrap();
        let path = key_paths(folder.path()).unwrap().remove(0);
        let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
        assert_eq!((mode(&path), mode(folder.path())), (0o600, 0o700));
        fs::set_permissions(&path, fs::Permissions::from_mode(0o644)).unwrap();
        let opened = SigningKeys::open(folder.path(), settle(), at(0));
        assert!(matches!(opened, Err(KeysError::NotPrivate { .. })));
    }

    #[test]
    fn a_broken_key_is_named() {
        let folder = tempfile::tempdir().unwrap();
        write_private(&folder.path().join("1800000000000-00.pkcs8"), b"nonsense").unwrap();
        let opened = SigningKeys::open(folder.path(), settle(), at(0));
        assert!(matches!(opened, Err(KeysError::Malformed { .. })));
    }
}
