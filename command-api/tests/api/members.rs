//! Books that are shared: who is invited, comes, may what, and goes.

use std::fs;

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use chrono::TimeDelta;
use domain::{Event, id::UserId};
use futures::future::join_all;
use serde_json::{Value, json};

use crate::world::{Call, Home, Reply, World, ann, user};

fn bob() -> UserId {
    user(2)
}

fn cem() -> UserId {
    user(3)
}

async fn invite(world: &World, home: &Home, role: &str) -> Reply {
    let reply = world.post(&invitations(home), json!({"email": "bob@example.org", "role": role})).await;
    assert_eq!(reply.status, 201, "{}", reply.body);
    reply
}

fn invitations(home: &Home) -> String {
    format!("{}/invitations", home.at)
}

fn token(invited: &Reply) -> String {
    invited.json()["token"].as_str().unwrap().to_owned()
}

async fn accept(world: &World, who: UserId, token: &str) -> Reply {
    world.call("POST /invitations/accept").by(who).json(&json!({ "token": token })).send().await
}

async fn change(world: &World, home: &Home, by: UserId, of: UserId, role: &str) -> Reply {
    let route = format!("PATCH {}/members/{of}", home.at);
    world.call(&route).by(by).json(&json!({ "role": role })).send().await
}

async fn remove(world: &World, home: &Home, by: UserId, of: UserId) -> Reply {
    world.call(&format!("DELETE {}/members/{of}", home.at)).by(by).send().await
}

async fn withdraw(world: &World, home: &Home, invitation: &str) -> Reply {
    world.call(&format!("DELETE {}/{invitation}", invitations(home))).send().await
}

async fn write(world: &World, home: &Home, by: UserId) -> Reply {
    world.call(&format!("POST {}", home.entries())).by(by).json(&home.expense("1.00")).send().await
}

/// A refusal in all its words, but for which request it answers.
fn words(reply: &Reply) -> Value {
    let mut problem = reply.json();
    problem["request_id"] = Value::Null;
    problem
}

#[tokio::test]
async fn somebody_is_invited_and_accepts() {
    let world = World::new();
    let home = world.home().await;
    let invited = invite(&world, &home, "editor").await;
    let id = invited.id();
    let invitation = json!({"id": id, "email": "bob@example.org", "role": "editor",
        "expires_at": "2026-11-30T12:00:00.000Z", "status": "open"});
    let told = json!({"id": id, "version": 6, "invitation": invitation, "token": token(&invited)});
    assert_eq!(invited.json(), told);
    assert_eq!(invited.header("etag"), Some("\"6\""));
    assert_eq!(invited.header("location"), Some(format!("/api/v1{}/{id}", invitations(&home)).as_str()));

    assert_eq!(write(&world, &home, bob()).await.refusal(), "404 book_not_found");
    let accepted = accept(&world, bob(), &token(&invited)).await;
    assert_eq!((accepted.status, accepted.version(), accepted.id()), (200, 7, home.book.clone()));
    let book = &accepted.json()["book"];
    assert_eq!(
        (&book["role"], &book["name"], &book["version"]),
        (&json!("editor"), &json!("Home"), &json!(7))
    );
    assert_eq!(write(&world, &home, bob()).await.version(), 8);
}

#[tokio::test]
async fn an_address_and_a_role_are_held_against_their_shape() {
    let world = World::new();
    let home = world.home().await;
    let heads = world.heads();
    for (body, expected) in [
        (json!({"email": "bob", "role": "editor"}), "422 email_malformed /email"),
        (json!({"email": "bob@", "role": "editor"}), "422 email_malformed /email"),
        (json!({"email": format!("{}@b", "a".repeat(253)), "role": "editor"}), "422 email_malformed /email"),
        (json!({"email": 7, "role": "editor"}), "422 wrong_type /email"),
        (json!({"email": "bob@example.org", "role": "king"}), "422 unknown_value /role"),
        (json!({"email": "bob@example.org"}), "422 field_missing /role"),
        (json!({"email": "b", "role": "king"}), "422 invalid_fields /email /role"),
    ] {
        assert_eq!(world.post(&invitations(&home), body.clone()).await.refusal(), expected, "{body}");
    }
    let trimmed =
        world.post(&invitations(&home), json!({"email": " Bob@Example.org ", "role": "viewer"})).await;
    assert_eq!(trimmed.json()["invitation"]["email"], "Bob@Example.org");
    assert_ne!(world.heads(), heads);
}

