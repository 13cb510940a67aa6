//! What all writes share: who asks, under which key, on which condition; and how the outcome is answered.

use axum::{
    body::Body,
    extract::FromRequestParts,
    response::{IntoResponse, Response},
};
use domain::{
    Command, Rejection,
    event::RefusedItem,
    id::{AccountId, BookId, CategoryId, EntryId, ImportId, InvitationId, UserId},
};
use http::{HeaderValue, Method, StatusCode, header, request::Parts};
use http_kit::{
    access::Caller,
    headers::{IDEMPOTENCY_REPLAYED, IdempotencyKey, IfMatch, etag},
    layers::RequestId,
    problem::{FieldError, Problem},
    problem_codes,
};
use serde::Serialize;
use sha2::{Digest, Sha256};
use uuid::Uuid;

use crate::{
    ApiState,
    fields::sentence,
    owner::{Answer, Order, Outcome, Print, Refusal},
};

/// The part of a write that is not its content.
#[derive(Debug, Clone)]
pub struct Write {
    pub caller: Caller,
    pub key: IdempotencyKey,
    pub if_match: Option<u64>,
    pub request_id: Option<String>,
    method: Method,
    path: String,
}

impl<S: Send + Sync> FromRequestParts<S> for Write {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        let caller = Caller::from_request_parts(parts, state).await?;
        let key = IdempotencyKey::from_request_parts(parts, state).await?;
        let IfMatch(if_match) = IfMatch::from_request_parts(parts, state).await?;
        let request_id = parts.extensions.get::<RequestId>().map(|id| id.0.clone());
        let path = parts.uri.path().to_owned();
        Ok(Self { caller, key, if_match, request_id, method: parts.method.clone(), path })
    }
}

impl Write {
    /// Has the command decided and answers with what it came to. `content` is what tells two requests under one
    /// key apart.
    pub async fn submit(
        &self,
        api: &ApiState,
        book: BookId,
        content: &impl Serialize,
        command: Command,
    ) -> Result<Response, Problem> {
        let order = self.order(book, self.key_print(book, ""), self.fingerprint(content), command);
        respond(api.owners.execute(order).await)
    }

    pub fn order(&self, book: BookId, key: Print, fingerprint: Print, command: Command) -> Order {
        Order {
            book,
            actor: self.caller.user,
            key,
            fingerprint,
            if_match: self.if_match,
            command,
            correlation_id: self.request_id.clone(),
            causation_id: None,
        }
    }

    pub fn key_print(&self, book: BookId, part: &str) -> Print {
        key_print(self.caller.user, book, self.key.as_str(), part)
    }

    pub fn fingerprint(&self, content: &impl Serialize) -> Print {
        let content =
            serde_json::to_vec(content).expect("requests are made of strings, numbers and lists only");
        print(&[self.method.as_str().as_bytes(), self.path.as_bytes(), &content])
    }
}

/// An idempotency key in its scope, caller and book. `part` tells the commits of one request apart.
pub fn key_print(caller: UserId, book: BookId, key: &str, part: &str) -> Print {
    print(&[caller.as_bytes(), book.as_bytes(), key.as_bytes(), part.as_bytes()])
}

/// The book that this caller makes with this key: always the same one, wherever and whenever they ask.
pub fn book_id(caller: UserId, key: &str) -> BookId {
    BookId::from_uuid(derived_uuid(&[b"daybook.book.v1", caller.as_bytes(), key.as_bytes()]))
}

/// The UUID (version 8) that follows from these parts, so that a repetition finds the same thing.
pub fn derived_uuid(parts: &[&[u8]]) -> Uuid {
    uuid::Builder::from_custom_bytes(print(parts).0).into_uuid()
}

/// The first half of a SHA-256 over the parts, each after its length.
pub fn print(parts: &[&[u8]]) -> Print {
    let mut hasher = Sha256::new();
    for part in parts {
        hasher.update((part.len() as u64).to_be_bytes());
        hasher.update(part);
    }
    let digest: [u8; 32] = hasher.finalize().into();
    let mut half = [0; 16];
    half.copy_from_slice(&digest[..16]);
    Print(half)
}

