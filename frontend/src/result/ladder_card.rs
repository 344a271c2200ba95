//! The ladders of both protocols: what of them is in sight, which packet is chosen, and what it says.

use std::rc::Rc;

use streamgram_protocol::{Capture, End, Protocol};
use wasm_bindgen_futures::spawn_local;
use web_sys::Element;
use yew::prelude::*;

use super::export::copy_picture;
use super::ladder::{Arrow, Ladder, Traces, ZOOMS};
use super::ladder_drawing::Drawing;
use super::ladder_steps::step;
use super::pointed::Pointed;
use crate::browser::png::Kept;
use crate::i18n::figures::{Noun, count, counted};
use crate::i18n::language::{Language, use_language};
use crate::session::sent::Ends;
use crate::session::trace::Trace;
use crate::ui::bytes::payload;

/// Pixels in sight before that is known.
const FIRST_SIGHT: u64 = 600;
/// Pixels from the end that still count as at the end.
const AT_END: u64 = 40;
/// Pixels above a packet that a key has led to.
const ABOVE: u64 = 120;

#[derive(Properties, PartialEq)]
pub(crate) struct LadderCardProps {
    pub(crate) tcp: Option<Rc<Trace>>,
    pub(crate) udp: Option<Rc<Trace>>,
    pub(crate) source: Source,
    /// What a picture of it says of itself.
    pub(crate) caption: AttrValue,
    /// Minutes east of UTC.
    pub(crate) zone: i32,
    /// The lines that are pointed at anywhere, and what happens if they are pointed at here.
    pub(crate) pointed: Option<Pointed>,
    pub(crate) on_point: Callback<Option<Pointed>>,
}

/// Whose the packets are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Source {
    /// The lab's, with the congestion control of its TCP: `Reno` or `Cubic`.
    Lab(&'static str),
    /// The kernel's, and whether the server captures those.
    Kernel(Option<Capture>),
}

impl Source {
    /// Why there are no packets, and what to do.
    pub(crate) fn nothing(self, language: Language) -> &'static str {
        match self {
            Self::Kernel(Some(Capture::Off)) => language.capture_off(),
            Self::Kernel(Some(Capture::NotPermitted)) => language.capture_not_permitted(),
            Self::Kernel(Some(Capture::Unsupported)) => language.capture_unsupported(),
            Self::Kernel(Some(Capture::On) | None) | Self::Lab(_) => language.ladder_empty(),
        }
    }

    /// What is special about them.
    fn hint(self, language: Language, ladder: &Ladder) -> String {
        let is_at_one_end = || {
            ladder
                .arrows
                .iter()
                .any(|arrow| matches!(arrow.sent.ends(), Ends::Sender | Ends::Receiver))
        };
        match self {
            Self::Lab(congestion) => language.packets_of(congestion),
            Self::Kernel(_) if ladder.arrows.is_empty() => String::new(),
            Self::Kernel(_) if is_at_one_end() => language.packets_at_one_end().into(),
            Self::Kernel(_) => language.packets_on_loopback().into(),
        }
    }
}

/// A packet of a ladder.
type Chosen = (Protocol, End, u64);

