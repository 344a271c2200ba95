//! What a link carries, in words.

use streamgram_protocol::Scenario;
use yew::prelude::*;

use super::scenario::carried;
use crate::i18n::language::Language;
use crate::ui::bytes::payload;

/// The list of it.
pub(crate) fn carried_list(language: Language, scenario: &Scenario) -> Html {
    html! {
        <dl class="carried">
            <div>
                <dt>{ language.carried_text() }</dt>
                <dd><code class="carried-text">{ payload(language, scenario.text.as_bytes()) }</code></dd>
            </div>
            for (name, text) in carried(language, scenario) {
                <div><dt>{ name }</dt><dd>{ text }</dd></div>
            }
        </dl>
    }
}
