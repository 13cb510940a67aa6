//! Who belongs to a book. A book always has an owner.

use chrono::{DateTime, Utc};

use super::id_taken;
use crate::{
    Book, Event, Rejection,
    book::{Invitation, InvitationStanding},
    event::Role,
    id::{InvitationId, UserId},
    text::Text,
};

pub const MEMBERS_MAX: usize = 100;
pub const INVITATIONS_MAX: usize = 100;

pub(super) fn invite(
    book: &Book,
    invitation: InvitationId,
    email: &Text,
    role: Role,
    expires_at: DateTime<Utc>,
) -> Result<Vec<Event>, Rejection> {
    if book.invitations.contains_key(&invitation) {
        return Err(id_taken(&invitation));
    }
    let is_open = |known: &&Invitation| known.standing == InvitationStanding::Open;
    if book.invitations.values().filter(is_open).count() >= INVITATIONS_MAX {
        return Err(Rejection::LimitReached { of: "open invitations", at_most: INVITATIONS_MAX });
    }
    Ok(vec![Event::InvitationMade { invitation, email: email.clone(), role, expires_at }])
}

pub(super) fn withdraw(book: &Book, invitation: InvitationId) -> Result<Vec<Event>, Rejection> {
    let known = book.invitations.get(&invitation).ok_or(Rejection::InvitationNotFound { invitation })?;
    if known.standing != InvitationStanding::Open {
        return Err(Rejection::InvitationInvalid);
    }
    Ok(vec![Event::InvitationWithdrawn { invitation }])
}

pub(super) fn accept(
    book: &Book,
    actor: UserId,
    invitation: InvitationId,
    at: DateTime<Utc>,
) -> Result<Vec<Event>, Rejection> {
    let known = book.invitations.get(&invitation).ok_or(Rejection::InvitationInvalid)?;
    if known.standing != InvitationStanding::Open || known.expires_at <= at {
        return Err(Rejection::InvitationInvalid);
    }
    if book.role_of(actor).is_some() {
        return Err(Rejection::AlreadyMember);
    }
    if book.members.len() >= MEMBERS_MAX {
        return Err(Rejection::LimitReached { of: "members", at_most: MEMBERS_MAX });
    }
    Ok(vec![Event::InvitationAccepted { invitation }, Event::MemberAdded { user: actor, role: known.role }])
}

pub(super) fn change(book: &Book, user: UserId, role: Role) -> Result<Vec<Event>, Rejection> {
    let before = book.role_of(user).ok_or(Rejection::MemberNotFound { user })?;
    if before == role {
        return Err(Rejection::NothingToChange);
    }
    refuse_without_owner(book, user)?;
    Ok(vec![Event::MemberRoleChanged { user, role, before }])
}

pub(super) fn remove(book: &Book, user: UserId) -> Result<Vec<Event>, Rejection> {
    let before = book.role_of(user).ok_or(Rejection::MemberNotFound { user })?;
    refuse_without_owner(book, user)?;
    Ok(vec![Event::MemberRemoved { user, before }])
}

/// Refuses what would leave the book to nobody: `leaving` is about to own it no more.
pub(super) fn refuse_without_owner(book: &Book, leaving: UserId) -> Result<(), Rejection> {
    let is_owned_by_another =
        book.members.iter().any(|(member, role)| *member != leaving && *role == Role::Owner);
    if is_owned_by_another || book.role_of(leaving) != Some(Role::Owner) {
        Ok(())
    } else {
        Err(Rejection::LastOwner)
    }
}