/// Packets as arrows between client and gateway, or server.
#[component]
pub(crate) fn LadderCard(props: &LadderCardProps) -> Html {
    let LadderCardProps { tcp, udp, source, caption, zone, pointed, on_point } = props;
    let language = use_language();
    // The packet, not its place, which changes when others are told late.
    let (zoomed, chosen) = (use_state(|| None::<u64>), use_state(|| None::<Chosen>));
    let (follows, kept) = (use_state_eq(|| false), use_state(|| None::<Kept>));
    // Pixels from the top that are scrolled away, and pixels in sight.
    let sight = use_state_eq(|| (0, FIRST_SIGHT));
    let window = use_node_ref();
    let traces: Traces = [tcp.clone(), udp.clone()];
    let zoom = zoomed.unwrap_or_else(|| Ladder::first_zoom(&traces));
    let ladder = use_memo((traces.clone(), zoom), |(traces, zoom)| Ladder::of(traces, *zoom));
    let at = chosen.and_then(|chosen| ladder.arrows.iter().position(|it| named(it) == chosen));
    use_effect_with((ladder.height, *follows), {
        let window = window.clone();
        move |(height, follows)| {
            if let (true, Some(window)) = (follows, window.cast::<Element>()) {
                window.set_scroll_top(i32::try_from(*height).unwrap_or(i32::MAX));
            }
        }
    });
    let onscroll = {
        let (sight, follows) = (sight.clone(), follows.clone());
        move |event: Event| {
            let window = event.target_unchecked_into::<Element>();
            let pixels = |length: i32| u64::try_from(length).unwrap_or(0);
            let (top, height) = (pixels(window.scroll_top()), pixels(window.client_height()));
            sight.set((top, height));
            follows.set(top + height + AT_END >= pixels(window.scroll_height()));
        }
    };
    let choose = {
        let (chosen, follows) = (chosen.clone(), follows.clone());
        let (ladder, on_point, before) = (Rc::clone(&ladder), on_point.clone(), at);
        let pointed = *pointed;
        Callback::from(move |at: Option<usize>| {
            let arrow = at.and_then(|at| ladder.arrows.get(at));
            let lines = arrow.and_then(|arrow| arrow.lines);
            // A pointer moves often, and mostly over the same packet.
            if lines != pointed {
                on_point.emit(lines);
            }
            if at != before {
                follows.set(false);
                chosen.set(arrow.map(named));
            }
        })
    };
    let onkeydown = {
        let (ladder, window, choose) = (Rc::clone(&ladder), window.clone(), choose.clone());
        move |event: KeyboardEvent| {
            let Some(next) = step(&ladder, at, &event.key()) else { return };
            event.prevent_default();
            let arrow = next.and_then(|next| ladder.arrows.get(next));
            if let (Some(arrow), Some(window)) = (arrow, window.cast::<Element>()) {
                let top = arrow.from.saturating_sub(ABOVE);
                window.set_scroll_top(i32::try_from(top).unwrap_or(i32::MAX));
                show_lane(&window, arrow.protocol);
            }
            choose.emit(next);
        }
    };
    let leave = on_point.reform(|_: MouseEvent| None);
    let drawing = Drawing {
        language,
        ladder: &ladder,
        sight: *sight,
        chosen: at,
        pointed: *pointed,
        choose: &choose,
    };
    let said = at.and_then(|at| ladder.arrows.get(at)).map(|arrow| said(language, *zone, arrow));
    html! {
        <section class="ladder card" role="group" aria-label={language.packets_title()}>
            <div class="ladder-head">
                <h2>{ language.packets_title() }</h2>
                <small class="hint">{ source.hint(language, &ladder) }</small>
                if !ladder.arrows.is_empty() {
                    { sides(&ladder, &window) }
                    <div class="ladder-tools" role="group" aria-label={language.ladder()}>
                        { zooms(language, zoom, &zoomed) }
                        { follow(language, &follows) }
                        { copies(language, &kept, &traces, caption) }
                    </div>
                }
            </div>
            if ladder.arrows.is_empty() {
                <p class="ladder-empty">
                    { source.nothing(language) }{ language.between_sentences() }{ language.ladder_invitation() }
                </p>
            } else {
                <div class="ladder-window" translate="no" ref={window} tabindex="0" role="group"
                    data-arrows={ladder.arrows.len().to_string()} {onscroll} {onkeydown} onmouseleave={leave}
                    aria-label={language.ladder_step(&counted(language, ladder.arrows.len() as u64, Noun::Packet))}>
                    { drawing.times() }
                    for protocol in ladder.lanes() {
                        <div key={protocol.name()} class="ladder-lane" data-protocol={protocol.name()}>
                            <div class="ladder-names" aria-hidden="true">
                                <i>{ language.client() }</i><b>{ protocol.name() }</b><i>{ ladder.far_end(language) }</i>
                            </div>
                            { drawing.lane(protocol) }
                        </div>
                    }
                </div>
                <div class="ladder-packet" role="status">
                    { said.unwrap_or_else(|| left_out(language, &[tcp, udp])) }
                </div>
            }
        </section>
    }
}

fn named(arrow: &Arrow) -> Chosen {
    (arrow.protocol, arrow.sent.packet.from, arrow.sent.packet.number)
}

/// Where lanes do not fit side by side, brings one of them into sight.
fn show_lane(window: &Element, protocol: Protocol) {
    window.set_scroll_left(if protocol == Protocol::Tcp { 0 } else { window.scroll_width() });
}

/// Buttons for the lanes, for screens that show one at a time.
fn sides(ladder: &Ladder, window: &NodeRef) -> Html {
    let lanes: Vec<_> = ladder.lanes().collect();
    let side = |protocol: Protocol| {
        let window = window.clone();
        let show = move |_| {
            if let Some(window) = window.cast::<Element>() {
                show_lane(&window, protocol);
            }
        };
        html! { <button key={protocol.name()} type="button" onclick={show}>{ protocol.name() }</button> }
    };
    html! {
        if lanes.len() > 1 {
            <div class="ladder-sides">for protocol in lanes { { side(protocol) } }</div>
        }
    }
}

fn zooms(language: Language, zoom: u64, zoomed: &UseStateHandle<Option<u64>>) -> Html {
    let to = |name: &'static str, label: &'static str, next: u64| {
        let zoomed = zoomed.clone();
        let disabled = !ZOOMS.contains(&next);
        let onclick = move |_| zoomed.set(Some(next));
        html! { <button type="button" aria-label={label} {disabled} {onclick}>{ name }</button> }
    };
    html! { <>{ to("−", language.zoom_out(), zoom / 2) }{ to("+", language.zoom_in(), zoom * 2) }</> }
}

