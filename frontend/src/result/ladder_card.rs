//! The ladders of both protocols: what of them is in sight, which packet is chosen, and what it says.

use std::rc::Rc;

use streamgram_protocol::{Data, Header, Protocol};
use wasm_bindgen_futures::spawn_local;
use web_sys::Element;
use yew::prelude::*;

use super::export::copy_picture;
use super::ladder::{Arrow, Ladder, Traces, ZOOM_ONE, ZOOMS};
use super::ladder_drawing::Drawing;
use super::ladder_steps::step;
use super::pointed::Pointed;
use crate::browser::png::Kept;
use crate::i18n::figures::{Noun, count, counted};
use crate::i18n::language::{Language, use_language};
use crate::session::trace::{Sent, Trace};
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
    /// Whose TCP it is: `Reno` or `Cubic`.
    pub(crate) congestion: &'static str,
    /// What a picture of it says of itself.
    pub(crate) caption: AttrValue,
    /// Minutes east of UTC.
    pub(crate) zone: i32,
    /// The lines that are pointed at anywhere, and what happens if they are pointed at here.
    pub(crate) pointed: Option<Pointed>,
    pub(crate) on_point: Callback<Option<Pointed>>,
}

/// Packets as arrows between client and gateway.
#[component]
pub(crate) fn LadderCard(props: &LadderCardProps) -> Html {
    let LadderCardProps { tcp, udp, congestion, caption, zone, pointed, on_point } = props;
    let language = use_language();
    // The packet itself: its place changes when others are told late.
    let (zoom, chosen) = (use_state(|| ZOOM_ONE), use_state(|| None::<Rc<Sent>>));
    let (follows, kept) = (use_state_eq(|| false), use_state(|| None::<Kept>));
    // Pixels from the top that are scrolled away, and pixels in sight.
    let sight = use_state_eq(|| (0, FIRST_SIGHT));
    let window = use_node_ref();
    let traces: Traces = [tcp.clone(), udp.clone()];
    let ladder = use_memo((traces.clone(), *zoom), |(traces, zoom)| Ladder::of(traces, *zoom));
    let at = chosen
        .as_ref()
        .and_then(|chosen| ladder.arrows.iter().position(|arrow| Rc::ptr_eq(&arrow.sent, chosen)));
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
                chosen.set(arrow.map(|arrow| Rc::clone(&arrow.sent)));
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
                <small class="hint">{ language.packets_of(congestion) }</small>
                if !ladder.arrows.is_empty() {
                    { sides(&ladder, &window) }
                    <div class="ladder-tools" role="group" aria-label={language.ladder()}>
                        { zooms(language, &zoom) }
                        { follow(language, &follows) }
                        { copies(language, &kept, &traces, caption) }
                    </div>
                }
            </div>
            if ladder.arrows.is_empty() {
                <p class="ladder-empty">{ language.ladder_empty() }</p>
            } else {
                <div class="ladder-window" translate="no" ref={window} tabindex="0" role="group"
                    data-arrows={ladder.arrows.len().to_string()} {onscroll} {onkeydown} onmouseleave={leave}
                    aria-label={language.ladder_step(&counted(language, ladder.arrows.len() as u64, Noun::Packet))}>
                    { drawing.times() }
                    for protocol in ladder.lanes() {
                        <div key={protocol.name()} class="ladder-lane" data-protocol={protocol.name()}>
                            <div class="ladder-names" aria-hidden="true">
                                <i>{ language.client() }</i><b>{ protocol.name() }</b><i>{ language.gateway() }</i>
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

fn zooms(language: Language, zoom: &UseStateHandle<u64>) -> Html {
    let to = |name: &'static str, label: &'static str, next: u64| {
        let zoom = zoom.clone();
        let disabled = !ZOOMS.contains(&next);
        let onclick = move |_| zoom.set(next);
        html! { <button type="button" aria-label={label} {disabled} {onclick}>{ name }</button> }
    };
    html! { <>{ to("−", language.zoom_out(), **zoom / 2) }{ to("+", language.zoom_in(), **zoom * 2) }</> }
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
            let ladder = Ladder::of(&traces, ZOOM_ONE);
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
    let packet = &arrow.sent.packet;
    let length = match packet.header {
        Header::Tcp { length, .. } | Header::Udp { length, .. } => usize::from(length),
    };
    let bytes = Data::Hex(packet.hex.clone());
    let bytes = bytes.to_bytes().unwrap_or_default();
    html! {
        <>
            <p><b>{ arrow.sent.label(language) }</b>{ " · " }{ arrow.sent.line(language, zone) }</p>
            if length > 0 {
                <code translate="no">{ payload(language, &bytes[bytes.len().saturating_sub(length)..]) }</code>
            }
        </>
    }
}

fn left_out(language: Language, traces: &[&Option<Rc<Trace>>]) -> Html {
    let sum = |of: fn(&Trace) -> u64| traces.iter().copied().flatten().map(|it| of(it)).sum();
    let (dropped, missed): (u64, u64) = (sum(|it| it.dropped), sum(|it| it.missed));
    html! {
        <p class="hint">
            { language.ladder_hint() }
            if dropped > 0 { { language.between_sentences() }{ language.packets_dropped(&count(dropped)) } }
            if missed > 0 { { language.between_sentences() }{ language.packets_missed(&count(missed)) } }
        </p>
    }
}

#[cfg(test)]
mod tests {
    use streamgram_protocol::{End, Line};
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
            congestion: "Cubic",
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

    #[tokio::test]
    async fn packets_with_a_line_that_is_pointed_at_are_marked() {
        let marked = async |pointed| shown(true, pointed).await.contains("data-pointed=\"true\"");
        assert!(marked(Some((Protocol::Tcp, 3))).await);
        assert!(!marked(Some((Protocol::Tcp, 4))).await);
        assert!(!marked(Some((Protocol::Udp, 3))).await);
    }
}
