//! The raw clients, the newest first; a click shows one's strip and bytes.

use std::rc::Rc;

use streamgram_protocol::{Data, Feed, Protocol};
use yew::prelude::*;

use crate::i18n::figures::{Noun, count, counted, time_of_day};
use crate::i18n::language::{Language, use_language};
use crate::result::boundary_strip::BoundaryStrip;
use crate::result::strip::Strip;
use crate::session::note::cause_text;
use crate::session::raw_clients::{Exchange, RawClient, RawClients};
use crate::ui::bytes::payload;

#[derive(Properties, PartialEq)]
pub(crate) struct RawClientsCardProps {
    pub(crate) raw: Rc<RawClients>,
    /// Whose clients the server tells; none before it has said so.
    pub(crate) feed: Option<Feed>,
    /// Minutes east of UTC.
    pub(crate) zone: i32,
}

/// The list.
#[component]
pub(crate) fn RawClientsCard(
    RawClientsCardProps { raw, feed, zone }: &RawClientsCardProps,
) -> Html {
    let language = use_language();
    let chosen = use_state_eq(|| None::<u64>);
    let hint = match feed {
        Some(Feed::All) => language.raw_all(),
        Some(Feed::Off) => language.raw_off(),
        Some(Feed::Own) | None => language.raw_own(),
    };
    let left_out = [
        (raw.dropped > 0).then(|| language.raw_dropped(&count(raw.dropped))),
        (raw.missed > 0).then(|| language.raw_missed(&count(raw.missed))),
    ];
    html! {
        <section class="raw-clients card" aria-label={language.raw_clients()}>
            <div class="raw-clients-head">
                <h2>{ language.raw_clients() }</h2>
                <small class="hint">{ hint }</small>
            </div>
            if let Some(detail) = &raw.refused {
                <p class="hint">{ language.server_objects(detail) }</p>
            } else if raw.clients.is_empty() && *feed != Some(Feed::Off) {
                <p class="hint">{ language.raw_none_yet() }</p>
            }
            <ol class="raw-clients-list" translate="no">
                for client in raw.clients.iter().rev() {
                    <li key={client.key} class="raw-client" data-protocol={client.protocol.name()}>
                        { line(language, client, *zone, &chosen) }
                        if *chosen == Some(client.key) { <Details client={Rc::clone(client)} /> }
                    </li>
                }
            </ol>
            for text in left_out.into_iter().flatten() { <p class="hint">{ text }</p> }
        </section>
    }
}

fn line(
    language: Language,
    client: &RawClient,
    zone: i32,
    chosen: &UseStateHandle<Option<u64>>,
) -> Html {
    let key = client.key;
    let open = **chosen == Some(key);
    let onclick = {
        let chosen = chosen.clone();
        move |_: MouseEvent| chosen.set((!open).then_some(key))
    };
    html! {
        <button type="button" class="raw-client-line" aria-expanded={open.to_string()} {onclick}>
            <time>{ time_of_day(client.at_us, zone) }</time>
            <b class="protocol">{ client.protocol.name() }</b>
            <code>{ &client.peer }</code>
            <span>{ figures(language, client) }</span>
            <span class="raw-client-end">{ end(language, client) }</span>
        </button>
    }
}

/// `3 reads, 1,500 bytes, 3 replies`, and what was turned away.
fn figures(language: Language, client: &RawClient) -> String {
    let taken = match client.protocol {
        Protocol::Tcp => Noun::Read,
        Protocol::Udp => Noun::Datagram,
    };
    let refused = client.refused.iter();
    let refused = refused.map(|(reason, times)| language.raw_refused(&count(*times), reason));
    let figures = [
        counted(language, client.reads, taken),
        counted(language, client.bytes, Noun::Byte),
        counted(language, client.replies, Noun::Reply),
    ];
    figures.into_iter().chain(refused).collect::<Vec<_>>().join(" · ")
}

fn end(language: Language, client: &RawClient) -> &'static str {
    match (client.end, client.protocol) {
        (Some(cause), _) => cause_text(language, cause),
        (None, _) if client.lost => language.raw_lost(),
        (None, Protocol::Tcp) if client.refused.is_empty() => language.raw_open(),
        (None, _) => "",
    }
}

#[derive(Properties, PartialEq)]
struct DetailsProps {
    client: Rc<RawClient>,
}

/// What one client said and was told.
#[component]
fn Details(DetailsProps { client }: &DetailsProps) -> Html {
    let language = use_language();
    let hex = use_state_eq(|| false);
    let strip = use_memo((language, Rc::clone(client)), |(language, client)| {
        Strip::of_client(*language, client)
    });
    let has_bytes = client.exchanges.iter().any(|exchange| exchange.data.is_some());
    let left_out = client.reads - client.exchanges.len() as u64;
    let toggle = {
        let hex = hex.clone();
        move |_: MouseEvent| hex.set(!*hex)
    };
    html! {
        <div class="raw-client-details">
            if !client.exchanges.is_empty() { <BoundaryStrip {strip} /> }
            if has_bytes {
                <button type="button" aria-pressed={hex.to_string()} onclick={toggle}>
                    { language.hex() }
                </button>
            } else if client.reads > 0 {
                <p class="hint">{ language.raw_no_bytes() }</p>
            }
            <ol class="raw-client-bytes">
                for exchange in client.exchanges.iter().filter(|it| it.data.is_some()) {
                    { shown(language, exchange, *hex) }
                }
            </ol>
            if left_out > 0 { <p class="hint">{ language.raw_more(&count(left_out)) }</p> }
        </div>
    }
}

fn shown(language: Language, exchange: &Exchange, hex: bool) -> Html {
    let code = |arrow: &'static str, label: &'static str, data: Option<&Data>| {
        let bytes = data.and_then(|data| data.to_bytes().ok()).unwrap_or_default();
        html! {
            <>
                <span><span class="visually-hidden">{ label }</span>
                    <span aria-hidden="true">{ arrow }</span></span>
                <code>{ if hex { spaced(&bytes).into() } else { payload(language, &bytes) } }</code>
            </>
        }
    };
    html! {
        <li key={exchange.number}>
            { code("→", language.raw_read(), exchange.data.as_ref()) }
            if let Some(reply) = &exchange.reply {
                { code("←", language.raw_replied(), reply.data.as_ref()) }
            }
        </li>
    }
}

/// `68 65 6c 6c 6f`
fn spaced(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect::<Vec<_>>().join(" ")
}
