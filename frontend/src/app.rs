//! The root of the page: what a person chose for all of it, language and colours.

pub(crate) mod header;
pub(crate) mod playground;
pub(crate) mod preferences;
pub(crate) mod shortcuts;
pub(crate) mod theme;
pub(crate) mod use_view;

use yew::prelude::*;

use crate::app::playground::Playground;
use crate::app::preferences::Preferences;
use crate::app::theme::Theme;
use crate::browser::use_choice::use_choice;
use crate::browser::use_fragment::use_fragment;
use crate::i18n::language::Language;

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
