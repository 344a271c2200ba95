//! What can be looked at below a result.

use strum::IntoStaticStr;
use yew::prelude::*;

use crate::i18n::language::Language;

/// A tab. Where there is room the ladder is always in sight, and its tab is not.
#[derive(Debug, Clone, Copy, PartialEq, Eq, IntoStaticStr)]
#[strum(serialize_all = "lowercase")]
pub(crate) enum Tab {
    Ladder,
    Rows,
    Bytes,
    Code,
    Export,
}

impl Tab {
    const ALL: [Self; 5] = [Self::Ladder, Self::Rows, Self::Bytes, Self::Code, Self::Export];

    fn name(self, language: Language) -> &'static str {
        match self {
            Self::Ladder => language.ladder(),
            Self::Rows => language.tab_rows(),
            Self::Bytes => language.tab_bytes(),
            Self::Code => language.tab_code(),
            Self::Export => language.tab_export(),
        }
    }
}

/// The tabs, of which one is chosen; ← and → go from one to the next.
pub(crate) fn tabs(language: Language, chosen: Tab, on_tab: &Callback<Tab>) -> Html {
    let onkeydown = {
        let on_tab = on_tab.clone();
        move |event: KeyboardEvent| {
            let step = match event.key().as_str() {
                "ArrowRight" => 1,
                "ArrowLeft" => Tab::ALL.len() - 1,
                _ => return,
            };
            event.prevent_default();
            let at = Tab::ALL.iter().position(|tab| *tab == chosen).unwrap_or(0);
            on_tab.emit(Tab::ALL[(at + step) % Tab::ALL.len()]);
        }
    };
    html! {
        <div class="tabs" role="tablist" aria-label={language.tabs()} {onkeydown}>
            for tab in Tab::ALL {
                <button key={<&str>::from(tab)} type="button" role="tab" data-tab={<&str>::from(tab)}
                    aria-selected={(tab == chosen).to_string()} tabindex={if tab == chosen { "0" } else { "-1" }}
                    onclick={on_tab.reform(move |_| tab)}>{ tab.name(language) }</button>
            }
        </div>
    }
}
