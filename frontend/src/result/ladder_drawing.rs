//! A ladder drawn: the column of times, and for each protocol its lifelines, what waits there, and its arrows.

use streamgram_protocol::{End, Protocol};
use yew::prelude::*;

use super::ladder::{Arrow, Band, Ladder, lifeline};
use super::ladder_labels::Label;
use super::pointed::Pointed;
use crate::i18n::language::Language;
use crate::session::sent::Ends;

/// Pixels above and below the window that are drawn too, so that scrolling shows no gaps.
const AROUND: u64 = 300;
/// Pixels of a band's width.
const BAND: u64 = 10;

/// What is drawn of a ladder, and how.
pub(crate) struct Drawing<'a> {
    pub(crate) language: Language,
    pub(crate) ladder: &'a Ladder,
    /// Pixels from the top that are scrolled away, and pixels in sight.
    pub(crate) sight: (u64, u64),
    pub(crate) chosen: Option<usize>,
    pub(crate) pointed: Option<Pointed>,
    pub(crate) choose: &'a Callback<Option<usize>>,
}

impl Drawing<'_> {
    fn reach(&self) -> (u64, u64) {
        let (top, height) = self.sight;
        (top.saturating_sub(AROUND), top + height + AROUND)
    }

    /// When packets were sent, and how long folded waits were.
    pub(crate) fn times(&self) -> Html {
        let (top, bottom) = self.reach();
        let times = self.ladder.within(top, bottom).filter_map(|(at, _)| self.ladder.time(at));
        html! {
            <svg class="ladder-times" aria-hidden="true" height={self.ladder.height.to_string()}>
                for fold in self.ladder.folds.iter() { { text("ladder-folded", fold.label()) } }
                for label in times { { text("ladder-time", label) } }
            </svg>
        }
    }

    /// The packets of a protocol.
    pub(crate) fn lane(&self, protocol: Protocol) -> Html {
        let (top, bottom) = self.reach();
        let seen = self.ladder.within(top, bottom).filter(|(_, it)| it.protocol == protocol);
        let seen: Vec<_> = seen.collect();
        let bands = self.ladder.bands.iter().filter(|it| {
            protocol == Protocol::Tcp && it.from <= bottom && top <= it.to.max(it.label)
        });
        let bands: Vec<_> = bands.collect();
        html! {
            <svg width="100%" height={self.ladder.height.to_string()}>
                for end in End::BOTH { { lifeline_of(end, self.ladder.height) } }
                for fold in self.ladder.folds.iter() {
                    <line class="ladder-fold" x1="0" x2="100%" y1={fold.at.to_string()} y2={fold.at.to_string()} />
                }
                for band in &bands { { self.band(band) } }
                // No line crosses out the label of another packet.
                for (at, arrow) in &seen { { self.group("ladder-line", *at, arrow, lines(arrow)) } }
                for (at, arrow) in &seen { { self.group("ladder-arrow", *at, arrow, self.ends(arrow)) } }
                for band in &bands { { text("ladder-held", band.label(self.language)) } }
            </svg>
        }
    }

    /// Beside the lifeline of who holds it.
    fn band(&self, band: &Band) -> Html {
        let left = if band.held.end == End::Client {
            format!("translate(-{BAND} 0)")
        } else {
            String::new()
        };
        html! {
            <rect class="ladder-band" x={percent(lifeline(band.held.end))} y={band.from.to_string()} width={BAND.to_string()}
                height={(band.to - band.from).to_string()} transform={left}>
                <title>{ band.held.words(self.language) }</title>
            </rect>
        }
    }

    /// Parts of a packet.
    fn group(&self, class: &'static str, at: usize, arrow: &Arrow, parts: Html) -> Html {
        // Not `mouseenter`: a packet that scrolls below a resting pointer is not pointed at.
        let over = self.choose.reform(move |_: MouseEvent| Some(at));
        let is_pointed = self.pointed.zip(arrow.lines).is_some_and(|(one, other)| one.meets(other));
        html! {
            <g key={format!("{class} {at}")} {class} data-protocol={arrow.protocol.name()} data-kind={kind(arrow)}
                data-chosen={(self.chosen == Some(at)).to_string()} data-pointed={is_pointed.to_string()}
                onclick={over.clone()} onmousemove={over}>{ parts }</g>
        }
    }

    /// Where a packet and its copy end, and what it is.
    fn ends(&self, arrow: &Arrow) -> Html {
        let ((_, far), [start, end]) = (arrow.lifelines(), arrow.line());
        let ends = arrow.sent.ends();
        html! {
            <>
                if ends == Ends::Lost {
                    <text class="ladder-cross" x={percent(end.0)} y={(end.1 + 6).to_string()}
                        text-anchor="middle">{ "✕" }</text>
                } else {
                    { circle((ends == Ends::Sender).then_some("ladder-open"), end) }
                }
                if ends == Ends::Receiver { { circle(Some("ladder-open"), start) } }
                if let Some(copy) = arrow.copy { { circle(None, (far, copy)) } }
                { text("ladder-label", arrow.label(self.language)) }
            </>
        }
    }
}

/// The ways of a packet and of its copy.
fn lines(arrow: &Arrow) -> Html {
    let ((near, far), [start, end]) = (arrow.lifelines(), arrow.line());
    html! {
        <>
            { line(start.0, start.1, end.0, end.1) }
            if let Some(copy) = arrow.copy { { line(near, arrow.from, far, copy) } }
        </>
    }
}

/// What CSS draws differently: a kind for each shape, told by a word too.
fn kind(arrow: &Arrow) -> &'static str {
    let packet = &arrow.sent.packet;
    if arrow.sent.is_lost() {
        "lost"
    } else if packet.retransmission {
        "again"
    } else if packet.duplicate_ack {
        "duplicate"
    } else {
        "plain"
    }
}

fn lifeline_of(end: End, height: u64) -> Html {
    let x = percent(lifeline(end));
    html! { <line class="ladder-lifeline" x1={x.clone()} x2={x} y1="0" y2={height.to_string()} /> }
}

fn line(x1: u64, y1: u64, x2: u64, y2: u64) -> Html {
    html! { <line x1={percent(x1)} y1={y1.to_string()} x2={percent(x2)} y2={y2.to_string()} /> }
}

/// The end of an arrow; open where nothing was seen.
fn circle(class: Option<&'static str>, (x, y): (u64, u64)) -> Html {
    html! { <circle {class} cx={percent(x)} cy={y.to_string()} r="3" /> }
}

fn text(class: &'static str, Label { x, y, anchor, text }: Label) -> Html {
    html! { <text {class} x={percent(x)} y={y.to_string()} text-anchor={anchor}>{ text }</text> }
}

fn percent(part: u64) -> String {
    format!("{part}%")
}
