//! Typed ids: a prefix and a UUID in 26 letters of Crockford's base32, as the [TypeID] specification writes
//! them (`ent_01jdd2h3xge6mvz1rps0mpgyka`). An id of one kind cannot be passed for another.
//!
//! [TypeID]: https://github.com/jetify-com/typeid

use std::{cmp::Ordering, fmt, hash, marker::PhantomData, str::FromStr};

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};
use uuid::Uuid;

/// What an id is the id of; names the prefix it carries in text.
pub trait Kind {
    const PREFIX: &'static str;
}

pub struct Id<K> {
    uuid: Uuid,
    kind: PhantomData<fn() -> K>,
}

pub mod kind {
    use super::Kind;

    pub enum User {}
    pub enum Book {}
    pub enum Account {}
    pub enum Category {}
    pub enum Entry {}
    pub enum Import {}
    pub enum Command {}
    pub enum Invitation {}

    impl Kind for User {
        const PREFIX: &'static str = "usr";
    }
    impl Kind for Book {
        const PREFIX: &'static str = "book";
    }
    impl Kind for Account {
        const PREFIX: &'static str = "acc";
    }
    impl Kind for Category {
        const PREFIX: &'static str = "cat";
    }
    impl Kind for Entry {
        const PREFIX: &'static str = "ent";
    }
    impl Kind for Import {
        const PREFIX: &'static str = "imp";
    }
    impl Kind for Invitation {
        const PREFIX: &'static str = "inv";
    }
    impl Kind for Command {
        const PREFIX: &'static str = "cmd";
    }
}

pub type UserId = Id<kind::User>;
pub type BookId = Id<kind::Book>;
pub type AccountId = Id<kind::Account>;
pub type CategoryId = Id<kind::Category>;
pub type EntryId = Id<kind::Entry>;
pub type ImportId = Id<kind::Import>;
pub type InvitationId = Id<kind::Invitation>;
pub type CommandId = Id<kind::Command>;

const LETTERS: &[u8; 32] = b"0123456789abcdefghjkmnpqrstvwxyz";
const SUFFIX_LEN: usize = 26;

impl<K: Kind> Id<K> {
    pub const PREFIX: &'static str = K::PREFIX;

    pub const fn from_uuid(uuid: Uuid) -> Self {
        Self { uuid, kind: PhantomData }
    }

    pub const fn uuid(&self) -> Uuid {
        self.uuid
    }

    pub const fn as_bytes(&self) -> &[u8; 16] {
        self.uuid.as_bytes()
    }
}

#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("an id here looks like {expected_prefix}_ and 26 letters or digits, not {found:?}")]
pub struct IdError {
    pub expected_prefix: &'static str,
    pub found: String,
}

impl<K: Kind> FromStr for Id<K> {
    type Err = IdError;

    fn from_str(text: &str) -> Result<Self, IdError> {
        let refuse = || IdError { expected_prefix: K::PREFIX, found: text.chars().take(64).collect() };
        let suffix =
            text.strip_prefix(K::PREFIX).and_then(|rest| rest.strip_prefix('_')).ok_or_else(refuse)?;
        if suffix.len() != SUFFIX_LEN {
            return Err(refuse());
        }
        let mut value: u128 = 0;
        for (index, letter) in suffix.bytes().enumerate() {
            let digit = LETTERS.iter().position(|candidate| *candidate == letter).ok_or_else(refuse)?;
            // 26 letters hold 130 bits; a first letter above 7 would overflow the 128 of a UUID.
            if index == 0 && digit > 7 {
                return Err(refuse());
            }
            value = (value << 5) | u128::from(digit as u8);
        }
        Ok(Self::from_uuid(Uuid::from_u128(value)))
    }
}

impl<K: Kind> fmt::Display for Id<K> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut letters = [0u8; SUFFIX_LEN];
        let mut rest = self.uuid.as_u128();
        for letter in letters.iter_mut().rev() {
            *letter = LETTERS[(rest & 31) as usize];
            rest >>= 5;
        }
        f.write_str(K::PREFIX)?;
        f.write_str("_")?;
        f.write_str(std::str::from_utf8(&letters).unwrap_or_default())
    }
}

impl<K: Kind> fmt::Debug for Id<K> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl<K: Kind> Serialize for Id<K> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de, K: Kind> Deserialize<'de> for Id<K> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Visitor<K>(PhantomData<K>);
        impl<K: Kind> de::Visitor<'_> for Visitor<K> {
            type Value = Id<K>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, "an id that begins with {}_", K::PREFIX)
            }

            fn visit_str<E: de::Error>(self, text: &str) -> Result<Id<K>, E> {
                text.parse().map_err(E::custom)
            }
        }
        deserializer.deserialize_str(Visitor(PhantomData))
    }
}

// Derives would ask the same of `K`, which is only a marker.
impl<K> Clone for Id<K> {
    fn clone(&self) -> Self {
        *self
    }
}
impl<K> Copy for Id<K> {}
impl<K> PartialEq for Id<K> {
    fn eq(&self, other: &Self) -> bool {
        self.uuid == other.uuid
    }
}
impl<K> Eq for Id<K> {}
impl<K> PartialOrd for Id<K> {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}
impl<K> Ord for Id<K> {
    fn cmp(&self, other: &Self) -> Ordering {
        self.uuid.cmp(&other.uuid)
    }
}
impl<K> hash::Hash for Id<K> {
    fn hash<H: hash::Hasher>(&self, state: &mut H) {
        self.uuid.hash(state);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn an_id_reads_as_the_typeid_specification_writes_it() {
        // From the specification's list of valid ids.
        let id = AccountId::from_uuid(Uuid::parse_str("01890a5d-ac96-774b-bcce-b302099a8057").unwrap());
        assert_eq!(id.to_string(), "acc_01h455vb4pex5vsknk084sn02q");
        assert_eq!("acc_01h455vb4pex5vsknk084sn02q".parse(), Ok(id));
    }

    #[test]
    fn an_id_of_another_kind_or_shape_is_refused() {
        for text in [
            "",
            "ent_",
            "acc_01h455vb4pex5vsknk084sn02q",
            "ent_01h455vb4pex5vsknk084sn02",
            "ent_01h455vb4pex5vsknk084sn02qq",
            "ent_81h455vb4pex5vsknk084sn02q",
            "ent_01h455vb4pex5vsknk084sn0!q",
            "ent_01H455VB4PEX5VSKNK084SN02Q",
        ] {
            assert!(text.parse::<EntryId>().is_err(), "{text:?}");
        }
    }

    proptest! {
        #[test]
        fn every_id_comes_back_from_its_text(bits in any::<u128>()) {
            let id = EntryId::from_uuid(Uuid::from_u128(bits));
            prop_assert_eq!(id.to_string().parse(), Ok(id));
        }

        #[test]
        fn text_sorts_as_ids_do(a in any::<u128>(), b in any::<u128>()) {
            let (a, b) = (EntryId::from_uuid(Uuid::from_u128(a)), EntryId::from_uuid(Uuid::from_u128(b)));
            prop_assert_eq!(a.cmp(&b), a.to_string().cmp(&b.to_string()));
        }
    }
}
