//! How many external clients there were, in sight from everywhere on the page.

use yew::prelude::*;

use crate::i18n::figures::count;
use crate::i18n::language::Language;
use crate::session::raw_clients::RawClients;

/// `2 external clients`; nothing before the first one that a server had to do with. A new one is announced, what it does
/// is not.
pub(crate) fn clients_badge(language: Language, raw: &RawClients, on_open: Callback<()>) -> Html {
    let seen = raw.met();
    let open = raw.clients.iter().any(|client| client.is_open());
    let word = if seen == 1 { language.client_word_one() } else { language.client_word() };
    let new = raw
        .latest()
        .map(|client| language.client_new(&format!("{} {}", client.protocol.name(), client.peer)));
    html! {
        <>
            if seen > 0 {
                <button type="button" class="clients-badge" data-open={open.to_string()}
                    onclick={move |_| on_open.emit(())}>
                    { count(seen) }<span class="clients-word">{ " " }{ word }</span>
                    if open { <span class="visually-hidden">{ " · " }{ language.client_open() }</span> }
                </button>
            }
            <span role="status" class="visually-hidden">{ new }</span>
        </>
    }
}

#[cfg(test)]
mod tests {
    use streamgram_protocol::{Protocol, RawObservation};

    use super::*;
    use crate::session::raw_clients::tests::{all, client, ended, read_of};
    use crate::session::sent::tests::opening;
    use crate::ui::tests::rendered;

    async fn badge(raw: &RawClients) -> String {
        rendered(clients_badge(Language::En, raw, Callback::noop())).await
    }

    #[tokio::test]
    async fn a_badge_counts_clients_and_says_whether_one_is_connected() {
        assert!(!badge(&RawClients::default()).await.contains("button"));
        let one = badge(&all(vec![ended()], (0, 0))).await;
        assert!(one.contains(r#"data-open="false""#) && one.contains("external client<"), "{one}");
        let open = client(Protocol::Tcp, [RawObservation::Accepted {}]);
        let many = badge(&all(vec![ended(), open], (1_000, 0))).await;
        assert!(many.contains(r#"data-open="true""#) && many.contains("1,002"), "{many}");
    }

    #[tokio::test]
    async fn packets_alone_make_no_client() {
        let [syn, _] = opening();
        let scan = client(Protocol::Tcp, [RawObservation::Packet(Box::new(syn))]);
        let badge = badge(&all(vec![scan], (0, 0))).await;
        assert!(!badge.contains("button") && !badge.contains("New"), "{badge}");
    }

    #[tokio::test]
    async fn what_a_client_reads_is_not_announced() {
        let seen = |seen: Vec<_>| all(vec![client(Protocol::Tcp, seen)], (0, 0));
        let before = badge(&seen(vec![RawObservation::Accepted {}])).await;
        assert!(before.contains("New external client: TCP 127.0.0.1:5"), "{before}");
        assert_eq!(before, badge(&seen(vec![RawObservation::Accepted {}, read_of(0, "a")])).await);
    }
}
