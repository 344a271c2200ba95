//! Bytes as a person may see them: as text with escapes, or as hexadecimal digits.

use streamgram_protocol::{Piece, pieces};
use yew::prelude::*;

use crate::i18n::figures::{Noun, counted};
use crate::i18n::language::Language;

/// Bytes of a payload that are shown beside a packet; of more it says how many there are.
const SHOWN_BYTES: usize = 400;
/// Bytes in a line of a hex dump.
const DUMP_BYTES: usize = 16;

/// Bytes as hexadecimal digits with spaces between them.
pub(crate) fn digits(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x} ")).collect::<String>().trim_end().into()
}

/// Bytes as text, what is not text as escapes that look like escapes; of many, the first.
pub(crate) fn payload(language: Language, bytes: &[u8]) -> Html {
    let shown = &bytes[..bytes.len().min(SHOWN_BYTES)];
    let left = bytes.len() - shown.len();
    html! {
        <>
            { piecewise(language, shown) }
            if left > 0 {
                <span class="row-more">{ " " }{ language.more_bytes(&counted(language, left as u64, Noun::Byte)) }</span>
            }
        </>
    }
}

/// Bytes as text, what is not text as escapes that look like escapes.
pub(crate) fn piecewise(language: Language, bytes: &[u8]) -> Html {
    html! {
        <>
            for piece in pieces(bytes) {
                { match piece {
                    Piece::Text(text) => html! { { text.to_owned() } },
                    Piece::Escape(escape) => html! { <span class="escape">{ escape }</span> },
                } }
            }
            if bytes.is_empty() {
                <span class="row-more">{ language.empty() }</span>
            }
        </>
    }
}

/// Offset, bytes and, where it is ASCII, text, sixteen bytes a line.
pub(crate) fn dump(bytes: &[u8]) -> String {
    let lines = bytes.chunks(DUMP_BYTES).enumerate().map(|(line, bytes)| {
        let hex: String = bytes.iter().map(|byte| format!("{byte:02x} ")).collect();
        let text: String = bytes.iter().map(|&byte| readable(byte)).collect();
        format!("{:08x}  {hex:48} {text}\n", line * DUMP_BYTES)
    });
    lines.collect()
}

fn readable(byte: u8) -> char {
    if byte.is_ascii_graphic() || byte == b' ' { char::from(byte) } else { '.' }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_dump_has_offsets_bytes_and_text() {
        assert_eq!(
            dump(b"0123456789abcdef<\n>"),
            "00000000  30 31 32 33 34 35 36 37 38 39 61 62 63 64 65 66  0123456789abcdef\n\
             00000010  3c 0a 3e                                         <.>\n"
        );
        assert_eq!(dump(b""), "");
    }
}
