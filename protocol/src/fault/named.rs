//! Recipes for the usual exercises. Their names can be written in place of their words.

use crate::Protocol;

/// A recipe with a name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Named {
    /// Its name.
    pub name: &'static str,
    /// Whose replies it is for.
    pub protocol: Protocol,
    /// What it stands for.
    pub words: &'static str,
    /// What a robust client does.
    pub robust: &'static str,
}

const fn tcp(name: &'static str, words: &'static str, robust: &'static str) -> Named {
    Named { name, protocol: Protocol::Tcp, words, robust }
}

const fn udp(name: &'static str, words: &'static str, robust: &'static str) -> Named {
    Named { name, protocol: Protocol::Udp, words, robust }
}

/// All of them, in the order in which they are shown.
pub const NAMED: &[Named] = &[
    tcp("split", "split=1..5", "reads on until a reply is complete: one recv is no message"),
    tcp("bytewise", "split=1;delay=1", "decodes a character only once all of its bytes are there"),
    tcp("merged", "merge=2..4", "sends ahead, and finds where one reply ends and the next begins"),
    tcp("slow", "delay=200..1500", "waits, with a timeout of its own, and stays usable meanwhile"),
    tcp("drip", "drip=40", "sets its timeout for a whole reply, not for each read"),
    tcp("cut", "fin=5..20", "tells an end in the midst of a reply from a complete one"),
    tcp("reset", "rst=5..20", "keeps what had come, and does not take it for a complete reply"),
    tcp(
        "half_closed",
        "half_close=5..20",
        "tells that the reply is cut, and closes its own side too",
    ),
    tcp("reset_at_once", "accept=reset", "tries again, a limited number of times and with pauses"),
    tcp("silent", "accept=silent", "gives up after a timeout of its own"),
    tcp("refused", "accept=refuse", "says that nobody listens, and which address it tried"),
    tcp("stalled", "stall=0", "gives up waiting for a reply, and a write that blocks"),
    tcp("wrong_time", "stamp=wrong", "does not take a server's clock for its own"),
    tcp("other_zone", "stamp=zone+09:00", "knows that a time without a zone is anybody's"),
    tcp("altered", "echo=altered", "compares the echo with what it sent"),
    udp("lossy", "drop=30", "sends again after a timeout, a limited number of times"),
    udp("doubled", "duplicate=50", "takes a second reply to the same question for what it is"),
    udp(
        "reordered",
        "reorder=50",
        "does not take the next reply for the answer to its last question",
    ),
    udp(
        "late",
        "delay=500..3000",
        "does not take a late reply for the answer to the next question",
    ),
    udp("short", "truncate=0..23", "checks the length before it uses a reply"),
    udp("stranger", "port=other", "ignores datagrams that come from elsewhere than it asked"),
    udp("mute", "accept=silent", "gives up after a timeout: recv would wait for ever"),
    udp(
        "closed",
        "accept=refuse",
        "notices ICMP port unreachable, for which its socket is connected",
    ),
];

impl Named {
    /// The one with this name.
    #[must_use]
    pub fn of(name: &str, protocol: Protocol) -> Option<&'static Self> {
        NAMED.iter().find(|named| named.name == name && named.protocol == protocol)
    }
}
