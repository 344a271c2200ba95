//! What is known of one external client, where a run's result stands: what it came to, the boundary strip, and each
//! read with its time and its bytes.

use std::rc::Rc;

use streamgram_protocol::{Capture, Data, Protocol, RAW_BYTES, STAMP_LEN};
use yew::prelude::*;

use super::client_deeds::deeds;
use super::client_packets::packets;
use super::client_records;
use super::client_verdict::{class, figures, meaning, standing};
use crate::browser::download::save;
use crate::i18n::figures::{Noun, count, counted, duration, short, time_of_day};
use crate::i18n::language::{Language, use_language};
use crate::result::boundary_strip::BoundaryStrip;
use crate::result::strip::Strip;
use crate::session::raw_clients::{Exchange, RawClient};
use crate::ui::bytes::{digits, piecewise};
use crate::ui::toggle_group::toggle_group;

/// Bytes at each end of a longer read or reply that are shown as text; in a file are all of them.
const END_BYTES: usize = 200;

#[derive(Properties, PartialEq)]
pub(crate) struct ClientResultProps {
    pub(crate) client: Rc<RawClient>,
    /// Minutes east of UTC.
    pub(crate) zone: i32,
    /// Whether the server captures packets, if it has said so.
    pub(crate) capture: Option<Capture>,
}

/// The result.
#[component]
pub(crate) fn ClientResult(props: &ClientResultProps) -> Html {
    let ClientResultProps { client, zone, capture } = props;
    let language = use_language();
    let hex = use_state_eq(|| false);
    let pointed = use_state_eq(|| None);
    let strip = use_memo((language, Rc::clone(client)), |(language, client)| {
        Strip::of_client(*language, client)
    });
    let protocol = client.protocol.name();
    let has_bytes = client.exchanges.iter().any(|exchange| exchange.data.is_some());
    let on_hex = {
        let hex = hex.setter();
        move |on| hex.set(on)
    };
    html! {
        <div class="client-result" data-protocol={protocol}>
            <div class="result-head">
                <h2 translate="no"><b class={class(client.protocol)}>{ protocol }</b>{ " " }<code>{ &client.peer }</code></h2>
                <span class="result-asked">{ language.client_kind() }</span>
                <time>{ time_of_day(client.at_us, *zone) }</time>
            </div>
            <section class="finding" data-protocol={protocol}>
                <p class="finding-figures">{ figures(language, client) }
                    <span class="client-end">{ " " }{ standing(language, client) }</span></p>
                <p class="finding-meaning">{ meaning(language, client) }</p>
                if !client.exchanges.is_empty() { <BoundaryStrip {strip} pointed={*pointed} on_point={pointed.setter()} /> }
                { facts(language, client) }
            </section>
            { deeds(language, client) }
            { packets(language, client, (*zone, *capture), (*pointed, Callback::from(pointed.setter()))) }
            <div class="client-tools">
                if has_bytes {
                    { toggle_group(language.payloads(), [(false, language.as_text()), (true, language.hex())], *hex, on_hex) }
                }
                { files(language, client, *zone) }
            </div>
            if !client.exchanges.is_empty() { { reads(language, client, *hex) } }
            if client.reads > 0 && !has_bytes { <p class="hint">{ language.client_no_bytes() }</p> }
            if client.only_counted() > 0 {
                <p class="hint">{ language.client_more(&count(client.only_counted())) }</p>
            }
        </div>
    }
}

/// Its size, how long it lasted, and the slowest reply.
fn facts(language: Language, client: &RawClient) -> Html {
    let lasted = client.end.filter(|_| client.accepted);
    let lasted = lasted.map(|end| duration(end.at_us.saturating_sub(client.at_us)));
    let slowest = client.exchanges.iter().filter_map(replied_after).max().map(short);
    let facts = [
        (language.size(), Some(counted(language, client.bytes, Noun::Byte))),
        (language.client_lasted(), lasted),
        (language.client_slowest(), slowest),
    ];
    html! {
        <dl class="figures">
            for (name, fact) in facts.into_iter().filter_map(|(name, fact)| Some((name, fact?))) {
                <div><dt>{ name }</dt><dd>{ fact }</dd></div>
            }
        </dl>
    }
}

