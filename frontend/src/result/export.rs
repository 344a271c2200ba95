//! The packets as files: as text, as an SVG of the ladder, as a capture for Wireshark.

use streamgram_lab::{Mark, pcapng};
use streamgram_protocol::{Data, End};

use super::ladder::{Arrow, Ladder};
use crate::browser::download::save;
use crate::i18n::language::Language;

/// Width of a saved ladder in pixels; a percent of it is a whole number of them.
const WIDTH: u64 = 1_200;

/// One line for each packet.
pub(crate) fn save_text(language: Language, zone: i32, ladder: &Ladder) {
    save("streamgram-packets.txt", "text/plain", text(language, zone, ladder).as_bytes());
}

/// The whole ladder, not only what is in sight.
pub(crate) fn save_svg(language: Language, ladder: &Ladder) {
    save("streamgram-ladder.svg", "image/svg+xml", svg(language, ladder).as_bytes());
}

/// What one end has sent and received.
pub(crate) fn save_capture(ladder: &Ladder, vantage: End) {
    let name = match vantage {
        End::Client => "streamgram-client.pcapng",
        End::Gateway => "streamgram-gateway.pcapng",
    };
    save(name, "application/octet-stream", &capture(ladder, vantage));
}

fn text(language: Language, zone: i32, ladder: &Ladder) -> String {
    let lines = ladder.arrows.iter().map(|arrow| {
        let Arrow { protocol, sent, .. } = arrow;
        format!("{} · {} · {}\n", protocol.name(), sent.label(language), sent.line(language, zone))
    });
    lines.collect()
}

fn svg(language: Language, ladder: &Ladder) -> String {
    let mut svg = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{WIDTH}\" height=\"{}\" \
         font-family=\"monospace\" font-size=\"11\"><rect width=\"100%\" height=\"100%\" fill=\"#fff\"/>",
        ladder.height
    );
    let x = |percent: u64| percent * WIDTH / 100;
    for arrow in &ladder.arrows {
        let Arrow { sent, from, copy, .. } = arrow;
        let ((near, far), lost) = (arrow.lifelines(), sent.is_lost());
        let colour = if lost { "#b3261e" } else { "#0a5cab" };
        let dash = if sent.packet.retransmission { " stroke-dasharray=\"6 3\"" } else { "" };
        for (end_x, end_y) in
            [Some(arrow.end()), copy.map(|copy| (far, copy))].into_iter().flatten()
        {
            svg += &format!(
                "<line x1=\"{}\" y1=\"{from}\" x2=\"{}\" y2=\"{end_y}\" stroke=\"{colour}\"{dash}/>\
                 <text x=\"{}\" y=\"{}\" text-anchor=\"middle\">{}</text>",
                x(near),
                x(end_x),
                x(end_x),
                end_y + 4,
                if lost { "✕" } else { "•" }
            );
        }
        let (at, anchor) = if near < far { (near + 1, "start") } else { (near - 1, "end") };
        svg += &format!(
            "<text x=\"{}\" y=\"{}\" text-anchor=\"{anchor}\">{}</text>",
            x(at),
            from - 2,
            sent.label(language)
        );
    }
    for fold in &ladder.folds {
        let us = crate::i18n::figures::duration(fold.us);
        svg += &format!("<text x=\"50%\" y=\"{}\" text-anchor=\"middle\">{us}</text>", fold.at);
    }
    svg + "</svg>"
}

fn capture(ladder: &Ladder, vantage: End) -> Vec<u8> {
    let packets = ladder.arrows.iter().map(|arrow| {
        let packet = &arrow.sent.packet;
        let bytes = Data::Hex(packet.hex.clone());
        streamgram_lab::Packet {
            from: packet.from,
            number: packet.number,
            sent_at: arrow.sent.at_us,
            verdict: packet.verdict,
            deliver_at: packet.arrives_us,
            duplicate_at: packet.copy_arrives_us,
            header: packet.header,
            mark: packet.retransmission.then_some(Mark::Retransmission),
            lines: packet.lines(),
            datagram: None,
            bytes: bytes.to_bytes().unwrap_or_default().into(),
        }
    });
    pcapng::write(&packets.collect::<Vec<_>>(), vantage)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::result::ladder::ZOOM_ONE;
    use crate::session::trace::Trace;
    use crate::session::trace::tests::{segment, traced};

    fn ladder() -> Ladder {
        let sent = [segment(End::Client, 0, 0, false), segment(End::Client, 1, 1_000, true)];
        Ladder::of(&traced(&sent), &Trace::default(), ZOOM_ONE)
    }

    #[test]
    fn text_has_a_line_for_each_packet() {
        let text = text(Language::En, 0, &ladder());
        assert_eq!(text.lines().count(), 2);
        assert!(text.lines().nth(1).unwrap().contains("lost by chance"), "{text}");
    }

    #[test]
    fn a_picture_has_an_arrow_for_each_packet_and_a_cross_for_a_lost_one() {
        let svg = svg(Language::En, &ladder());
        assert_eq!(svg.matches("<line").count(), 2);
        assert_eq!(svg.matches('✕').count(), 1);
    }

    #[test]
    fn a_capture_holds_what_an_end_saw() {
        // Blocks of enhanced packets begin with their type, 6, and their length.
        let packets = |vantage| {
            let capture = capture(&ladder(), vantage);
            capture.windows(4).filter(|word| *word == [6, 0, 0, 0]).count()
        };
        assert_eq!((packets(End::Client), packets(End::Gateway)), (2, 1));
    }

    #[test]
    fn a_capture_is_dated() {
        // 2026-11-23 05:52:57 UTC in microseconds: the high and the low word stand behind type, length and interface.
        let sent = [segment(End::Client, 0, 1_795_413_177_000_000, false)];
        let ladder = Ladder::of(&traced(&sent), &Trace::default(), ZOOM_ONE);
        let capture = capture(&ladder, End::Client);
        let at = capture.windows(4).position(|word| word == [6, 0, 0, 0]).unwrap() + 12;
        let word = |at: usize| u32::from_le_bytes(capture[at..at + 4].try_into().unwrap());
        assert_eq!(u64::from(word(at)) << 32 | u64::from(word(at + 4)), 1_795_413_177_000_000);
    }
}
