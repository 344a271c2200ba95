//! The words of a link for what is one of a few.

use serde::{Deserialize, Serialize};

use crate::{Congestion, Path, Rule, Target};

/// A choice of which each has a word.
macro_rules! choice {
    ($(#[$doc:meta])* $name:ident { $($(#[$of:meta])* $variant:ident $word:literal),+ $(,)? }) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
        #[serde(rename_all = "lowercase")]
        pub enum $name {
            $($(#[$of])* $variant),+
        }

        impl $name {
            /// All of them, in the order in which they are offered.
            pub const ALL: &[Self] = &[$(Self::$variant),+];

            /// Its word in a link.
            #[must_use]
            pub fn word(self) -> &'static str {
                match self {
                    $(Self::$variant => $word),+
                }
            }

            /// The one of that word.
            #[must_use]
            pub fn of_word(word: &str) -> Option<Self> {
                Self::ALL.iter().copied().find(|it| it.word() == word)
            }
        }
    };
}

choice! {
    /// How the text of the prompt is to be read.
    Mode {
        /// It goes out as it stands.
        #[default]
        Text "text",
        /// With escapes, `\n` and the like.
        Escapes "escapes",
        /// Two hexadecimal digits a byte.
        Hex "hex",
    }
}

choice! {
    /// What every line ends with.
    Ending {
        /// Nothing.
        #[default]
        None "none",
        /// Line feed.
        Lf "lf",
        /// Carriage return and line feed.
        CrLf "crlf",
    }
}

choice! {
    /// How the page is arranged.
    View {
        /// Everything.
        #[default]
        Full "full",
        /// What matters, in large type, for a projector.
        Large "large",
    }
}

pub(super) fn of_target(target: Target) -> &'static str {
    match target {
        Target::Tcp => "tcp",
        Target::Udp => "udp",
        Target::Both => "both",
    }
}

pub(super) fn target(word: &str) -> Option<Target> {
    [Target::Tcp, Target::Udp, Target::Both].into_iter().find(|it| of_target(*it) == word)
}

pub(super) fn path(word: &str) -> Option<Path> {
    [Path::Direct, Path::Emulated].into_iter().find(|it| it.name() == word)
}

pub(super) fn of_congestion(congestion: Congestion) -> &'static str {
    match congestion {
        Congestion::Reno => "reno",
        Congestion::Cubic => "cubic",
    }
}

pub(super) fn congestion(word: &str) -> Option<Congestion> {
    [Congestion::Reno, Congestion::Cubic].into_iter().find(|it| of_congestion(*it) == word)
}

pub(super) fn on(word: &str) -> Option<bool> {
    match word {
        "on" => Some(true),
        "off" => Some(false),
        _ => None,
    }
}

/// `lose_line:3`, `lose_line:3:2`, `lose_reply:2`, `black_out:1000:4000`
pub(super) fn of_rule(rule: Rule) -> String {
    match rule {
        Rule::LoseLine { line, packet: None } => format!("lose_line:{line}"),
        Rule::LoseLine { line, packet: Some(packet) } => format!("lose_line:{line}:{packet}"),
        Rule::LoseReply { line } => format!("lose_reply:{line}"),
        Rule::BlackOut { from_ms, to_ms } => format!("black_out:{from_ms}:{to_ms}"),
    }
}

pub(super) fn rule(text: &str) -> Option<Rule> {
    let mut words = text.split(':');
    let name = words.next()?;
    let first = words.next()?.parse().ok()?;
    let second = words.next().map(|word| word.parse().ok());
    if words.next().is_some() {
        return None;
    }
    match (name, second) {
        ("lose_line", None) => Some(Rule::LoseLine { line: first, packet: None }),
        ("lose_line", Some(packet)) => Some(Rule::LoseLine { line: first, packet: Some(packet?) }),
        ("lose_reply", None) => Some(Rule::LoseReply { line: first }),
        ("black_out", Some(to_ms)) => Some(Rule::BlackOut { from_ms: first, to_ms: to_ms? }),
        _ => None,
    }
}
