//! What went over a socket during a run, byte by byte: all that was sent, and all that came back.

use streamgram_protocol::Protocol;
use yew::prelude::*;

use crate::i18n::figures::{Noun, counted};
use crate::i18n::language::Language;
use crate::session::leg_run::LegRun;
use crate::session::payload::Payload;
use crate::session::run::Run;
use crate::ui::bytes::dump;

/// Bytes of a direction that are shown; of more it says how many there are.
const SHOWN_BYTES: usize = 2_048;

/// The bytes of both sockets.
pub(crate) fn bytes_panel(language: Language, run: &Run) -> Html {
    html! {
        <div class="lanes">
            for leg in run.legs() {
                <section class="lane" role="group" data-protocol={leg.protocol.name()} aria-label={leg.protocol.name()}>
                    { block(language, leg.protocol, language.bytes_sent(), &sent(run, leg)) }
                    { block(language, leg.protocol, language.bytes_received(), &received(leg)) }
                </section>
            }
        </div>
    }
}

/// The first bytes of one direction, and how many there were.
#[derive(Debug, Default, PartialEq, Eq)]
struct Stretch {
    shown: Vec<u8>,
    all: usize,
}

impl Stretch {
    /// Adds bytes as far as all before them are shown.
    fn add(&mut self, bytes: &[u8], of: usize) {
        if self.shown.len() == self.all {
            let room = SHOWN_BYTES - self.shown.len();
            self.shown.extend_from_slice(&bytes[..bytes.len().min(room)]);
        }
        self.all += of;
    }
}

fn sent(run: &Run, leg: &LegRun) -> Stretch {
    let payloads: Vec<_> = run.sends.iter().map(|send| Payload::of_lines(&send.data())).collect();
    let mut stretch = Stretch::default();
    for line in &leg.lines {
        let (send, number) = leg.origin(line.number);
        let payload = payloads.get(send).map(|payload| payload.line(number));
        stretch.add(&payload.unwrap_or_default().bytes(), line.bytes);
    }
    stretch
}

fn received(leg: &LegRun) -> Stretch {
    let mut stretch = Stretch::default();
    leg.pieces.iter().for_each(|piece| stretch.add(&piece.payload.bytes(), piece.bytes));
    stretch
}

fn block(language: Language, protocol: Protocol, what: &'static str, bytes: &Stretch) -> Html {
    let Stretch { shown, all } = bytes;
    let name = format!("{} {what}", protocol.name());
    html! {
        <>
            <h3>{ what }{ " · " }{ counted(language, *all as u64, Noun::Byte) }</h3>
            <pre class="dump" translate="no" tabindex="0" role="group" aria-label={name}>{ dump(shown) }</pre>
            if shown.len() < *all {
                <p class="hint">{ language.not_shown(&counted(language, (all - shown.len()) as u64, Noun::Byte)) }</p>
            }
        </>
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_bytes_without_a_gap_before_them_are_shown_and_all_are_counted() {
        let mut stretch = Stretch::default();
        stretch.add(b"abc", 3);
        // What is not kept any more.
        stretch.add(b"", 2);
        stretch.add(b"fg", 2);
        assert_eq!(stretch, Stretch { shown: b"abc".to_vec(), all: 7 });
        let mut long = Stretch::default();
        long.add(&[7; 5_000], 5_000);
        assert_eq!((long.shown.len(), long.all), (SHOWN_BYTES, 5_000));
    }
}
