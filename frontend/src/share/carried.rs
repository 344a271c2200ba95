//! What a link carries, in words.

use std::rc::Rc;

use streamgram_protocol::Scenario;
use yew::prelude::*;

use super::scenario::carried;
use crate::i18n::language::use_language;
use crate::ui::bytes::payload;

#[derive(Properties, PartialEq)]
pub(crate) struct CarriedProps {
    pub(crate) scenario: Rc<Scenario>,
}

/// The list of it.
#[component]
pub(crate) fn Carried(CarriedProps { scenario }: &CarriedProps) -> Html {
    let language = use_language();
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
