//! What was done last, as a command for a terminal, to be copied.

use std::rc::Rc;

use streamgram_protocol::{Hello, Protocol, Send};
use yew::prelude::*;

use super::address::Address;
use super::command::{Command, Tool};
use crate::browser::clipboard::Copied;
use crate::i18n::figures::{Noun, counted};
use crate::i18n::language::{Language, use_language};
use crate::ui::clipboard::use_clipboard;
use crate::ui::toggle_group::toggle_group;

#[derive(Properties, PartialEq)]
pub(crate) struct CommandsCardProps {
    pub(crate) hello: Rc<Hello>,
    /// What the run sent.
    pub(crate) sends: Rc<Vec<Rc<Send>>>,
}

/// Commands for the tools that people have.
#[component]
pub(crate) fn CommandsCard(CommandsCardProps { hello, sends }: &CommandsCardProps) -> Html {
    let language = use_language();
    let (tool, wanted) = (use_state(|| Tool::Nc), use_state(|| Protocol::Tcp));
    let clipboard = use_clipboard();
    let copied = use_state(|| None::<(String, Copied)>);
    let protocols = sends.first().map_or(Protocol::BOTH.as_slice(), |send| send.to.protocols());
    let protocol = protocols.iter().copied().find(|it| it == &*wanted);
    let Some(protocol) = protocol.or_else(|| protocols.first().copied()) else {
        return html! {};
    };
    let address = Address::of(match protocol {
        Protocol::Tcp => &hello.tcp,
        Protocol::Udp => &hello.udp,
    });
    let command = address.and_then(|address| tool.command(protocol, &address, sends));
    let text = command.as_ref().map(|command| command.text.clone()).unwrap_or_default();
    let onclick = {
        let (copied, text) = (copied.setter(), text.clone());
        move |_| {
            let (copied, text) = (copied.clone(), text.clone());
            clipboard.copy(text.clone(), move |how| copied.set(Some((text, how))));
        }
    };
    let is_copied = copied.as_ref().is_some_and(|it| *it == (text.clone(), Copied::Done));
    let tools = Tool::ALL.map(|it| (it, it.name()));
    let protocols: Vec<_> = protocols.iter().map(|it| (*it, it.name())).collect();
    html! {
        <section class="commands" aria-label={language.commands_title()}>
            <div class="commands-head">
                { toggle_group(language.commands_tool(), tools, *tool, tool.setter()) }
                { toggle_group(language.commands_protocol(), protocols, protocol, wanted.setter()) }
                <button type="button" disabled={command.is_none()} {onclick}>{ language.commands_copy() }</button>
                <small role="status">if is_copied { { language.commands_copied() } }</small>
            </div>
            <p class="commands-hint">{ language.commands_hint() }</p>
            for warning in warnings(language, command.as_ref()) {
                <p class="commands-warning">{ warning }</p>
            }
            if command.is_some() {
                <pre class="commands-text" translate="no" tabindex="0" role="group"
                    aria-label={language.commands_of(tool.name(), protocol.name())}><code>{ text }</code></pre>
            }
        </section>
    }
}

/// What a command does not do as the page did.
fn warnings(language: Language, command: Option<&Command>) -> Vec<String> {
    let bytes = |bytes: usize| counted(language, bytes as u64, Noun::Byte);
    let Some(command) = command else {
        return vec![language.commands_no_empty().into()];
    };
    let cut = command.cut.map(|(whole, kept)| language.commands_cut(&bytes(whole), &bytes(kept)));
    let unread = command.unread.map(|unread| language.commands_unread(&bytes(unread)));
    cut.into_iter().chain(unread).collect()
}
