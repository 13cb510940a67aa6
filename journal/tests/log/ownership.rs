//! The ownership rule, line by line: a record as it comes, and what becomes of it.

use journal::{
    Fence,
    ownership::{Header, Judgement, RULE},
};

/// `claim <epoch> <owner>` or `commit <epoch> <owner> <seq>`, then the judgement.
#[track_caller]
fn check(table: &str) -> Fence {
    let mut fence = Fence::default();
    for line in table.lines().map(str::trim).filter(|line| !line.is_empty()) {
        let words: Vec<_> = line.split_whitespace().collect();
        let number = |word: &str| word.parse().unwrap();
        let (header, expected) = match words[..] {
            ["claim", epoch, owner, expected] => {
                (Header::Claim { rule: RULE, epoch: number(epoch), owner }, expected)
            }
            ["commit", epoch, owner, seq, expected] => {
                (Header::Commit { epoch: number(epoch), owner, seq: number(seq) }, expected)
            }
            _ => panic!("{line:?} is no line of the table"),
        };
        let before = fence.clone();
        let judged = match fence.judge(header) {
            Judgement::Accepted => "accepted",
            Judgement::Ignored(reason) => reason.as_str(),
        };
        assert_eq!(judged, expected, "{line}");
        assert_eq!(fence != before, judged == "accepted", "only what counts moves the fence: {line}");
    }
    fence
}

#[test]
fn an_owner_claims_and_commits() {
    let fence = check(
        "claim  1 ann    accepted
         commit 1 ann 1  accepted
         commit 1 ann 2  accepted
         commit 1 ann 3  accepted",
    );
    assert_eq!(fence, Fence { epoch: 1, owner: "ann".to_owned(), seq: 3 });
}

#[test]
fn nobody_commits_before_a_claim() {
    check(
        "commit 1 ann 1  not_the_owner
         commit 0 ann 1  not_the_owner
         claim  0 ann    stale_claim
         claim  1 ann    accepted
         commit 1 ann 1  accepted",
    );
}

#[test]
fn of_two_claims_of_one_epoch_the_first_counts() {
    check(
        "claim  1 ann    accepted
         claim  1 bob    stale_claim
         commit 1 bob 1  not_the_owner
         commit 1 ann 1  accepted",
    );
}

#[test]
fn a_former_owner_writes_in_vain() {
    check(
        "claim  1 ann    accepted
         commit 1 ann 1  accepted
         claim  2 bob    accepted
         commit 1 ann 2  not_the_owner
         commit 2 bob 1  accepted
         commit 1 ann 3  not_the_owner
         claim  1 ann    stale_claim
         claim  2 ann    stale_claim
         commit 2 ann 2  not_the_owner
         commit 2 bob 2  accepted",
    );
}

#[test]
fn a_repeated_record_counts_once() {
    check(
        "claim  1 ann    accepted
         claim  1 ann    stale_claim
         commit 1 ann 1  accepted
         commit 1 ann 1  repeated
         commit 1 ann 2  accepted
         commit 1 ann 1  repeated
         commit 1 ann 2  repeated
         commit 1 ann 0  repeated
         commit 1 ann 3  accepted",
    );
}

#[test]
fn after_a_lost_record_nothing_of_the_epoch_counts_until_it_comes() {
    check(
        "claim  1 ann    accepted
         commit 1 ann 1  accepted
         commit 1 ann 3  gap
         commit 1 ann 4  gap
         commit 1 ann 2  accepted
         commit 1 ann 3  accepted",
    );
}

#[test]
fn an_owner_that_claims_again_counts_from_one() {
    check(
        "claim  1 ann    accepted
         commit 1 ann 1  accepted
         commit 1 ann 2  accepted
         claim  2 ann    accepted
         commit 1 ann 3  not_the_owner
         commit 2 ann 3  gap
         commit 2 ann 1  accepted
         commit 1 ann 2  not_the_owner
         commit 2 ann 2  accepted",
    );
}

#[test]
fn epochs_may_be_left_out_but_never_come_back() {
    check(
        "claim  5 ann    accepted
         claim  3 bob    stale_claim
         claim  9 bob    accepted
         claim  7 ann    stale_claim
         commit 5 ann 1  not_the_owner
         commit 9 bob 1  accepted",
    );
}

#[test]
fn the_largest_numbers_are_judged_as_well() {
    let mut fence = Fence { epoch: u64::MAX, owner: "ann".to_owned(), seq: u64::MAX };
    let commit = Header::Commit { epoch: u64::MAX, owner: "ann", seq: u64::MAX };
    assert_ne!(fence.judge(commit), Judgement::Accepted);
    let claim = Header::Claim { rule: RULE, epoch: u64::MAX, owner: "bob" };
    assert_ne!(fence.judge(claim), Judgement::Accepted);
}

#[test]
fn a_fence_is_saved_under_names_that_stay() {
    let fence = Fence { epoch: 7, owner: "ann".to_owned(), seq: 41 };
    let saved = r#"{"epoch":7,"owner":"ann","seq":41}"#;
    assert_eq!(serde_json::to_string(&fence).unwrap(), saved);
    assert_eq!(serde_json::from_str::<Fence>(saved).unwrap(), fence);
}
