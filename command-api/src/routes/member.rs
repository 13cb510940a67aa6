use serde::Serialize;
use utoipa::ToSchema;

#[derive(Serialize, ToSchema)]
pub struct MemberWritten {
    /// The person's id.
    pub id: String,
    /// The version of the book that this write made.
    pub version: u64,
    /// `null` for somebody who is no member any more.
    pub member: Option<MemberRole>,
}

/// A member, without the name, which is not known where books are written.
#[derive(Serialize, ToSchema)]
pub struct MemberRole {
    /// The person's id.
    pub id: String,
    /// `owner`, `editor` or `viewer`.
    pub role: String,
}
