//! The keys of books, in a store of their own: never in the journal, each sealed by the master key.
//!
//! The master key is made at the first start, in a file that only its owner can read. Without that file no
//! personal text can be read; money, dates and the chain of hashes can.

use std::{
    collections::HashMap,
    fs::{self, File, OpenOptions},
    io::{self, Write},
    os::unix::fs::{OpenOptionsExt, PermissionsExt},
    path::{Path, PathBuf},
    sync::Mutex,
};

use chacha20poly1305::{
    Key, KeyInit, XChaCha20Poly1305, XNonce,
    aead::{Aead, Payload},
};
use domain::id::BookId;
use rand::Rng;
use rusqlite::{Connection, OptionalExtension};
use uuid::Uuid;
use zeroize::Zeroizing;

use crate::seal::BookKey;

const NONCE_LEN: usize = 24;

#[derive(Debug, thiserror::Error)]
pub enum KeyError {
    #[error("the key store {path} cannot be used")]
    Store { path: PathBuf, source: rusqlite::Error },
    #[error("the master key {path} cannot be used")]
    MasterKeyFile { path: PathBuf, source: io::Error },
    #[error("the master key {path} can be read by others; run `chmod 600 {path}`")]
    MasterKeyExposed { path: PathBuf },
    #[error("the master key {path} is not 64 hexadecimal digits")]
    MasterKeyMalformed { path: PathBuf },
    #[error(
        "the master key {path} does not open the key of {book}; it is not the key that this store was made with"
    )]
    WrongMasterKey { path: PathBuf, book: BookId },
    #[error(
        "{keys} holds keys of books, but their master key {path} is missing; put it back from where you keep it"
    )]
    MasterKeyMissing { keys: PathBuf, path: PathBuf },
}

/// Blocking; lookups of keys in use answer from memory.
pub struct KeyStore {
    path: PathBuf,
    master_path: PathBuf,
    master: XChaCha20Poly1305,
    inner: Mutex<Inner>,
}

struct Inner {
    store: Connection,
    known: HashMap<BookId, Option<BookKey>>,
}

impl std::fmt::Debug for KeyStore {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("KeyStore").field("path", &self.path).finish_non_exhaustive()
    }
}

/// Keys that are remembered in memory at once; beyond that, all are read again from the store.
const KNOWN_MAX: usize = 100_000;

impl KeyStore {
    /// Opens the store in `directory`, making it and the master key where they are not there yet.
    pub fn open(directory: &Path) -> Result<Self, KeyError> {
        let path = directory.join("keys.sqlite");
        let master_path = directory.join("master.key");
        fs::create_dir_all(directory)
            .map_err(|source| KeyError::MasterKeyFile { path: master_path.clone(), source })?;
        if path.exists() && !master_path.exists() {
            return Err(KeyError::MasterKeyMissing { keys: path, path: master_path });
        }
        let master = master_key(&master_path)?;
        let store = open_store(&path).map_err(|source| KeyError::Store { path: path.clone(), source })?;
        let master = XChaCha20Poly1305::new(&Key::from(*master));
        let inner = Mutex::new(Inner { store, known: HashMap::new() });
        let keys = Self { path, master_path, master, inner };
        keys.try_master()?;
        Ok(keys)
    }

    /// The key of a book; `None` where it has been destroyed or was never made.
    pub fn of(&self, book: BookId) -> Result<Option<BookKey>, KeyError> {
        let mut inner = self.lock();
        if let Some(known) = inner.known.get(&book) {
            return Ok(known.clone());
        }
        let sealed: Option<Vec<u8>> = inner
            .store
            .prepare_cached("select sealed from book_keys where book = ?1")
            .and_then(|mut statement| statement.query_row([book.as_bytes()], |row| row.get(0)).optional())
            .map_err(|source| self.store_error(source))?;
        let key = sealed.map(|sealed| self.unseal(book, &sealed)).transpose()?;
        // A book that is not there may be made by another process at any moment; only keys are remembered.
        if key.is_some() {
            inner.remember(book, key.clone());
        }
        Ok(key)
    }

    /// The key of a book, made and durable before this returns if there was none.
    pub fn of_or_new(&self, book: BookId) -> Result<BookKey, KeyError> {
        if let Some(key) = self.of(book)? {
            return Ok(key);
        }
        let (mut key, mut nonce) = (Zeroizing::new([0u8; 32]), [0u8; NONCE_LEN]);
        rand::rng().fill_bytes(key.as_mut());
        rand::rng().fill_bytes(&mut nonce);
        let place = book.to_string();
        let sealed = self
            .master
            .encrypt(&XNonce::from(nonce), Payload { msg: key.as_ref(), aad: place.as_bytes() })
            .expect("the cipher takes 32 bytes");
        let row = [nonce.as_slice(), &sealed].concat();
        let mut inner = self.lock();
        let made = inner
            .store
            .execute(
                "insert into book_keys (book, sealed) values (?1, ?2) on conflict (book) do nothing",
                (book.as_bytes(), row),
            )
            .map_err(|source| self.store_error(source))?;
        if made == 0 {
            // Somebody else was first, and may have sealed with theirs already.
            drop(inner);
            return self.of_or_new(book);
        }
        let key = BookKey::new(*key);
        inner.remember(book, Some(key.clone()));
        Ok(key)
    }

