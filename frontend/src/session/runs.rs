//! The runs that can be looked at again: the latest ones, bounded in number and in bytes.

use std::collections::VecDeque;
use std::rc::Rc;

use streamgram_protocol::{Protocol, Send};

use super::leg_run::LegRun;
use super::run::{Conditions, Run};

/// Runs that are kept; the oldest goes for one more, and is counted.
pub(crate) const KEPT_RUNS: usize = 50;
/// Bytes of memory that they take, about; the oldest go when another begins, and are counted.
pub(crate) const KEPT_BYTES: usize = 32 * 1024 * 1024;

/// The runs.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct Runs {
    /// The oldest first.
    pub(crate) kept: VecDeque<Rc<Run>>,
    /// Runs that are not kept any more.
    pub(crate) dropped: u32,
}

impl Runs {
    pub(crate) fn latest(&self) -> Option<&Rc<Run>> {
        self.kept.back()
    }

    /// The run with this number, if it is kept.
    pub(crate) fn get(&self, number: u32) -> Option<&Rc<Run>> {
        let before = number.checked_sub(self.dropped + 1)?;
        self.kept.get(usize::try_from(before).ok()?)
    }

    /// The run that a send belongs to, if it is kept.
    pub(crate) fn of_send(&self, send: u64) -> Option<&Rc<Run>> {
        self.kept.iter().rev().find(|run| run.has(send))
    }

    /// A run begins on these legs; what was going there before counts for the runs before it. Its number.
    pub(super) fn begin(
        &mut self,
        sends: Rc<Vec<Rc<Send>>>,
        conditions: Conditions,
        legs: impl IntoIterator<Item = LegRun>,
    ) -> u32 {
        let at = u32::try_from(self.kept.len()).unwrap_or(u32::MAX);
        let number = self.dropped.saturating_add(at).saturating_add(1);
        let mut run = Run { number, at_us: None, sends, conditions, tcp: None, udp: None };
        for leg in legs {
            self.legs(leg.protocol).for_each(LegRun::leave);
            match leg.protocol {
                Protocol::Tcp => run.tcp = Some(Rc::new(leg)),
                Protocol::Udp => run.udp = Some(Rc::new(leg)),
            }
        }
        self.kept.push_back(Rc::new(run));
        let mut weight: usize = self.kept.iter().map(|run| run.weight()).sum();
        while self.kept.len() > KEPT_RUNS || (weight > KEPT_BYTES && self.kept.len() > 1) {
            weight -= self.kept.pop_front().map_or(0, |run| run.weight());
            self.dropped += 1;
        }
        number
    }

    /// The session is gone, and its legs with it.
    pub(super) fn session_ended(&mut self) {
        for run in &mut self.kept {
            for protocol in Protocol::BOTH {
                if run.leg(protocol).is_some_and(|leg| !leg.is_gone()) {
                    Rc::make_mut(run).leg_mut(protocol).into_iter().for_each(LegRun::session_ended);
                }
            }
        }
    }

    /// The run with this send, and when it began, if this is its first line.
    pub(super) fn went_out(&mut self, send: u64, at_us: u64) -> Option<u32> {
        let run = self.kept.iter_mut().rev().find(|run| run.has(send))?;
        if run.at_us.is_none() {
            Rc::make_mut(run).at_us = Some(at_us);
        }
        Some(run.number)
    }

    /// The latest run on a leg.
    pub(super) fn number_on(&self, protocol: Protocol, leg: u32) -> Option<u32> {
        let is_on = |run: &&Rc<Run>| run.leg(protocol).is_some_and(|it| it.is_on(leg));
        self.kept.iter().rev().find(is_on).map(|run| run.number)
    }

    /// The runs on a leg that what happens there can be about, the latest first.
    pub(super) fn on(&mut self, protocol: Protocol, leg: u32) -> impl Iterator<Item = &mut LegRun> {
        let takes = move |run: &&mut Rc<Run>| {
            run.leg(protocol).is_some_and(|it| it.is_on(leg) && it.takes())
        };
        let runs = self.kept.iter_mut().rev().filter(takes);
        runs.filter_map(move |run| Rc::make_mut(run).leg_mut(protocol))
    }

