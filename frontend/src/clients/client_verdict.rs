//! What an external client did, in a sentence or a few: computed from what the server saw of it. What the client
//! sent at once, what it received and what was lost on the way cannot be seen from there, so none of it is told.

use streamgram_protocol::{Cause, Protocol, READ_BYTES};

use crate::i18n::figures::{Noun, count, counted, short};
use crate::i18n::language::Language;
use crate::session::note::cause_text;
use crate::session::raw_clients::{Exchange, RawClient};

/// Two reads that are no further apart follow at once: the bytes of the second were there already.
const AT_ONCE_US: u64 = 5_000;

/// What one read or datagram of a client is counted as.
pub(super) fn taken(protocol: Protocol) -> Noun {
    match protocol {
        Protocol::Tcp => Noun::Read,
        Protocol::Udp => Noun::Datagram,
    }
}

/// The class of a protocol's name, which has its colour.
pub(super) fn class(protocol: Protocol) -> &'static str {
    match protocol {
        Protocol::Tcp => "tcp",
        Protocol::Udp => "udp",
    }
}

/// `3 reads, 3 replies`
pub(super) fn figures(language: Language, client: &RawClient) -> String {
    let reads = counted(language, client.reads, taken(client.protocol));
    language.verdict_pair(&reads, &counted(language, client.replies, Noun::Reply))
}

/// How it stands with a client's connection, in a word or two; nothing for datagrams.
pub(super) fn standing(language: Language, client: &RawClient) -> &'static str {
    match client.end {
        Some(end) => cause_text(language, end.cause),
        None if client.lost => language.client_lost(),
        None if client.is_open() => language.client_open(),
        None if client.is_connecting() => language.client_connecting(),
        None if !client.met => language.client_unmet(),
        None => "",
    }
}

/// `2 × refused (udp_port)`, for each reason.
pub(super) fn refused(language: Language, client: &RawClient) -> Vec<String> {
    let refused = client.refused.iter();
    refused.map(|(reason, times)| language.client_refused(&count(*times), reason)).collect()
}

/// What the figures mean.
pub(super) fn meaning(language: Language, client: &RawClient) -> String {
    let mut said = match client.protocol {
        Protocol::Tcp => stream(language, client),
        Protocol::Udp => datagrams(language, client),
    };
    let refused = refused(language, client);
    if !refused.is_empty() {
        said.push(language.client_turned_away(&refused.join(", ")));
    }
    let reads = |number| counted(language, number, taken(client.protocol));
    let unanswered = client.reads.saturating_sub(client.replies);
    // The reply to what was read just now is on its way.
    if unanswered > 0 && (client.end.is_some() || client.lost) {
        said.push(language.client_unanswered(&reads(unanswered)));
    }
    if client.unseen() > 0 {
        said.push(language.client_unseen(&reads(client.unseen())));
    }
    joined(language, &said)
}

/// Sentences, with a space between them where a language has one.
fn joined(language: Language, sentences: &[String]) -> String {
    sentences.join(language.between_sentences())
}

fn stream(language: Language, client: &RawClient) -> Vec<String> {
    let exchanges = &client.exchanges;
    let boundaries =
        [cut(language, exchanges), several(language, exchanges), character(language, exchanges)];
    let mut said: Vec<_> = boundaries.into_iter().flatten().collect();
    if said.is_empty() && client.replies > 0 {
        said.push(match client.reads {
            1 => language.stream_single().into(),
            _ => language.client_one_by_one().into(),
        });
    }
    if !client.met {
        said.push(language.client_only_packets().into());
    }
    if client.is_open() && client.reads + client.unseen() == 0 {
        said.push(language.client_silent().into());
    }
    said.extend(client.end.map(|end| match end.cause {
        Cause::PeerClosed => language.client_fin().into(),
        Cause::PeerReset => language.client_rst().into(),
        cause => language.client_ended(cause_text(language, cause)),
    }));
    said
}

