//! The packets as files: as text, as a picture of the ladder, as a capture for Wireshark. A capture has one vantage
//! point; of captured packets it has those that were seen there.

use streamgram_lab::{Mark, pcapng};
use streamgram_protocol::{Data, End};
use yew::prelude::*;

use super::ladder::{Arrow, Ladder, Traces};
use super::moments::{Moment, Step};
use super::picture::Picture;
use crate::browser::download::save;
use crate::browser::png::{Kept, copy_png};
use crate::i18n::language::Language;
use crate::session::sent::Sent;

/// What a file of captured packets says of itself.
const CAPTURED: &str = "Streamgram: packets of the kernel, captured by the server at its own ports, as one end saw them. \
    Times are the kernel's. Over loopback each was seen twice, when it left and when it came, and checksums were never \
    filled in; a network card fills them in, and cuts segments up, after the capture.";

/// Buttons that save the packets of a run, in a zone that many minutes east of UTC.
pub(crate) fn packet_export(
    language: Language,
    zone: i32,
    traces: &Traces,
    caption: &AttrValue,
) -> Html {
    let button = |name: &'static str, save: fn(Language, (i32, &str), &Ladder)| {
        let (traces, caption) = (traces.clone(), caption.clone());
        let onclick = move |_: MouseEvent| {
            let ladder = Ladder::of(&traces, Ladder::first_zoom(&traces));
            save(language, (zone, &caption), &ladder);
        };
        html! { <button type="button" {onclick}>{ name }</button> }
    };
    let captured = || traces.iter().flatten().filter(|trace| trace.is_captured());
    // Of another machine's packets nothing was seen there.
    let has_client = captured().next().is_none()
        || captured().flat_map(|trace| &trace.packets).any(|sent| at_client(sent).is_some());
    let far_end = match captured().next() {
        Some(_) => language.capture_server(),
        None => language.capture_gateway(),
    };
    html! {
        <div class="packet-export" role="group" aria-label={language.packets_title()}>
            { button(language.save_text(), |language, (zone, _), ladder| save_text(language, zone, ladder)) }
            { button("SVG", |language, (_, caption), ladder| save_svg(language, ladder, caption)) }
            if has_client {
                { button(language.capture_client(), |_, _, ladder| save_capture(ladder, End::Client)) }
            }
            { button(far_end, |_, _, ladder| save_capture(ladder, End::Gateway)) }
        </div>
    }
}

/// One line for each packet.
pub(crate) fn save_text(language: Language, zone: i32, ladder: &Ladder) {
    save("streamgram-packets.txt", "text/plain", text(language, zone, ladder).as_bytes());
}

/// The whole ladder, not only what is in sight.
pub(crate) fn save_svg(language: Language, ladder: &Ladder, caption: &str) {
    let svg = Picture::of(language, ladder, caption).svg();
    save("streamgram-ladder.svg", "image/svg+xml", svg.as_bytes());
}

/// The whole ladder as a picture for a chat or a document. One that is too long for that is saved as SVG.
pub(crate) async fn copy_picture(language: Language, ladder: &Ladder, caption: &str) -> Kept {
    let picture = Picture::of(language, ladder, caption);
    let size = (picture.width, picture.height);
    let copied = copy_png("streamgram-ladder.png", size, |canvas| picture.paint(canvas)).await;
    copied.unwrap_or_else(|_| {
        save_svg(language, ladder, caption);
        Kept::AsFile
    })
}

