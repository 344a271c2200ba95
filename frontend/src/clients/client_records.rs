//! External clients as files: JSON Lines, an object for each observation, whose fields are named as in
//! `docs/protocol.md`; and text. `docs/transcript.md` describes both. Client by client, the oldest first; of each
//! client what a faulty server did, and what was refused, stands behind what was read.

use serde::Serialize;
use streamgram_protocol::fault::Deed;
use streamgram_protocol::{Cause, Data, Protocol, printable};

use crate::i18n::figures::{Noun, count, counted, date_time};
use crate::i18n::language::Language;
use crate::session::deed::deed_text;
use crate::session::note::cause_text;
use crate::session::raw_clients::{RawClient, RawClients};

/// All clients that are kept, behind a line that says what is not.
pub(crate) fn json_lines(raw: &RawClients) -> String {
    let RawClients { clients, dropped, missed, .. } = raw;
    let head =
        Head { r#type: "clients", clients: clients.len(), dropped: *dropped, missed: *missed };
    clients.iter().fold(json(&head), |file, client| file + &client_json_lines(client))
}

/// All clients that are kept, behind a line that says what is not.
pub(crate) fn text(language: Language, raw: &RawClients, zone: i32) -> String {
    let [clients, dropped, missed] = [raw.clients.len() as u64, raw.dropped, raw.missed].map(count);
    let head = language.clients_head(&clients, &dropped, &missed) + "\n";
    raw.clients.iter().fold(head, |file, client| file + &client_text(language, client, zone))
}

/// One client, an object a line.
pub(super) fn client_json_lines(client: &RawClient) -> String {
    records(client).iter().map(json).collect()
}

/// One client, a line for each observation.
pub(super) fn client_text(language: Language, client: &RawClient, zone: i32) -> String {
    records(client).iter().map(|record| line(language, record, zone)).collect()
}

/// The first line of the file.
#[derive(Serialize)]
struct Head {
    r#type: &'static str,
    clients: usize,
    dropped: u64,
    missed: u64,
}

/// An observation as a line of the file.
#[derive(Serialize)]
struct Record<'c> {
    r#type: &'static str,
    #[serde(skip)]
    at_us: u64,
    at: String,
    protocol: Protocol,
    client: u64,
    peer: &'c str,
    #[serde(skip_serializing_if = "Option::is_none")]
    number: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    bytes: Option<usize>,
    #[serde(flatten)]
    data: Option<&'c Data>,
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<&'c str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    cause: Option<Cause>,
    /// What a faulty server did.
    #[serde(flatten)]
    deed: Option<&'c Deed>,
    /// Reads or datagrams that are not in the file.
    #[serde(skip_serializing_if = "Option::is_none")]
    left_out: Option<u64>,
}

fn records(client: &RawClient) -> Vec<Record<'_>> {
    let record = |r#type, at_us| {
        let (at, protocol, peer) = (date_time(at_us, 0), client.protocol, client.peer.as_str());
        let (number, bytes, data, reason) = (None, None, None, None);
        let (cause, deed, left_out, client) = (None, None, None, client.key + 1);
        Record {
            r#type,
            at_us,
            at,
            protocol,
            client,
            peer,
            number,
            bytes,
            data,
            reason,
            cause,
            deed,
            left_out,
        }
    };
    let mut records = Vec::new();
    if client.accepted {
        records.push(record("accepted", client.at_us));
    }
    let taken = match client.protocol {
        Protocol::Tcp => "read",
        Protocol::Udp => "datagram",
    };
    for exchange in &client.exchanges {
        let number = Some(exchange.number);
        let (bytes, data) = (Some(exchange.bytes), exchange.data.as_ref());
        records.push(Record { number, bytes, data, ..record(taken, exchange.at_us) });
        if let Some(reply) = &exchange.reply {
            let (bytes, data) = (Some(reply.bytes), reply.data.as_ref());
            records.push(Record { number, bytes, data, ..record("reply", reply.at_us) });
        }
    }
    if client.only_counted() > 0 {
        let left_out = Some(client.only_counted());
        records.push(Record { left_out, ..record("left_out", client.at_us) });
    }
    for done in &client.deeds {
        let deed = Some(&done.deed);
        records.push(Record { deed, ..record("fault", done.at_us) });
    }
    if client.deeds_dropped > 0 {
        let left_out = Some(client.deeds_dropped);
        records.push(Record { left_out, ..record("faults_left_out", client.at_us) });
    }
    for refusal in &client.refusals {
        let reason = Some(refusal.reason.as_str());
        records.push(Record { reason, ..record("refused", refusal.at_us) });
    }
    records.extend(client.end.map(|end| {
        let cause = Some(end.cause);
        Record { cause, ..record("closed", end.at_us) }
    }));
    records
}

