//! Writes what a client asks, field by field: what serde derives for it, and serde_json, add to what a
//! browser has to load. The tests hold it against what is derived.

use super::{ClientMessage, Close, Nodelay, Open, Send, SetLink, Stop, Watch};
use crate::{Data, Impairment, Link, Object, Rule};

pub(super) fn message(message: &ClientMessage) -> String {
    let object = Object::new().text("type", message.name());
    let object = match message {
        ClientMessage::Open(Open { protocol, nodelay, path, link: wanted }) => {
            let mut object = object.word("protocol", protocol);
            if let Some(nodelay) = nodelay {
                object = object.bare("nodelay", nodelay);
            }
            object = object.word("path", path);
            match wanted {
                Some(wanted) => object.bare("link", &link(wanted)),
                None => object,
            }
        }
        ClientMessage::Close(Close { protocol, how }) => {
            object.word("protocol", protocol).word("how", how)
        }
        ClientMessage::Nodelay(Nodelay { on }) | ClientMessage::Watch(Watch { on }) => {
            object.bare("on", on)
        }
        ClientMessage::Link(SetLink { protocol, link: wanted }) => {
            object.word("protocol", protocol).bare("link", &link(wanted))
        }
        ClientMessage::Send(Send { id, to, data, count, interval_ms }) => {
            let object = object.bare("id", id).word("to", to);
            let object = match data {
                Data::Text(text) => object.text("text", text),
                Data::Hex(hex) => object.text("hex", hex),
            };
            object.bare("count", count).bare("interval_ms", interval_ms)
        }
        ClientMessage::Stop(Stop { id }) => object.bare("id", id),
    };
    object.written()
}

fn link(link: &Link) -> String {
    let Link { seed, mtu, congestion, delayed_ack, up, down, rules } = link;
    let rules: Vec<_> = rules.iter().map(rule).collect();
    Object::new()
        .bare("seed", seed)
        .bare("mtu", mtu)
        .word("congestion", congestion)
        .bare("delayed_ack", delayed_ack)
        .bare("up", &impairment(up))
        .bare("down", &impairment(down))
        .bare("rules", &format_args!("[{}]", rules.join(",")))
        .written()
}

fn impairment(impairment: &Impairment) -> String {
    let Impairment { delay_ms, jitter_ms, loss, duplicate, reorder, rate_kbit, limit } = impairment;
    Object::new()
        .bare("delay_ms", delay_ms)
        .bare("jitter_ms", jitter_ms)
        .bare("loss", loss)
        .bare("duplicate", duplicate)
        .bare("reorder", reorder)
        .bare("rate_kbit", rate_kbit)
        .bare("limit", limit)
        .written()
}

fn rule(rule: &Rule) -> String {
    let object = Object::new();
    let object = match rule {
        Rule::LoseLine { line, packet } => {
            let object = object.text("rule", "lose_line").bare("line", line);
            match packet {
                Some(packet) => object.bare("packet", packet),
                None => object,
            }
        }
        Rule::LoseReply { line } => object.text("rule", "lose_reply").bare("line", line),
        Rule::BlackOut { from_ms, to_ms } => {
            object.text("rule", "black_out").bare("from_ms", from_ms).bare("to_ms", to_ms)
        }
    };
    object.written()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::{Congestion, How, Percent, Preset, Protocol, Target};

    /// Holds what is written against what is derived.
    fn check(message: &ClientMessage) {
        assert_eq!(message.encode(), serde_json::to_string(message).unwrap());
    }

    #[test]
    fn every_message_is_written_as_serde_derives_it() {
        for protocol in Protocol::BOTH {
            for how in [How::Half, How::Close, How::Reset] {
                check(&ClientMessage::Close(Close { protocol, how }));
            }
            for Preset { link, .. } in Preset::all() {
                let link = Box::new(link);
                check(&ClientMessage::Link(SetLink { protocol, link: link.clone() }));
                for (nodelay, path) in
                    [(None, crate::Path::Direct), (Some(true), crate::Path::Emulated)]
                {
                    let link = Some(link.clone());
                    check(&ClientMessage::Open(Open { protocol, nodelay, path, link }));
                    check(&ClientMessage::Open(Open { protocol, nodelay, path, link: None }));
                }
            }
        }
        for on in [true, false] {
            check(&ClientMessage::Nodelay(Nodelay { on }));
            check(&ClientMessage::Watch(Watch { on }));
        }
        check(&ClientMessage::Stop(Stop { id: 7 }));
    }

    fn impairments() -> impl Strategy<Value = Impairment> {
        let percent = || any::<i32>().prop_map(Percent::hundredths);
        let knobs = (any::<[u32; 4]>(), percent(), percent(), percent());
        knobs.prop_map(|([delay_ms, jitter_ms, rate_kbit, limit], loss, duplicate, reorder)| {
            Impairment { delay_ms, jitter_ms, loss, duplicate, reorder, rate_kbit, limit }
        })
    }

    fn rules() -> impl Strategy<Value = Rule> {
        prop_oneof![
            any::<(u32, Option<u32>)>().prop_map(|(line, packet)| Rule::LoseLine { line, packet }),
            any::<u32>().prop_map(|line| Rule::LoseReply { line }),
            any::<(u32, u32)>().prop_map(|(from_ms, to_ms)| Rule::BlackOut { from_ms, to_ms }),
        ]
    }

    proptest! {
        #[test]
        fn every_link_is_written_as_serde_derives_it(
            seed: u64,
            mtu: u16,
            cubic: bool,
            delayed_ack: bool,
            up in impairments(),
            down in impairments(),
            rules in prop::collection::vec(rules(), 0..4),
        ) {
            let congestion = if cubic { Congestion::Cubic } else { Congestion::Reno };
            let link = Box::new(Link { seed, mtu, congestion, delayed_ack, up, down, rules });
            check(&ClientMessage::Link(SetLink { protocol: Protocol::Tcp, link }));
        }

        #[test]
        fn every_line_is_read_back(id: u64, text: String, count: u32, interval_ms: u32, at in 0..3) {
            let to = [Target::Tcp, Target::Udp, Target::Both][usize::try_from(at).unwrap()];
            for data in [Data::Text(text.clone()), Data::Hex(text.clone())] {
                let message = ClientMessage::Send(Send { id, to, data, count, interval_ms });
                let read = |json: &str| serde_json::from_str::<serde_json::Value>(json).unwrap();
                // Control characters have more than one escape.
                let derived = serde_json::to_value(&message).unwrap();
                prop_assert_eq!(read(&message.encode()), derived);
            }
        }
    }
}