    /// Opens one of the keys: with another master key new ones would be sealed that the right one never opens.
    fn try_master(&self) -> Result<(), KeyError> {
        let any: Option<([u8; 16], Vec<u8>)> = self
            .lock()
            .store
            .query_row("select book, sealed from book_keys limit 1", [], |row| Ok((row.get(0)?, row.get(1)?)))
            .optional()
            .map_err(|source| self.store_error(source))?;
        let Some((book, sealed)) = any else { return Ok(()) };
        self.unseal(BookId::from_uuid(Uuid::from_bytes(book)), &sealed).map(drop)
    }

    fn unseal(&self, book: BookId, row: &[u8]) -> Result<BookKey, KeyError> {
        let wrong = || KeyError::WrongMasterKey { path: self.master_path.clone(), book };
        let (nonce, sealed) = row.split_at_checked(NONCE_LEN).ok_or_else(wrong)?;
        let nonce: [u8; NONCE_LEN] = nonce.try_into().map_err(|_| wrong())?;
        let place = book.to_string();
        let payload = Payload { msg: sealed, aad: place.as_bytes() };
        let key = Zeroizing::new(self.master.decrypt(&XNonce::from(nonce), payload).map_err(|_| wrong())?);
        let key: [u8; 32] = key.as_slice().try_into().map_err(|_| wrong())?;
        Ok(BookKey::new(key))
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(|poisoned| poisoned.into_inner())
    }

    fn store_error(&self, source: rusqlite::Error) -> KeyError {
        KeyError::Store { path: self.path.clone(), source }
    }
}

impl Inner {
    fn remember(&mut self, book: BookId, key: Option<BookKey>) {
        if self.known.len() >= KNOWN_MAX {
            self.known.clear();
        }
        self.known.insert(book, key);
    }
}

fn open_store(path: &Path) -> rusqlite::Result<Connection> {
    let store = Connection::open(path)?;
    store.busy_timeout(std::time::Duration::from_secs(5))?;
    // Destroyed keys have to be gone from the file as well.
    store.pragma_update(None, "secure_delete", true)?;
    store.pragma_update(None, "journal_mode", "wal")?;
    store.pragma_update(None, "synchronous", "full")?;
    store.execute_batch(
        "create table if not exists book_keys (book blob primary key, sealed blob not null) strict, without rowid",
    )?;
    Ok(store)
}

fn master_key(path: &Path) -> Result<Zeroizing<[u8; 32]>, KeyError> {
    let file_error = |source| KeyError::MasterKeyFile { path: path.to_owned(), source };
    if !path.try_exists().map_err(file_error)? {
        make_master_key(path).map_err(file_error)?;
    }
    let text = Zeroizing::new(fs::read_to_string(path).map_err(file_error)?);
    let mode = fs::metadata(path).map_err(file_error)?.permissions().mode();
    if mode & 0o077 != 0 {
        return Err(KeyError::MasterKeyExposed { path: path.to_owned() });
    }
    let mut key = Zeroizing::new([0u8; 32]);
    hex::decode_to_slice(text.trim(), key.as_mut())
        .map_err(|_| KeyError::MasterKeyMalformed { path: path.to_owned() })?;
    Ok(key)
}

/// Makes the key whole or not at all: a start that is cut short must not leave half of one, nor two starts at once
/// two of them.
fn make_master_key(path: &Path) -> io::Result<()> {
    let mut key = Zeroizing::new([0u8; 32]);
    rand::rng().fill_bytes(key.as_mut());
    let text = Zeroizing::new(hex::encode(key.as_ref()));
    let draft = path.with_extension(format!("{:08x}", rand::rng().next_u32()));
    let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(&draft)?;
    file.write_all(text.as_bytes()).and_then(|()| file.sync_all())?;
    match fs::hard_link(&draft, path) {
        Err(error) if error.kind() != io::ErrorKind::AlreadyExists => return Err(error),
        Ok(()) | Err(_) => fs::remove_file(&draft)?,
    }
    path.parent().map_or(Ok(()), |directory| File::open(directory)?.sync_all())
}
