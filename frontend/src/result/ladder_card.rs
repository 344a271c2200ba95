//! The ladders of both protocols, drawn: lifelines, arrows, and what the chosen packet says.

use std::rc::Rc;

use streamgram_protocol::{Data, End, Header, Protocol};
use web_sys::{Element, HtmlElement};
use yew::prelude::*;

use super::export;
use super::ladder::{Arrow, Fold, Ladder, ZOOM_ONE, ZOOMS, lifeline};
use crate::i18n::figures::{count, duration};
use crate::i18n::language::{Language, use_language};
use crate::session::lane::Lane;
use crate::ui::bytes::payload;

/// Pixels above and below the window that are drawn too, so that scrolling shows no gaps.
const AROUND: u64 = 300;
/// Pixels in sight before that is known.
const FIRST_SIGHT: u64 = 600;
/// Pixels from the end that still count as at the end.
const AT_END: u64 = 40;

#[derive(Properties, PartialEq)]
pub(crate) struct LadderCardProps {
    pub(crate) tcp: Rc<Lane>,
    pub(crate) udp: Rc<Lane>,
    /// Whose TCP it is: `Reno` or `Cubic`.
    pub(crate) congestion: &'static str,
    /// Minutes east of UTC.
    pub(crate) zone: i32,
}

/// Packets as arrows between client and gateway.
#[component]
pub(crate) fn LadderCard(props: &LadderCardProps) -> Html {
    let LadderCardProps { tcp, udp, congestion, zone } = props;
    let language = use_language();
    let (zoom, chosen) = (use_state(|| ZOOM_ONE), use_state_eq(|| None::<usize>));
    let follows = use_state_eq(|| true);
    // Pixels from the top that are scrolled away, and pixels in sight.
    let sight = use_state(|| (0, FIRST_SIGHT));
    let window = use_node_ref();
    let traces = (tcp.trace.clone(), udp.trace.clone(), *zoom);
    let ladder = use_memo(traces, |(tcp, udp, zoom)| Ladder::of(tcp, udp, *zoom));
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
        Callback::from(move |at: Option<usize>| {
            follows.set(false);
            chosen.set(at);
        })
    };
    let onkeydown = {
        let (ladder, window, choose, chosen) =
            (Rc::clone(&ladder), window.clone(), choose.clone(), *chosen);
        move |event: KeyboardEvent| {
            let last = ladder.arrows.len().checked_sub(1);
            let next = match event.key().as_str() {
                "ArrowDown" => chosen.map_or(Some(0), |at| Some(at + 1)).min(last),
                "ArrowUp" => chosen.map_or(last, |at| Some(at.saturating_sub(1))),
                "Home" => last.and(Some(0)),
                "End" => last,
                "Escape" => None,
                _ => return,
            };
            event.prevent_default();
            if let (Some(at), Some(window)) = (next, window.cast::<HtmlElement>()) {
                let middle = ladder.arrows[at].from.saturating_sub(120);
                window.set_scroll_top(i32::try_from(middle).unwrap_or(i32::MAX));
            }
            choose.emit(next);
        }
    };
    let (top, height) = *sight;
    let seen = ladder.within(top.saturating_sub(AROUND), top + height + AROUND);
    let said =
        chosen.and_then(|at| ladder.arrows.get(at)).map(|arrow| said(language, *zone, arrow));
    html! {
        <section class="ladder card" aria-label={language.packets_title()}>
            <div class="ladder-head">
                <h2>{ language.packets_title() }</h2>
                <small class="hint">{ language.packets_of(congestion) }</small>
                { toolbar((language, *zone), &zoom, &follows, &ladder) }
            </div>
            <div class="ladder-names" aria-hidden="true">
                for protocol in Protocol::BOTH {
                    <span data-protocol={protocol.name()}><b>{ protocol.name() }</b>
                        <i>{ language.client() }</i><i>{ language.gateway() }</i></span>
                }
            </div>
            <div class="ladder-window" translate="no" ref={window} tabindex="0" role="group" {onscroll} {onkeydown}
                aria-label={language.packets_step(&count(ladder.arrows.len() as u64))}>
                <svg width="100%" height={ladder.height.to_string()} data-arrows={ladder.arrows.len().to_string()}>
                    { lifelines(ladder.height) }
                    for fold in ladder.folds.iter() { { draw_fold(fold) } }
                    for (at, arrow) in seen { { draw(language, (at, arrow), *chosen == Some(at), &choose) } }
                </svg>
            </div>
            <div class="ladder-packet" role="status">
                { said.unwrap_or_else(|| left_out(language, tcp, udp)) }
            </div>
        </section>
    }
}

