//! The sockets of the page: how each stands, and what can be done to it.

use streamgram_protocol::{Cause, ClientMessage, Close, How, Nodelay, Protocol};
use web_sys::HtmlInputElement;
use yew::prelude::*;

use super::lane::{Lane, LegState};
use super::page::Page;
use crate::i18n::language::{ELEMENT, Language, with_element};

/// What a person can ask of a socket.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum SocketRequest {
    Open(Protocol),
    EmptyDatagram,
    Stop(u64),
    Message(ClientMessage),
}

/// Both sockets.
pub(crate) fn sockets_card(
    language: Language,
    page: &Page,
    on_ask: &Callback<SocketRequest>,
) -> Html {
    html! {
        <section class="sockets card" aria-label={language.sockets()}>
            <h2>{ language.sockets() }</h2>
            for protocol in Protocol::BOTH { { socket(language, page.lane(protocol), on_ask) } }
        </section>
    }
}

fn socket(language: Language, lane: &Lane, on_ask: &Callback<SocketRequest>) -> Html {
    let name = lane.protocol.name();
    let class = if lane.protocol == Protocol::Tcp { "tcp" } else { "udp" };
    let (status, state) = state(language, lane);
    html! {
        <section key={name} class="socket" role="group" data-protocol={name} aria-label={name}>
            <div class="socket-head">
                <h3 {class}>{ name }</h3>
                <span class="badge" data-status={status}>{ state }</span>
                if lane.is_there() && !lane.local.is_empty() {
                    <code class="socket-addresses" translate="no">{ &lane.local }{ " → " }{ &lane.peer }</code>
                }
            </div>
            <div class="socket-actions">{ actions(language, lane, on_ask) }</div>
            { explanation(language, lane.protocol) }
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

fn actions(language: Language, lane: &Lane, on_ask: &Callback<SocketRequest>) -> Html {
    let protocol = lane.protocol;
    let close = |name: &'static str, how: How, allowed: bool| {
        let ask = SocketRequest::Message(ClientMessage::Close(Close { protocol, how }));
        button(name, allowed, on_ask, ask)
    };
    let open = button(
        if protocol == Protocol::Tcp { language.connect() } else { language.open() },
        !lane.is_there(),
        on_ask,
        SocketRequest::Open(protocol),
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
                { button(language.empty_datagram(), lane.is_open(), on_ask, SocketRequest::EmptyDatagram) }
            }
            if let Some(send) = stop {
                { button(language.stop_burst(), true, on_ask, SocketRequest::Stop(send.id)) }
            }
        </>
    }
}

fn button(
    name: &'static str,
    allowed: bool,
    on_ask: &Callback<SocketRequest>,
    ask: SocketRequest,
) -> Html {
    let onclick = on_ask.reform(move |_: MouseEvent| ask.clone());
    html! { <button type="button" disabled={!allowed} {onclick}>{ name }</button> }
}

fn nodelay(language: Language, lane: &Lane, on_ask: &Callback<SocketRequest>) -> Html {
    let onchange = on_ask.reform(|event: Event| {
        let on = event.target_unchecked_into::<HtmlInputElement>().checked();
        SocketRequest::Message(ClientMessage::Nodelay(Nodelay { on }))
    });
    html! {
        <label class="socket-option" title={language.nodelay_why()}>
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
        <details class="socket-why"><summary>{ question }</summary><p>{ answer }</p></details>
    }
}