pub fn respond(outcome: Outcome) -> Result<Response, Problem> {
    let Answer { status, version, location, body, replayed } =
        outcome.map_err(|refusal| problem(&refusal))?;
    let mut response = Response::new(Body::from(body));
    *response.status_mut() = StatusCode::from_u16(status).unwrap_or(StatusCode::OK);
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
    headers.insert(header::ETAG, etag(version));
    if let Some(location) = location.and_then(|location| HeaderValue::from_str(&location).ok()) {
        headers.insert(header::LOCATION, location);
    }
    if replayed {
        headers.insert(IDEMPOTENCY_REPLAYED, HeaderValue::from_static("true"));
    }
    Ok(response.into_response())
}

pub fn problem(refusal: &Refusal) -> Problem {
    match refusal {
        Refusal::Rejected(rejection) => rejected(rejection),
        Refusal::VersionConflict { current } => Problem::new("version_conflict")
            .detail(format!("The book has version {current} by now."))
            .with("current_version", *current),
        Refusal::KeyReused => Problem::new("idempotency_key_reused"),
        Refusal::Overloaded => Problem::new("overloaded").with("outcome", "not_applied").retry_after(1),
        Refusal::NotApplied => Problem::new("unavailable").with("outcome", "not_applied").retry_after(1),
        Refusal::Unknown => Problem::new("unavailable")
            .detail(
                "It is not known whether the write was applied. Send it again with the same key to find out.",
            )
            .with("outcome", "unknown")
            .retry_after(1),
    }
}

fn rejected(rejection: &Rejection) -> Problem {
    let (code, detail) = (rejection.code(), sentence(&rejection.to_string()));
    if let Rejection::BulkRefused { faults } = rejection {
        let faults = faults.iter().map(|fault| fault_of_item(fault, &format!("/entries/{}", fault.index)));
        return faults.fold(Problem::new(code).detail(detail), |problem, fault| {
            problem.field(fault.pointer, fault.code, fault.detail)
        });
    }
    match rejection {
        Rejection::UndoConflicts { versions } => {
            return Problem::new(code).detail(detail).with("versions", versions.clone());
        }
        Rejection::AlreadyUndone { by, .. } => {
            return Problem::new(code).detail(detail).with("versions", vec![*by]);
        }
        _ => {}
    }
    match rejection.pointer().filter(|pointer| !pointer.is_empty()) {
        Some(pointer) => Problem::from_fields(vec![FieldError { pointer, code, detail }]),
        None => Problem::new(code).detail(detail),
    }
}

/// A fault of an item as its field's, where the item stands at `at`.
pub fn fault_of_item(item: &RefusedItem, at: &str) -> FieldError {
    let known = problem_codes::find(&item.code).unwrap_or(&problem_codes::INTERNAL);
    FieldError {
        pointer: format!("{at}{}", item.pointer.as_deref().unwrap_or_default()),
        code: known.code,
        detail: sentence(item.detail.as_str().unwrap_or_default()),
    }
}

/// An id in a path that cannot be one names nothing that exists.
pub fn book_in_path(text: &str) -> Result<BookId, Problem> {
    text.parse().map_err(|_| Problem::new("book_not_found"))
}

pub fn invitation_in_path(text: &str) -> Result<InvitationId, Problem> {
    text.parse().map_err(|_| Problem::new("invitation_not_found"))
}

pub fn member_in_path(text: &str) -> Result<UserId, Problem> {
    text.parse().map_err(|_| Problem::new("member_not_found"))
}

pub fn account_in_path(text: &str) -> Result<AccountId, Problem> {
    text.parse().map_err(|_| Problem::new("account_not_found"))
}

pub fn category_in_path(text: &str) -> Result<CategoryId, Problem> {
    text.parse().map_err(|_| Problem::new("category_not_found"))
}

pub fn entry_in_path(text: &str) -> Result<EntryId, Problem> {
    text.parse().map_err(|_| Problem::new("entry_not_found"))
}

pub fn import_in_path(text: &str) -> Result<ImportId, Problem> {
    text.parse().map_err(|_| Problem::new("import_not_found"))
}
