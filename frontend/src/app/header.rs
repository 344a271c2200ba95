//! Name, connection, addresses, shortcuts.

use yew::prelude::*;

use super::shortcuts::Shortcuts;
use crate::i18n::language::Language;
use crate::session::page::{Link, Page};

/// The page's head, with the choices for the whole page.
pub(crate) fn header(language: Language, page: &Page, preferences: Html) -> Html {
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
            <span class="badge" data-status={status} role="status">{ text }</span>
            if let Some(hello) = &page.hello {
                <span class="addresses" translate="no">
                    <span><b class="tcp">{ "TCP " }</b><code>{ &hello.tcp }</code></span>
                    <span><b class="udp">{ "UDP " }</b><code>{ &hello.udp }</code></span>
                </span>
            }
            { preferences }
            <Shortcuts />
        </header>
    }
}