/// What was seen of it, to be saved.
fn files(language: Language, client: &Rc<RawClient>, zone: i32) -> Html {
    let (for_lines, for_text) = (Rc::clone(client), Rc::clone(client));
    let lines = move |_| {
        let file = client_records::client_json_lines(&for_lines);
        save("streamgram-client.jsonl", "application/x-ndjson", file.as_bytes());
    };
    let text = move |_| {
        let file = client_records::client_text(language, &for_text, zone);
        save("streamgram-client.txt", "text/plain", file.as_bytes());
    };
    html! {
        <>
            <button type="button" onclick={lines}>{ "JSON Lines" }</button>
            <button type="button" onclick={text}>{ language.text_file() }</button>
        </>
    }
}

/// How long the server took from what it read to its reply.
fn replied_after(exchange: &Exchange) -> Option<u64> {
    let reply = exchange.reply.as_ref()?;
    Some(reply.at_us.saturating_sub(exchange.at_us))
}

/// Each read with its time and size, and below that its bytes and those of the reply.
fn reads(language: Language, client: &RawClient, hex: bool) -> Html {
    html! {
        <>
            <table class="client-reads">
                <thead><tr>
                    <th scope="col">{ "#" }</th>
                    <th scope="col">{ language.client_since() }</th>
                    <th scope="col">{ language.size() }</th>
                    <th scope="col">{ language.client_replied_after() }</th>
                </tr></thead>
                for exchange in &client.exchanges { { read(language, client, exchange, hex) } }
            </table>
            <p class="hint">{ language.client_times() }</p>
        </>
    }
}

fn read(language: Language, client: &RawClient, exchange: &Exchange, hex: bool) -> Html {
    let Exchange { number, at_us, bytes, data, reply, .. } = exchange;
    let after = replied_after(exchange).map_or("–".into(), short);
    let stamp = if client.protocol == Protocol::Tcp { STAMP_LEN } else { 0 };
    let more = bytes.saturating_sub(RAW_BYTES);
    html! {
        <tbody key={*number}>
            <tr>
                <th scope="row">{ number + 1 }</th>
                <td>{ "+" }{ short(at_us.saturating_sub(client.at_us)) }</td>
                <td>{ counted(language, *bytes as u64, Noun::Byte) }</td>
                <td>{ after }</td>
            </tr>
            if let Some(data) = data {
                <tr class="client-bytes" translate="no"><td colspan="4">
                    { code(language, ("→", language.client_read()), data, (0, more), hex) }
                    if let Some(data) = reply.as_ref().and_then(|reply| reply.data.as_ref()) {
                        { code(language, ("←", language.client_replied()), data, (stamp, 0), hex) }
                    }
                </td></tr>
            }
        </tbody>
    }
}

/// Bytes as text or hex; the stamp at their beginning is told from the echo. `more` were not reported.
fn code(
    language: Language,
    (arrow, label): (&'static str, &'static str),
    data: &Data,
    (stamp, more): (usize, usize),
    hex: bool,
) -> Html {
    let bytes = data.to_bytes().unwrap_or_default();
    let (stamp, rest) = bytes.split_at(stamp.min(bytes.len()));
    html! {
        <div class="client-said">
            <span><span class="visually-hidden">{ label }</span><span aria-hidden="true">{ arrow }</span></span>
            <code>
                if hex {
                    { digits(&bytes) }
                } else {
                    if !stamp.is_empty() { <span class="stamp">{ piecewise(language, stamp) }</span> }
                    { ends(language, rest) }
                }
                { left_out(language, more) }
            </code>
        </div>
    }
}

