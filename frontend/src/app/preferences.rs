//! Language and colours: two choices in the page's head.

use yew::prelude::*;

use super::theme::Theme;
use crate::browser::use_choice::use_choice;
use crate::i18n::language::{Language, use_language};
use crate::ui::select::Select;

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
    html! {
        <span class="preferences">
            <Select<Language> label={language.language()} options={Vec::from(languages)} chosen={language}
                on_choose={on_language} />
            <Select<Theme> label={language.theme()} options={Vec::from(themes)} chosen={theme}
                on_choose={on_theme} />
        </span>
    }
}
