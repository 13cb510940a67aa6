//! The token of an invitation: whoever shows it may accept the invitation, whoever they are.
//!
//! It is `base64url(book ‖ invitation ‖ tag)`, the ids as the 16 bytes of their UUIDs, and the tag what the book's key
//! vouches for. So no token is kept anywhere, and whoever reads journal, backups or logs finds none: it is made again
//! for each answer, and checked by making it again. Where the book's key has been destroyed no token is good.

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use domain::id::{BookId, InvitationId};
use http_kit::{problem::Problem, resources};
use serde::Serialize;
use utoipa::ToSchema;
use uuid::Uuid;

use crate::ApiState;

const PURPOSE: &str = "daybook.invitation.v1";
const ID_LEN: usize = 16;
const TAG_LEN: usize = 32;

#[derive(Serialize, ToSchema)]
pub struct InvitationWritten {
    pub id: String,
    /// The version of the book that this write made.
    pub version: u64,
    pub invitation: resources::Invitation,
}

pub async fn token(api: &ApiState, book: BookId, invitation: InvitationId) -> Result<String, Problem> {
    let keys = api.owners.keys();
    let key = tokio::task::spawn_blocking(move || keys.of_or_new(book)).await;
    let key = key
        .map_err(|error| Problem::internal("make the token of an invitation", &error))?
        .map_err(|error| Problem::internal("make the token of an invitation", &error))?;
    let ids = ids(book, invitation);
    let tag = key.vouch(PURPOSE, &ids);
    Ok(URL_SAFE_NO_PAD.encode([ids.as_slice(), &tag].concat()))
}

/// What the token is the token of; `None` where it is none of ours.
pub async fn opened(api: &ApiState, token: &str) -> Result<Option<(BookId, InvitationId)>, Problem> {
    let Some((book, invitation, tag)) = parts(token) else { return Ok(None) };
    let keys = api.owners.keys();
    let key = tokio::task::spawn_blocking(move || keys.of(book)).await;
    let key = key
        .map_err(|error| Problem::internal("check the token of an invitation", &error))?
        .map_err(|error| Problem::internal("check the token of an invitation", &error))?;
    let is_ours = key.is_some_and(|key| key.vouched(PURPOSE, &ids(book, invitation), &tag));
    Ok(is_ours.then_some((book, invitation)))
}

fn ids(book: BookId, invitation: InvitationId) -> Vec<u8> {
    [book.as_bytes().as_slice(), invitation.as_bytes()].concat()
}

fn parts(token: &str) -> Option<(BookId, InvitationId, [u8; TAG_LEN])> {
    let bytes = URL_SAFE_NO_PAD.decode(token).ok()?;
    let (book, rest) = bytes.split_first_chunk::<ID_LEN>()?;
    let (invitation, tag) = rest.split_first_chunk::<ID_LEN>()?;
    let id = |bytes: &[u8; ID_LEN]| Uuid::from_bytes(*bytes);
    Some((BookId::from_uuid(id(book)), InvitationId::from_uuid(id(invitation)), tag.try_into().ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_is_taken_apart_only_where_it_has_the_length_and_the_letters_of_one() {
        let bytes: Vec<u8> = (0..64).collect();
        let (book, invitation, tag) = parts(&URL_SAFE_NO_PAD.encode(&bytes)).unwrap();
        assert_eq!(
            (book.as_bytes().as_slice(), invitation.as_bytes().as_slice()),
            (&bytes[..16], &bytes[16..32])
        );
        assert_eq!(tag, bytes[32..]);
        for length in [0, 16, 32, 63, 65, 1_000] {
            assert!(parts(&URL_SAFE_NO_PAD.encode(vec![7; length])).is_none(), "{length} bytes");
        }
        assert!(parts(&format!("{}=", URL_SAFE_NO_PAD.encode(&bytes))).is_none());
        assert!(parts("no base64!").is_none());
    }
}