/// An observation as a line of text.
fn line(language: Language, record: &Record, zone: i32) -> String {
    let Record {
        r#type,
        at_us,
        protocol,
        peer,
        number,
        bytes,
        data,
        reason,
        cause,
        deed,
        left_out,
        ..
    } = record;
    let what = match (number, bytes, reason, cause, left_out) {
        _ if deed.is_some() => {
            let texts = deed.iter().map(|deed| deed_text(language, *protocol, deed));
            texts.fold("· ".into(), |line: String, text| line + &text)
        }
        (.., Some(left_out)) if *r#type == "faults_left_out" => {
            format!("· {}", language.deeds_dropped(&count(*left_out)))
        }
        (Some(number), Some(bytes), ..) => {
            let arrow = if *r#type == "reply" { '←' } else { '→' };
            let size = counted(language, *bytes as u64, Noun::Byte);
            let data = data.and_then(|data| data.to_bytes().ok()).unwrap_or_default();
            format!("{arrow} {}  {size}  {}", number + 1, printable(&data))
        }
        (.., Some(reason), _, _) => format!("· {}", language.client_refused("1", reason)),
        (.., Some(cause), _) => format!("· {}", cause_text(language, *cause)),
        (.., Some(left_out)) => format!("· {}", language.client_more(&count(*left_out))),
        _ => format!("· {}", language.client_open()),
    };
    format!("{}  {}  {peer}  {what}\n", date_time(*at_us, zone), protocol.name())
}

fn json(record: &impl Serialize) -> String {
    serde_json::to_string(record).expect("all names of fields are text") + "\n"
}

#[cfg(test)]
mod tests {
    use streamgram_protocol::RawObservation;

    use super::*;
    use crate::session::raw_clients::KEPT_DEEDS;
    use crate::session::raw_clients::tests::{all, client, ended, read_of};

    fn clients() -> Vec<RawClient> {
        let refused = RawObservation::Refused { reason: "udp_port".into() };
        let data = Some(Data::Hex("00e4bd".into()));
        let datagram = RawObservation::Datagram { number: 0, bytes: 1_500, kept: 1_024, data };
        vec![ended(), client(Protocol::Udp, [datagram, refused])]
    }

    #[test]
    fn json_lines_have_an_object_for_each_observation() {
        let file = json_lines(&all(clients(), (2, 3)));
        let record = |kind: &str, us: u8, whose: &str, fields: &str| {
            let at = format!("1970-01-01T00:00:00.0000{us:02}Z");
            format!(r#"{{"type":"{kind}","at":"{at}",{whose},"peer":"127.0.0.1:5",{fields}"#)
                .replace(",}", "}")
        };
        let (tcp, udp) = (r#""protocol":"tcp","client":1"#, r#""protocol":"udp","client":2"#);
        let expected = [
            r#"{"type":"clients","clients":2,"dropped":2,"missed":3}"#.to_owned(),
            record("accepted", 9, tcp, "}"),
            record("read", 10, tcp, r#""number":0,"bytes":5,"text":"hello"}"#),
            record("reply", 11, tcp, r#""number":0,"bytes":32}"#),
            record("read", 12, tcp, r#""number":1,"bytes":5,"text":"hello"}"#),
            record("closed", 13, tcp, r#""cause":"peer_closed"}"#),
            record("datagram", 9, udp, r#""number":0,"bytes":1500,"hex":"00e4bd"}"#),
            record("refused", 10, udp, r#""reason":"udp_port"}"#),
        ];
        assert_eq!(file.lines().collect::<Vec<_>>(), expected);
    }

    #[test]
    fn text_has_a_line_for_each_observation_and_nothing_that_breaks_it() {
        let hostile = client(Protocol::Tcp, [read_of(0, "a\n\u{202e}")]);
        let clients = [clients(), vec![hostile]].concat();
        let file = text(Language::En, &all(clients, (2, 3)), 480);
        let expected = [
            "Streamgram external clients: 3, removed: 2, observations lost: 3",
            "connected",
            "→ 1  5 bytes  hello",
            "← 1  32 bytes  ",
            "→ 2  5 bytes  hello",
            "closed by the peer (FIN)",
            r"→ 1  1,500 bytes  \x00\xe4\xbd",
            "1 × refused (udp_port)",
            r"→ 1  5 bytes  a\n\u{202e}",
        ];
        let lines: Vec<_> = file.lines().collect();
        assert_eq!(lines.len(), expected.len());
        assert!(lines[1].starts_with("1970-01-01T08:00:00.000009+08:00  TCP  127.0.0.1:5  · "));
        for (line, end) in lines.iter().zip(expected).skip(1) {
            assert!(line.ends_with(end), "{line}");
        }
    }

    #[test]
    fn what_a_faulty_server_did_is_a_line_each_and_the_rest_a_number() {
        let deeds = (0..KEPT_DEEDS as u64 + 2).map(|offset| Deed::Wrote { offset, bytes: 1 });
        let client = client(Protocol::Tcp, deeds.map(RawObservation::Fault));
        let file = client_json_lines(&client);
        assert!(file.contains(r#""type":"fault""#), "{file}");
        assert!(file.contains(r#""wrote":{"offset":7,"bytes":1}}"#), "{file}");
        assert!(file.contains(r#""type":"faults_left_out""#) && file.contains(r#""left_out":2}"#));
        let text = client_text(Language::En, &client, 0);
        assert!(text.contains("· byte 7 written at once\n"), "{text}");
        assert!(text.lines().last().is_some_and(|line| line.contains("2 were only counted")));
    }

    #[test]
    fn a_file_says_what_was_left_out() {
        let client = client(Protocol::Tcp, (0..70).map(|number| read_of(number, "a")));
        assert!(client_json_lines(&client).contains(r#""left_out":6}"#));
        assert!(client_text(Language::En, &client, 0).contains("6 more"));
    }
}
