//! The servers whose replies go wrong on purpose: where each is, its recipe, and the flag that starts another like it.

use streamgram_protocol::{FaultyServer, Protocol};
use yew::prelude::*;

use super::client_verdict::class;
use crate::browser::clipboard::Copied;
use crate::i18n::language::use_language;
use crate::transcript::transcript_tools::copied_text;
use crate::ui::clipboard::use_clipboard;

#[derive(Properties, PartialEq)]
pub(crate) struct FaultyServersProps {
    pub(crate) servers: Vec<FaultyServer>,
}

/// The list.
#[component]
pub(crate) fn FaultyServers(FaultyServersProps { servers }: &FaultyServersProps) -> Html {
    let language = use_language();
    let clipboard = use_clipboard();
    let said = use_state_eq(|| None::<(usize, Copied)>);
    let copy = |at: usize, text: String| {
        let (clipboard, said) = (clipboard.clone(), said.setter());
        let onclick = move |_| {
            let said = said.clone();
            clipboard.copy(text.clone(), move |copied| said.set(Some((at, copied))));
        };
        html! { <button type="button" {onclick}>{ language.copy_flag() }</button> }
    };
    let copied = |at: usize| (*said).filter(|(said, _)| *said == at).map(|(_, copied)| copied);
    html! {
        <section class="faulty" aria-label={language.faulty_servers()}>
            <h3>{ language.faulty_servers() }</h3>
            <p class="hint">{ language.faulty_servers_hint() }</p>
            <ul>
                for (at, server) in servers.iter().enumerate() {
                    <li>
                        <b class={class(server.protocol)} translate="no">{ server.protocol.name() }</b>{ " " }
                        <code translate="no">{ &server.address }</code>{ " " }
                        <code translate="no">{ &server.recipe }</code>{ " " }
                        if let Some(flag) = flag(server) { { copy(at, flag) } }
                        <span role="status">{ copied(at).map(|copied| copied_text(language, copied)) }</span>
                    </li>
                }
            </ul>
        </section>
    }
}

/// The flag as a command line takes it; none, if a shell could read it as something else.
fn flag(server: &FaultyServer) -> Option<String> {
    let FaultyServer { protocol, address, recipe } = server;
    let name = match protocol {
        Protocol::Tcp => "--fault-tcp",
        Protocol::Udp => "--fault-udp",
    };
    let value = format!("{address};{recipe}");
    let is_plain = value.chars().all(|c| c.is_ascii_graphic() && c != '\'');
    is_plain.then(|| format!("{name} '{value}'"))
}

#[cfg(test)]
mod tests {
    use yew::LocalServerRenderer;

    use super::*;

    fn server(protocol: Protocol, recipe: &str) -> FaultyServer {
        FaultyServer { protocol, address: "127.0.0.1:9001".into(), recipe: recipe.into() }
    }

    #[test]
    fn a_flag_is_as_a_command_line_takes_it() {
        let split = flag(&server(Protocol::Tcp, "split=1..5;seed=7"));
        assert_eq!(split.as_deref(), Some("--fault-tcp '127.0.0.1:9001;split=1..5;seed=7'"));
        let drop = flag(&server(Protocol::Udp, "drop=30"));
        assert_eq!(drop.as_deref(), Some("--fault-udp '127.0.0.1:9001;drop=30'"));
    }

    #[test]
    fn no_flag_says_anything_else_to_a_shell() {
        for hostile in ["a' ; reboot '", "a\nb", "\u{202e}"] {
            assert_eq!(flag(&server(Protocol::Tcp, hostile)), None, "{hostile}");
        }
    }

    #[tokio::test]
    async fn each_server_has_its_address_and_its_recipe() {
        let servers = vec![server(Protocol::Tcp, "split=1"), server(Protocol::Udp, "drop=30")];
        let props = FaultyServersProps { servers };
        let list = LocalServerRenderer::<FaultyServers>::with_props(props);
        let list = list.hydratable(false).render().await;
        for part in
            [">TCP</b>", ">UDP</b>", ">127.0.0.1:9001</code>", ">split=1</code>", ">drop=30</code>"]
        {
            assert!(list.contains(part), "{part}: {list}");
        }
        assert_eq!(list.matches("<button").count(), 2);
    }
}
