//! What members gave at a step: their votes, and what came of their runs.
//!
//! Every field of a ballot has the member's own count of its edits, and the highest counts. So ballots can be merged
//! in any order and again and again, and a member that comes back through another server is counted once.

use std::collections::{BTreeMap, HashMap};

use serde::{Deserialize, Serialize};
use streamgram_protocol::room::{Given, Outcome, Own, Pooled, bin};

/// Ballots by the number of the member.
pub(super) type Ballots = BTreeMap<String, Ballot>;

/// What one server's members gave at a step: what it writes under its key.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Collected {
    /// The step's `id`.
    pub(super) step: String,
    pub(super) ballots: Ballots,
}

/// What a member gave.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Ballot {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    before: Option<Edited<u8>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    after: Option<Edited<u8>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    ran: Option<Edited<Outcome>>,
}

/// The member's count of its edits, and what it gave then.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
struct Edited<T>(u64, T);

impl Ballot {
    /// A vote before.
    pub(super) fn before(choice: u8, edit: u64) -> Self {
        Self { before: Some(Edited(edit, choice)), ..Self::default() }
    }

    /// A vote after.
    pub(super) fn after(choice: u8, edit: u64) -> Self {
        Self { after: Some(Edited(edit, choice)), ..Self::default() }
    }

    /// What came of a run.
    pub(super) fn ran(outcome: Outcome, edit: u64) -> Self {
        Self { ran: Some(Edited(edit, outcome)), ..Self::default() }
    }

    /// Takes what is newer in another one of the same member.
    pub(super) fn merge(&mut self, other: Self) {
        let Self { before, after, ran } = other;
        self.before = self.before.take().max(before);
        self.after = self.after.take().max(after);
        self.ran = self.ran.take().max(ran);
    }

    /// What the member voted.
    pub(super) fn own(&self) -> Own {
        let choice = |vote: &Option<Edited<u8>>| vote.as_ref().map(|Edited(_, choice)| *choice);
        Own { before: choice(&self.before), after: choice(&self.after) }
    }
}

/// What all members together gave, at a step with so many choices.
pub(super) fn pool<'a>(choices: u8, all: impl IntoIterator<Item = &'a Ballots>) -> (Given, Pooled) {
    let mut merged: HashMap<&str, Newest<'_>> = HashMap::new();
    for (member, ballot) in all.into_iter().flatten() {
        merged.entry(member).or_default().take(ballot);
    }
    let none = vec![0; usize::from(choices)];
    let mut pooled = Pooled { before: none.clone(), after: none, ..Pooled::default() };
    let mut given = Given::default();
    let vote = |votes: &mut Vec<u32>, vote: Option<&Edited<u8>>| {
        let choice = vote.and_then(|Edited(_, choice)| votes.get_mut(usize::from(*choice)));
        choice.map_or(0, |votes| {
            *votes += 1;
            1
        })
    };
    for Newest { before, after, ran } in merged.into_values() {
        given.before += vote(&mut pooled.before, before);
        given.after += vote(&mut pooled.after, after);
        let Some(Edited(_, outcome)) = ran else { continue };
        given.ran += 1;
        for (measure, value) in outcome {
            *pooled.outcomes.entry(*measure).or_default().entry(bin(*value)).or_default() += 1;
        }
    }
    (given, pooled)
}

/// The newest of what a member gave, at whichever server.
#[derive(Default)]
struct Newest<'a> {
    before: Option<&'a Edited<u8>>,
    after: Option<&'a Edited<u8>>,
    ran: Option<&'a Edited<Outcome>>,
}

impl<'a> Newest<'a> {
    fn take(&mut self, ballot: &'a Ballot) {
        self.before = self.before.max(ballot.before.as_ref());
        self.after = self.after.max(ballot.after.as_ref());
        self.ran = self.ran.max(ballot.ran.as_ref());
    }
}

#[cfg(test)]
mod tests {
    use proptest::collection::{btree_map, vec};
    use proptest::prelude::*;
    use streamgram_protocol::room::Measure;

    use super::*;

    fn one(member: &str, ballot: Ballot) -> Ballots {
        Ballots::from([(member.to_owned(), ballot)])
    }

    #[test]
    fn a_member_that_votes_at_two_servers_is_counted_once_with_its_newest_vote() {
        let here = one("m", Ballot::before(0, 1));
        let mut there = one("m", Ballot::before(2, 2));
        there.insert("n".into(), Ballot::after(1, 9));
        for all in [[&here, &there], [&there, &here]] {
            let (given, pooled) = pool(3, all);
            assert_eq!(given, Given { before: 1, after: 1, ran: 0 });
            assert_eq!((pooled.before, pooled.after), (vec![0, 0, 1], vec![0, 1, 0]));
        }
    }

    #[test]
    fn outcomes_are_distributed_by_bins() {
        let outcome = |reads| Outcome::from([(Measure::TcpReads, reads)]);
        let mut all = one("a", Ballot::ran(outcome(3), 1));
        all.insert("b".into(), Ballot::ran(outcome(3), 1));
        all.insert("c".into(), Ballot::ran(outcome(1_001), 1));
        let (given, pooled) = pool(0, [&all]);
        assert_eq!(given.ran, 3);
        assert_eq!(pooled.outcomes[&Measure::TcpReads], [(3, 2), (992, 1)].into());
    }

    #[test]
    fn a_choice_that_the_question_does_not_have_is_no_vote() {
        let (given, pooled) = pool(2, [&one("m", Ballot::before(7, 1))]);
        assert_eq!((given.before, pooled.before), (0, vec![0, 0]));
    }

    fn ballot() -> impl Strategy<Value = Ballot> {
        let vote = || {
            proptest::option::of((0_u64..4, 0_u8..3).prop_map(|(edit, vote)| Edited(edit, vote)))
        };
        let ran =
            proptest::option::of((0_u64..4, 0_u32..3).prop_map(|(edit, reads)| {
                Edited(edit, Outcome::from([(Measure::TcpReads, reads)]))
            }));
        (vote(), vote(), ran).prop_map(|(before, after, ran)| Ballot { before, after, ran })
    }

    proptest! {
        #[test]
        fn ballots_merge_in_any_order_and_again(all in vec(ballot(), 1..5)) {
            let merged = |ballots: &mut dyn Iterator<Item = &Ballot>| {
                let mut merged = Ballot::default();
                ballots.for_each(|ballot| merged.merge(ballot.clone()));
                merged
            };
            let once = merged(&mut all.iter());
            prop_assert_eq!(&merged(&mut all.iter().rev()), &once);
            prop_assert_eq!(&merged(&mut all.iter().chain(&all)), &once);
        }

        #[test]
        fn it_does_not_matter_which_server_a_ballot_came_to(
            ballots in vec(btree_map("[ab]", ballot(), 0..3), 1..4),
        ) {
            let mut together = Ballots::new();
            for (member, ballot) in ballots.iter().flatten() {
                together.entry(member.clone()).or_default().merge(ballot.clone());
            }
            prop_assert_eq!(pool(3, &ballots), pool(3, [&together]));
        }

        #[test]
        fn what_is_written_is_read(ballots in btree_map("[a-f]{4}", ballot(), 0..3)) {
            let written = Collected { step: "s".into(), ballots };
            let json = serde_json::to_string(&written).unwrap();
            prop_assert_eq!(serde_json::from_str::<Collected>(&json).unwrap(), written);
        }
    }
}