/// The first reads of which each but the last is full, and followed at once by the next.
fn cut(language: Language, exchanges: &[Exchange]) -> Option<String> {
    let goes_on = |one: &Exchange, next: &Exchange| {
        let at_once = next.at_us.saturating_sub(one.at_us) <= AT_ONCE_US;
        one.bytes == READ_BYTES && next.number == one.number + 1 && at_once
    };
    let reads = exchanges.chunk_by(goes_on).find(|reads| reads.len() > 1)?;
    let [first, .., last] = reads else { return None };
    let numbers = format!("{}–{}", first.number + 1, last.number + 1);
    let time = short(last.at_us.saturating_sub(first.at_us));
    let replies = reads.iter().filter(|read| read.reply.is_some()).count();
    Some(language.client_cut(&numbers, &time, &count(replies as u64)))
}

/// The first read that holds more than one line.
fn several(language: Language, exchanges: &[Exchange]) -> Option<String> {
    let lines = |exchange: &Exchange| {
        let data = exchange.data.as_ref()?.to_bytes().ok()?;
        let lines = data.split_inclusive(|&byte| byte == b'\n').count() as u64;
        (lines > 1).then_some((exchange.number, lines))
    };
    let (number, lines) = exchanges.iter().find_map(lines)?;
    Some(language.client_several(&count(number + 1), &counted(language, lines, Noun::Line)))
}

/// The first read that ends with a part of a character.
fn character(language: Language, exchanges: &[Exchange]) -> Option<String> {
    let ends_inside = |exchange: &&Exchange| {
        let data = exchange.data.as_ref().and_then(|data| data.to_bytes().ok());
        let rest = data.as_ref().and_then(|data| data.utf8_chunks().last());
        let rest = rest.map(|chunk| std::str::from_utf8(chunk.invalid()));
        rest.is_some_and(|rest| rest.is_err_and(|error| error.error_len().is_none()))
    };
    let exchange = exchanges.iter().find(ends_inside)?;
    Some(language.client_character(&count(exchange.number + 1)))
}

fn datagrams(language: Language, client: &RawClient) -> Vec<String> {
    let mut said = Vec::new();
    if client.reads > 0 {
        said.push(language.client_datagrams().into());
    }
    let empty = client.exchanges.iter().filter(|exchange| exchange.bytes == 0).count() as u64;
    if empty > 0 {
        said.push(language.client_empty(&counted(language, empty, Noun::Datagram)));
    }
    let long = client.exchanges.iter().find(|exchange| exchange.kept < exchange.bytes);
    said.extend(long.map(|exchange| {
        let [bytes, kept] =
            [exchange.bytes, exchange.kept].map(|it| counted(language, it as u64, Noun::Byte));
        language.datagram_cut(&bytes, &kept)
    }));
    said
}

#[cfg(test)]
mod tests {
    use streamgram_protocol::{Data, RawObservation};

    use super::*;
    use crate::session::raw_clients::tests::{client, ended, read_of, reply};

    fn tcp(observations: impl IntoIterator<Item = RawObservation>) -> String {
        meaning(Language::En, &client(Protocol::Tcp, observations))
    }

    fn udp(observations: impl IntoIterator<Item = RawObservation>) -> String {
        meaning(Language::En, &client(Protocol::Udp, observations))
    }

    fn datagram(bytes: usize, kept: usize) -> RawObservation {
        RawObservation::Datagram { number: 0, bytes, kept, data: None }
    }

    fn closed(cause: Cause) -> RawObservation {
        RawObservation::Closed { cause }
    }

    #[test]
    fn figures_and_standing_are_those_of_the_client() {
        let words = |language| (figures(language, &ended()), standing(language, &ended()));
        assert_eq!(words(Language::En), ("2 reads, 1 reply".into(), "closed by the peer (FIN)"));
        assert_eq!(words(Language::Zh), ("2 次读取、1 个回复".into(), "被对端关闭（FIN）"));
        let mut open = client(Protocol::Tcp, [RawObservation::Accepted {}]);
        assert_eq!(standing(Language::En, &open), "connected");
        open.lost = true;
        assert_eq!(standing(Language::En, &open), "no longer watched");
        assert_eq!(standing(Language::En, &client(Protocol::Udp, [datagram(1, 1)])), "");
    }

