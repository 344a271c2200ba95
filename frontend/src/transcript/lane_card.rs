//! One protocol: how its leg stands, what can be done to it, figures, strip and transcript.

use std::rc::Rc;

use streamgram_protocol::{Cause, ClientMessage, Close, How, Nodelay, Protocol};
use web_sys::HtmlInputElement;
use yew::prelude::*;

use super::lane_stats::lane_stats;
use super::matches::Matches;
use super::transcript_list::{RowRequest, TranscriptList};
use super::transcript_row::Look;
use crate::i18n::language::{ELEMENT, Language, use_language, with_element};
use crate::result::boundary_strip::BoundaryStrip;
use crate::result::strip::Strip;
use crate::session::lane::{Lane, LegState};

/// What a person can ask of a lane.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum LaneRequest {
    Open(Protocol),
    EmptyDatagram,
    Stop(u64),
    Message(ClientMessage),
}

#[derive(Properties, PartialEq)]
pub(crate) struct LaneCardProps {
    pub(crate) lane: Rc<Lane>,
    /// The rows, unless they stand somewhere else.
    pub(crate) matches: Option<Rc<Matches>>,
    pub(crate) look: Look,
    pub(crate) on_ask: Callback<LaneRequest>,
    pub(crate) on_row: Callback<RowRequest>,
}

/// A lane.
#[component]
pub(crate) fn LaneCard(props: &LaneCardProps) -> Html {
    let LaneCardProps { lane, matches, look, on_ask, on_row } = props;
    let language = use_language();
    let name = lane.protocol.name();
    let (status, state) = state(language, lane);
    html! {
        <section class="lane card" data-protocol={name} aria-label={name}>
            <div class="lane-head">
                <h2>{ name }</h2>
                <span class="badge" data-status={status}>{ state }</span>
                if lane.is_there() && !lane.local.is_empty() {
                    <code class="lane-addresses" translate="no">{ &lane.local }{ " → " }{ &lane.peer }</code>
                }
            </div>
            <div class="lane-actions">{ actions(language, lane, on_ask) }</div>
            { lane_stats(language, lane) }
            if let Some(send) = &lane.last_send {
                <BoundaryStrip strip={Rc::new(Strip::of(language, send))} />
            }
            { explanation(language, lane.protocol) }
            if let Some(matches) = matches {
                <TranscriptList matches={Rc::clone(matches)} list={lane.protocol} look={*look} {on_row} />
            }
        </section>
    }
}

fn state(language: Language, lane: &Lane) -> (&'static str, &'static str) {
    match (lane.state, lane.protocol) {
        (LegState::None, _) => ("none", language.state_none()),
        (LegState::Opening, _) => ("connecting", language.state_opening()),
        (LegState::Open, Protocol::Tcp) => ("connected", language.connected()),
        (LegState::Open, Protocol::Udp) => ("connected", language.state_open_udp()),
        (LegState::HalfClosed, _) => ("half", language.state_half_closed()),
        (LegState::Refused, _) => ("lost", language.state_refused()),
        (LegState::Closed(Cause::Closed), _) => ("none", language.cause_closed()),
        (LegState::Closed(Cause::Reset), _) => ("none", language.state_reset()),
        (LegState::Closed(Cause::PeerClosed), _) => ("none", language.state_peer_closed()),
        (LegState::Closed(Cause::PeerReset), _) => ("lost", language.state_peer_reset()),
        (LegState::Closed(Cause::TimedOut), _) => ("lost", language.state_timed_out()),
        (LegState::Closed(Cause::Limit), _) => ("lost", language.cause_limit()),
        (LegState::Closed(Cause::Failed), _) => ("lost", language.cause_failed()),
    }
}

fn actions(language: Language, lane: &Lane, on_ask: &Callback<LaneRequest>) -> Html {
    let protocol = lane.protocol;
    let close = |name: &'static str, how: How, allowed: bool| {
        let ask = LaneRequest::Message(ClientMessage::Close(Close { protocol, how }));
        button(name, allowed, on_ask, ask)
    };
    let open = button(
        if protocol == Protocol::Tcp { language.connect() } else { language.open() },
        !lane.is_there(),
        on_ask,
        LaneRequest::Open(protocol),
    );
    let stop = lane.running.as_ref().filter(|send| send.count > 1 && send.interval_ms > 0);
    html! {
        <>
            { open }
            if protocol == Protocol::Tcp {
                { close(language.half_close(), How::Half, lane.is_open()) }
                { close(language.close(), How::Close, lane.is_there()) }
                { close(language.reset(), How::Reset, lane.is_there()) }
                { nodelay(language, lane, on_ask) }
            } else {
                { close(language.close(), How::Close, lane.is_there()) }
                { button(language.empty_datagram(), lane.is_open(), on_ask, LaneRequest::EmptyDatagram) }
            }
            if let Some(send) = stop {
                { button(language.stop_burst(), true, on_ask, LaneRequest::Stop(send.id)) }
            }
        </>
    }
}

fn button(
    name: &'static str,
    allowed: bool,
    on_ask: &Callback<LaneRequest>,
    ask: LaneRequest,
) -> Html {
    let onclick = on_ask.reform(move |_: MouseEvent| ask.clone());
    html! { <button type="button" disabled={!allowed} {onclick}>{ name }</button> }
}

fn nodelay(language: Language, lane: &Lane, on_ask: &Callback<LaneRequest>) -> Html {
    let onchange = on_ask.reform(|event: Event| {
        let on = event.target_unchecked_into::<HtmlInputElement>().checked();
        LaneRequest::Message(ClientMessage::Nodelay(Nodelay { on }))
    });
    html! {
        <label class="lane-option" title={language.nodelay_why()}>
            <input type="checkbox" checked={lane.nodelay} disabled={!lane.is_open()} {onchange} />
            { " TCP_NODELAY" }
        </label>
    }
}

fn explanation(language: Language, protocol: Protocol) -> Html {
    let (question, answer) = match protocol {
        Protocol::Tcp => {
            let stamp = html! { <code translate="no">{ "[time] " }</code> };
            (language.why_stamp(), with_element(&language.why_stamp_because(ELEMENT), stamp))
        }
        Protocol::Udp => (language.why_no_echo(), language.why_no_echo_because().into()),
    };
    html! {
        <details class="lane-why"><summary>{ question }</summary><p>{ answer }</p></details>
    }
}
