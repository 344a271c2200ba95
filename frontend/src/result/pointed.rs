//! What a person points at in one view of a result, so that the others mark the same lines.

use streamgram_protocol::Protocol;

/// Lines of a run on one leg, from the first to the last; numbered through, if several sends went out together.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Pointed {
    pub(crate) protocol: Protocol,
    pub(crate) first: u32,
    pub(crate) last: u32,
}

impl Pointed {
    /// Whether both have a line in common.
    pub(crate) fn meets(self, other: Self) -> bool {
        self.protocol == other.protocol && self.first <= other.last && other.first <= self.last
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_that_overlap_meet_and_those_of_the_other_protocol_do_not() {
        let lines = |protocol, first, last| Pointed { protocol, first, last };
        let three_to_five = lines(Protocol::Tcp, 3, 5);
        assert!(three_to_five.meets(lines(Protocol::Tcp, 5, 9)));
        assert!(three_to_five.meets(lines(Protocol::Tcp, 4, 4)));
        assert!(!three_to_five.meets(lines(Protocol::Tcp, 6, 9)));
        assert!(!three_to_five.meets(lines(Protocol::Udp, 4, 4)));
    }
}
