//! What the person at the prompt must be told, with the button that mends it.

use streamgram_protocol::Protocol;
use yew::prelude::*;

use crate::i18n::language::Language;
use crate::session::notice::Notice;

/// A line that is empty as long as there is nothing to tell.
pub(crate) fn notice_line(
    language: Language,
    notice: Option<&Notice>,
    on_open: &Callback<Protocol>,
) -> Html {
    html! {
        <p class="notice" role="alert">
            if let Some(notice) = notice {
                { notice.text(language) }
                if let Some(protocol) = notice.opens() {
                    <button type="button" onclick={on_open.reform(move |_| protocol)}>
                        { language.open_leg(protocol.name()) }
                    </button>
                }
            }
        </p>
    }
}
