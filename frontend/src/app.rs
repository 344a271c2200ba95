//! The root of the page: what a person chose for all of it, language and colours.

use streamgram_markup::html;
use yew::prelude::*;

use crate::components::preferences::Preferences;
use crate::hooks::use_choice::use_choice;
use crate::hooks::use_fragment::use_fragment;
use crate::language::Language;
use crate::playground::Playground;
use crate::theme::Theme;

/// The root component.
#[component]
pub(crate) fn App() -> Html {
    let (fragment, on_answered) = use_fragment();
    let (language, on_language) = use_choice::<Language>();
    let (theme, on_theme) = use_choice::<Theme>();
    let preferences = html! { <Preferences {theme} {on_language} {on_theme} /> };
    let playground = html! { <Playground {fragment} {on_answered} {preferences} /> };
    yew::html! {
        <ContextProvider<Language> context={language}>{ playground }</ContextProvider<Language>>
    }
}
