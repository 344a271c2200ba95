//! What happens to packets, in the order of time.

use std::rc::Rc;

use crate::session::sent::Sent;

/// When something happens to a packet, and to which one by its index.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Moment {
    pub(crate) at_us: u64,
    pub(crate) step: Step,
    pub(crate) index: usize,
}

/// What happens; of what happens at one and the same time, the first here comes first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Step {
    Arrives,
    CopyArrives,
    /// What an end holds back begins to wait, or ends: a ladder has moments for that too.
    Waits,
    IsReleased,
    Sent,
    /// It came in the microsecond in which it was sent.
    ArrivesAtOnce,
}

/// The moments of packets, with others.
pub(crate) fn moments<'a>(
    packets: impl Iterator<Item = &'a Rc<Sent>>,
    mut moments: Vec<Moment>,
) -> Vec<Moment> {
    for (index, sent) in packets.enumerate() {
        let mut push = |at_us, step| moments.push(Moment { at_us, step, index });
        push(sent.at_us, Step::Sent);
        if let Some(at_us) = sent.packet.arrives_us {
            push(at_us, if at_us > sent.at_us { Step::Arrives } else { Step::ArrivesAtOnce });
        }
        if let Some(at_us) = sent.packet.copy_arrives_us {
            push(at_us, Step::CopyArrives);
        }
    }
    moments.sort_unstable();
    moments
}