#[tokio::test]
async fn an_invitation_that_is_sent_again_has_the_same_token() {
    let world = World::new();
    let home = world.home().await;
    fn invite<'w>(world: &'w World, home: &Home) -> Call<'w> {
        let body = json!({"email": "bob@example.org", "role": "viewer"});
        world.call(&format!("POST {}", invitations(home))).key("bob").json(&body)
    }
    let first = invite(&world, &home).send().await;
    world.advance(TimeDelta::hours(1));
    let again = invite(&world, &home).send().await;
    assert!(again.is_replayed());
    assert_eq!(again.essence(), first.essence());

    // Nothing but the journal and its keys is needed for that.
    let world = world.restarted(|place| fs::remove_dir_all(place.decisions()).unwrap());
    let restarted = invite(&world, &home).send().await;
    assert!(restarted.is_replayed());
    assert_eq!(restarted.essence(), first.essence());
    let accepted = accept(&world, bob(), &token(&first)).await;
    assert_eq!(accepted.json()["book"]["role"], "viewer");
}

#[tokio::test]
async fn neither_token_nor_address_stands_in_the_journal() {
    let world = World::new();
    let home = world.home().await;
    let invited = invite(&world, &home, "viewer").await;
    let token = token(&invited);
    assert_eq!(accept(&world, bob(), &token).await.status, 200);
    let tag = URL_SAFE_NO_PAD.decode(&token).unwrap()[32..].to_vec();

    let place = world.stopped().place;
    let in_files = |folder: &std::path::Path, wanted: &[u8]| {
        let files =
            fs::read_dir(folder).unwrap().map(|file| file.unwrap().path()).filter(|path| path.is_file());
        files.into_iter().any(|file| fs::read(file).unwrap().windows(wanted.len()).any(|part| part == wanted))
    };
    for folder in [place.path().to_owned(), place.decisions()] {
        assert!(
            !in_files(&folder, token.as_bytes()) && !in_files(&folder, &tag),
            "a token in {}",
            folder.display()
        );
    }
    assert!(!in_files(place.path(), b"bob@example.org"));
    assert!(in_files(place.path(), b"invitation_made"), "the files are those that are meant");
}

#[tokio::test]
async fn every_token_that_is_not_good_is_refused_in_the_same_words() {
    let world = World::new();
    let home = world.home().await;
    let other = world.home().await;
    let used = token(&invite(&world, &home, "viewer").await);
    assert_eq!(accept(&world, bob(), &used).await.status, 200);
    let withdrawn = invite(&world, &home, "viewer").await;
    assert_eq!(withdraw(&world, &home, &withdrawn.id()).await.status, 200);
    let expired = token(&invite(&world, &home, "viewer").await);
    world.advance(TimeDelta::days(7));
    let good = token(&invite(&world, &home, "viewer").await);
    let good_bytes = URL_SAFE_NO_PAD.decode(&good).unwrap();

    let mut tokens = vec![used, token(&withdrawn), expired, String::new(), "nonsense".to_owned()];
    // Any one bit of it, and any one letter too few or too many.
    for at in 0..good_bytes.len() {
        let mut changed = good_bytes.clone();
        changed[at] ^= 1;
        tokens.push(URL_SAFE_NO_PAD.encode(changed));
    }
    tokens.extend([good[1..].to_owned(), good[..good.len() - 1].to_owned(), format!("{good}A")]);
    // With the ids of another book, of a book that is nowhere, and of another invitation of the same book.
    let with = |at: usize, id: &[u8]| {
        let mut changed = good_bytes.clone();
        changed[at..at + 16].copy_from_slice(id);
        URL_SAFE_NO_PAD.encode(changed)
    };
    tokens.extend([with(0, other.id().as_bytes()), with(0, &[7; 16])]);
    let second = URL_SAFE_NO_PAD.decode(token(&invite(&world, &home, "owner").await)).unwrap();
    tokens.push(with(16, &second[16..32]));

    let heads = world.heads();
    let first = accept(&world, cem(), &tokens[0]).await;
    assert_eq!(first.refusal(), "422 invitation_invalid");
    for token in &tokens {
        assert_eq!(words(&accept(&world, cem(), token).await), words(&first), "{token}");
    }
    assert_eq!(world.heads(), heads);
    assert_eq!(accept(&world, cem(), &good).await.status, 200, "the good one is as good as before");
}

#[tokio::test]
async fn an_invitation_lives_as_long_as_the_operator_says_and_not_a_moment_longer() {
    let world = World::with(|config| config.invitation_days = 1);
    let home = world.home().await;
    let token = token(&invite(&world, &home, "viewer").await);
    let day = TimeDelta::days(1);
    let moment = TimeDelta::milliseconds(1);
    world.advance(day);
    assert_eq!(accept(&world, bob(), &token).await.refusal(), "422 invitation_invalid");
    world.advance(-moment);
    assert_eq!(accept(&world, bob(), &token).await.status, 200);
}

