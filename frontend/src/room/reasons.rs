//! Why the page is in no room, and what the server did not do, in words.

use streamgram_protocol::room::{Join, LeftCause};
use streamgram_protocol::{Code, printable};

use crate::i18n::language::Language;
use crate::session::room::Why;

/// Why the page is in no room.
pub(super) fn why_text(language: Language, why: &Why) -> String {
    match why {
        Why::Left(LeftCause::Left) => language.room_left().to_owned(),
        Why::Left(LeftCause::Ended) => language.room_ended().to_owned(),
        Why::Left(LeftCause::Expired) => language.room_expired().to_owned(),
        Why::BadLink => language.room_bad_link().to_owned(),
        Why::Refused { code, detail, join } => refusal_text(language, *code, detail, join.as_ref()),
    }
}

/// What would be tried again.
pub(super) fn again(why: &Why) -> Option<&Join> {
    match why {
        Why::Refused { code: Code::RoomFull | Code::OverLimit, join, .. } => join.as_ref(),
        Why::Left(LeftCause::Left | LeftCause::Ended | LeftCause::Expired)
        | Why::BadLink
        | Why::Refused { .. } => None,
    }
}

/// What the server did not do; in its own words, where the page has none.
pub(super) fn refusal_text(
    language: Language,
    code: Code,
    detail: &str,
    join: Option<&Join>,
) -> String {
    match (code, join) {
        (Code::NoRoom, Some(join)) => language.room_none(&join.code.to_string()),
        (Code::RoomElsewhere, Some(join)) => language.room_elsewhere(&join.code.to_string()),
        (Code::RoomFull, Some(_)) => language.room_full().to_owned(),
        _ => language.room_refused(&printable(detail.as_bytes())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_refusal_names_the_room_or_quotes_the_server() {
        let join = Some(Join { code: "K7M4Q2XAB".parse().unwrap(), member: None, key: None });
        let why = |code, join| Why::Refused { code, detail: "20 rooms\u{202e}".into(), join };
        let text = |why: &Why| why_text(Language::En, why);
        assert!(text(&why(Code::NoRoom, join.clone())).contains("K7M-4Q2-XAB"));
        assert!(text(&why(Code::RoomElsewhere, join.clone())).contains("K7M-4Q2-XAB"));
        assert!(text(&why(Code::RoomFull, None)).contains(r"20 rooms\u{202e}"));
        let is_tried = |why: &Why| again(why).is_some();
        assert!(
            is_tried(&why(Code::RoomFull, join.clone())) && !is_tried(&why(Code::NoRoom, join))
        );
    }
}
