//! What is one of a few: how a connection begins, what ends it, what its timestamps say.

use std::fmt;

/// What becomes of a connection or a datagram to begin with.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Accept {
    /// It is served.
    #[default]
    Serve,
    /// TCP: it is accepted, and reset at once.
    Reset,
    /// It is taken, and never answered.
    Silent,
    /// Nobody listens: RST, or ICMP port unreachable (RFC 1122, section 4.1.3.1).
    Refuse,
}

/// What ends after so many bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Cut {
    /// The connection, by FIN.
    Fin,
    /// The connection, by RST.
    Rst,
    /// The server's direction, by FIN: what the client sends is still read, and not answered.
    HalfClose,
}

/// What a timestamp says.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Stamp {
    /// The time, as the server's own.
    #[default]
    Right,
    /// Another time within a year.
    Wrong,
    /// The time in a zone so many minutes east of UTC.
    Zone(i32),
}

impl Accept {
    /// Its word; none where everything is as usual.
    pub(super) fn word(self) -> Option<&'static str> {
        match self {
            Self::Serve => None,
            Self::Reset => Some("reset"),
            Self::Silent => Some("silent"),
            Self::Refuse => Some("refuse"),
        }
    }
}

impl Cut {
    /// Its word.
    pub(super) fn word(self) -> &'static str {
        match self {
            Self::Fin => "fin",
            Self::Rst => "rst",
            Self::HalfClose => "half_close",
        }
    }
}

impl Stamp {
    /// Itself, unless everything is as usual.
    pub(super) fn word(self) -> Option<Self> {
        (self != Self::Right).then_some(self)
    }
}

impl fmt::Display for Stamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Right => f.write_str("right"),
            Self::Wrong => f.write_str("wrong"),
            Self::Zone(minutes) => {
                let sign = if *minutes < 0 { '-' } else { '+' };
                let minutes = minutes.unsigned_abs();
                write!(f, "zone{sign}{:02}:{:02}", minutes / 60, minutes % 60)
            }
        }
    }
}
