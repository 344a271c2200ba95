//! Name, connection, addresses, shortcuts.

use std::rc::Rc;

use streamgram_protocol::Hello;
use yew::prelude::*;

use super::shortcuts::Shortcuts;
use crate::i18n::language::use_language;
use crate::session::page::Link;

#[derive(Properties, PartialEq)]
pub(crate) struct HeaderProps {
    pub(crate) link: Link,
    pub(crate) hello: Option<Rc<Hello>>,
    /// Choices for the whole page.
    pub(crate) children: Html,
}

/// The page's head.
#[component]
pub(crate) fn Header(HeaderProps { link, hello, children }: &HeaderProps) -> Html {
    let language = use_language();
    let (status, text) = match link {
        Link::Connecting => ("connecting", language.connecting().to_owned()),
        Link::Connected => ("connected", language.connected().to_owned()),
        Link::Lost { retry_ms } => {
            let seconds = retry_ms.div_ceil(1_000).to_string();
            ("lost", language.out_of_reach(&seconds))
        }
    };
    html! {
        <header class="header">
            <h1 class="logo">
                <span class="logo-stream">{ "Stream" }</span><span class="logo-gram">{ "gram" }</span>
            </h1>
            <span class="badge" data-status={status} role="status">{ text }</span>
            if let Some(hello) = hello {
                <span class="addresses">
                    <span><b class="tcp">{ "TCP " }</b><code>{ &hello.tcp }</code></span>
                    <span><b class="udp">{ "UDP " }</b><code>{ &hello.udp }</code></span>
                </span>
            }
            { children.clone() }
            <Shortcuts />
        </header>
    }
}
