//! Name, areas, connection, addresses, and what is for all of the page.

use yew::prelude::*;

use crate::i18n::language::Language;
use crate::session::page::{Link, Page};

/// The page's head. `tools` stand at its end.
pub(crate) fn header(language: Language, page: &Page, areas: Html, tools: Html) -> Html {
    let (status, text) = match page.link {
        Link::Connecting => ("connecting", language.connecting().to_owned()),
        Link::Connected => ("connected", language.connected().to_owned()),
        Link::Lost { retry_ms } => {
            let seconds = retry_ms.div_ceil(1_000).to_string();
            ("lost", language.out_of_reach(&seconds))
        }
    };
    html! {
        <header class="header">
            <h1 class="logo" translate="no">
                <span class="logo-stream">{ "Stream" }</span><span class="logo-gram">{ "gram" }</span>
            </h1>
            { areas }
            <span class="badge" data-status={status} role="status">{ text }</span>
            if let Some(hello) = &page.hello {
                <span class="addresses" translate="no">
                    <span><b class="tcp">{ "TCP " }</b><code>{ &hello.tcp }</code></span>
                    <span><b class="udp">{ "UDP " }</b><code>{ &hello.udp }</code></span>
                </span>
            }
            <span class="header-tools">{ tools }</span>
        </header>
    }
}
