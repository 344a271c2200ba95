//! The messages of a session, both ways, as text frames.

use streamgram_protocol::{ClientMessage, Code, Invalid, Limits, MAX_ERROR_CHARS, ServerMessage};

/// What a session reads is a message that it would write in the same way, or an error that names the
/// field, and the limit where it is one, in few words.
///
/// # Panics
/// It is neither.
pub fn client_message(input: &[u8]) {
    let text = String::from_utf8_lossy(input);
    let limits = Limits::default();
    match ClientMessage::decode(&text, &limits) {
        Ok(message) => {
            let json = message.encode();
            assert_eq!(ClientMessage::decode(&json, &limits), Ok(message));
        }
        Err(invalid) => names_the_mistake(&invalid),
    }
}

fn names_the_mistake(invalid: &Invalid) {
    let Invalid { code, message, field, detail, .. } = invalid;
    assert_eq!(field.is_none(), *code == Code::BadJson, "{invalid:?}");
    assert!(!detail.is_empty());
    if *code == Code::OverLimit {
        assert!(detail.contains("limit is") || detail.contains("must be"), "{detail}");
    }
    for text in [message.as_ref(), field.as_ref(), Some(detail)].into_iter().flatten() {
        let length = text.chars().count();
        assert!(length <= MAX_ERROR_CHARS, "{length} characters: {text}");
    }
}

/// What a page reads it would write in the same way.
///
/// # Panics
/// It would not.
pub fn server_message(input: &[u8]) {
    let text = String::from_utf8_lossy(input);
    if let Ok(message) = ServerMessage::decode(&text) {
        let json = message.encode();
        let again = ServerMessage::decode(&json).expect("and read again");
        assert_eq!(again, message);
    }
}
