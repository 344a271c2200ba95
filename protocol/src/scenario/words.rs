//! The words of a link for what is one of a few.

use serde::{Deserialize, Serialize};
use strum::{EnumString, IntoStaticStr, VariantArray};

use crate::Rule;

/// How the text of the prompt is to be read.
#[derive(
    Debug,
    Clone,
    Copy,
    Default,
    PartialEq,
    Eq,
    Serialize,
    Deserialize,
    EnumString,
    IntoStaticStr,
    VariantArray,
)]
#[serde(rename_all = "lowercase")]
#[strum(serialize_all = "lowercase")]
pub enum Mode {
    /// It goes out as it stands.
    #[default]
    Text,
    /// With escapes, `\n` and the like.
    Escapes,
    /// Two hexadecimal digits a byte.
    Hex,
}

impl Mode {
    /// All of them, in the order in which they are offered.
    pub const ALL: &[Self] = Self::VARIANTS;
}

/// What every line ends with.
#[derive(
    Debug,
    Clone,
    Copy,
    Default,
    PartialEq,
    Eq,
    Serialize,
    Deserialize,
    EnumString,
    IntoStaticStr,
    VariantArray,
)]
#[serde(rename_all = "lowercase")]
#[strum(serialize_all = "lowercase")]
pub enum Ending {
    /// Nothing.
    #[default]
    None,
    /// Line feed.
    Lf,
    /// Carriage return and line feed.
    CrLf,
}

impl Ending {
    /// All of them, in the order in which they are offered.
    pub const ALL: &[Self] = Self::VARIANTS;
}

/// How the page is arranged.
#[derive(
    Debug,
    Clone,
    Copy,
    Default,
    PartialEq,
    Eq,
    Serialize,
    Deserialize,
    EnumString,
    IntoStaticStr,
    VariantArray,
)]
#[serde(rename_all = "lowercase")]
#[strum(serialize_all = "lowercase")]
pub enum View {
    /// Everything.
    #[default]
    Full,
    /// What matters, in large type, for a projector.
    Large,
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
