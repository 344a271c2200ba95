//! What a faulty server did to an external client: which server, its recipe, and what was done to which bytes.

use streamgram_protocol::fault::Deed;
use yew::prelude::*;

use crate::i18n::figures::{count, short};
use crate::i18n::language::Language;
use crate::session::deed::{deed_text, pieces_text};
use crate::session::raw_clients::{Done, RawClient};

/// Lines that are shown; in a file are all deeds that are kept.
const SHOWN_LINES: usize = 100;

/// The server and what it did; nothing, if the client talks to an ordinary one.
pub(super) fn deeds(language: Language, client: &RawClient) -> Html {
    let Some(server) = &client.faulty else { return Html::default() };
    let lines = lines(language, client);
    let more = lines.len().saturating_sub(SHOWN_LINES) as u64;
    html! {
        <section class="client-deeds" aria-label={language.faulty_server()}>
            <p>
                { language.faulty_server() }{ " " }<code translate="no">{ &server.address }</code>
                { " · " }{ language.recipe() }{ " " }<code translate="no">{ &server.recipe }</code>
            </p>
            if lines.is_empty() { <p class="hint">{ language.deeds_none() }</p> }
            <ol>
                for (at_us, text) in lines.into_iter().take(SHOWN_LINES) {
                    <li><time>{ "+" }{ short(at_us.saturating_sub(client.at_us)) }</time>{ " " }{ text }</li>
                }
            </ol>
            if more > 0 { <p class="hint">{ language.deeds_in_file(&count(more)) }</p> }
            if client.deeds_dropped > 0 {
                <p class="hint">{ language.deeds_dropped(&count(client.deeds_dropped)) }</p>
            }
        </section>
    }
}

/// When each thing was done, and what; writes that follow each other are one.
fn lines(language: Language, client: &RawClient) -> Vec<(u64, String)> {
    let chunks = client.deeds.chunk_by(|one, next| match (one.deed, next.deed) {
        (Deed::Wrote { offset, bytes }, Deed::Wrote { offset: next, .. }) => {
            offset.saturating_add(bytes as u64) == next
        }
        _ => false,
    });
    let line = |chunk: &[Done]| {
        let [Done { at_us, deed }, ..] = chunk else { return None };
        let sizes: Vec<_> = chunk.iter().filter_map(|done| size(&done.deed)).collect();
        let text = match *deed {
            Deed::Wrote { offset, .. } if sizes.len() > 1 => pieces_text(language, offset, &sizes),
            deed => deed_text(language, client.protocol, &deed),
        };
        Some((*at_us, text))
    };
    chunks.filter_map(line).collect()
}

fn size(deed: &Deed) -> Option<usize> {
    if let Deed::Wrote { bytes, .. } = deed { Some(*bytes) } else { None }
}

#[cfg(test)]
mod tests {
    use std::rc::Rc;

    use streamgram_protocol::{FaultyServer, Protocol, RawObservation};

    use super::*;
    use crate::session::raw_clients::KEPT_DEEDS;
    use crate::session::raw_clients::tests::client;
    use crate::ui::tests::rendered;

    fn faulty(deeds: impl IntoIterator<Item = Deed>) -> RawClient {
        let (address, recipe) = ("127.0.0.1:9001".into(), "split=1..5;seed=7".into());
        let server = FaultyServer { protocol: Protocol::Tcp, address, recipe };
        let deeds = deeds.into_iter().map(RawObservation::Fault);
        let seen = [RawObservation::Accepted {}].into_iter().chain(deeds);
        let mut client = client(Protocol::Tcp, seen);
        client.faulty = Some(Rc::new(server));
        client
    }

    fn wrote(offset: u64, bytes: usize) -> Deed {
        Deed::Wrote { offset, bytes }
    }

    #[tokio::test]
    async fn a_recipe_and_what_it_did_stand_there_and_pieces_are_one_line() {
        let altered = Deed::Altered { offset: 29, was: b'A', is: b'a' };
        let client = faulty([altered, wrote(0, 4), wrote(4, 1), wrote(9, 2)]);
        let shown = rendered(deeds(Language::En, &client)).await;
        for part in [
            "<code translate=\"no\">127.0.0.1:9001</code>",
            "<code translate=\"no\">split=1..5;seed=7</code>",
            "<time>+1 µs</time> byte 29: a instead of A</li>",
            "<time>+2 µs</time> bytes 0–4 written in pieces of 4, 1 bytes</li>",
            "bytes 9–10 written at once",
        ] {
            assert!(shown.contains(part), "{part}: {shown}");
        }
        assert_eq!(shown.matches("<li>").count(), 3);
    }

    #[tokio::test]
    async fn an_ordinary_server_did_nothing_and_a_faulty_one_nothing_yet() {
        let ordinary = client(Protocol::Tcp, [RawObservation::Accepted {}]);
        assert_eq!(rendered(deeds(Language::En, &ordinary)).await, "");
        let none_yet = rendered(deeds(Language::En, &faulty([]))).await;
        assert!(none_yet.contains("Nothing was done"), "{none_yet}");
    }

    #[tokio::test]
    async fn what_is_not_shown_and_what_is_not_kept_is_counted() {
        let stalls = (0..KEPT_DEEDS as u64 + 3).map(|offset| Deed::Stalled { offset });
        let shown = rendered(deeds(Language::En, &faulty(stalls))).await;
        assert_eq!(shown.matches("<li>").count(), SHOWN_LINES);
        let more = format!("{} more", KEPT_DEEDS - SHOWN_LINES);
        assert!(shown.contains(&more) && shown.contains("3 were only counted"), "{shown}");
    }
}
