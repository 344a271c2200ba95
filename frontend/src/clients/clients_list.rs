//! The external clients, the newest first; one can be chosen, to be shown.

use streamgram_protocol::{Feed, Hello};
use yew::prelude::*;

use super::client_verdict::{class, refused, standing, taken};
use super::faulty_servers::FaultyServers;
use crate::commands::address::Address;
use crate::i18n::figures::{Noun, count, counted, time_of_day};
use crate::i18n::language::{ELEMENT, Language, with_element};
use crate::session::raw_clients::{RawClient, RawClients};

/// The list, with times in a zone that many minutes east of UTC. `hello` says whose clients the server tells, and
/// where it is; `chosen` is the key of the client in sight.
pub(crate) fn clients_list(
    language: Language,
    raw: &RawClients,
    hello: Option<&Hello>,
    zone: i32,
    chosen: Option<u64>,
    on_choose: &Callback<u64>,
) -> Html {
    let feed = hello.map(|hello| hello.feed);
    let whose = match feed {
        Some(Feed::All) => language.clients_all(),
        Some(Feed::Off) => language.clients_off(),
        Some(Feed::Own) | None => language.clients_own(),
    };
    let left_out = [
        (raw.dropped > 0).then(|| language.clients_dropped(&count(raw.dropped))),
        (raw.unmet > 0).then(|| language.clients_unmet(&count(raw.unmet))),
        (raw.missed > 0).then(|| language.clients_missed(&count(raw.missed))),
    ];
    html! {
        <section class="clients card" aria-labelledby="clients">
            <h2 id="clients">{ language.clients() }</h2>
            if let Some(detail) = &raw.refused {
                <p class="hint">{ language.server_objects(detail) }</p>
            } else if raw.clients.is_empty() || feed == Some(Feed::Off) {
                <p class="hint">{ whose }</p>
                if feed != Some(Feed::Off) { { invitation(language, hello.map(|hello| &*hello.tcp)) } }
            }
            <ol class="clients-list" translate="no">
                for client in raw.clients.iter().rev() {
                    <li key={client.key}>{ line(language, client, zone, chosen, on_choose) }</li>
                }
            </ol>
            for text in left_out.into_iter().flatten() { <p class="hint">{ text }</p> }
            if let Some(hello) = hello.filter(|hello| !hello.faults.is_empty()) {
                <FaultyServers servers={hello.faults.clone()} />
            }
        </section>
    }
}

/// What to do to see one.
fn invitation(language: Language, tcp: Option<&str>) -> Html {
    let place =
        tcp.filter(|told| Address::of(told).is_some()).and_then(|told| told.rsplit_once(':'));
    let command = place
        .map_or("nc".into(), |(host, port)| format!("nc {} {port}", host.trim_matches(['[', ']'])));
    let text = language.clients_none_yet(ELEMENT);
    html! { <p class="hint clients-none">{ with_element(&text, html! { <code>{ command }</code> }) }</p> }
}

fn line(
    language: Language,
    client: &RawClient,
    zone: i32,
    chosen: Option<u64>,
    on_choose: &Callback<u64>,
) -> Html {
    let key = client.key;
    let (protocol, end) = (client.protocol.name(), standing(language, client));
    html! {
        <button type="button" class="client-line" data-protocol={protocol}
            data-open={client.is_open().to_string()} aria-current={(chosen == Some(key)).to_string()}
            onclick={on_choose.reform(move |_| key)}>
            <b class={class(client.protocol)}>{ protocol }</b>{ " " }
            <code>{ &client.peer }</code>{ " " }
            <time>{ time_of_day(client.at_us, zone) }</time>{ " " }
            <span class="client-figures">
                { figures(language, client) }
                if !end.is_empty() { { " · " }<span class="client-end">{ end }</span> }
            </span>
        </button>
    }
}

/// `3 reads · 1,500 bytes · 3 replies`, and what was turned away; packets alone are no more than that.
fn figures(language: Language, client: &RawClient) -> String {
    if !client.met {
        let trace = &client.trace;
        let packets = trace.packets.len() as u64 + trace.dropped + trace.missed;
        return counted(language, packets, Noun::Packet);
    }
    let mut figures = refused(language, client);
    if client.reads > 0 || figures.is_empty() {
        let taken = [
            counted(language, client.reads, taken(client.protocol)),
            counted(language, client.bytes, Noun::Byte),
            counted(language, client.replies, Noun::Reply),
        ];
        figures.splice(0..0, taken);
    }
    figures.join(" · ")
}

#[cfg(test)]
mod tests {
    use streamgram_protocol::{Header, Protocol, RawObservation};

    use super::*;
    use crate::session::page::tests::hello_of_a_server;
    use crate::session::raw_clients::tests::{all, client, ended};
    use crate::session::sent::tests::opening;
    use crate::ui::tests::rendered;

    async fn shown(raw: RawClients, feed: Feed, chosen: Option<u64>) -> String {
        let hello = Hello { feed, tcp: "[::1]:25677".into(), ..hello_of_a_server() };
        let list = clients_list(Language::En, &raw, Some(&hello), 0, chosen, &Callback::noop());
        rendered(list).await
    }

    #[tokio::test]
    async fn an_empty_list_says_what_to_run() {
        let empty = shown(RawClients::default(), Feed::Own, None).await;
        assert!(empty.contains("<code>nc ::1 25677</code>"), "{empty}");
        assert!(empty.contains("from your address"), "{empty}");
        let off = shown(RawClients::default(), Feed::Off, None).await;
        assert!(off.contains("--feed off") && !off.contains("<code>"), "{off}");
        let mut refused = RawClients::default();
        refused.refused = Some("256 sessions watch".into());
        let refused = shown(refused, Feed::Own, None).await;
        assert!(refused.contains("256 sessions watch") && !refused.contains("<code>"));
    }

    #[tokio::test]
    async fn a_command_has_no_address_that_a_shell_could_misread() {
        let unsafe_place = rendered(invitation(Language::En, Some("$(reboot):7"))).await;
        assert!(unsafe_place.contains("<code>nc</code>"), "{unsafe_place}");
    }

    #[tokio::test]
    async fn who_is_known_by_packets_alone_is_no_more_than_that() {
        let packet = |packet| RawObservation::Packet(Box::new(packet));
        let [syn, mut reset] = opening();
        let connecting = client(Protocol::Tcp, [packet(syn.clone())]);
        if let Header::Tcp { flags, .. } = &mut reset.header {
            flags.rst = true;
        }
        let scan = client(Protocol::Tcp, [packet(syn), packet(reset)]);
        let mut raw = all(vec![connecting, scan], (0, 0));
        raw.unmet = 7;
        let list = shown(raw, Feed::All, None).await;
        for part in ["1 packet · ", "connecting", "2 packets · ", "only packets seen", "7 more"] {
            assert!(list.contains(part), "{part}: {list}");
        }
        assert!(!list.contains("reads") && !list.contains("data-open=\"true\""), "{list}");
    }

    #[tokio::test]
    async fn a_line_has_figures_and_is_marked_if_it_is_shown() {
        let raw = all(vec![ended(), ended()], (3, 1_000));
        let list = shown(raw, Feed::All, Some(0)).await;
        for part in
            ["2 reads · 10 bytes · 1 reply", "(FIN)", "3 older clients", "1,000 observations"]
        {
            assert!(list.contains(part), "{part}: {list}");
        }
        let current: Vec<_> = list.match_indices("aria-current=\"true\"").collect();
        let newest = list.find("aria-current=\"false\"").unwrap();
        assert!(current.len() == 1 && newest < current[0].0, "{list}");
    }
}
