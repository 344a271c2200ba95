//! One protocol: how its leg stands, what can be done to it, figures, strip and transcript.

use std::rc::Rc;

use streamgram_protocol::{Cause, ClientMessage, Close, How, Nodelay, Protocol};
use web_sys::HtmlInputElement;
use yew::prelude::*;

use super::boundary_strip::BoundaryStrip;
use super::lane_stats::LaneStats;
use super::transcript::Transcript;
use crate::lane::{Lane, LegState};

/// What a person can ask of a lane.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Ask {
    Open(Protocol),
    EmptyDatagram,
    Stop(u64),
    Message(ClientMessage),
}

#[derive(Properties, PartialEq)]
pub(crate) struct LaneCardProps {
    pub(crate) lane: Rc<Lane>,
    /// Minutes east of UTC.
    pub(crate) zone: i32,
    pub(crate) on_ask: Callback<Ask>,
}

/// A lane.
#[component]
pub(crate) fn LaneCard(LaneCardProps { lane, zone, on_ask }: &LaneCardProps) -> Html {
    let name = lane.protocol.name();
    let (status, state) = state(lane);
    html! {
        <section class="lane card" data-protocol={name} aria-label={name}>
            <div class="lane-head">
                <h2>{ name }</h2>
                <span class="badge" data-status={status}>{ state }</span>
                if lane.is_there() && !lane.local.is_empty() {
                    <code class="lane-addresses">{ &lane.local }{ " → " }{ &lane.peer }</code>
                }
            </div>
            <div class="lane-actions">{ actions(lane, on_ask) }</div>
            <LaneStats lane={Rc::clone(lane)} />
            if let Some(send) = &lane.last_send {
                <BoundaryStrip send={send.clone()} />
            }
            { explanation(lane.protocol) }
            <Transcript lane={Rc::clone(lane)} zone={*zone} />
        </section>
    }
}

fn state(lane: &Lane) -> (&'static str, &'static str) {
    match (lane.state, lane.protocol) {
        (LegState::None, _) => ("none", "not open"),
        (LegState::Opening, _) => ("connecting", "opening …"),
        (LegState::Open, Protocol::Tcp) => ("connected", "connected"),
        (LegState::Open, Protocol::Udp) => ("connected", "open, no connection"),
        (LegState::HalfClosed, _) => ("half", "half-closed"),
        (LegState::Refused, _) => ("lost", "refused"),
        (LegState::Closed(Cause::Closed), _) => ("none", "closed"),
        (LegState::Closed(Cause::Reset), _) => ("none", "reset"),
        (LegState::Closed(Cause::PeerClosed), _) => ("none", "closed by the peer"),
        (LegState::Closed(Cause::PeerReset), _) => ("lost", "reset by the peer"),
        (LegState::Closed(Cause::TimedOut), _) => ("lost", "nobody answered"),
        (LegState::Closed(Cause::Limit), _) => ("lost", "ended by a limit"),
        (LegState::Closed(Cause::Failed), _) => ("lost", "failed"),
    }
}

fn actions(lane: &Lane, on_ask: &Callback<Ask>) -> Html {
    let protocol = lane.protocol;
    let close = |name: &'static str, how: How, allowed: bool| {
        let ask = Ask::Message(ClientMessage::Close(Close { protocol, how }));
        button(name, allowed, on_ask, ask)
    };
    let open = button(
        if protocol == Protocol::Tcp { "connect" } else { "open" },
        !lane.is_there(),
        on_ask,
        Ask::Open(protocol),
    );
    let stop = lane.running.as_ref().filter(|send| send.count > 1 && send.interval_ms > 0);
    html! {
        <>
            { open }
            if protocol == Protocol::Tcp {
                { close("half-close", How::Half, lane.is_open()) }
                { close("close", How::Close, lane.is_there()) }
                { close("reset", How::Reset, lane.is_there()) }
                { nodelay(lane, on_ask) }
            } else {
                { close("close", How::Close, lane.is_there()) }
                { button("empty datagram", lane.is_open(), on_ask, Ask::EmptyDatagram) }
            }
            if let Some(send) = stop {
                { button("stop the burst", true, on_ask, Ask::Stop(send.id)) }
            }
        </>
    }
}

fn button(name: &'static str, allowed: bool, on_ask: &Callback<Ask>, ask: Ask) -> Html {
    let onclick = on_ask.reform(move |_: MouseEvent| ask.clone());
    html! { <button type="button" disabled={!allowed} {onclick}>{ name }</button> }
}

fn nodelay(lane: &Lane, on_ask: &Callback<Ask>) -> Html {
    let onchange = on_ask.reform(|event: Event| {
        let on = event.target_unchecked_into::<HtmlInputElement>().checked();
        Ask::Message(ClientMessage::Nodelay(Nodelay { on }))
    });
    html! {
        <label class="lane-option" title="Off: small writes wait for the acknowledgement of the one before">
            <input type="checkbox" checked={lane.nodelay} disabled={!lane.is_open()} {onchange} />
            { " TCP_NODELAY" }
        </label>
    }
}

fn explanation(protocol: Protocol) -> Html {
    match protocol {
        Protocol::Tcp => html! {
            <details class="lane-why">
                <summary>{ "Why is there a time inside the reply?" }</summary>
                <p>{ "The server answers every read, of at most 1,024 bytes, with " }<code>{ "[time] " }</code>
                   { " and the same bytes. So the stamps show where its reads began, and those are not \
                      where your sends did: a stream has no boundaries of its own." }</p>
            </details>
        },
        Protocol::Udp => html! {
            <details class="lane-why">
                <summary>{ "Why does the reply carry no echo?" }</summary>
                <p>{ "The UDP server answers every datagram with the time alone, 24 bytes, as in the \
                      article. Nothing in a reply says which datagram it answers; this page knows because \
                      the server tells it which datagrams it took, and in which order." }</p>
            </details>
        },
    }
}
