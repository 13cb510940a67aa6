//! Who keeps the book, and whom the owners have invited.

use std::sync::atomic::Ordering;

use chrono::{DateTime, Utc};
use domain::{
    Command, decide,
    event::Role,
    id::{InvitationId, UserId},
    text::Text,
};
use serde_json::{Value, json};
use uuid::Uuid;

use crate::household::{Household, settings};

fn vera() -> UserId {
    UserId::from_uuid(Uuid::from_u128(7))
}

fn instant(text: &str) -> DateTime<Utc> {
    text.parse().unwrap()
}

fn invite(household: &mut Household, email: &str, role: Role, expires_at: &str) -> InvitationId {
    let invitation = InvitationId::from_uuid(household.next_id());
    let (email, expires_at) = (Text::known(email), instant(expires_at));
    household.run(Command::InviteMember { invitation, email, role, expires_at }).unwrap();
    invitation
}

/// As their own decision, though the history names the owner.
fn accept(household: &mut Household, invitation: InvitationId) {
    let command = Command::AcceptInvitation { invitation, at: instant("2026-11-22T12:00:00Z") };
    let events = decide(&household.book, vera(), &command).unwrap();
    household.record(command.name(), events);
}

/// A book with Vera in it.
async fn shared(role: Role) -> Household {
    let mut household = Household::with(settings()).await;
    let invitation = invite(&mut household, "vera@example.org", role, "2026-11-30T12:00:00Z");
    accept(&mut household, invitation);
    household.project().await;
    household
}

#[tokio::test]
async fn open_invitations_are_listed_with_those_that_are_out_of_date() {
    let mut household = Household::with(settings()).await;
    let accepted = invite(&mut household, "vera@example.org", Role::Viewer, "2026-11-30T12:00:00Z");
    accept(&mut household, accepted);
    let withdrawn = invite(&mut household, "x@example.org", Role::Owner, "2026-11-30T12:00:00Z");
    household.run(Command::WithdrawInvitation { invitation: withdrawn }).unwrap();
    let later = invite(&mut household, "later@example.org", Role::Owner, "2026-11-23T12:00:00.001Z");
    household.project().await;
    let answer = household.get("/invitations").await;
    let item = |id: InvitationId, email: &str, role: &str, expires_at: &str, status: &str| json!({"id": id.to_string(), "email": email, "role": role, "expires_at": expires_at, "status": status});
    let open = item(later, "later@example.org", "owner", "2026-11-23T12:00:00.001Z", "open");
    assert_eq!(answer.body, json!({"data": [open]}));
    assert_eq!(answer.etag.as_deref(), Some("\"6\""));

    // It is noon: one that ends now has ended.
    let ended = invite(&mut household, "late@example.org", Role::Editor, "2026-11-23T12:00:00Z");
    household.project().await;
    let answer = household.get("/invitations").await;
    let expired = item(ended, "late@example.org", "editor", "2026-11-23T12:00:00.000Z", "expired");
    assert_eq!(answer.body, json!({"data": [expired, open]}));
    let tag = format!("\"7-{}\"", instant("2026-11-23T12:00:00Z").timestamp_millis());
    assert_eq!(answer.etag.as_deref(), Some(tag.as_str()));
    assert_eq!(household.get_if_none_match("/invitations", &tag).await.status, 304);
    assert_eq!(household.get_if_none_match("/invitations", "\"7\"").await.status, 200);
}

#[tokio::test]
async fn nobody_but_owners_learns_who_was_invited() {
    for role in [Role::Viewer, Role::Editor, Role::Owner] {
        let household = shared(role).await;
        let ask = async |path: &str| {
            household.get_as(vera(), &format!("/api/v1/books/{}{path}", household.id)).await
        };
        let list = ask("/invitations").await;
        let told = [ask("/history").await.body.to_string(), ask("/history/2").await.body.to_string()];
        if role == Role::Owner {
            assert_eq!(list.status, 200);
            assert!(told.iter().all(|text| text.contains("vera@example.org")));
            continue;
        }
        assert_eq!((list.status.as_u16(), &list.body["code"]), (403, &json!("role_forbids")));
        assert!(
            told.iter().all(|text| text.contains("invitation_made") && !text.contains("vera@example.org"))
        );
    }
}

#[tokio::test]
async fn who_was_removed_is_a_stranger_to_every_read() {
    let mut household = shared(Role::Owner).await;
    let path = |household: &Household, rest: &str| format!("/api/v1/books/{}{rest}", household.id);
    assert_eq!(household.get_as(vera(), &path(&household, "/overview")).await.status, 200);
    household.run(Command::RemoveMember { user: vera() }).unwrap();
    household.project().await;
    for rest in ["", "/overview", "/members", "/history", "/invitations", "?min_version=4", "?min_version=3"]
    {
        let answer = household.get_as(vera(), &path(&household, rest)).await;
        assert_eq!((answer.status.as_u16(), &answer.body["code"]), (404, &json!("book_not_found")), "{rest}");
    }
    // However much of other books is still on its way; a stranger is told no earlier than of a book that is nowhere.
    household.head.store(u64::MAX, Ordering::SeqCst);
    let asked = path(&household, "?min_version=4");
    assert_eq!(household.get_as(vera(), &asked).await.body["code"], "book_not_found");
    let stranger = UserId::from_uuid(Uuid::from_u128(9));
    assert_eq!(household.get_as(stranger, &asked).await.body["code"], "not_yet_visible");
    household.head.store(household.version, Ordering::SeqCst);
    let books = household.get_as(vera(), "/api/v1/books").await;
    assert_eq!(books.body["data"], json!([]));
    let members = household.read("/members").await;
    let owner = json!({"id": household.owner.to_string(), "name": "Ada", "role": "owner"});
    assert_eq!(members, json!({"data": [owner]}));
    // What they did stays, and so does that they came and went.
    let history = household.read("/history").await;
    let commands: Vec<&Value> =
        history["data"].as_array().unwrap().iter().map(|commit| &commit["command"]).collect();
    assert_eq!(commands, ["remove_member", "accept_invitation", "invite_member", "create_book"]);
}
