//! Bytes as a person may see them.

use streamgram_protocol::{Piece, pieces, printable};

/// What is shown holds no character that hides, turns or commands, and every byte can be told from it.
///
/// # Panics
/// It does, or it cannot.
pub fn text(input: &[u8]) {
    let pieces = pieces(input);
    let mut shown = String::new();
    let mut meant = Vec::new();
    for piece in &pieces {
        match piece {
            Piece::Text(text) => {
                shown += text;
                meant.extend_from_slice(text.as_bytes());
            }
            Piece::Escape(escape) => {
                shown += escape;
                assert!(escape.is_ascii(), "{escape}");
                meant.extend(unescaped(escape));
            }
        }
    }
    assert_eq!(meant, input);
    assert_eq!(printable(input), shown);
    assert!(!shown.chars().any(is_dangerous), "{shown:?}");
    let text = |piece: &Piece<'_>| matches!(piece, Piece::Text(_));
    assert!(pieces.windows(2).all(|pair| text(&pair[0]) != text(&pair[1])), "{pieces:?}");
}

/// Unicode's category Cc, its property Bidi_Control, its separators of lines, and the byte order mark.
fn is_dangerous(c: char) -> bool {
    const ALONE: [char; 6] =
        ['\u{61c}', '\u{200e}', '\u{200f}', '\u{2028}', '\u{2029}', '\u{feff}'];
    let embeds = ('\u{202a}'..='\u{202e}').contains(&c);
    let isolates = ('\u{2066}'..='\u{2069}').contains(&c);
    c.is_control() || embeds || isolates || ALONE.contains(&c)
}

/// The bytes that a run of escapes stands for.
fn unescaped(mut escapes: &str) -> Vec<u8> {
    let mut bytes = Vec::new();
    while !escapes.is_empty() {
        let rest = escapes.strip_prefix('\\').expect("an escape begins with a backslash");
        let (kind, rest) = rest.split_at(1);
        escapes = match kind {
            "n" | "r" | "t" => {
                bytes.push(match kind {
                    "n" => b'\n',
                    "r" => b'\r',
                    _ => b'\t',
                });
                rest
            }
            "x" => {
                let (digits, rest) = rest.split_at(2);
                bytes.push(u8::from_str_radix(digits, 16).expect("two digits"));
                rest
            }
            "u" => {
                let (digits, rest) = rest
                    .strip_prefix('{')
                    .and_then(|digits| digits.split_once('}'))
                    .expect("digits in braces");
                let code = u32::from_str_radix(digits, 16).expect("hexadecimal digits");
                let c = char::from_u32(code).expect("a character");
                bytes.extend_from_slice(c.encode_utf8(&mut [0; 4]).as_bytes());
                rest
            }
            _ => panic!("no such escape: {kind:?}"),
        };
    }
    bytes
}
