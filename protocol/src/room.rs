//! A room: a class that predicts, runs and compares together. What its members ask for, and what they are told.
//!
//! A room has no names and no accounts. A member is a number that only its own page and the servers know; whoever has
//! the room's key teaches.

mod code;
mod link;
mod outcome;

use std::collections::BTreeMap;

#[cfg(test)]
use proptest::prelude::*;
use serde::{Deserialize, Serialize};
use strum::IntoStaticStr;

pub use self::code::{BadCode, CODE_SYMBOLS, RoomCode, SERVER_SYMBOLS};
pub use self::link::RoomLink;
pub use self::outcome::{Distribution, Measure, Outcome, bin};
use crate::{Invalid, MAX_ID};

/// Choices that a question of a room may have; one with more is refused.
pub const ROOM_CHOICES: u8 = 8;
/// Bytes of the fragment that a teacher leads to; a longer one is refused. Every member is told it.
pub const ROOM_FRAGMENT_BYTES: usize = 2 * 1024;
/// Characters of a lesson's id that a teacher leads to; a longer one is refused.
pub const ROOM_LESSON_CHARS: usize = 64;
/// Hexadecimal digits of a member's number.
pub const MEMBER_DIGITS: usize = 16;
/// Hexadecimal digits of a teacher's key.
pub const KEY_DIGITS: usize = 32;

/// What a session asks of a room: `{"room":{"join":{"code":"K7M4Q2XAB"}}}`
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, IntoStaticStr)]
#[cfg_attr(test, derive(proptest_derive::Arbitrary))]
#[serde(rename_all = "snake_case")]
#[strum(serialize_all = "snake_case")]
pub enum RoomRequest {
    /// Opens a room, which this session teaches.
    Open {},
    /// Enters a room. A session that is in one leaves it.
    Join(Join),
    /// Leaves the room. What the member voted stays.
    Leave {},
    /// Votes, or changes its vote.
    Vote(Vote),
    /// Tells what came of the member's own run.
    Ran(Ran),
    /// Teacher: leads the class somewhere; votes and outcomes begin anew.
    Lead(Place),
    /// Teacher: says what is asked of the class now.
    Stage(Stage),
    /// Teacher: ends the room for everybody.
    End {},
}

/// `{"join":{"code":"K7M4Q2XAB","member":"00000000deadbeef"}}`
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(proptest_derive::Arbitrary))]
#[serde(deny_unknown_fields)]
pub struct Join {
    /// Which room.
    pub code: RoomCode,
    /// The number under which the member was here before: its votes are still its own. A new member has none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub member: Option<String>,
    /// The teacher's key.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub key: Option<String>,
}

/// `{"vote":{"step":"9f02ab41","stage":"predict","choice":2,"edit":1796040000000}}`
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(proptest_derive::Arbitrary))]
#[serde(deny_unknown_fields)]
pub struct Vote {
    /// The step's `id`, which was answered: the class may have gone on.
    pub step: String,
    /// What was asked then: predict or again.
    pub stage: Stage,
    /// Which choice, from 0.
    pub choice: u8,
    /// Grows with every change that the member makes, by which server ever: the highest one counts. A page takes its
    /// clock's milliseconds.
    pub edit: u64,
}

/// `{"ran":{"step":"9f02ab41","outcome":{"tcp_reads":3},"edit":1796040000000}}`
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(proptest_derive::Arbitrary))]
#[serde(deny_unknown_fields)]
pub struct Ran {
    /// The step's `id`, at which it was run.
    pub step: String,
    /// What was counted of it.
    pub outcome: Outcome,
    /// As in [`Vote::edit`].
    pub edit: u64,
}

/// Where a teacher leads to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(proptest_derive::Arbitrary))]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum Place {
    /// A lesson, whose question can be voted on.
    Lesson {
        /// What its links call it.
        id: String,
        /// How many choices its question has.
        choices: u8,
    },
    /// The fragment of a share link.
    Scenario(String),
    /// The fragment of a share link, of which only the path is meant.
    Path(String),
}

/// What is asked of the class.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, IntoStaticStr)]
#[cfg_attr(test, derive(proptest_derive::Arbitrary))]
#[serde(rename_all = "snake_case")]
#[strum(serialize_all = "snake_case")]
pub enum Stage {
    /// Nothing: it may look around and run.
    #[default]
    Look,
    /// What it expects; votes count as those before.
    Predict,
    /// What it thinks now; votes count as those after.
    Again,
    /// Nothing more: everybody sees what all voted and saw.
    Reveal,
}

impl Stage {
    /// Its name, as messages have it.
    #[must_use]
    pub fn name(self) -> &'static str {
        self.into()
    }
}

