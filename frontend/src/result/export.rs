//! Files that the browser saves: the packets as text, the ladder as SVG, a capture for Wireshark.

use streamgram_lab::{Mark, pcapng};
use streamgram_protocol::{Data, End};
use wasm_bindgen::{JsCast, JsValue};
use web_sys::{Blob, BlobPropertyBag, Element, HtmlAnchorElement, Url, XmlSerializer};

use super::ladder::{Arrow, Ladder, lifeline};
use crate::i18n::language::Language;
use crate::session::trace::Readable;

/// Width of a saved ladder in pixels; a percent of it is a whole number of them.
const WIDTH: u64 = 1_200;

/// One line for each packet.
pub(crate) fn save_text(language: Language, ladder: &Ladder) {
    save("streamgram-packets.txt", "text/plain", text(language, ladder).as_bytes());
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

fn text(language: Language, ladder: &Ladder) -> String {
    let lines = ladder.arrows.iter().map(|arrow| {
        let Arrow { protocol, sent, .. } = arrow;
        let label = sent.packet.label(language);
        format!("{} · {label} · {}\n", protocol.name(), sent.packet.line(language, sent.at_us))
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
    for Arrow { protocol, sent, from, to, copy } in &ladder.arrows {
        let packet = &sent.packet;
        let (near, far) =
            (lifeline(*protocol, packet.from), lifeline(*protocol, packet.from.peer()));
        let lost = packet.is_lost();
        let colour = if lost { "#b3261e" } else { "#0a5cab" };
        let dash = if packet.retransmission { " stroke-dasharray=\"6 3\"" } else { "" };
        let end =
            if lost { (u64::midpoint(near, far), u64::midpoint(*from, *to)) } else { (far, *to) };
        for (end_x, end_y) in [Some(end), copy.map(|copy| (far, copy))].into_iter().flatten() {
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
            packet.label(language)
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
            lines: packet.line.map(|line| [line; 2]),
            datagram: None,
            bytes: bytes.to_bytes().unwrap_or_default().into(),
        }
    });
    pcapng::write(&packets.collect::<Vec<_>>(), vantage)
}

/// What a style sheet says of a picture's parts, as far as a picture uses it.
const STYLE: [&str; 10] = [
    "fill",
    "opacity",
    "stroke",
    "stroke-width",
    "stroke-dasharray",
    "stroke-linecap",
    "vector-effect",
    "paint-order",
    "font-size",
    "font-family",
];

/// Saves an SVG of the page at this width and height. What the style sheet says of its parts becomes
/// attributes; on the page these change nothing, for the style sheet goes before them.
pub(crate) fn save_picture(name: &str, picture: &Element, (width, height): (u64, u64)) {
    let saved = || -> Result<(), JsValue> {
        let window = web_sys::window().ok_or(JsValue::NULL)?;
        let parts = picture.get_elements_by_tag_name("*");
        for part in (0..parts.length()).filter_map(|at| parts.item(at)) {
            if let Some(style) = window.get_computed_style(&part)? {
                for name in STYLE {
                    part.set_attribute(name, &style.get_property_value(name)?)?;
                }
            }
        }
        let svg = XmlSerializer::new()?.serialize_to_string(picture)?;
        let size =
            format!("<svg width=\"{width}\" height=\"{height}\" viewBox=\"0 0 {width} {height}\"");
        let svg = size + svg.trim_start_matches("<svg");
        save(&format!("streamgram-{name}.svg"), "image/svg+xml", svg.as_bytes());
        Ok(())
    };
    let _saved = saved();
}

/// Lets the browser save a file. Where it cannot, there is nothing to be done about it.
pub(crate) fn save(name: &str, kind: &str, content: &[u8]) {
    let saved = || -> Result<(), JsValue> {
        let parts = js_sys::Array::of1(&js_sys::Uint8Array::from(content));
        let options = BlobPropertyBag::new();
        options.set_type(kind);
        let url = Url::create_object_url_with_blob(&Blob::new_with_u8_array_sequence_and_options(
            &parts, &options,
        )?)?;
        let document = web_sys::window().and_then(|window| window.document());
        let anchor = document.ok_or(JsValue::NULL)?.create_element("a")?;
        let anchor: HtmlAnchorElement = anchor.dyn_into()?;
        anchor.set_href(&url);
        anchor.set_download(name);
        anchor.click();
        Url::revoke_object_url(&url)
    };
    let _saved = saved();
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::result::ladder::ZOOM_ONE;
    use crate::session::trace::Trace;
    use crate::session::trace::tests::segment;

    fn ladder() -> Ladder {
        let mut trace = Trace::default();
        for (number, lost) in [(0, false), (1, true)] {
            let sent = segment(End::Client, number, number * 1_000, lost);
            trace.push(1, sent.at_us, &sent.packet);
        }
        Ladder::of(&trace, &Trace::default(), ZOOM_ONE)
    }

    #[test]
    fn text_has_a_line_for_each_packet() {
        let text = text(Language::En, &ladder());
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
}