fn follow(language: Language, follows: &UseStateHandle<bool>) -> Html {
    let onclick = {
        let follows = follows.clone();
        move |_| follows.set(!*follows)
    };
    html! { <button type="button" aria-pressed={follows.to_string()} {onclick}>{ language.follow() }</button> }
}

/// Copies the whole ladder as a picture, and says where it is then.
fn copies(
    language: Language,
    kept: &UseStateHandle<Option<Kept>>,
    traces: &Traces,
    caption: &AttrValue,
) -> Html {
    let onclick = {
        let (kept, traces, caption) = (kept.setter(), traces.clone(), caption.clone());
        move |_| {
            let (kept, caption) = (kept.clone(), caption.clone());
            let ladder = Ladder::of(&traces, Ladder::first_zoom(&traces));
            spawn_local(async move {
                kept.set(Some(copy_picture(language, &ladder, &caption).await));
            });
        }
    };
    let name = match **kept {
        None => language.copy_picture(),
        Some(Kept::OnClipboard) => language.copied(),
        Some(Kept::AsFile) => language.picture_saved(),
    };
    html! { <button type="button" {onclick}>{ name }</button> }
}

/// The chosen packet in words, and its payload.
fn said(language: Language, zone: i32, arrow: &Arrow) -> Html {
    let bytes = arrow.sent.payload();
    html! {
        <>
            <p><b>{ arrow.sent.label(language) }</b>{ " · " }{ arrow.sent.line(language, zone) }</p>
            if !bytes.is_empty() { <code translate="no">{ payload(language, &bytes) }</code> }
        </>
    }
}

fn left_out(language: Language, traces: &[&Option<Rc<Trace>>]) -> Html {
    let sum =
        |of: fn(&Trace) -> u64| traces.iter().copied().flatten().map(|it| of(it)).sum::<u64>();
    let left_out = [
        (sum(|it| it.dropped), Language::packets_dropped as fn(Language, &str) -> String),
        (sum(|it| it.missed), Language::packets_missed),
        (sum(|it| it.unclaimed), Language::packets_unclaimed),
    ];
    html! {
        <p class="hint">
            { language.ladder_hint() }
            for (number, text) in left_out.into_iter().filter(|(number, _)| *number > 0) {
                { language.between_sentences() }{ text(language, &count(number)) }
            }
        </p>
    }
}

#[cfg(test)]
mod tests {
    use streamgram_protocol::Line;
    use yew::LocalServerRenderer;

    use super::*;
    use crate::session::trace::tests::{segment, traced};

    /// The card with a packet of line 3 of TCP, while that line of a protocol is pointed at.
    async fn shown(tcp: bool, pointed: Option<(Protocol, u32)>) -> String {
        let mut sent = segment(End::Client, 0, 0, false);
        sent.packet.line = Some(Line { send: 0, number: 3 });
        let trace = tcp.then(|| Rc::new(traced(&[sent])));
        let pointed = pointed.map(|(protocol, first)| Pointed { protocol, first, last: first });
        let card = LocalServerRenderer::<LadderCard>::with_props(LadderCardProps {
            tcp: trace,
            udp: None,
            source: Source::Lab("Cubic"),
            caption: "".into(),
            zone: 0,
            pointed,
            on_point: Callback::noop(),
        });
        card.render().await
    }

    #[tokio::test]
    async fn without_packets_it_invites_and_with_some_it_has_their_lanes_only() {
        let [empty, one] = [shown(false, None).await, shown(true, None).await];
        assert!(empty.contains("Choose a link") && !empty.contains("<svg"), "{empty}");
        assert!(one.contains("data-protocol=\"TCP\" class=\"ladder-lane\""), "{one}");
        assert!(!one.contains("data-protocol=\"UDP\" class=\"ladder-lane\""), "{one}");
    }

    #[test]
    fn where_the_server_does_not_capture_it_is_said_why_and_what_to_do() {
        let nothing = |capture| Source::Kernel(Some(capture)).nothing(Language::En);
        for part in ["setcap cap_net_raw", "--cap-add NET_RAW", "AmbientCapabilities=CAP_NET_RAW"] {
            assert!(nothing(Capture::NotPermitted).contains(part), "{part}");
        }
        assert!(nothing(Capture::Off).contains("--capture off"));
        assert!(nothing(Capture::Unsupported).contains("docs/capture.md"));
    }

    #[tokio::test]
    async fn packets_with_a_line_that_is_pointed_at_are_marked() {
        let marked = async |pointed| shown(true, pointed).await.contains("data-pointed=\"true\"");
        assert!(marked(Some((Protocol::Tcp, 3))).await);
        assert!(!marked(Some((Protocol::Tcp, 4))).await);
        assert!(!marked(Some((Protocol::Udp, 3))).await);
    }
}
