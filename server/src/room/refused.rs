//! Why a room does not do what is asked, in a sentence for a person.

use streamgram_protocol::Code;
use streamgram_protocol::room::{RoomCode, Stage};
use thiserror::Error;

/// Why a room does not do what is asked.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum Refused {
    /// Rooms are switched off.
    #[error("this server has no rooms")]
    Off,
    /// The server has as many rooms as it may have.
    #[error("the server has {0} rooms, the limit is {0}")]
    Rooms(usize),
    /// An address opened as many rooms as it may.
    #[error("this address has opened {0} rooms, the limit of an address is {0}")]
    RoomsOfAddress(usize),
    /// The room has as many members as it may have.
    #[error("the room has {0} members at this server, the limit is {0}")]
    Members(usize),
    /// The room has as many sessions as it may have: some members are here more than once.
    #[error("the room has {0} sessions at this server, the limit is {0}")]
    Sessions(usize),
    /// As many teach as may.
    #[error("{0} sessions teach the room at this server, the limit is {0}")]
    Teachers(usize),
    /// More members gave something at this step than there may be.
    #[error("{0} members gave something at this step, the limit is {0}")]
    Ballots(usize),
    /// A code of no room.
    #[error("there is no room {0}: it has ended, or the code is mistyped")]
    NoRoom(RoomCode),
    /// A code that another server gave.
    #[error("room {0} is another server's, and this one shares no rooms with it")]
    Elsewhere(RoomCode),
    /// A key that is not the room's.
    #[error("that is not the key of room {0}")]
    WrongKey(RoomCode),
    /// Too many codes or keys of no room.
    #[error(
        "this address tried {0} codes or keys of no room within a minute, the limit is {0}; try again in a minute"
    )]
    Tries(u32),
    /// The shared store does not answer, and only there the room is known.
    #[error(
        "the store that this server shares rooms through is out of reach, and room {0} is not here"
    )]
    StoreAway(RoomCode),
    /// The teacher's alone.
    #[error("only who has the room's key may ask that")]
    NotTeacher,
    /// The session is in no room.
    #[error("the session is in no room")]
    NotInRoom,
    /// The class was led nowhere.
    #[error("the class is nowhere yet: lead it somewhere first")]
    Nowhere,
    /// There is nothing to vote on.
    #[error("where the class is there is no question to vote on")]
    NoQuestion,
    /// The class has gone on.
    #[error("the class is not at step {0} any more")]
    GoneOn(String),
    /// Nothing is asked.
    #[error("the vote is of stage {}, votes are taken at predict and again, and the class is at {}", .of.name(), .now.name())]
    NotAsked {
        /// That of the vote.
        of: Stage,
        /// That of the class.
        now: Stage,
    },
    /// A choice that the question does not have.
    #[error("choice is {choice}, the question has {choices} from 0")]
    Choice {
        /// What was chosen.
        choice: u8,
        /// How many there are.
        choices: u8,
    },
    /// What the teacher changed waits for the shared store, as much as may.
    #[error(
        "{0} changes wait for the store that this server shares rooms through, the limit is {0}"
    )]
    Waiting(usize),
    /// The system gave no random number.
    #[error("the system gives no random numbers: {0}")]
    NoRandomness(String),
}

impl Refused {
    /// What kind of mistake it is.
    #[must_use]
    pub fn code(&self) -> Code {
        match self {
            Self::Off | Self::NoRoom(_) => Code::NoRoom,
            Self::Elsewhere(_) => Code::RoomElsewhere,
            Self::Rooms(_)
            | Self::RoomsOfAddress(_)
            | Self::Members(_)
            | Self::Sessions(_)
            | Self::Teachers(_)
            | Self::Ballots(_) => Code::RoomFull,
            Self::WrongKey(_) | Self::NotTeacher => Code::NotTeacher,
            Self::Tries(_) | Self::Choice { .. } => Code::OverLimit,
            Self::StoreAway(_) | Self::Waiting(_) => Code::StoreAway,
            Self::NotInRoom
            | Self::Nowhere
            | Self::NoQuestion
            | Self::GoneOn(_)
            | Self::NotAsked { .. } => Code::NotAsked,
            Self::NoRandomness(_) => Code::Io,
        }
    }

    /// The field that is meant, if one is.
    #[must_use]
    pub fn field(&self) -> Option<&'static str> {
        match self {
            Self::NoRoom(_) | Self::Elsewhere(_) => Some("join.code"),
            Self::WrongKey(_) => Some("join.key"),
            Self::GoneOn(_) => Some("step"),
            Self::Choice { .. } => Some("vote.choice"),
            _ => None,
        }
    }
}
