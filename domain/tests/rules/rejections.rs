//! Makes sure that each refusal of the rules is met by a scenario.

use std::collections::BTreeSet;

use domain::Rejection;

use crate::{scenarios, script};

/// Each refusal and the codes it has, once as a match that the compiler holds complete and once as a list.
macro_rules! codes {
    ($($refusal:pat => $codes:expr;)*) => {
        pub fn codes(rejection: &Rejection) -> &'static [&'static str] {
            match rejection {
                $($refusal => &$codes,)*
            }
        }

        const ALL: &[&[&str]] = &[$(&$codes),*];
    };
}

codes! {
    Rejection::BookNotFound => ["book_not_found"];
    Rejection::RoleForbids { .. } => ["role_forbids"];
    Rejection::BookExists => ["book_exists"];
    Rejection::NothingToChange => ["nothing_to_change"];
    Rejection::LimitReached { .. } => ["limit_reached"];
    Rejection::MemberNotFound { .. } => ["member_not_found"];
    Rejection::InvitationNotFound { .. } => ["invitation_not_found"];
    Rejection::InvitationInvalid => ["invitation_invalid"];
    Rejection::AlreadyMember => ["already_member"];
    Rejection::LastOwner => ["last_owner"];
    Rejection::UnknownAccount { .. } => ["unknown_account"];
    Rejection::AccountClosed { .. } => ["account_closed"];
    Rejection::AccountNotClosed => ["account_not_closed"];
    Rejection::NameTaken { .. } => ["name_taken"];
    Rejection::UnknownCategory { .. } => ["unknown_category"];
    Rejection::CategoryArchived { .. } => ["category_archived"];
    Rejection::CategoryNotArchived => ["category_not_archived"];
    Rejection::CategoryKindMismatch { .. } => ["category_kind_mismatch"];
    Rejection::CategoryCycle { .. } => ["category_cycle"];
    Rejection::CategoryTooDeep { .. } => ["category_too_deep"];
    Rejection::ChildNameTaken { .. } => ["name_taken"];
    Rejection::AccountNotFound { .. } => ["account_not_found"];
    Rejection::CategoryNotFound { .. } => ["category_not_found"];
    Rejection::EntryNotFound { .. } => ["entry_not_found"];
    Rejection::ImportNotFound { .. } => ["import_not_found"];
    Rejection::IdTaken { .. } => ["id_taken"];
    Rejection::EntryRemoved => ["entry_removed"];
    Rejection::EntryNotRemoved => ["entry_not_removed"];
    Rejection::DateOutOfRange { .. } => ["date_out_of_range"];
    // A malformed amount is none; no command carries it.
    Rejection::Amount { .. } => ["amount_not_positive", "amount_out_of_range", "too_many_decimals"];
    Rejection::BalanceOutOfRange => ["balance_out_of_range"];
    Rejection::CurrencyMismatch { .. } => ["currency_mismatch"];
    Rejection::ToAmountDiffers => ["field_not_allowed"];
    Rejection::CurrencyMissing { .. } => ["field_missing"];
    Rejection::AmountZero { .. } => ["amount_zero"];
    Rejection::PostingsUnbalanced { .. } => ["postings_unbalanced"];
    Rejection::SameAccount => ["same_account"];
    Rejection::SplitsDoNotAddUp { .. } => ["splits_do_not_add_up"];
    Rejection::FieldMissing { .. } => ["field_missing"];
    Rejection::FieldNotAllowed { .. } => ["field_not_allowed"];
    Rejection::UnknownRefundOf { .. } => ["unknown_refund_of"];
    Rejection::BulkRefused { .. } => ["bulk_refused"];
    Rejection::TooManyEntries { .. } => ["too_many_entries"];
    Rejection::CommitNotFound { .. } => ["version_unknown"];
    Rejection::CommitNotUndoable => ["commit_not_undoable"];
    Rejection::AlreadyUndone { .. } => ["already_undone"];
    Rejection::UndoConflicts { .. } => ["undo_conflicts"];
    Rejection::ImportRefused { .. } => ["import_refused"];
    Rejection::ImportUnfinished => ["import_unfinished"];
    Rejection::ImportFinished => ["import_finished"];
    Rejection::ImportReverted => ["import_reverted"];
    Rejection::BookNotEmpty => ["book_not_empty"];
}

#[test]
fn every_refusal_is_met_by_a_scenario() {
    let met: BTreeSet<String> = scenarios::ALL.iter().flat_map(|scenario| script::check(scenario)).collect();
    let missed: Vec<&&str> = ALL.iter().copied().flatten().filter(|code| !met.contains(**code)).collect();
    assert!(missed.is_empty(), "no scenario is refused with {missed:?}");
}
