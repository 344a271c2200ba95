//! Language, colours, shortcuts: a menu in the page's head.

use yew::prelude::*;

use super::shortcuts::Shortcuts;
use super::theme::Theme;
use crate::browser::use_choice::use_choice;
use crate::i18n::language::{Language, use_language};
use crate::ui::select::select;

#[derive(Properties, PartialEq)]
pub(crate) struct PreferencesProps {
    pub(crate) on_language: Callback<Language>,
}

/// The choices.
#[component]
pub(crate) fn Preferences(PreferencesProps { on_language }: &PreferencesProps) -> Html {
    let language = use_language();
    let (theme, on_theme) = use_choice::<Theme>();
    let languages = Language::ALL.map(|it| (it, it.name()));
    let themes = Theme::ALL.map(|it| (it, it.name(language)));
    let keys = use_state(|| false);
    let on_keys = Callback::from(keys.setter());
    html! {
        <>
            <details class="menu">
                <summary aria-label={language.settings()}>{ "⚙" }</summary>
                <div class="menu-panel">
                    { select(language.language(), &languages, language, on_language.clone()) }
                    { select(language.theme(), &themes, theme, on_theme) }
                    <button type="button" class="shortcuts-button" aria-label={language.shortcuts()}
                        onclick={on_keys.reform(|_| true)}>{ "?" }</button>
                </div>
            </details>
            // Not in the menu: nothing of it is shown as long as that is closed.
            <Shortcuts is_open={*keys} on_open={on_keys} />
        </>
    }
}
