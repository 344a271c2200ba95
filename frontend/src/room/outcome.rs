//! What came of a member's own run, in the numbers that its class pools.

use streamgram_protocol::Protocol;
use streamgram_protocol::room::{Measure, Outcome};

use crate::session::carried::{carried, on_the_wire};
use crate::session::leg_run::{LegRun, Status};
use crate::session::run::Run;

/// The numbers of a run that is over. What is not known of it, or was cut short, is left out.
pub(super) fn outcome(run: &Run) -> Outcome {
    let mut outcome = Outcome::new();
    for leg in run.legs().filter(|leg| is_whole(leg)) {
        let mut set = |measure, value: Option<u64>| {
            let value = value.map(|value| u32::try_from(value).unwrap_or(u32::MAX));
            outcome.extend(value.map(|value| (measure, value)));
        };
        let last_ms = run.at_us.zip(leg.answered_us).map(|(from, to)| milliseconds(from, to));
        match leg.protocol {
            Protocol::Tcp => {
                let are_known = leg.left_out == 0;
                set(Measure::TcpReads, are_known.then(|| leg.own_reads().count() as u64));
                set(Measure::TcpSentAgain, on_the_wire(leg, &carried(leg)).map(|sum| sum.again));
                set(Measure::TcpLastMs, last_ms);
            }
            Protocol::Udp => {
                let lost = leg.count(|status| matches!(status, Status::NoReply { .. }));
                set(Measure::UdpLost, Some(lost));
                set(Measure::UdpReordered, Some(leg.overtaken));
                set(Measure::UdpLastMs, last_ms);
            }
        }
    }
    outcome
}

/// Whether every line went out, and the session was there until nothing was to come.
fn is_whole(leg: &LegRun) -> bool {
    !leg.is_open() && !leg.is_gone() && leg.lines.len() as u64 == u64::from(leg.of)
}

/// To the nearest one.
fn milliseconds(from_us: u64, to_us: u64) -> u64 {
    (to_us.saturating_sub(from_us) + 500) / 1_000
}

#[cfg(test)]
mod tests {
    use std::rc::Rc;

    use super::*;
    use crate::session::leg_run::tests::{ANSWERED, LOST, WAITING, merged, sent};
    use crate::session::run::Conditions;

    fn run(legs: impl IntoIterator<Item = LegRun>) -> Run {
        let (sends, conditions) = (Rc::default(), Conditions::default());
        let mut run =
            Run { number: 1, at_us: Some(1_000), sends, conditions, tcp: None, udp: None };
        for leg in legs {
            match leg.protocol {
                Protocol::Tcp => run.tcp = Some(Rc::new(leg)),
                Protocol::Udp => run.udp = Some(Rc::new(leg)),
            }
        }
        run
    }

    #[test]
    fn reads_losses_reordering_and_the_last_reply_are_counted() {
        let mut tcp = merged();
        tcp.lines.iter_mut().for_each(|line| line.status = ANSWERED);
        tcp.answered_us = Some(52_600);
        let mut udp = sent(Protocol::Udp, &[(5, ANSWERED), (5, LOST), (5, ANSWERED)]);
        (udp.overtaken, udp.answered_us) = (1, Some(11_499));
        let expected = [
            (Measure::TcpReads, 3),
            (Measure::TcpLastMs, 52),
            (Measure::UdpLost, 1),
            (Measure::UdpReordered, 1),
            (Measure::UdpLastMs, 10),
        ];
        assert_eq!(outcome(&run([tcp, udp])), Outcome::from(expected));
    }

    #[test]
    fn half_of_a_run_tells_nothing_and_what_is_not_known_is_left_out() {
        let open = sent(Protocol::Tcp, &[(5, ANSWERED), (5, WAITING)]);
        let mut stopped = sent(Protocol::Udp, &[(5, ANSWERED)]);
        stopped.of = 2;
        assert_eq!(outcome(&run([open, stopped])), Outcome::new());
        // No reply has come at all.
        let lost = outcome(&run([sent(Protocol::Udp, &[(5, LOST)])]));
        assert_eq!(lost, Outcome::from([(Measure::UdpLost, 1), (Measure::UdpReordered, 0)]));
        let mut many = merged();
        many.lines.iter_mut().for_each(|line| line.status = ANSWERED);
        many.left_out = 1;
        assert_eq!(outcome(&run([many])), Outcome::new());
    }
}
