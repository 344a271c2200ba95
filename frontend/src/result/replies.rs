//! The first replies, literally, each on a line of its own: what is stamp in them, and what is echo.

use streamgram_protocol::{Protocol, STAMP_LEN};
use yew::prelude::*;

use super::stamps::stamps;
use crate::i18n::figures::{Noun, count, counted};
use crate::i18n::language::Language;
use crate::session::leg_run::{LegRun, Piece};
use crate::ui::bytes::piecewise;

/// Replies that are shown.
const SHOWN_REPLIES: usize = 3;
/// Bytes that are shown of each: a stamp, and a line of echo.
const SHOWN_BYTES: usize = STAMP_LEN + 80;

/// The first replies of a run, as the leg read them.
pub(crate) fn replies(language: Language, leg_run: &LegRun) -> Html {
    let shown = &leg_run.pieces[..leg_run.pieces.len().min(SHOWN_REPLIES)];
    let more = leg_run.pieces.len() - shown.len();
    html! {
        if !shown.is_empty() {
            <ol class="replies" aria-label={language.strip_replies()} translate="no">
                for piece in shown {
                    <li class="reply">{ reply(language, leg_run, piece) }</li>
                }
                if more > 0 {
                    <li class="replies-more">{ language.replies_more(&count(more as u64)) }</li>
                }
            </ol>
        }
    }
}

fn reply(language: Language, leg_run: &LegRun, piece: &Piece) -> Html {
    let shown = piece.payload.head(SHOWN_BYTES);
    // How much there is, and not how much more: a narrow page cuts it shorter still.
    let of = counted(language, piece.bytes as u64, Noun::Byte);
    html! {
        <>
            <span class="reply-bytes">
                for (is_stamp, part) in told_apart(leg_run, piece, &shown) {
                    if is_stamp {
                        <span class="stamp">{ piecewise(language, part) }</span>
                    } else {
                        { piecewise(language, part) }
                    }
                }
            </span>
            if shown.len() < piece.bytes {
                <span class="row-more">{ language.replies_cut(&of) }</span>
            }
        </>
    }
}

/// What is shown of a piece, cut where stamps begin and end. A datagram's reply is a stamp and nothing else.
fn told_apart<'a>(leg_run: &LegRun, piece: &Piece, shown: &'a [u8]) -> Vec<(bool, &'a [u8])> {
    if leg_run.protocol == Protocol::Udp {
        return vec![(true, shown)];
    }
    let place = |offset: u64| {
        usize::try_from(offset - piece.offset).map_or(shown.len(), |at| at.min(shown.len()))
    };
    let (mut parts, mut from) = (Vec::new(), 0);
    for (_, (begin, end)) in stamps(leg_run, piece) {
        let (begin, end) = (place(begin), place(end));
        parts.extend([(false, &shown[from..begin]), (true, &shown[begin..end])]);
        from = end;
    }
    parts.push((false, &shown[from..]));
    parts.retain(|(_, part)| !part.is_empty());
    parts
}

#[cfg(test)]
mod tests {
    use streamgram_protocol::Data;

    use super::*;
    use crate::session::leg_run::Read;
    use crate::session::leg_run::tests::{ANSWERED, sent};
    use crate::session::payload::Payload;
    use crate::ui::tests::rendered;

    const STAMP: &str = "[Sun Nov 29 21:03:12 2026] ";

    /// A run whose lines were read one by one, and the replies to them in pieces that end where the numbers say.
    fn run(lines: &[&[u8]], ends: &[usize]) -> LegRun {
        let sizes: Vec<_> = lines.iter().map(|line| (line.len(), ANSWERED)).collect();
        let mut run = sent(Protocol::Tcp, &sizes);
        let (mut offset, mut replies) = (0, Vec::new());
        for (number, line) in (0..).zip(lines) {
            run.read(0, Read { number, offset, bytes: line.len(), kept: line.len() });
            offset += line.len() as u64;
            replies.extend_from_slice(STAMP.as_bytes());
            replies.extend_from_slice(line);
        }
        let mut from = 0;
        for &to in ends {
            let payload = Payload::Bytes(replies[from..to].into());
            run.piece(
                0,
                Piece { offset: from as u64, bytes: to - from, payload, earlier_us: None },
            );
            from = to;
        }
        run
    }

    async fn markup(run: &LegRun) -> String {
        rendered(replies(Language::En, run)).await
    }

    fn items(markup: &str) -> Vec<&str> {
        let items = markup.split("<span class=\"reply-bytes\">").skip(1);
        items.map(|item| item.split("</span></li>").next().unwrap()).collect()
    }

    #[tokio::test]
    async fn a_stamp_is_told_from_the_echo_even_if_the_line_has_brackets_too() {
        let shown = markup(&run(&[b"[1] hi\n"], &[34])).await;
        let stamp = format!("<span class=\"stamp\">{STAMP}</span>");
        let echo = "[1] hi<span class=\"escape\">\\n</span>";
        assert_eq!(items(&shown), [format!("{stamp}{echo}")]);
    }

    #[tokio::test]
    async fn a_stamp_that_two_pieces_share_is_a_stamp_in_both() {
        let shown = markup(&run(&[b"one", b"two"], &[40, 60])).await;
        let (head, tail) = STAMP.split_at(10);
        let stamp = |text: &str| format!("<span class=\"stamp\">{text}</span>");
        let first = format!("{}one{}", stamp(STAMP), stamp(head));
        assert_eq!(items(&shown), [first, format!("{}two", stamp(tail))]);
    }

    #[tokio::test]
    async fn bytes_that_are_no_text_are_escapes_and_a_long_piece_says_how_much_more() {
        let line = [b"\xff<b>".as_slice(), &[b'x'; 65_532]].concat();
        let shown = markup(&run(&[&line], &[27 + 65_536])).await;
        assert!(shown.contains(r#"<span class="escape">\xff</span>&lt;b&gt;xxx"#), "{shown}");
        assert!(shown.contains("… 65,563 bytes in all"), "{shown}");
        assert!(shown.len() < 500);
    }

    #[tokio::test]
    async fn without_the_server_s_account_nothing_is_called_a_stamp() {
        let mut run = run(&[b"one"], &[30]);
        run.reads.clear();
        assert_eq!(items(&markup(&run).await), [format!("{STAMP}one")]);
    }

    #[tokio::test]
    async fn of_many_replies_three_are_shown_and_of_none_nothing() {
        let lines = [b"x".as_slice(); 20];
        let ends: Vec<_> = (1..=20).map(|line| 28 * line).collect();
        let shown = markup(&run(&lines, &ends)).await;
        assert_eq!(items(&shown).len(), 3);
        assert!(shown.contains("<li class=\"replies-more\">and 17 more</li>"), "{shown}");
        assert_eq!(markup(&run(&lines, &[])).await, "");
    }

    #[tokio::test]
    async fn a_datagram_s_reply_is_a_timestamp_alone_even_an_empty_one_s() {
        let mut run = sent(Protocol::Udp, &[(0, ANSWERED)]);
        let time = "Sun Nov 29 21:03:12 2026";
        let payload = Payload::of(&Data::Text(time.into()));
        run.piece(0, Piece { offset: 0, bytes: 24, payload, earlier_us: None });
        assert_eq!(items(&markup(&run).await), [format!("<span class=\"stamp\">{time}</span>")]);
    }
}
