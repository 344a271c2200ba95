//! The messages of a session, both ways, as text frames.

use streamgram_protocol::{ClientMessage, Code, Invalid, Limits, MAX_ERROR_CHARS, ServerMessage};

/// A session reads a message that it would write in the same way, or it names the mistake in few words:
/// the field, and the limit where it is one.
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
    let is_unreadable = matches!(code, Code::BadJson | Code::UnknownMessage);
    assert_eq!(message.is_none(), is_unreadable, "{invalid:?}");
    if let Some(message) = message {
        // What has no field is the message itself, which is no object.
        assert!(field.is_some() || detail.starts_with(&format!("{message}: ")), "{invalid:?}");
    } else {
        assert!(field.is_none(), "{invalid:?}");
    }
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