/// What a member is told of its room.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(proptest_derive::Arbitrary))]
#[serde(rename_all = "snake_case")]
pub enum RoomEvent {
    /// The session is in the room. A [`RoomEvent::State`] follows.
    Entered(#[cfg_attr(test, proptest(strategy = "any::<Entered>().boxed()"))] Entered),
    /// How the room stands now. Only the newest state is told: a slow member misses those in between, and nothing else.
    // The generators of all events together do not fit the stack of a test.
    State(
        #[cfg_attr(test, proptest(strategy = "any::<RoomState>().prop_map(Box::new).boxed()"))]
        Box<RoomState>,
    ),
    /// What the member voted or ran is kept as safely as the room is: with a shared store by that, so that it outlives
    /// this server; else by this server.
    Counted {
        /// The step's `id`.
        step: String,
        /// The `edit` of the newest vote or outcome that is kept.
        edit: u64,
    },
    /// The session is in no room any more.
    Left {
        /// Why.
        cause: LeftCause,
    },
}

/// Who the session is in the room.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(proptest_derive::Arbitrary))]
pub struct Entered {
    /// Which room.
    pub code: RoomCode,
    /// The member's number, to come back with.
    pub member: String,
    /// Whether it teaches.
    pub teaches: bool,
    /// The room's key, for the one who opened it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub key: Option<String>,
    /// What the member voted at the present step, if this server knows.
    #[serde(default)]
    pub own: Own,
}

/// What a member voted at the present step.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(proptest_derive::Arbitrary))]
pub struct Own {
    /// What it expected, from 0.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub before: Option<u8>,
    /// What it thought afterwards, from 0.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub after: Option<u8>,
}

/// How a room stands.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(proptest_derive::Arbitrary))]
pub struct RoomState {
    /// Members that are here now, those who teach not counted.
    pub here: u32,
    /// Where the class is; nowhere yet, if there is none.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[cfg_attr(test, proptest(strategy = "any::<Option<Step>>().boxed()"))]
    pub step: Option<Step>,
    /// How many have voted before and after, and told what came of their run.
    pub given: Given,
    /// What they voted and saw: for members once it is revealed, for those who teach always.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[cfg_attr(test, proptest(strategy = "any::<Option<Pooled>>().boxed()"))]
    pub pooled: Option<Pooled>,
    /// Who keeps the room.
    pub store: StoreState,
}

/// A place that the class was led to, and what is asked there.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(proptest_derive::Arbitrary))]
pub struct Step {
    /// Which step of the class, from 1.
    pub number: u32,
    /// What no other step has: votes name it.
    pub id: String,
    /// Where.
    pub place: Place,
    /// What is asked.
    pub stage: Stage,
}

/// How many members gave something at the present step.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(proptest_derive::Arbitrary))]
pub struct Given {
    /// Votes before.
    pub before: u32,
    /// Votes after.
    pub after: u32,
    /// Outcomes of runs.
    pub ran: u32,
}

/// What all members together voted and saw. Counts only.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(proptest_derive::Arbitrary))]
pub struct Pooled {
    /// Votes for each choice before.
    pub before: Vec<u32>,
    /// Votes for each choice after.
    pub after: Vec<u32>,
    /// How the outcomes of their runs are distributed.
    pub outcomes: BTreeMap<Measure, Distribution>,
}

/// Who keeps a room.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(proptest_derive::Arbitrary))]
#[serde(rename_all = "snake_case")]
pub enum StoreState {
    /// This server alone.
    #[default]
    Local,
    /// A store that several servers share.
    Shared,
    /// The shared store is out of reach, or has no space for what is new: members at this server go on, and what they do
    /// is shared later.
    Cut,
}

/// Why a session is in no room any more.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(proptest_derive::Arbitrary))]
#[serde(rename_all = "snake_case")]
pub enum LeftCause {
    /// It left.
    Left,
    /// The teacher ended the room.
    Ended,
    /// The room was as old as one may get.
    Expired,
}

impl RoomRequest {
    /// Its name, as messages have it.
    #[must_use]
    pub fn name(&self) -> &'static str {
        self.into()
    }

    /// Checks what serde cannot.
    ///
    /// # Errors
    /// The field that is wrong, with the limit.
    pub(crate) fn check(&self) -> Result<(), Invalid> {
        match self {
            Self::Join(join) => join.check(),
            Self::Vote(vote) => {
                check_edit("vote", vote.edit)?;
                if vote.choice >= ROOM_CHOICES {
                    let (choice, most) = (vote.choice, ROOM_CHOICES - 1);
                    let detail = format!("choice is {choice}, the limit is {most}");
                    return Err(Invalid::over_limit("vote.choice", detail));
                }
                Ok(())
            }
            Self::Ran(ran) => check_edit("ran", ran.edit),
            Self::Lead(place) => place.check(),
            Self::Open {} | Self::Leave {} | Self::Stage(_) | Self::End {} => Ok(()),
        }
    }
}

impl Join {
    fn check(&self) -> Result<(), Invalid> {
        let texts =
            [("join.member", &self.member, MEMBER_DIGITS), ("join.key", &self.key, KEY_DIGITS)];
        for (field, text, digits) in texts {
            let is_hex = |text: &String| {
                text.len() == digits
                    && text.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'))
            };
            if !text.as_ref().is_none_or(is_hex) {
                let detail = format!("{field} must be {digits} hexadecimal digits in lower case");
                return Err(Invalid::bad_field(field, detail));
            }
        }
        Ok(())
    }
}

