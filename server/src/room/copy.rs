//! A room's record as this server has it: what the store has, and the teacher's changes that are not stored yet.
//!
//! A change counts here at once. It is stored by compare-and-set on the record's revision; where somebody else was
//! first, it is carried out anew on top of theirs. So every server comes to the same record.

use super::Refused;
use super::record::{Change, Record};

/// Changes that may wait to be stored. One more is refused.
const WAITING: usize = 64;

/// Which of the values that a key had: they are numbered through, and those of a bucket that was made later are newer.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Revision {
    /// When the bucket was made; Unix time in nanoseconds.
    pub(super) bucket: i128,
    pub(super) number: u64,
}

/// The record with changes that wait.
#[derive(Debug)]
pub(super) struct Copy {
    stored: Record,
    /// That of `stored`; none, if the store does not have it.
    revision: Option<Revision>,
    waiting: Vec<Change>,
    now: Record,
}

/// A record to be stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Draft {
    pub(super) record: Record,
    /// The revision that it follows; none, if it is to be the first.
    pub(super) after: Option<Revision>,
    /// How many of the changes that wait are in it.
    changes: usize,
}

impl Copy {
    /// What the store has; without a revision it does not have it yet.
    pub(super) fn new(record: Record, revision: Option<Revision>) -> Self {
        Self { now: record.clone(), stored: record, revision, waiting: Vec::new() }
    }

    /// The room as it stands here.
    pub(super) fn now(&self) -> &Record {
        &self.now
    }

    /// Changes it.
    ///
    /// # Errors
    /// As many changes wait as may.
    pub(super) fn change(&mut self, change: Change) -> Result<(), Refused> {
        if self.waiting.len() >= WAITING {
            return Err(Refused::Waiting(WAITING));
        }
        self.now.change(&change);
        self.waiting.push(change);
        Ok(())
    }

    /// What is to be stored, if anything is.
    pub(super) fn draft(&self) -> Option<Draft> {
        let is_stored = self.waiting.is_empty() && self.revision.is_some();
        (!is_stored).then(|| Draft {
            record: self.now.clone(),
            after: self.revision,
            changes: self.waiting.len(),
        })
    }

    /// A draft is stored.
    pub(super) fn written(&mut self, draft: Draft, revision: Revision) {
        self.waiting.drain(..draft.changes.min(self.waiting.len()));
        self.stand_on(draft.record, revision);
    }

    /// What the store has, as it was told. What is older than what is known changes nothing.
    pub(super) fn learn(&mut self, record: Record, revision: Revision) {
        if self.revision.is_none_or(|known| known < revision) {
            self.stand_on(record, revision);
        }
    }

    /// What the store has, as it answered; none, if it has lost the record.
    pub(super) fn find(&mut self, found: Option<(Record, Revision)>) {
        match found {
            Some((record, revision)) => self.learn(record, revision),
            None => self.revision = None,
        }
    }

    /// Whether the store has a record of the room.
    pub(super) fn is_stored(&self) -> bool {
        self.revision.is_some()
    }

    fn stand_on(&mut self, record: Record, revision: Revision) {
        self.now = record.clone();
        self.waiting.iter().for_each(|change| self.now.change(change));
        (self.stored, self.revision) = (record, Some(revision));
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use streamgram_protocol::room::Stage;

    use super::*;
    use crate::room::record::tests::{lead, room};

    /// A store of one record, as JetStream keeps it.
    #[derive(Default)]
    struct Kept(Option<(Record, Revision)>);

    impl Kept {
        /// Compare and set: the new revision, unless somebody else was first.
        fn store(&mut self, draft: &Draft) -> Option<Revision> {
            let revision = self.0.as_ref().map(|(_, revision)| *revision);
            let next = at(1, revision.map_or(0, |revision| revision.number) + 1);
            (draft.after == revision).then(|| {
                self.0 = Some((draft.record.clone(), next));
                next
            })
        }
    }

    fn at(bucket: i128, number: u64) -> Revision {
        Revision { bucket, number }
    }

    /// Stores what waits, as a host does.
    fn settle(copy: &mut Copy, kept: &mut Kept, is_told: bool) {
        while let Some(draft) = copy.draft() {
            match kept.store(&draft) {
                Some(revision) if is_told => copy.written(draft, revision),
                // It was stored, and the answer was lost: the next draft meets a record of a later revision.
                Some(_) => return,
                None => copy.find(kept.0.clone()),
            }
        }
    }

    #[test]
    fn a_change_counts_at_once_and_is_stored_once() {
        let mut kept = Kept::default();
        let mut copy = Copy::new(room(), None);
        copy.change(lead("a")).unwrap();
        assert_eq!(copy.now().step.as_ref().unwrap().id, "a");
        settle(&mut copy, &mut kept, true);
        assert_eq!((copy.draft(), kept.0.as_ref().unwrap().1), (None, at(1, 1)));
    }

    #[test]
    fn an_answer_that_is_lost_does_not_lead_the_class_twice() {
        let mut kept = Kept::default();
        let mut copy = Copy::new(room(), None);
        copy.change(lead("a")).unwrap();
        settle(&mut copy, &mut kept, false);
        settle(&mut copy, &mut kept, true);
        assert_eq!(copy.now().step.as_ref().unwrap().number, 1);
        assert_eq!(kept.0.unwrap().0, *copy.now());
    }

    #[test]
    fn an_old_answer_changes_nothing_and_that_of_a_new_bucket_is_believed() {
        let mut copy = Copy::new(room(), Some(at(1, 57)));
        let mut other = room();
        other.change(&lead("b"));
        copy.find(Some((other.clone(), at(1, 3))));
        assert_eq!(copy.now(), &room());
        copy.find(Some((other.clone(), at(2, 3))));
        assert_eq!(copy.now(), &other);
        copy.find(None);
        assert_eq!(copy.draft().unwrap().after, None);
    }

    #[test]
    fn more_changes_than_may_wait_are_refused() {
        let mut copy = Copy::new(room(), None);
        for id in 0..WAITING {
            copy.change(lead(&id.to_string())).unwrap();
        }
        assert_eq!(copy.change(lead("one more")), Err(Refused::Waiting(64)));
    }

    fn changes() -> impl Strategy<Value = Vec<(bool, bool, u8)>> {
        proptest::collection::vec(any::<(bool, bool, u8)>(), 0..40)
    }

    proptest! {
        #[test]
        fn two_servers_come_to_the_same_record_whoever_is_cut_off_when(steps in changes()) {
            let mut kept = Kept::default();
            let mut copies = [Copy::new(room(), None), Copy::new(room(), None)];
            for (number, (first, reaches, what)) in steps.into_iter().enumerate() {
                let copy = &mut copies[usize::from(first)];
                let change = match what % 3 {
                    0 => Ok(lead(&number.to_string())),
                    1 => copy.now().staging(Stage::Predict),
                    _ => copy.now().staging(Stage::Reveal),
                };
                if let Ok(change) = change {
                    copy.change(change).unwrap();
                }
                if reaches {
                    settle(copy, &mut kept, what < 200);
                }
            }
            copies.iter_mut().for_each(|copy| settle(copy, &mut kept, true));
            if let Some((record, revision)) = &kept.0 {
                copies.iter_mut().for_each(|copy| copy.learn(record.clone(), *revision));
                prop_assert_eq!(copies[0].now(), record);
                prop_assert_eq!(copies[1].now(), record);
            }
        }
    }
}