    /// The runs on a leg that a packet can be of which was captured then, the latest first.
    pub(super) fn that_can_own(
        &mut self,
        protocol: Protocol,
        leg: u32,
        at_us: u64,
    ) -> impl Iterator<Item = &mut LegRun> {
        let can_own = move |run: &&mut Rc<Run>| {
            run.leg(protocol).is_some_and(|it| it.is_on(leg) && it.can_own(at_us))
        };
        let runs = self.kept.iter_mut().rev().filter(can_own);
        runs.filter_map(move |run| Rc::make_mut(run).leg_mut(protocol))
    }

    /// What is known on a leg of the run that a send belongs to.
    pub(super) fn leg_of_send(&mut self, protocol: Protocol, send: u64) -> Option<&mut LegRun> {
        let run = self.kept.iter_mut().rev().find(|run| run.has(send))?;
        Rc::make_mut(run).leg_mut(protocol)
    }

    /// All runs of a protocol that are not left.
    fn legs(&mut self, protocol: Protocol) -> impl Iterator<Item = &mut LegRun> {
        let runs = self.kept.iter_mut();
        let runs = runs.filter(move |run| run.leg(protocol).is_some_and(|leg| !leg.is_left()));
        runs.filter_map(move |run| Rc::make_mut(run).leg_mut(protocol))
    }
}

#[cfg(test)]
mod tests {
    use streamgram_protocol::{Data, Target};

    use super::*;
    use crate::session::leg_run::tests::{ANSWERED, piece, sent};

    const LEG: u32 = 1;

    fn begin(runs: &mut Runs, id: u64, leg: LegRun) {
        let send = Send::new(id, Target::Tcp, Data::Text("x".into()));
        runs.begin(Rc::new(vec![Rc::new(send)]), Conditions::default(), [leg]);
    }

    fn numbers(runs: &Runs) -> Vec<u32> {
        runs.kept.iter().map(|run| run.number).collect()
    }

    #[test]
    fn the_latest_runs_are_kept_and_the_others_counted() {
        let mut runs = Runs::default();
        for id in 1..=KEPT_RUNS as u64 + 2 {
            begin(&mut runs, id, sent(Protocol::Tcp, &[(5, ANSWERED)]));
        }
        assert_eq!((runs.kept.len(), runs.dropped), (KEPT_RUNS, 2));
        assert_eq!((runs.get(2), runs.get(3).unwrap().number), (None, 3));
        assert_eq!(runs.latest().unwrap().number, runs.of_send(52).unwrap().number);
    }

    #[test]
    fn runs_are_bounded_in_bytes_too() {
        let mut runs = Runs::default();
        for id in 1..=3 {
            let mut leg = sent(Protocol::Tcp, &[(5, ANSWERED)]);
            leg.lines = std::iter::repeat_n(leg.lines[0], KEPT_BYTES / 60).collect();
            begin(&mut runs, id, leg);
        }
        assert_eq!(numbers(&runs), [3]);
    }

    #[test]
    fn a_run_takes_nothing_more_once_it_is_settled_and_the_next_has_begun() {
        let mut runs = Runs::default();
        begin(&mut runs, 1, sent(Protocol::Tcp, &[(5, ANSWERED)]));
        begin(&mut runs, 2, sent(Protocol::Tcp, &[(5, ANSWERED)]));
        runs.on(Protocol::Tcp, LEG).for_each(|leg| leg.piece(0, piece(0, 32)));
        let pieces = runs.kept.iter().map(|run| run.tcp.as_ref().unwrap().pieces.len());
        assert_eq!(pieces.collect::<Vec<_>>(), [0, 1]);
    }

    #[test]
    fn runs_that_go_on_together_take_what_comes_and_legs_of_the_next_session_are_others() {
        let mut runs = Runs::default();
        let open = || LegRun::new(Protocol::Tcp, LEG, 1, 5);
        begin(&mut runs, 1, open());
        begin(&mut runs, 2, open());
        assert_eq!(runs.on(Protocol::Tcp, LEG).count(), 2);
        runs.session_ended();
        assert_eq!(runs.on(Protocol::Tcp, LEG).count(), 0);
        assert_eq!(runs.number_on(Protocol::Tcp, LEG), None);
        assert!(!runs.kept.iter().any(|run| run.is_open()));
    }
}
