//! Language and colours: two choices in the page's head.

use web_sys::HtmlSelectElement;
use yew::prelude::*;

use super::theme::Theme;
use crate::browser::use_choice::Choice;
use crate::i18n::language::{Language, use_language};

#[derive(Properties, PartialEq)]
pub(crate) struct PreferencesProps {
    pub(crate) theme: Theme,
    pub(crate) on_language: Callback<Language>,
    pub(crate) on_theme: Callback<Theme>,
}

/// The choices.
#[component]
pub(crate) fn Preferences(props: &PreferencesProps) -> Html {
    let language = use_language();
    let languages = Language::ALL.map(|it| (it, it.name()));
    let themes = Theme::ALL.map(|it| (it, it.name(language)));
    html! {
        <span class="preferences">
            { select(language.language(), language, &languages, &props.on_language) }
            { select(language.theme(), props.theme, &themes, &props.on_theme) }
        </span>
    }
}

fn select<T: Choice>(
    label: &'static str,
    chosen: T,
    choices: &[(T, &'static str)],
    on_choice: &Callback<T>,
) -> Html {
    let onchange = {
        let on_choice = on_choice.clone();
        move |event: Event| {
            let word = event.target_unchecked_into::<HtmlSelectElement>().value();
            if let Some(choice) = T::of_word(&word) {
                on_choice.emit(choice);
            }
        }
    };
    html! {
        <select aria-label={label} {onchange}>
            for (choice, name) in choices {
                <option value={choice.word()} selected={*choice == chosen}>{ *name }</option>
            }
        </select>
    }
}