/// Bytes as text; of many, both ends, because a read can end inside a character.
fn ends(language: Language, bytes: &[u8]) -> Html {
    if bytes.len() <= 2 * END_BYTES {
        return piecewise(language, bytes);
    }
    // Cut between characters, so that no other character looks as if it had been cut on the way.
    let is_within = |at: usize| (0x80..0xc0).contains(&bytes[at]);
    let cut = |at: usize| (at..at + 4).find(|&at| !is_within(at)).unwrap_or(at);
    let (head, tail) = (cut(END_BYTES), cut(bytes.len() - END_BYTES));
    html! {
        <>
            { piecewise(language, &bytes[..head]) }
            { left_out(language, tail - head) }{ " " }
            { piecewise(language, &bytes[tail..]) }
        </>
    }
}

fn left_out(language: Language, bytes: usize) -> Html {
    let bytes = (bytes > 0).then(|| counted(language, bytes as u64, Noun::Byte));
    let left_out = bytes.map(|bytes| language.more_bytes(&bytes));
    html! { if let Some(text) = left_out { <span class="row-more">{ " " }{ text }</span> } }
}

#[cfg(test)]
mod tests {
    use streamgram_protocol::RawObservation;
    use yew::LocalServerRenderer;

    use super::*;
    use crate::session::raw_clients::tests::{client, ended, read_of, reply};

    async fn shown(client: RawClient) -> String {
        let props =
            ClientResultProps { client: Rc::new(client), zone: 0, capture: Some(Capture::Off) };
        let result = LocalServerRenderer::<ClientResult>::with_props(props);
        result.hydratable(false).render().await
    }

    #[tokio::test]
    async fn a_client_s_reads_have_times_and_sizes() {
        let result = shown(ended()).await;
        for part in
            ["2 reads, 1 reply", "<td>+1 µs</td><td>5 bytes</td><td>1 µs</td>", "<td>–</td>"]
        {
            assert!(result.contains(part), "{part}: {result}");
        }
        assert!(result.contains("hello</code>") && result.contains("does not capture"), "{result}");
    }

    #[tokio::test]
    async fn hostile_bytes_stay_text() {
        let hostile = "<img src=x onerror=alert(1)>\u{202e}\u{1b}[2J\0";
        let invalid = Some(Data::Hex("41e4bd".into()));
        let invalid = RawObservation::Read { number: 1, offset: 0, bytes: 3, data: invalid };
        let result = shown(client(Protocol::Tcp, [read_of(0, hostile), reply(0), invalid])).await;
        assert!(result.contains("&lt;img src=x onerror=alert(1)&gt;"), "{result}");
        assert!(result.contains(r"\u{202e}\x1b") && result.contains(r"\x00"), "{result}");
        assert!(result.contains(r#"A<span class="escape">\xe4\xbd</span>"#), "{result}");
        assert!(!result.contains("<img"), "{result}");
    }

    #[tokio::test]
    async fn a_stamp_is_told_from_the_echo() {
        let data = Some(Data::Text("[Mon Nov 23 05:52:57 2026] hi".into()));
        let reply = RawObservation::Reply { number: 0, offset: 0, bytes: 29, data };
        let result = shown(client(Protocol::Tcp, [read_of(0, "hi"), reply])).await;
        let parts = r#"<span class="stamp">[Mon Nov 23 05:52:57 2026] </span>hi</code>"#;
        assert!(result.contains(parts), "{result}");
    }

    #[tokio::test]
    async fn a_long_read_shows_the_character_at_its_end_that_was_cut_and_cuts_none_itself() {
        let bytes = &"你".repeat(342).into_bytes()[..1_024];
        let data = Some(Data::from_bytes(bytes));
        let read = RawObservation::Read { number: 0, offset: 0, bytes: 1_024, data };
        let result = shown(client(Protocol::Tcp, [read])).await;
        assert_eq!(result.matches("escape").count(), 1, "{result}");
        assert!(result.contains(r#"你<span class="escape">\xe4</span>"#), "{result}");
        assert!(result.contains("… 624 bytes more"), "{result}");
    }

    #[tokio::test]
    async fn bytes_that_may_not_be_shown_are_said_to_be_left_out() {
        let read = RawObservation::Read { number: 0, offset: 0, bytes: 3, data: None };
        let result = shown(client(Protocol::Tcp, [read])).await;
        assert!(
            result.contains("server’s own machine") && !result.contains("<code></code>"),
            "{result}"
        );
    }
}