#[tokio::test]
async fn an_acceptance_that_is_sent_again_is_answered_the_same() {
    let world = World::new();
    let home = world.home().await;
    let token = token(&invite(&world, &home, "editor").await);
    let accept_once = || {
        let call = world.call("POST /invitations/accept").by(bob()).key("once");
        call.json(&json!({ "token": token })).send()
    };
    let first = accept_once().await;
    world.advance(TimeDelta::days(10));
    let again = accept_once().await;
    assert!(again.is_replayed());
    assert_eq!(again.essence(), first.essence());
    // Under another key it is a second use.
    assert_eq!(accept(&world, bob(), &token).await.refusal(), "422 invitation_invalid");
}

#[tokio::test]
async fn a_member_cannot_accept_for_somebody_else() {
    let world = World::new();
    let home = world.home().await;
    let token = token(&invite(&world, &home, "viewer").await);
    assert_eq!(accept(&world, ann(), &token).await.refusal(), "422 already_member");
    assert_eq!(accept(&world, bob(), &token).await.status, 200);
}

#[tokio::test]
async fn an_invitation_is_withdrawn_once_and_stays_so_over_restart_and_replay() {
    let world = World::new();
    let home = world.home().await;
    let invited = invite(&world, &home, "viewer").await;
    let reply = withdraw(&world, &home, &invited.id()).await;
    let mut invitation = invited.json()["invitation"].clone();
    invitation["status"] = json!("withdrawn");
    assert_eq!(reply.json(), json!({"id": invited.id(), "version": 7, "invitation": invitation}));
    assert_eq!(withdraw(&world, &home, &invited.id()).await.refusal(), "422 invitation_invalid");
    for id in ["nonsense", "inv_00000000000000000000000000", home.bank.as_str()] {
        assert_eq!(withdraw(&world, &home, id).await.refusal(), "404 invitation_not_found", "{id}");
    }

    let others =
        [token(&invite(&world, &home, "viewer").await), token(&invite(&world, &home, "editor").await)];
    let world = world.restarted(|_| {});
    assert_eq!(accept(&world, bob(), &token(&invited)).await.refusal(), "422 invitation_invalid");
    assert_eq!(accept(&world, bob(), &others[0]).await.status, 200);
    let world = world.restarted(|place| fs::remove_dir_all(place.decisions()).unwrap());
    assert_eq!(accept(&world, cem(), &token(&invited)).await.refusal(), "422 invitation_invalid");
    assert_eq!(accept(&world, cem(), &others[0]).await.refusal(), "422 invitation_invalid");
    assert_eq!(accept(&world, cem(), &others[1]).await.status, 200);
}

#[tokio::test]
async fn only_owners_invite_withdraw_change_and_remove() {
    let world = World::new();
    let home = world.home().await;
    let (viewer, editor, stranger) = (user(2), user(3), user(9));
    world.join(&home.at, viewer, "viewer").await;
    world.join(&home.at, editor, "editor").await;
    let open = invite(&world, &home, "viewer").await.id();
    let heads = world.heads();
    for (who, expected) in
        [(viewer, "403 role_forbids"), (editor, "403 role_forbids"), (stranger, "404 book_not_found")]
    {
        let invited = world.call(&format!("POST {}", invitations(&home))).by(who);
        let invited = invited.json(&json!({"email": "c@example.org", "role": "owner"})).send().await;
        let withdrawn = world.call(&format!("DELETE {}/{open}", invitations(&home))).by(who).send().await;
        let changed = change(&world, &home, who, who, "owner").await;
        let removed = remove(&world, &home, who, ann()).await;
        for reply in [invited, withdrawn, changed, removed] {
            assert_eq!(reply.refusal(), expected);
        }
    }
    assert_eq!(world.heads(), heads);
}

#[tokio::test]
async fn a_role_is_changed_and_counts_at_once() {
    let world = World::new();
    let home = world.home().await;
    world.join(&home.at, bob(), "viewer").await;
    assert_eq!(write(&world, &home, bob()).await.refusal(), "403 role_forbids");
    let reply = change(&world, &home, ann(), bob(), "editor").await;
    let member = json!({"id": bob().to_string(), "role": "editor"});
    assert_eq!(reply.json(), json!({"id": bob().to_string(), "version": 8, "member": member}));
    assert_eq!(write(&world, &home, bob()).await.status, 201);
    assert_eq!(change(&world, &home, ann(), bob(), "editor").await.refusal(), "422 nothing_to_change");
    assert_eq!(change(&world, &home, ann(), cem(), "editor").await.refusal(), "404 member_not_found");
    let nonsense = world.patch(&format!("{}/members/nonsense", home.at), json!({"role": "editor"})).await;
    assert_eq!(nonsense.refusal(), "404 member_not_found");
    assert_eq!(change(&world, &home, ann(), bob(), "king").await.refusal(), "422 unknown_value /role");
}

