use std::collections::HashMap;

use powertools::testing::{End, Fate, Happening, History};

use super::world::{Kind, World};

/// What holds for a source.
#[derive(Clone, Copy, Debug)]
pub(super) struct Rules {
    /// First effects of a group are in its order.
    pub(super) ordered: bool,
    /// One record is reported: the first that was not done.
    pub(super) checkpoint: bool,
}

/// What was seen in all histories so far, since a test that saw nothing shows nothing.
#[derive(Debug)]
pub(super) struct Checked {
    rules: Rules,
    seen: HashMap<&'static str, u64>,
}

/// What the function said of itself: `word rest`, in the order in which it did.
struct Note<'a> {
    invocation: Option<usize>,
    word: &'a str,
    rest: &'a str,
}

impl Checked {
    pub(super) fn new(rules: Rules) -> Self {
        Self { rules, seen: HashMap::new() }
    }

    pub(super) fn check(&mut self, world: &World, history: &History) {
        *self.seen.entry("histories").or_default() += 1;
        let notes = notes(history);
        self.no_record_is_lost(world, history, &notes);
        if self.rules.ordered {
            first_effects_are_in_order(world, history);
        }
        if world.is_idempotent {
            self.an_effect_has_a_reason_to_happen_twice(history, &notes);
        }
        self.replies_tell_what_was_done(world, history, &notes);
    }

    /// Prints what was seen, which must be everything.
    pub(super) fn finish(mut self, of: &str) {
        let mut all: Vec<_> = self.seen.drain().collect();
        all.sort_unstable();
        eprintln!("histories of {of}: {all:?}");
        if all.contains(&("histories", 1)) {
            return; // one that is replayed
        }
        for wanted in [
            "crashed",
            "timed out",
            "reply lost",
            "done",
            "given up",
            "sunk",
            "stopped",
            "not-started",
            "effects twice",
        ] {
            let lost_replies = self.rules.ordered || wanted != "reply lost";
            assert!(!lost_replies || all.iter().any(|(what, _)| *what == wanted), "no {wanted}");
        }
    }

    fn no_record_is_lost(&mut self, world: &World, history: &History, notes: &[Note<'_>]) {
        assert_eq!(history.unsettled(), Vec::<&str>::new());
        for (job, record) in world.jobs.iter().zip(history.records()) {
            let noted = |word: &str, rest: &str| {
                notes.iter().any(|note| note.word == word && note.rest == rest)
            };
            let handled = match job.kind {
                Kind::Good => noted("effect", &job.n.to_string()),
                Kind::Permanent => noted("sunk", record),
                Kind::Poison | Kind::Explosive | Kind::Unreadable => false,
            };
            let seen = match history.fate(record) {
                Some(Fate::Done) if job.kind == Kind::Permanent => "sunk",
                Some(Fate::Done) => "done",
                Some(Fate::DeadLettered | Fate::SentToDestination) if job.kind == Kind::Good => {
                    "good and given up"
                }
                Some(Fate::DeadLettered | Fate::SentToDestination) => "given up",
                fate => panic!("{record} is lost: {fate:?}"),
            };
            assert!(handled || !matches!(seen, "done" | "sunk"), "{job:?} was not handled");
            *self.seen.entry(seen).or_default() += 1;
        }
    }

    /// With idempotency: where the function died between the effect and its completion, or was
    /// stopped there for lack of time.
    fn an_effect_has_a_reason_to_happen_twice(&mut self, history: &History, notes: &[Note<'_>]) {
        let mut had: HashMap<&str, Option<usize>> = HashMap::new();
        let mut saved: Vec<&str> = Vec::new();
        let records: Vec<_> = history.records().collect();
        for note in notes {
            match note.word {
                "saved" => saved.push(note.rest),
                "effect" => {
                    assert!(!saved.contains(&note.rest), "effect {} after it was saved", note.rest);
                    let Some(before) = had.insert(note.rest, note.invocation) else { continue };
                    let before = before.expect("effects happen in invocations");
                    let record = records[note.rest.parse::<usize>().unwrap()];
                    let stopped = notes.iter().any(|note| {
                        (note.invocation, note.word, note.rest) == (Some(before), "stopped", record)
                    });
                    let cut = history.end(before).is_some_and(End::is_cut);
                    assert!(cut || stopped, "effect {} twice without a reason", note.rest);
                    *self.seen.entry("effects twice").or_default() += 1;
                }
                _ => {}
            }
        }
    }

    /// What succeeded is not reported, so nothing is delivered again for the want of time; what did
    /// not succeed is.
    fn replies_tell_what_was_done(&mut self, world: &World, history: &History, notes: &[Note<'_>]) {
        for delivery in history.deliveries() {
            let reported = match history.end(delivery.invocation).expect("all have ended") {
                End::Replied(reported) => reported,
                End::Crashed(_) => {
                    *self.seen.entry("crashed").or_default() += 1;
                    continue;
                }
                End::TimedOut => {
                    assert!(world.hangs, "a batch was not stopped in time");
                    *self.seen.entry("timed out").or_default() += 1;
                    continue;
                }
                End::ReplyLost => {
                    *self.seen.entry("reply lost").or_default() += 1;
                    continue;
                }
                other => panic!("invocation {}: {other:?}", delivery.invocation),
            };
            let outcome = |record: &str| {
                let mut outcomes = notes.iter().filter(|note| {
                    note.invocation == Some(delivery.invocation)
                        && note.rest == record
                        && !matches!(note.word, "sunk" | "effect" | "saved")
                });
                let outcome = outcomes.next().expect("each record has an outcome").word;
                assert!(outcomes.next().is_none(), "{record} has two outcomes");
                outcome
            };
            let outcomes: Vec<_> =
                delivery.records.iter().map(|record| (&record.id, outcome(&record.id))).collect();
            for (_, outcome) in &outcomes {
                if let Some(word) = ["stopped", "not-started"].into_iter().find(|w| w == outcome) {
                    *self.seen.entry(word).or_default() += 1;
                }
            }
            let is_done = |outcome: &str| matches!(outcome, "succeeded" | "permanent");
            let mut not_done: Vec<_> = outcomes
                .iter()
                .filter(|(_, outcome)| !is_done(outcome))
                .map(|(id, _)| (*id).clone())
                .collect();
            if self.rules.checkpoint {
                not_done.truncate(1);
                let behind = outcomes.iter().skip_while(|(_, outcome)| is_done(outcome));
                let wasted = behind.filter(|(_, outcome)| is_done(outcome)).count();
                assert!(world.concurrency > 1 || wasted == 0, "done behind the checkpoint");
            }
            assert_eq!(*reported, not_done, "of invocation {}", delivery.invocation);
        }
    }
}

fn first_effects_are_in_order(world: &World, history: &History) {
    let effects: Vec<usize> = history
        .first_effects()
        .into_iter()
        .filter_map(|name| name.strip_prefix("effect ")?.parse().ok())
        .collect();
    for group in world.jobs.iter().map(|job| job.group) {
        let of_group: Vec<_> = effects.iter().filter(|n| world.jobs[**n].group == group).collect();
        assert!(of_group.is_sorted(), "group {group} had {of_group:?}");
    }
}

fn notes(history: &History) -> Vec<Note<'_>> {
    history
        .steps()
        .iter()
        .filter_map(|step| match &step.what {
            Happening::Effect { invocation, name, .. } => {
                let (word, rest) = name.split_once(' ')?;
                Some(Note { invocation: *invocation, word, rest })
            }
            _ => None,
        })
        .collect()
}
