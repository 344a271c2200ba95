//! The root of the page. The rest of the folder is its composition: the playground, its head, and what a
//! person chose for all of the page.

pub(crate) mod area;
mod composer;
mod export_panel;
pub(crate) mod header;
mod language_choice;
mod legs;
mod lessons_area;
pub(crate) mod playground;
pub(crate) mod preferences;
pub(crate) mod shortcuts;
pub(crate) mod theme;
mod use_offer;
mod use_play;
pub(crate) mod use_view;
mod wall;
mod workbench;

use yew::prelude::*;

use self::playground::Playground;
use crate::browser::use_choice::use_choice;
use crate::browser::use_fragment::use_fragment;
use crate::i18n::language::Language;
use crate::ui::clipboard::ClipboardProvider;

/// The root component.
#[component]
pub(crate) fn App() -> Html {
    let (fragment, on_answered) = use_fragment();
    let (language, on_language) = use_choice::<Language>();
    html! {
        <ContextProvider<Language> context={language}>
            <ClipboardProvider>
                <Playground {fragment} {on_answered} {on_language} />
            </ClipboardProvider>
        </ContextProvider<Language>>
    }
}
