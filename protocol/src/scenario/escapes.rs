//! Escapes in a line: `\n`, `\r`, `\t`, `\\` and `\xHH`, each of them one byte.

/// An escape that is none.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BadEscape {
    /// The character that it begins at, counted from 1.
    pub at: usize,
    /// What stands there.
    pub found: String,
}

/// The bytes that a text with escapes stands for.
///
/// # Errors
/// The first escape that is none.
pub(super) fn unescape(text: &str) -> Result<Vec<u8>, BadEscape> {
    let (mut bytes, mut rest) = (Vec::with_capacity(text.len()), text);
    while let Some((plain, escape)) = rest.split_once('\\') {
        bytes.extend_from_slice(plain.as_bytes());
        let (byte, behind) = escaped(escape).ok_or_else(|| {
            let (before, found) = text.split_at(text.len() - escape.len() - 1);
            let characters = if escape.starts_with('x') { 4 } else { 2 };
            let found = found.chars().take(characters).collect();
            BadEscape { at: before.chars().count() + 1, found }
        })?;
        bytes.push(byte);
        rest = behind;
    }
    bytes.extend_from_slice(rest.as_bytes());
    Ok(bytes)
}

/// What stands behind a `\`: its byte, and the rest of the text.
fn escaped(text: &str) -> Option<(u8, &str)> {
    let byte = match text.as_bytes().first()? {
        b'n' => b'\n',
        b'r' => b'\r',
        b't' => b'\t',
        b'\\' => b'\\',
        b'x' => {
            let digits = text.get(1..3).filter(|it| it.bytes().all(|c| c.is_ascii_hexdigit()))?;
            return u8::from_str_radix(digits, 16).ok().map(|byte| (byte, &text[3..]));
        }
        _ => return None,
    };
    Some((byte, &text[1..]))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn each_escape_is_its_byte_and_the_rest_stays() {
        assert_eq!(
            unescape(r"你\n\r\t\\\xfF\x00n").unwrap(),
            "你\n\r\t\\".bytes().chain([255, 0, b'n']).collect::<Vec<_>>()
        );
        assert_eq!(unescape(""), Ok(vec![]));
    }

    #[test]
    fn a_wrong_escape_is_named_with_its_place_in_characters() {
        let wrong = |text: &str| unescape(text).map_err(|BadEscape { at, found }| (at, found));
        let bad = |at, found: &str| Err((at, found.to_owned()));
        assert_eq!(wrong(r"你好\q!"), bad(3, r"\q"));
        assert_eq!(wrong(r"\n\\\x4"), bad(5, r"\x4"));
        assert_eq!(wrong(r"\xg0 and more"), bad(1, r"\xg0"));
        assert_eq!(wrong(r"\x+1"), bad(1, r"\x+1"));
        assert_eq!(wrong(r"\x你好"), bad(1, r"\x你好"));
        assert_eq!(wrong("a\\"), bad(2, "\\"));
    }

    proptest! {
        #[test]
        fn what_is_escaped_comes_back(text: String) {
            let escaped = text.replace('\\', r"\\").replace('\n', r"\n").replace('\r', r"\r").replace('\t', r"\t");
            prop_assert_eq!(unescape(&escaped), Ok(text.into_bytes()));
        }

        #[test]
        fn no_text_breaks_it(text in "[\\\\xnf0-9a你]*") {
            let _either = unescape(&text);
        }
    }
}
