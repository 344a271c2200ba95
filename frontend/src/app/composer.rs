//! What is asked: the prompt, the path, and the burst that suits it.

use yew::prelude::*;

use super::use_play::UsePlayHandle;
use crate::i18n::language::Language;
use crate::lab::link_card::LinkCard;
use crate::prompt::prompt_card::PromptCard;
use crate::prompt::suited::suited_line;
use crate::session::page::Page;

/// The prompt with its path; the prompt takes the `focus` on a page that is new.
pub(crate) fn composer(
    language: Language,
    page: &Page,
    play: &UsePlayHandle,
    (focus, on_clear): (bool, &Callback<()>),
) -> Html {
    let UsePlayHandle { draft, suited, conditions, submit, wish, .. } = play;
    let on_take = {
        let (draft, suited) = (draft.setter(), suited.setter());
        Callback::from(move |(taken, next)| {
            draft.set(taken);
            suited.set(next);
        })
    };
    html! {
        <section class="composer card" aria-label={language.composer()}>
            <PromptCard limits={page.limits()} draft={(**draft).clone()} {focus} on_change={draft.setter()}
                on_submit={submit.clone()} on_clear={on_clear.clone()} />
            <LinkCard conditions={conditions.clone()} on_wish={wish.clone()} />
            if let Some(suited) = &**suited { { suited_line(language, suited, draft, &on_take) } }
        </section>
    }
}
