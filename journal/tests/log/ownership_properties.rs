//! The ownership rule under what can happen to owners and their records: rival claims, lost and repeated
//! appends, delays, zombies that do not know of their successor, and records that nobody in his senses writes.
//!
//! `PROPTEST_CASES=1000000 cargo test -p daybook-journal ownership_properties` looks longer.

use std::collections::VecDeque;

use journal::{
    Fence,
    ownership::{Header, Judgement, RULE, Reason},
};
use proptest::{
    prelude::*,
    test_runner::{Config, TestError, TestRunner},
};

const CASES: u32 = 100_000;
const STEPS_MAX: usize = 32;
const OWNERS: [&str; 3] = ["ann", "bob", "cyd"];

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Sent {
    Claim { epoch: u64, owner: usize },
    Commit { epoch: u64, owner: usize, seq: u64 },
}

impl Sent {
    fn header(&self) -> Header<'static> {
        match *self {
            Sent::Claim { epoch, owner } => Header::Claim { rule: RULE, epoch, owner: OWNERS[owner] },
            Sent::Commit { epoch, owner, seq } => Header::Commit { epoch, owner: OWNERS[owner], seq },
        }
    }
}

type Judge = fn(&mut Fence, Header<'_>) -> Judgement;

fn the_rule(fence: &mut Fence, header: Header<'_>) -> Judgement {
    fence.judge(header)
}

/// What one owner believes, and what it has sent that has not arrived.
#[derive(Default)]
struct Owner {
    claiming: Option<u64>,
    tenure: Option<(u64, u64)>,
    in_flight: VecDeque<Sent>,
}

/// The log that comes of a script: each byte is one step of one owner.
fn play(script: &[u8], judge: Judge) -> Vec<Sent> {
    let mut log: Vec<Sent> = Vec::new();
    let mut owners: [Owner; 3] = Default::default();
    for (step, byte) in script.iter().enumerate() {
        // One owner does more than the others, so that some reigns are long.
        let name = usize::from(byte % 4) % 3;
        let owner = &mut owners[name];
        match byte / 4 % 16 {
            // Claims on what the log says now; it may say something else by the time the claim arrives.
            0 => owner.claim(name, &fence_after(&log, judge)),
            1 => owner.look(name, &fence_after(&log, judge)),
            // Takes over in one go, ahead of what else it has in flight.
            2 => {
                owner.claim(name, &fence_after(&log, judge));
                log.extend(owner.in_flight.pop_back());
                owner.look(name, &fence_after(&log, judge));
            }
            // Goes on committing, without looking whether it still may.
            3..=5 => owner.commit(name),
            6 | 7 => {
                owner.commit(name);
                log.extend(owner.in_flight.pop_front());
            }
            8 | 9 => log.extend(owner.in_flight.pop_front()),
            10 => log.extend(owner.in_flight.drain(..)),
            // The newest arrives first.
            11 | 12 => log.extend(owner.in_flight.pop_back()),
            // Arrives, and arrives again later.
            13 => log.extend(owner.in_flight.front()),
            // Is lost.
            14 => drop(owner.in_flight.pop_front()),
            // A record out of nowhere.
            _ => {
                let (epoch, seq) = (step as u64 % 4, step as u64 % 5);
                log.push(match step % 3 {
                    0 => Sent::Claim { epoch, owner: name },
                    _ => Sent::Commit { epoch, owner: name, seq },
                });
            }
        }
    }
    log.extend(owners.into_iter().flat_map(|owner| owner.in_flight));
    log
}

impl Owner {
    fn claim(&mut self, name: usize, fence: &Fence) {
        self.claiming = Some(fence.epoch + 1);
        self.in_flight.push_back(Sent::Claim { epoch: fence.epoch + 1, owner: name });
    }

    /// Reads the log, and knows whether its claim counts.
    fn look(&mut self, name: usize, fence: &Fence) {
        if self.claiming == Some(fence.epoch) && fence.owner == OWNERS[name] {
            self.tenure = Some((fence.epoch, fence.seq));
            self.claiming = None;
        }
    }

    fn commit(&mut self, name: usize) {
        if let Some((epoch, seq)) = &mut self.tenure {
            *seq += 1;
            self.in_flight.push_back(Sent::Commit { epoch: *epoch, owner: name, seq: *seq });
        }
    }
}

fn fence_after(log: &[Sent], judge: Judge) -> Fence {
    let mut fence = Fence::default();
    for sent in log {
        judge(&mut fence, sent.header());
    }
    fence
}

fn judge_all(log: &[Sent], mut fence: Fence, judge: Judge) -> (Vec<Judgement>, Fence) {
    let judgements = log.iter().map(|sent| judge(&mut fence, sent.header())).collect();
    (judgements, fence)
}

/// What has to hold of every log, whoever reads it.
fn check(log: &[Sent], checkpoint: usize, judge: Judge) -> Result<(), String> {
    let (judgements, end) = judge_all(log, Fence::default(), judge);

    // Two readers agree, wherever the second one begins.
    let checkpoint = checkpoint % (log.len() + 1);
    let (before, saved) = judge_all(&log[..checkpoint], Fence::default(), judge);
    let (after, end_after) = judge_all(&log[checkpoint..], saved, judge);
    if judgements != [before, after].concat() || end != end_after {
        return Err(format!("a reader that begins after {checkpoint} records judges otherwise"));
    }

    // An ignored record is as good as not written: without it everything else counts as before.
    let accepted: Vec<Sent> = log
        .iter()
        .zip(&judgements)
        .filter(|(_, judgement)| **judgement == Judgement::Accepted)
        .map(|(sent, _)| *sent)
        .collect();
    let (again, end_again) = judge_all(&accepted, Fence::default(), judge);
    if again.iter().any(|judgement| *judgement != Judgement::Accepted) || end != end_again {
        return Err("an ignored record makes a difference".to_owned());
    }

    let (mut epoch, mut owner, mut seq) = (0, None, 0);
    for sent in &accepted {
        match *sent {
            Sent::Claim { epoch: claimed, owner: claimant } => {
                if claimed <= epoch {
                    return Err(format!("epoch {claimed} was accepted after {epoch}"));
                }
                (epoch, owner, seq) = (claimed, Some(claimant), 0);
            }
            Sent::Commit { epoch: of, owner: by, seq: number } => {
                if of != epoch || Some(by) != owner {
                    return Err(format!("a superseded owner was heard: {sent:?} in epoch {epoch}"));
                }
                if number != seq + 1 {
                    return Err(format!("commit {number} was accepted after {seq}"));
                }
                seq = number;
            }
        }
    }

    // Nothing that counts was refused either: a rule that ignores everything is safe and of no use.
    let mut fence = Fence::default();
    for (sent, judgement) in log.iter().zip(&judgements) {
        let counts = match *sent {
            Sent::Claim { epoch, .. } => epoch > fence.epoch,
            Sent::Commit { epoch, owner, seq } => {
                fence == Fence { epoch, owner: OWNERS[owner].to_owned(), seq: seq.wrapping_sub(1) }
            }
        };
        if counts != (*judgement == Judgement::Accepted) {
            return Err(format!("{sent:?} after {fence:?} was judged {judgement:?}"));
        }
        judge(&mut fence, sent.header());
    }
    Ok(())
}

fn cases(default: u32) -> Config {
    let cases = std::env::var("PROPTEST_CASES").ok().and_then(|text| text.parse().ok()).unwrap_or(default);
    Config { cases, failure_persistence: None, ..Config::default() }
}

/// One number seeds the script: a strategy for each step would cost more than judging it. So proptest cannot
/// shrink it; [`shortest`] does.
fn script_of(seed: u64) -> Vec<u8> {
    let mut state = seed;
    let mut next = move || {
        // SplitMix64.
        state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut word = (state ^ (state >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        word = (word ^ (word >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        word ^ (word >> 31)
    };
    let steps = next() as usize % STEPS_MAX + 1;
    (0..steps).map(|_| next() as u8).collect()
}

/// The script with every step left out that the failure does not need.
fn shortest(mut script: Vec<u8>, checkpoint: usize, judge: Judge) -> Vec<Sent> {
    let mut index = 0;
    while index < script.len() {
        let mut shorter = script.clone();
        shorter.remove(index);
        if check(&play(&shorter, judge), checkpoint, judge).is_err() {
            script = shorter;
        } else {
            index += 1;
        }
    }
    play(&script, judge)
}

fn run(config: Config, judge: Judge) -> Result<(), String> {
    let mut runner = TestRunner::new(config);
    runner
        .run(&(any::<u64>().no_shrink(), any::<u8>().no_shrink()), |(seed, checkpoint)| {
            let log = play(&script_of(seed), judge);
            check(&log, usize::from(checkpoint), judge).map_err(TestCaseError::fail)
        })
        .map_err(|error| match error {
            TestError::Fail(reason, (seed, checkpoint)) => {
                let log = shortest(script_of(seed), usize::from(checkpoint), judge);
                format!("seed {seed}, checkpoint {checkpoint}: {reason}; in short: {log:?}")
            }
            TestError::Abort(reason) => reason.to_string(),
        })
}

#[test]
fn every_reader_of_every_log_finds_the_same_and_only_what_one_owner_wrote() {
    run(cases(CASES), the_rule).unwrap_or_else(|failure| panic!("{failure}"));
}

#[test]
fn the_scripts_reach_every_judgement_and_long_reigns() {
    let mut seen = std::collections::BTreeMap::new();
    let mut longest = 0;
    for seed in 0..5_000 {
        let log = play(&script_of(seed), the_rule);
        let (judgements, end) = judge_all(&log, Fence::default(), the_rule);
        for (sent, judgement) in log.iter().zip(judgements) {
            let kind = if matches!(sent, Sent::Claim { .. }) { "claim" } else { "commit" };
            *seen.entry(format!("{kind} {judgement:?}")).or_insert(0) += 1;
        }
        longest = longest.max(end.seq);
    }
    let kinds: Vec<_> =
        seen.iter().filter(|(_, count)| **count > 100).map(|(kind, _)| kind.as_str()).collect();
    let expected = [
        "claim Accepted",
        "claim Ignored(StaleClaim)",
        "commit Accepted",
        "commit Ignored(Gap)",
        "commit Ignored(NotTheOwner)",
        "commit Ignored(Repeated)",
    ];
    assert_eq!(kinds, expected, "{seen:?}");
    assert!(longest >= 5, "no owner ever got further than commit {longest}");
}

#[test]
fn a_wrong_rule_is_found_out() {
    let planted: [(&str, Judge); 8] = [
        ("it does not look at a commit's epoch", |fence, header| match header {
            Header::Commit { owner, seq, .. } => {
                let epoch = fence.epoch;
                fence.judge(Header::Commit { epoch, owner, seq })
            }
            claim => fence.judge(claim),
        }),
        ("it does not look at a commit's owner", |fence, header| match header {
            Header::Commit { epoch, seq, .. } => {
                let owner = fence.owner.clone();
                fence.judge(Header::Commit { epoch, owner: &owner, seq })
            }
            claim => fence.judge(claim),
        }),
        ("it lets gaps pass", |fence, header| match header {
            Header::Commit { epoch, owner, seq } if seq > fence.seq => {
                let judged = fence.judge(Header::Commit { epoch, owner, seq: fence.seq + 1 });
                fence.seq = if judged == Judgement::Accepted { seq } else { fence.seq };
                judged
            }
            other => fence.judge(other),
        }),
        ("it counts a repeated commit", |fence, header| match fence.judge(header) {
            Judgement::Ignored(Reason::Repeated) => Judgement::Accepted,
            judged => judged,
        }),
        ("it lets a claim of the same epoch win", |fence, header| {
            if let Header::Claim { epoch, .. } = header
                && epoch == fence.epoch
                && epoch > 0
            {
                fence.epoch -= 1;
            }
            fence.judge(header)
        }),
        ("it goes on counting through a claim", |fence, header| {
            let seq = fence.seq;
            let judged = fence.judge(header);
            if matches!(header, Header::Claim { .. }) && judged == Judgement::Accepted {
                fence.seq = seq;
            }
            judged
        }),
        ("it moves on when it ignores", |fence, header| {
            let judged = fence.judge(header);
            if let (Judgement::Ignored(Reason::Gap), Header::Commit { seq, .. }) = (judged, header) {
                fence.seq = seq;
            }
            judged
        }),
        ("it ignores every claim but the first", |fence, header| match header {
            Header::Claim { .. } if fence.epoch > 0 => Judgement::Ignored(Reason::StaleClaim),
            other => fence.judge(other),
        }),
    ];
    for (fault, wrong_rule) in planted {
        let found = run(Config { cases: 20_000, failure_persistence: None, ..Config::default() }, wrong_rule);
        assert!(found.is_err(), "nobody noticed that {fault}");
    }
}

proptest! {
    #![proptest_config(Config { cases: 500, failure_persistence: None, ..Config::default() })]

    #[test]
    fn a_fence_comes_back_from_its_json(epoch in any::<u64>(), owner in ".{0,40}", seq in any::<u64>()) {
        let fence = Fence { epoch, owner, seq };
        let saved = serde_json::to_string(&fence).unwrap();
        prop_assert_eq!(serde_json::from_str::<Fence>(&saved).unwrap(), fence);
    }

    #[test]
    fn a_reader_goes_on_from_a_fence_that_was_saved(seed in any::<u64>(), checkpoint in any::<usize>()) {
        let log = play(&script_of(seed), the_rule);
        let checkpoint = checkpoint % (log.len() + 1);
        let saved = serde_json::to_vec(&fence_after(&log[..checkpoint], the_rule)).unwrap();
        let (_, end) = judge_all(&log[checkpoint..], serde_json::from_slice(&saved).unwrap(), the_rule);
        prop_assert_eq!(end, fence_after(&log, the_rule));
    }
}
