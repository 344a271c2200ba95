//! Language, colours, shortcuts: a menu in the page's head.

use yew::prelude::*;

use super::shortcuts::use_shortcuts;
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
    let [shortcuts, dialog] = use_shortcuts();
    html! {
        <>
            <details class="menu">
                <summary aria-label={language.settings()}>{ "⚙" }</summary>
                <div class="menu-panel">
                    { select(language.language(), &languages, language, on_language.clone()) }
                    { select(language.theme(), &themes, theme, on_theme) }
                    { shortcuts }
                </div>
            </details>
            { dialog }
        </>
    }
}