fn toolbar(
    (language, zone): (Language, i32),
    zoom: &UseStateHandle<u64>,
    follows: &UseStateHandle<bool>,
    ladder: &Rc<Ladder>,
) -> Html {
    let zoom_to = |name: &'static str, label: &'static str, next: u64| {
        let zoom = zoom.clone();
        let disabled = !ZOOMS.contains(&next);
        let onclick = move |_| zoom.set(next);
        html! { <button type="button" aria-label={label} {disabled} {onclick}>{ name }</button> }
    };
    let follow = {
        let follows = follows.clone();
        move |_| follows.set(!*follows)
    };
    let save = |name: &'static str, save: fn(Language, i32, &Ladder)| {
        let ladder = Rc::clone(ladder);
        let onclick = move |_| save(language, zone, &ladder);
        html! { <button type="button" {onclick}>{ name }</button> }
    };
    html! {
        <div class="ladder-tools" role="group" aria-label={language.ladder()}>
            { zoom_to("−", language.zoom_out(), **zoom / 2) }
            { zoom_to("+", language.zoom_in(), **zoom * 2) }
            <button type="button" aria-pressed={follows.to_string()} onclick={follow}>{ language.follow() }</button>
            { save(language.save_text(), export::save_text) }
            { save("SVG", |language, _, ladder| export::save_svg(language, ladder)) }
            { save(language.capture_client(), |_, _, ladder| export::save_capture(ladder, End::Client)) }
            { save(language.capture_gateway(), |_, _, ladder| export::save_capture(ladder, End::Gateway)) }
        </div>
    }
}

fn lifelines(height: u64) -> Html {
    let lines = Protocol::BOTH.map(|protocol| End::BOTH.map(|end| lifeline(protocol, end)));
    html! {
        for x in lines.into_iter().flatten() {
            <line class="ladder-lifeline" x1={percent(x)} x2={percent(x)} y1="4" y2={height.to_string()} />
        }
    }
}

fn draw_fold(Fold { at, us }: &Fold) -> Html {
    html! {
        <g key={format!("fold {at}")} class="ladder-fold">
            <line x1="0" x2="100%" y1={at.to_string()} y2={at.to_string()} />
            <text x="50%" y={(at + 4).to_string()} text-anchor="middle">{ duration(*us) }</text>
        </g>
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

fn draw(
    language: Language,
    (at, arrow): (usize, &Arrow),
    chosen: bool,
    choose: &Callback<Option<usize>>,
) -> Html {
    let ((near, far), (end_x, end_y)) = (arrow.lifelines(), arrow.end());
    // Not `mouseenter`: a packet that scrolls below a resting pointer is not pointed at.
    let over = choose.reform(move |_: MouseEvent| Some(at));
    html! {
        <g key={at} class="ladder-arrow" data-protocol={arrow.protocol.name()} data-kind={kind(arrow)}
            data-chosen={chosen.to_string()} onclick={over.clone()} onmousemove={over}>
            { line(near, arrow.from, end_x, end_y) }
            if arrow.sent.is_lost() {
                <text class="ladder-cross" x={percent(end_x)} y={(end_y + 6).to_string()}
                    text-anchor="middle">{ "✕" }</text>
            } else {
                <circle cx={percent(end_x)} cy={end_y.to_string()} r="3" />
            }
            if let Some(copy) = arrow.copy {
                { line(near, arrow.from, far, copy) }
                <circle cx={percent(far)} cy={copy.to_string()} r="3" />
            }
            { label(language, arrow) }
        </g>
    }
}

/// Labels stand where their arrow begins: no two begin closer than a label is high.
fn label(language: Language, arrow: &Arrow) -> Html {
    let (near, far) = arrow.lifelines();
    let (x, anchor) = if near < far { (near + 1, "start") } else { (near - 1, "end") };
    let copy = if arrow.copy.is_some() { " ×2" } else { "" };
    html! {
        <text class="ladder-label" x={percent(x)} y={(arrow.from - 2).to_string()} text-anchor={anchor}>
            { arrow.sent.label(language) }{ copy }
        </text>
    }
}

fn line(x1: u64, y1: u64, x2: u64, y2: u64) -> Html {
    html! { <line x1={percent(x1)} y1={y1.to_string()} x2={percent(x2)} y2={y2.to_string()} /> }
}

fn percent(part: u64) -> String {
    format!("{part}%")
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

fn left_out(language: Language, tcp: &Lane, udp: &Lane) -> Html {
    let (dropped, missed) =
        (tcp.trace.dropped + udp.trace.dropped, tcp.trace.missed + udp.trace.missed);
    html! {
        <p class="hint">
            { language.ladder_hint() }
            if dropped > 0 { { " " }{ language.packets_dropped(&count(dropped)) } }
            if missed > 0 { { " " }{ language.packets_missed(&count(missed)) } }
        </p>
    }
}