#[tokio::test]
async fn whoever_is_removed_is_a_stranger_from_then_on() {
    let world = World::new();
    let home = world.home().await;
    world.join(&home.at, bob(), "owner").await;
    let again = token(&invite(&world, &home, "viewer").await);
    let removed = remove(&world, &home, ann(), bob()).await;
    assert_eq!(removed.json(), json!({"id": bob().to_string(), "version": 9, "member": null}));
    assert_eq!(write(&world, &home, bob()).await.refusal(), "404 book_not_found");
    assert_eq!(remove(&world, &home, bob(), bob()).await.refusal(), "404 book_not_found");
    assert_eq!(remove(&world, &home, ann(), bob()).await.refusal(), "404 member_not_found");
    let world = world.restarted(|place| fs::remove_dir_all(place.decisions()).unwrap());
    assert_eq!(write(&world, &home, bob()).await.refusal(), "404 book_not_found");
    assert_eq!(accept(&world, bob(), &again).await.status, 200);
    assert_eq!(write(&world, &home, bob()).await.refusal(), "403 role_forbids");
}

#[tokio::test]
async fn every_member_may_leave_and_hears_of_it_again_if_the_answer_was_lost() {
    let world = World::new();
    let home = world.home().await;
    for (number, role) in ["viewer", "editor", "owner"].into_iter().enumerate() {
        let leaver = user(10 + number as u128);
        world.join(&home.at, leaver, role).await;
        let route = format!("DELETE {}/members/{leaver}", home.at);
        let leave = || world.call(&route).by(leaver).key("leave");
        let left = leave().send().await;
        assert_eq!((left.status, &left.json()["member"]), (200, &Value::Null), "{role}");
        let again = leave().send().await;
        assert!(again.is_replayed());
        assert_eq!(again.essence(), left.essence());
        assert_eq!(leave().key("anew").send().await.refusal(), "404 book_not_found");
        assert_eq!(write(&world, &home, leaver).await.refusal(), "404 book_not_found");
    }
}

#[tokio::test]
async fn the_last_owner_stays() {
    let world = World::new();
    let home = world.home().await;
    world.join(&home.at, bob(), "editor").await;
    let heads = world.heads();
    assert_eq!(remove(&world, &home, ann(), ann()).await.refusal(), "422 last_owner");
    assert_eq!(change(&world, &home, ann(), ann(), "viewer").await.refusal(), "422 last_owner");
    assert_eq!(world.heads(), heads);
    assert_eq!(change(&world, &home, ann(), bob(), "owner").await.status, 200);
    assert_eq!(change(&world, &home, ann(), ann(), "viewer").await.status, 200);
    assert_eq!(remove(&world, &home, bob(), bob()).await.refusal(), "422 last_owner");
    assert_eq!(remove(&world, &home, ann(), ann()).await.status, 200);
}

#[tokio::test]
async fn of_many_who_accept_one_token_at_once_one_becomes_a_member() {
    let world = World::new();
    let home = world.home().await;
    let token = token(&invite(&world, &home, "viewer").await);
    let replies = join_all((2..22).map(|number| accept(&world, user(number), &token))).await;
    assert_eq!(replies.iter().filter(|reply| reply.status == 200).count(), 1);
    for lost in replies.iter().filter(|reply| reply.status != 200) {
        assert_eq!(lost.refusal(), "422 invitation_invalid");
    }
    assert_eq!(members_added(&world), 2, "the owner and whoever was first");
}

#[tokio::test]
async fn of_a_withdrawal_and_an_acceptance_at_once_one_goes_through() {
    let world = World::new();
    let home = world.home().await;
    for round in 0..20 {
        let invited = invite(&world, &home, "viewer").await;
        let (token, id) = (token(&invited), invited.id());
        let (accepted, withdrawn) =
            tokio::join!(accept(&world, user(100 + round), &token), withdraw(&world, &home, &id));
        let mut statuses = [accepted.status, withdrawn.status];
        statuses.sort_unstable();
        assert_eq!(statuses, [200, 422], "{} {}", accepted.body, withdrawn.body);
    }
}

#[tokio::test]
async fn owners_who_remove_each_other_at_once_leave_one() {
    let world = World::new();
    let home = world.home().await;
    world.join(&home.at, bob(), "owner").await;
    let (first, second) =
        tokio::join!(remove(&world, &home, ann(), bob()), remove(&world, &home, bob(), ann()));
    assert_eq!(first.status, 200);
    assert_eq!(second.refusal(), "404 book_not_found");
}

/// How many members were ever added to the books of this world.
fn members_added(world: &World) -> usize {
    let commits = world.commits();
    let events = commits.iter().flat_map(|commit| &commit.events);
    events.filter(|event| matches!(event, Event::MemberAdded { .. })).count()
}
