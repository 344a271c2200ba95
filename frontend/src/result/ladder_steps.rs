//! Keys step from packet to packet: up and down within a protocol, left and right to the other one.

use streamgram_protocol::Protocol;

use super::ladder::Ladder;

/// The packet that a key leads to from the chosen one, by its index; none also ends the choice. Nothing for other
/// keys.
pub(crate) fn step(ladder: &Ladder, chosen: Option<usize>, key: &str) -> Option<Option<usize>> {
    let arrows = &ladder.arrows;
    let from = chosen.and_then(|at| arrows.get(at));
    let lane = from.map(|arrow| arrow.protocol).or_else(|| ladder.lanes().next());
    let in_lane = || (0..arrows.len()).filter(|at| Some(arrows[*at].protocol) == lane);
    let beside = |protocol| {
        let Some(from) = from.filter(|from| from.protocol != protocol) else { return chosen };
        let others = (0..arrows.len()).filter(|at| arrows[*at].protocol == protocol);
        others.min_by_key(|at| arrows[*at].sent.at_us.abs_diff(from.sent.at_us)).or(chosen)
    };
    Some(match key {
        "ArrowDown" => in_lane().find(|at| chosen.is_none_or(|chosen| *at > chosen)).or(chosen),
        "ArrowUp" => in_lane().rfind(|at| chosen.is_none_or(|chosen| *at < chosen)).or(chosen),
        "ArrowLeft" => beside(Protocol::Tcp),
        "ArrowRight" => beside(Protocol::Udp),
        "Home" => in_lane().next(),
        "End" => in_lane().next_back(),
        // With nothing chosen the key is another's, as a dialog's that stands around the ladder.
        "Escape" if chosen.is_some() => None,
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use std::rc::Rc;

    use streamgram_protocol::End;

    use super::*;
    use crate::result::ladder::ZOOM_ONE;
    use crate::session::trace::tests::{segment, traced};

    /// TCP's packets are 0, 2 and 4, UDP's 1, 3 and 5.
    fn ladder() -> Ladder {
        let traces = [[0, 20, 200], [10, 30, 900]].map(|times| {
            let sent = times.map(|at_us| segment(End::Client, at_us, at_us, false));
            Some(Rc::new(traced(&sent)))
        });
        Ladder::of(&traces, ZOOM_ONE)
    }

    /// Where keys lead, one after the other.
    fn led<const N: usize>(keys: [&str; N]) -> [Option<usize>; N] {
        let (ladder, mut chosen) = (ladder(), None);
        keys.map(|key| {
            chosen = step(&ladder, chosen, key).unwrap();
            chosen
        })
    }

    #[test]
    fn up_and_down_stay_with_a_protocol() {
        let keys =
            ["ArrowDown", "ArrowDown", "ArrowDown", "ArrowDown", "ArrowUp", "Home", "ArrowUp"];
        assert_eq!(led(keys), [0, 2, 4, 4, 2, 0, 0].map(Some));
        assert_eq!(led(["ArrowUp", "Home", "End"]), [4, 0, 4].map(Some));
    }

    #[test]
    fn left_and_right_lead_to_the_packet_that_is_nearest_in_time() {
        let keys = ["End", "ArrowRight", "End", "ArrowRight", "ArrowUp", "ArrowLeft"];
        assert_eq!(led(keys), [4, 3, 5, 5, 3, 2].map(Some));
        assert_eq!(led(["ArrowRight", "ArrowDown"]), [None, Some(0)]);
    }

    #[test]
    fn escape_ends_the_choice_and_other_keys_do_nothing() {
        assert_eq!(led(["ArrowDown", "Escape"]), [Some(0), None]);
        assert_eq!(step(&ladder(), None, "Escape"), None, "it is for somebody else");
        assert_eq!(step(&ladder(), Some(0), "a"), None);
        let none = Ladder::of(&[None, None], ZOOM_ONE);
        assert_eq!(step(&none, None, "ArrowDown"), Some(None));
    }
}