    #[test]
    fn a_client_that_sent_nothing_is_said_to_be_silent_until_it_ends() {
        assert_eq!(tcp([RawObservation::Accepted {}]), "It has sent nothing so far.");
        let ended = tcp([RawObservation::Accepted {}, closed(Cause::Limit)]);
        assert_eq!(ended, "The connection has ended: closed: limit reached.");
    }

    #[test]
    fn reads_one_by_one_are_called_a_matter_of_timing() {
        let said = tcp([read_of(0, "a"), reply(0), read_of(1, "b\n"), reply(1)]);
        assert!(said.starts_with("Each read has a reply of its own"), "{said}");
        let said = tcp([read_of(0, "a"), reply(0), closed(Cause::PeerReset)]);
        assert!(said.starts_with("The reply is timestamp + echo"), "{said}");
        assert!(said.contains("(RST)"), "{said}");
    }

    #[test]
    fn several_lines_in_one_read_are_counted() {
        let said = tcp([read_of(0, "a\n"), reply(0), read_of(1, "b\nc\nd"), reply(1)]);
        assert!(said.starts_with("Read 2 holds 3 lines"), "{said}");
    }

    #[test]
    fn a_full_read_that_is_followed_at_once_was_most_likely_cut() {
        let full = "x".repeat(READ_BYTES);
        let reads = |first: &str| {
            tcp([
                read_of(0, first),
                reply(0),
                read_of(1, &full),
                reply(1),
                read_of(2, "x"),
                reply(2),
            ])
        };
        assert!(reads(&full).starts_with("Reads 1–3 came within 4 µs"), "{}", reads(&full));
        assert!(reads(&full).contains("answered 3 times"));
        assert!(reads("x").starts_with("Reads 2–3 came within 2 µs"), "{}", reads("x"));
        let mut late =
            client(Protocol::Tcp, [read_of(0, &full), reply(0), read_of(1, "x"), reply(1)]);
        late.exchanges[1].at_us += AT_ONCE_US;
        assert!(meaning(Language::En, &late).starts_with("Each read has a reply of its own"));
    }

    #[test]
    fn a_read_that_ends_inside_a_character_is_told_from_one_that_is_no_text() {
        let read = |hex: &str| {
            let data = Some(Data::Hex(hex.into()));
            tcp([RawObservation::Read { number: 0, offset: 0, bytes: 3, data }, reply(0)])
        };
        // The rest of one character, and the beginning of the next.
        for inside in ["41e4bd", "a041f0"] {
            assert!(read(inside).starts_with("Read 1 ends inside a UTF-8 character"), "{inside}");
        }
        for whole in ["ffe4bda0", "41ff", "e4bda0"] {
            assert!(read(whole).starts_with("The reply is timestamp + echo"), "{whole}");
        }
    }

    #[test]
    fn what_was_not_answered_is_said_once_the_client_has_ended() {
        let read = || [RawObservation::Accepted {}, read_of(0, "a")];
        assert_eq!(tcp(read()), "");
        let ended = tcp(read().into_iter().chain([closed(Cause::PeerReset)]));
        assert!(ended.ends_with("No reply was seen to 1 read."), "{ended}");
    }

    #[test]
    fn reads_before_the_page_came_are_said_not_to_be_known() {
        let said = tcp([read_of(4, "a"), reply(4)]);
        assert!(said.contains("4 reads are not known here"), "{said}");
    }

    #[test]
    fn datagrams_are_whole_empty_or_longer_than_a_short_recv() {
        let said = udp([datagram(5, 5)]);
        assert!(said.contains("What was lost on the way cannot be seen from here"), "{said}");
        assert!(udp([datagram(0, 0)]).contains("1 datagram of 0 bytes"));
        assert!(udp([datagram(1_500, 1_024)]).contains("keeps 1,024 bytes"));
    }

    #[test]
    fn what_was_turned_away_is_told_with_its_reason() {
        let refused = || RawObservation::Refused { reason: "udp_port".into() };
        assert_eq!(udp([refused(), refused()]), "Turned away: 2 × refused (udp_port).");
    }
}
