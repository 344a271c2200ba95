//! What a faulty server did on purpose, in words.

use streamgram_protocol::fault::Deed;
use streamgram_protocol::{Protocol, printable};

use crate::i18n::figures::{Noun, count, counted, duration};
use crate::i18n::language::Language;

/// Sizes of pieces that a line tells; those after them are only there.
const TOLD_SIZES: usize = 24;

/// A deed in words. Bytes are counted from 0, like everywhere in a stream, and datagrams from 1.
pub(crate) fn deed_text(language: Language, protocol: Protocol, deed: &Deed) -> String {
    let at = |offset: u64| match protocol {
        Protocol::Tcp => language.deed_byte(&count(offset)),
        Protocol::Udp => language.deed_datagram(&count(offset.saturating_add(1))),
    };
    let bytes = |number| counted(language, number, Noun::Byte);
    match *deed {
        Deed::Delayed { offset, ms } => {
            language.deed_delayed(&at(offset), &duration(ms.saturating_mul(1_000)))
        }
        Deed::Wrote { offset, bytes } => {
            language.deed_wrote(&range(language, offset, bytes as u64))
        }
        Deed::Altered { offset, was, is } => {
            language.deed_altered(&at(offset), &printable(&[is]), &printable(&[was]))
        }
        Deed::Misdated { offset, seconds: 0 } => language.deed_zone(&at(offset)),
        Deed::Misdated { offset, seconds } => {
            let sign = if seconds < 0 { "−" } else { "+" };
            language.deed_misdated(&at(offset), &(sign.to_owned() + &count(seconds.unsigned_abs())))
        }
        Deed::Ended { offset } => language.deed_ended(&bytes(offset)),
        Deed::Reset { offset } => language.deed_reset(&bytes(offset)),
        Deed::HalfClosed { offset } => language.deed_half_closed(&bytes(offset)),
        Deed::Stalled { offset } => language.deed_stalled(&bytes(offset)),
        Deed::Silent {} => language.deed_silent().into(),
        Deed::Dropped { offset } => language.deed_dropped(&at(offset)),
        Deed::Duplicated { offset } => language.deed_duplicated(&at(offset)),
        Deed::Reordered { offset } => language.deed_reordered(&at(offset)),
        Deed::Truncated { offset, bytes: kept } => {
            language.deed_truncated(&at(offset), &bytes(kept as u64))
        }
        Deed::Elsewhere { offset, port } => language.deed_elsewhere(&at(offset), &port.to_string()),
    }
}

/// Writes one after the other, from a place in the stream on, as one line.
pub(crate) fn pieces_text(language: Language, offset: u64, sizes: &[usize]) -> String {
    let bytes = sizes.iter().fold(0, |sum: u64, size| sum.saturating_add(*size as u64));
    let mut told: Vec<_> = sizes.iter().take(TOLD_SIZES).map(|size| count(*size as u64)).collect();
    if sizes.len() > TOLD_SIZES {
        told.push("…".into());
    }
    language.deed_pieces(&range(language, offset, bytes), &told.join(", "))
}

/// `bytes 0–3`, `byte 4`.
fn range(language: Language, offset: u64, bytes: u64) -> String {
    let last = offset.saturating_add(bytes.saturating_sub(1));
    if last == offset {
        return language.deed_byte(&count(offset));
    }
    language.deed_bytes(&count(offset), &count(last))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tcp(deed: Deed) -> String {
        deed_text(Language::En, Protocol::Tcp, &deed)
    }

    #[test]
    fn what_was_done_to_a_stream_names_its_bytes() {
        let expected = [
            (Deed::Wrote { offset: 0, bytes: 4 }, "bytes 0–3 written at once"),
            (Deed::Wrote { offset: 4, bytes: 1 }, "byte 4 written at once"),
            (Deed::Altered { offset: 29, was: b'A', is: b'a' }, "byte 29: a instead of A"),
            (Deed::Delayed { offset: 0, ms: 300 }, "byte 0: the reply waited 300 ms"),
            (Deed::Misdated { offset: 32, seconds: -70 }, "byte 32: a time that is −70 s off"),
            (Deed::Misdated { offset: 0, seconds: 0 }, "byte 0: the time in another zone"),
        ];
        for (deed, text) in expected {
            assert_eq!(tcp(deed), text);
        }
        assert!(tcp(Deed::Ended { offset: 10 }).starts_with("FIN after 10 bytes"));
        assert!(tcp(Deed::Reset { offset: 1 }).starts_with("RST after 1 byte"));
    }

    #[test]
    fn what_was_done_to_a_datagram_names_it_as_the_reads_do() {
        let text = |deed| deed_text(Language::En, Protocol::Udp, &deed);
        assert_eq!(text(Deed::Dropped { offset: 2 }), "datagram 3: no reply");
        let cut = text(Deed::Truncated { offset: 0, bytes: 7 });
        assert_eq!(cut, "datagram 1: only 7 bytes of the reply are sent");
    }

    #[test]
    fn a_byte_that_no_text_has_is_escaped() {
        let deed = Deed::Altered { offset: 1, was: 0xe4, is: 0x1b };
        assert_eq!(tcp(deed), r"byte 1: \x1b instead of \xe4");
    }

    #[test]
    fn sizes_of_many_pieces_end_with_dots() {
        let text = |sizes: &[usize]| pieces_text(Language::En, 2, sizes);
        assert_eq!(text(&[4, 1]), "bytes 2–6 written in pieces of 4, 1 bytes");
        let many = text(&[1; TOLD_SIZES + 1]);
        assert!(many.ends_with("1, 1, … bytes"), "{many}");
        assert_eq!(many.matches("1,").count(), TOLD_SIZES);
    }

    #[test]
    fn numbers_at_the_end_of_their_range_are_told_too() {
        tcp(Deed::Wrote { offset: u64::MAX, bytes: usize::MAX });
        tcp(Deed::Delayed { offset: u64::MAX, ms: u64::MAX });
        tcp(Deed::Misdated { offset: u64::MAX, seconds: i64::MIN });
        pieces_text(Language::En, u64::MAX, &[usize::MAX; 3]);
    }
}
