//! The sockets of the page: how each stands, and what can be done to it.

use streamgram_protocol::{Cause, ClientMessage, Close, FaultyServer, How, Nodelay, Protocol};
use web_sys::HtmlInputElement;
use yew::prelude::*;

use super::lane::{Lane, LegState};
use super::page::Page;
use crate::i18n::language::{ELEMENT, Language, with_element};
use crate::session::servers::Servers;
use crate::ui::select::select;

/// What a person can ask of a socket.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum SocketRequest {
    Open(Protocol),
    /// Go to this faulty server from now on, by its place in the server's list; none is the ordinary one.
    Serve(Protocol, Option<usize>),
    EmptyDatagram,
    Stop(u64),
    Message(ClientMessage),
}

/// Both sockets, and which server each goes to.
pub(crate) fn sockets_card(
    language: Language,
    page: &Page,
    servers: &Servers,
    on_ask: &Callback<SocketRequest>,
) -> Html {
    html! {
        <section class="sockets card" aria-label={language.sockets()}>
            <h2>{ language.sockets() }</h2>
            for protocol in Protocol::BOTH {
                { socket(language, page.lane(protocol), serving(language, protocol, (servers, page.faults()), on_ask), on_ask) }
            }
        </section>
    }
}

fn socket(
    language: Language,
    lane: &Lane,
    serving: Html,
    on_ask: &Callback<SocketRequest>,
) -> Html {
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
            { serving }
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

/// Which server a socket goes to, if it has a choice.
fn serving(
    language: Language,
    protocol: Protocol,
    (servers, faults): (&Servers, &[FaultyServer]),
    on_ask: &Callback<SocketRequest>,
) -> Html {
    let mut options = vec![(None, language.ordinary_server().to_owned())];
    let own = faults.iter().enumerate().filter(|(_, server)| server.protocol == protocol);
    options.extend(own.map(|(place, it)| (Some(place), language.faulty_with(&it.recipe))));
    if options.len() == 1 {
        return Html::default();
    }
    let on_choose = on_ask.reform(move |place| SocketRequest::Serve(protocol, place));
    html! {
        <div class="socket-option socket-server">
            { language.leg_server() }{ " " }
            { select(language.leg_server(), &options, servers.place(protocol, faults), on_choose) }
        </div>
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::session::servers::tests::faulty;
    use crate::ui::tests::rendered;

    #[tokio::test]
    async fn a_socket_has_a_choice_of_its_servers_if_there_is_one() {
        let faults = [faulty(Protocol::Udp, "drop=30"), faulty(Protocol::Tcp, "split=1")];
        let servers = Servers::default().choosing(Protocol::Tcp, Some(&faults[1]));
        let choice = |faults: &[FaultyServer]| {
            let on_ask = Callback::noop();
            rendered(serving(Language::En, Protocol::Tcp, (&servers, faults), &on_ask))
        };
        let shown = choice(&faults).await;
        for part in ["<option>ordinary server</option>", ">faulty: split=1</option>"] {
            assert!(shown.contains(part), "{part}: {shown}");
        }
        assert!(!shown.contains("drop=30"), "{shown}");
        // Its server is gone, and another is there.
        let other = choice(&[faulty(Protocol::Tcp, "fin=3")]).await;
        assert!(other.contains("<option>faulty: fin=3</option>"), "{other}");
        assert_eq!(choice(&faults[..1]).await, "");
    }
}
