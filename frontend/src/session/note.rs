//! What stands in a transcript between the lines and their replies, kept as facts: it is put into words
//! when it is shown, in the language of that moment.

use serde::Serialize;
use streamgram_protocol::fault::Deed;
use streamgram_protocol::{Cause, Protocol};

use super::deed::deed_text;
use crate::i18n::figures::{Noun, count, counted, duration};
use crate::i18n::language::Language;

/// Something that happened to a leg, or to the whole session. Its fields are named as in the event that
/// it was made of.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(untagged)]
pub(crate) enum Note {
    /// TCP's handshake is done.
    Connected { handshake_us: u64 },
    /// UDP's socket is there.
    SocketOpen,
    /// TCP_NODELAY was turned.
    NodelaySet { nodelay: bool },
    /// FIN went out.
    HalfClosed,
    /// Nobody listens there.
    Refused { peer: String },
    /// The leg has ended; with the system's word, where it has one.
    Closed {
        cause: Cause,
        #[serde(skip_serializing_if = "Option::is_none")]
        detail: Option<String>,
    },
    /// The server saw the connection end; with a reset, because this end closed it with replies unread.
    ServerClosed {
        cause: Cause,
        #[serde(skip)]
        unread: bool,
    },
    /// The leg's server is a faulty one, and did this on purpose.
    Fault {
        #[serde(skip)]
        protocol: Protocol,
        #[serde(flatten)]
        deed: Deed,
    },
    /// The emulated link was changed.
    LinkSet,
    /// A burst ended before its last line.
    Stopped { lines: u32, of: u32 },
    /// The session is gone.
    SessionEnded,
    /// The session is back.
    Gap { away_us: u64 },
    /// The server could not do what it was asked for.
    Error { detail: String },
}

impl Note {
    /// The note in words. What the server or the system says is quoted as it is.
    pub(crate) fn text(&self, language: Language) -> String {
        match self {
            Self::Connected { handshake_us } => language.note_connected(&duration(*handshake_us)),
            Self::SocketOpen => language.note_socket_open().into(),
            Self::NodelaySet { nodelay: true } => language.note_nodelay_on().into(),
            Self::NodelaySet { nodelay: false } => language.note_nodelay_off().into(),
            Self::HalfClosed => language.note_half_closed().into(),
            Self::Refused { peer } => language.note_refused(peer),
            Self::Closed { cause, detail: None } => cause_text(language, *cause).into(),
            Self::Closed { cause, detail: Some(detail) } => {
                language.with_detail(cause_text(language, *cause), detail)
            }
            Self::ServerClosed { unread: true, .. } => language.note_closed_unread().into(),
            Self::ServerClosed { cause, .. } => {
                language.note_server_saw_end(cause_text(language, *cause))
            }
            Self::Fault { protocol, deed } => deed_text(language, *protocol, deed),
            Self::LinkSet => language.note_link_changed().into(),
            Self::Stopped { lines, of } => {
                let lines = counted(language, (*lines).into(), Noun::Line);
                language.note_stopped(&lines, &count((*of).into()))
            }
            Self::SessionEnded => language.note_session_ended().into(),
            Self::Gap { away_us } => language.note_gap(&duration(*away_us)),
            Self::Error { detail } => language.server_objects(detail),
        }
    }

    /// The name of the event that it was made of; the page has names of its own for what it notes itself.
    pub(crate) fn event(&self) -> &'static str {
        match self {
            Self::Connected { .. } | Self::SocketOpen => "opened",
            Self::NodelaySet { .. } => "nodelay_set",
            Self::HalfClosed => "half_closed",
            Self::Refused { .. } => "refused",
            Self::Closed { .. } => "closed",
            Self::ServerClosed { .. } => "server_closed",
            Self::Fault { .. } => "fault",
            Self::LinkSet => "link_set",
            Self::Stopped { .. } => "finished",
            Self::SessionEnded => "session_ended",
            Self::Gap { .. } => "gap",
            Self::Error { .. } => "error",
        }
    }

    /// Whether something went wrong.
    pub(crate) fn is_bad(&self) -> bool {
        match self {
            Self::Closed { cause, .. } => match cause {
                Cause::Closed | Cause::Reset | Cause::PeerClosed => false,
                Cause::PeerReset | Cause::TimedOut | Cause::Limit | Cause::Failed => true,
            },
            Self::Refused { .. } | Self::SessionEnded | Self::Gap { .. } | Self::Error { .. } => {
                true
            }
            _ => false,
        }
    }
}

/// Why a leg or connection ended.
pub(crate) fn cause_text(language: Language, cause: Cause) -> &'static str {
    match cause {
        Cause::Closed => language.cause_closed(),
        Cause::Reset => language.cause_reset(),
        Cause::PeerClosed => language.cause_peer_closed(),
        Cause::PeerReset => language.cause_peer_reset(),
        Cause::TimedOut => language.cause_timed_out(),
        Cause::Limit => language.cause_limit(),
        Cause::Failed => language.cause_failed(),
    }
}