/// What one end has sent and received.
pub(crate) fn save_capture(ladder: &Ladder, vantage: End) {
    let name = match vantage {
        End::Client => "streamgram-client.pcapng",
        End::Gateway if ladder.is_captured() => "streamgram-server.pcapng",
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

/// When a captured packet was seen at the client.
fn at_client(sent: &Sent) -> Option<u64> {
    seen_at(sent, End::Client)
}

/// When a captured packet was seen at an end.
fn seen_at(sent: &Sent, vantage: End) -> Option<u64> {
    if sent.packet.from == vantage { sent.seen.as_ref()?.left_us } else { sent.packet.arrives_us }
}

/// What was seen of captured packets at an end. What came stands before what it caused.
fn captured(ladder: &Ladder, vantage: End) -> Vec<u8> {
    let seen = ladder.arrows.iter().enumerate().filter_map(|(index, arrow)| {
        let step = if arrow.sent.packet.from == vantage { Step::Sent } else { Step::Arrives };
        Some(Moment { at_us: seen_at(&arrow.sent, vantage)?, step, index })
    });
    let mut seen: Vec<_> = seen.collect();
    seen.sort_unstable();
    let frames = seen.into_iter().map(|Moment { at_us: at, index, .. }| {
        let sent = &ladder.arrows[index].sent;
        let bytes = Data::Hex(sent.hex().to_owned()).to_bytes().unwrap_or_default().into_owned();
        let length = u32::try_from(sent.bytes()).unwrap_or(u32::MAX);
        pcapng::Frame { at, bytes, length }
    });
    pcapng::file(CAPTURED, frames)
}

fn capture(ladder: &Ladder, vantage: End) -> Vec<u8> {
    if ladder.is_captured() {
        return captured(ladder, vantage);
    }
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
    use std::rc::Rc;

    use streamgram_protocol::{Captured, Side};

    use super::*;
    use crate::result::ladder::ZOOM_ONE;
    use crate::session::sent::tests::segment as captured;
    use crate::session::trace::tests::{segment, traced};

    fn ladder() -> Ladder {
        let sent = [segment(End::Client, 0, 0, false), segment(End::Client, 1, 1_000, true)];
        Ladder::of(&[Some(Rc::new(traced(&sent))), None], ZOOM_ONE)
    }

    #[test]
    fn text_has_a_line_for_each_packet() {
        let text = text(Language::En, 0, &ladder());
        assert_eq!(text.lines().count(), 2);
        assert!(text.lines().nth(1).unwrap().contains("lost by chance"), "{text}");
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
    fn captured_packets_are_written_as_an_end_saw_them_with_the_length_that_they_had() {
        let both = Captured { hex: "450001".into(), ..captured(Side::Client, 1, 1, 5) };
        let came = Captured { left_us: None, ..both.clone() };
        let sent = [both, came].map(|packet| Sent::of_captured(9, packet, true));
        let ladder = Ladder::of(&[Some(Rc::new(traced(&sent))), None], ZOOM_ONE);
        let blocks = |vantage| {
            let file = super::capture(&ladder, vantage);
            let word = |at: usize| u32::from_le_bytes(file[at..at + 4].try_into().unwrap());
            let (mut at, mut blocks) = (0, Vec::new());
            while at < file.len() {
                if word(at) == 6 {
                    blocks.push([12, 16, 20, 24].map(|field| word(at + field)));
                }
                at += word(at + 4) as usize;
            }
            blocks
        };
        // Time in two words, bytes kept, and bytes that there were.
        assert_eq!(blocks(End::Client), [[0, 100, 3, 57]]);
        assert_eq!(blocks(End::Gateway), [[0, 107, 3, 57]; 2]);
    }

    #[test]
    fn a_capture_is_dated() {
        // 2026-11-23 05:52:57 UTC in microseconds: the high and the low word stand behind type, length and interface.
        let sent = [segment(End::Client, 0, 1_795_413_177_000_000, false)];
        let ladder = Ladder::of(&[Some(Rc::new(traced(&sent))), None], ZOOM_ONE);
        let capture = capture(&ladder, End::Client);
        let at = capture.windows(4).position(|word| word == [6, 0, 0, 0]).unwrap() + 12;
        let word = |at: usize| u32::from_le_bytes(capture[at..at + 4].try_into().unwrap());
        assert_eq!(u64::from(word(at)) << 32 | u64::from(word(at + 4)), 1_795_413_177_000_000);
    }
}