impl Place {
    /// How many choices can be voted on here; none, if there is no question.
    #[must_use]
    pub fn choices(&self) -> u8 {
        match self {
            Self::Lesson { choices, .. } => *choices,
            Self::Scenario(_) | Self::Path(_) => 0,
        }
    }

    fn check(&self) -> Result<(), Invalid> {
        match self {
            Self::Lesson { id, choices } => {
                let is_plain = |c: char| c.is_ascii_alphanumeric() || c == '_' || c == '-';
                if id.is_empty() || id.len() > ROOM_LESSON_CHARS || !id.chars().all(is_plain) {
                    let detail = format!(
                        "id must be 1 to {ROOM_LESSON_CHARS} letters, digits, hyphens or underscores"
                    );
                    return Err(Invalid::over_limit("lead.lesson.id", detail));
                }
                if *choices == 0 || *choices > ROOM_CHOICES {
                    let detail = format!("choices is {choices}, it must be 1 to {ROOM_CHOICES}");
                    return Err(Invalid::over_limit("lead.lesson.choices", detail));
                }
                Ok(())
            }
            Self::Scenario(fragment) => check_fragment("lead.scenario", fragment),
            Self::Path(fragment) => check_fragment("lead.path", fragment),
        }
    }
}

fn check_fragment(field: &str, fragment: &str) -> Result<(), Invalid> {
    let bytes = fragment.len();
    if bytes > ROOM_FRAGMENT_BYTES {
        let detail = format!("fragment is {bytes} bytes, the limit is {ROOM_FRAGMENT_BYTES}");
        return Err(Invalid::over_limit(field, detail));
    }
    Ok(())
}

fn check_edit(message: &str, edit: u64) -> Result<(), Invalid> {
    if edit > MAX_ID {
        let detail = format!("edit is {edit}, the limit is {MAX_ID}");
        return Err(Invalid::over_limit(&format!("{message}.edit"), detail));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{ClientMessage, Code, Limits};

    fn decode(room: &str) -> Result<ClientMessage, Invalid> {
        ClientMessage::decode(&format!(r#"{{"room":{room}}}"#), &Limits::default())
    }

    #[test]
    fn a_code_is_read_as_people_write_it() {
        let code: RoomCode = "K7M4Q2XAB".parse().unwrap();
        let joined = decode(r#"{"join":{"code":"k7m-4q2-xab"}}"#).unwrap();
        let join = Join { code, member: None, key: None };
        assert_eq!(joined, ClientMessage::Room(RoomRequest::Join(join)));
        assert_eq!(joined.encode(), r#"{"room":{"join":{"code":"K7M4Q2XAB"}}}"#);
    }

    #[test]
    fn a_mistake_names_its_field_and_the_limit() {
        let long = format!(r#"{{"lead":{{"scenario":"{}"}}}}"#, "x".repeat(2_049));
        for (room, code, field, detail) in [
            (r#"{"join":{"code":"K7M"}}"#, Code::BadField, "join.code", "9 letters and digits"),
            (r#"{"join":{"code":"K7M4Q2XAB","key":"1"}}"#, Code::BadField, "join.key", "32 hexa"),
            (r#"{"join":{"code":"K7M4Q2XAB","name":"x"}}"#, Code::BadField, "join.name", "unknown"),
            (
                r#"{"vote":{"step":"a","stage":"again","choice":8,"edit":1}}"#,
                Code::OverLimit,
                "vote.choice",
                "limit is 7",
            ),
            (
                r#"{"vote":{"step":"a","stage":"again","choice":1,"edit":9007199254740992}}"#,
                Code::OverLimit,
                "vote.edit",
                "limit is",
            ),
            (
                r#"{"ran":{"step":"a","outcome":{"bytes":1},"edit":1}}"#,
                Code::BadField,
                "ran.outcome",
                "unknown variant",
            ),
            (
                r#"{"lead":{"lesson":{"id":"a b","choices":2}}}"#,
                Code::OverLimit,
                "lead.lesson.id",
                "1 to 64",
            ),
            (
                r#"{"lead":{"lesson":{"id":"a","choices":9}}}"#,
                Code::OverLimit,
                "lead.lesson.choices",
                "1 to 8",
            ),
            (long.as_str(), Code::OverLimit, "lead.scenario", "2049 bytes, the limit is 2048"),
            (r#"{"stage":"guess"}"#, Code::BadField, "stage", "unknown variant `guess`"),
            (r#"{"shout":{}}"#, Code::BadField, "", "unknown variant `shout`"),
        ] {
            let invalid = decode(room).unwrap_err();
            assert_eq!((invalid.code, invalid.message.as_deref()), (code, Some("room")), "{room}");
            assert!(invalid.field.unwrap_or_default().starts_with(field), "{room}");
            assert!(invalid.detail.contains(detail), "{room}: {}", invalid.detail);
        }
    }
}
