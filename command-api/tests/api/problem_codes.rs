use domain::{
    Rejection,
    event::Role,
    id::{AccountId, CategoryId, EntryId, ImportId, InvitationId, UserId},
    money::{AmountError, Currency, Money},
};
use http_kit::problem_codes::find;
use uuid::Uuid;

/// One of each; a new variant does not compile before it stands here.
fn every_rejection() -> Vec<(Rejection, u16)> {
    let uuid = Uuid::from_u128(1);
    let (account, category) = (AccountId::from_uuid(uuid), CategoryId::from_uuid(uuid));
    let (entry, import) = (EntryId::from_uuid(uuid), ImportId::from_uuid(uuid));
    let (user, invitation) = (UserId::from_uuid(uuid), InvitationId::from_uuid(uuid));
    let eur = Currency::parse("EUR").unwrap();
    let pointer = || "/x".to_owned();
    let amount = |error| (Rejection::Amount { error, pointer: "/amount".to_owned() }, 422);
    let all = vec![
        (Rejection::BookNotFound, 404),
        (Rejection::RoleForbids { needed: Role::Editor }, 403),
        (Rejection::BookExists, 409),
        (Rejection::NothingToChange, 422),
        (Rejection::LimitReached { of: "accounts", at_most: 1 }, 422),
        (Rejection::MemberNotFound { user }, 404),
        (Rejection::InvitationNotFound { invitation }, 404),
        (Rejection::InvitationInvalid, 422),
        (Rejection::AlreadyMember, 422),
        (Rejection::LastOwner, 422),
        (Rejection::UnknownAccount { account, pointer: pointer() }, 422),
        (Rejection::AccountClosed { account, pointer: pointer() }, 422),
        (Rejection::AccountNotClosed, 422),
        (Rejection::NameTaken { of: "account" }, 422),
        (Rejection::UnknownCategory { category, pointer: pointer() }, 422),
        (Rejection::CategoryArchived { category, pointer: pointer() }, 422),
        (Rejection::CategoryNotArchived, 422),
        (Rejection::CategoryKindMismatch { category, pointer: pointer() }, 422),
        (Rejection::CategoryCycle { pointer: "/parent" }, 422),
        (Rejection::CategoryTooDeep { at_most: 8, pointer: "/parent" }, 422),
        (Rejection::ChildNameTaken { child: pointer() }, 422),
        (Rejection::AccountNotFound { account }, 404),
        (Rejection::CategoryNotFound { category }, 404),
        (Rejection::EntryNotFound { entry }, 404),
        (Rejection::ImportNotFound { import }, 404),
        (Rejection::IdTaken { id: pointer() }, 422),
        (Rejection::EntryRemoved, 422),
        (Rejection::EntryNotRemoved, 422),
        (Rejection::DateOutOfRange { pointer: pointer() }, 422),
        amount(AmountError::Malformed),
        amount(AmountError::NotPositive),
        amount(AmountError::OutOfRange),
        amount(AmountError::TooManyDecimals { currency: eur }),
        (Rejection::BalanceOutOfRange, 422),
        (
            Rejection::CurrencyMismatch {
                account_currency: eur,
                given: "USD".to_owned(),
                pointer: pointer(),
            },
            422,
        ),
        (Rejection::ToAmountDiffers, 422),
        (Rejection::CurrencyMissing { pointer: pointer() }, 422),
        (Rejection::AmountZero { pointer: pointer() }, 422),
        (Rejection::PostingsUnbalanced { remainders: vec![Money { minor: 1, currency: eur }] }, 422),
        (Rejection::SameAccount, 422),
        (Rejection::SplitsDoNotAddUp { splits: pointer(), entry: pointer() }, 422),
        (Rejection::FieldMissing { field: "category" }, 422),
        (Rejection::FieldNotAllowed { field: "category" }, 422),
        (Rejection::UnknownRefundOf { entry }, 422),
        (Rejection::BulkRefused { faults: Vec::new() }, 422),
        (Rejection::TooManyEntries { found: 2, at_most: 1 }, 422),
        (Rejection::CommitNotFound { version: 1 }, 400),
        (Rejection::CommitNotUndoable, 422),
        (Rejection::AlreadyUndone { version: 1, by: 2 }, 409),
        (Rejection::UndoConflicts { versions: vec![2] }, 409),
        (Rejection::ImportRefused { line: 1, code: pointer(), detail: pointer() }, 422),
        (Rejection::ImportUnfinished, 409),
        (Rejection::ImportFinished, 409),
        (Rejection::ImportReverted, 409),
        (Rejection::BookNotEmpty, 409),
    ];
    for (rejection, _) in &all {
        match rejection {
            Rejection::BookNotFound
            | Rejection::RoleForbids { .. }
            | Rejection::BookExists
            | Rejection::NothingToChange
            | Rejection::LimitReached { .. }
            | Rejection::MemberNotFound { .. }
            | Rejection::InvitationNotFound { .. }
            | Rejection::InvitationInvalid
            | Rejection::AlreadyMember
            | Rejection::LastOwner
            | Rejection::UnknownAccount { .. }
            | Rejection::AccountClosed { .. }
            | Rejection::AccountNotClosed
            | Rejection::NameTaken { .. }
            | Rejection::UnknownCategory { .. }
            | Rejection::CategoryArchived { .. }
            | Rejection::CategoryNotArchived
            | Rejection::CategoryKindMismatch { .. }
            | Rejection::CategoryCycle { .. }
            | Rejection::CategoryTooDeep { .. }
            | Rejection::ChildNameTaken { .. }
            | Rejection::AccountNotFound { .. }
            | Rejection::CategoryNotFound { .. }
            | Rejection::EntryNotFound { .. }
            | Rejection::ImportNotFound { .. }
            | Rejection::IdTaken { .. }
            | Rejection::EntryRemoved
            | Rejection::EntryNotRemoved
            | Rejection::DateOutOfRange { .. }
            | Rejection::Amount { .. }
            | Rejection::BalanceOutOfRange
            | Rejection::CurrencyMismatch { .. }
            | Rejection::ToAmountDiffers
            | Rejection::CurrencyMissing { .. }
            | Rejection::AmountZero { .. }
            | Rejection::PostingsUnbalanced { .. }
            | Rejection::SameAccount
            | Rejection::SplitsDoNotAddUp { .. }
            | Rejection::FieldMissing { .. }
            | Rejection::FieldNotAllowed { .. }
            | Rejection::UnknownRefundOf { .. }
            | Rejection::BulkRefused { .. }
            | Rejection::TooManyEntries { .. }
            | Rejection::CommitNotFound { .. }
            | Rejection::CommitNotUndoable
            | Rejection::AlreadyUndone { .. }
            | Rejection::UndoConflicts { .. }
            | Rejection::ImportRefused { .. }
            | Rejection::ImportUnfinished
            | Rejection::ImportFinished
            | Rejection::ImportReverted
            | Rejection::BookNotEmpty => {}
        }
    }
    all
}

#[test]
fn every_rejection_is_a_problem_with_a_fitting_status() {
    for (rejection, status) in every_rejection() {
        let known = find(rejection.code()).unwrap_or_else(|| panic!("{} has no problem", rejection.code()));
        assert_eq!(known.status, status, "{}", rejection.code());
        assert!(!rejection.to_string().is_empty());
    }
}

#[test]
fn every_pointer_of_a_rejection_is_one() {
    for (rejection, _) in every_rejection() {
        let pointer = rejection.pointer().unwrap_or_default();
        assert!(pointer.is_empty() || pointer.starts_with('/'), "{pointer:?} of {rejection:?}");
    }
}
