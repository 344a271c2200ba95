//! The send that suits a preset: offered, used by a click, and taken back by another.

use streamgram_protocol::Preset;
use yew::prelude::*;

use super::draft::Draft;
use crate::i18n::figures::count;
use crate::i18n::language::Language;
use crate::result::asked::shortened;

/// What suits the link that was chosen.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Suited {
    /// This may be put into the prompt.
    Offered(Draft),
    /// It was; this stood there before.
    Used(Draft),
}

impl Suited {
    /// What a preset offers, unless it stands in the prompt already.
    pub(crate) fn of(preset: &Preset, draft: &Draft) -> Option<Self> {
        let suited = Draft { to: draft.to, ..Draft::from(preset) };
        (suited != *draft).then_some(Self::Offered(suited))
    }
}

/// The offer, or the way back. `on_take` gets what is to stand in the prompt, and what is to be said of it next.
pub(crate) fn suited_line(
    language: Language,
    suited: &Suited,
    draft: &Draft,
    on_take: &Callback<(Draft, Option<Suited>)>,
) -> Html {
    let (text, name, next) = match suited {
        Suited::Offered(offered) => {
            let used = Suited::Used(draft.clone());
            (language.suits(), language.suits_use(), (offered.clone(), Some(used)))
        }
        Suited::Used(before) => {
            (language.suits_used(), language.suits_undo(), (before.clone(), None))
        }
    };
    let onclick = on_take.reform(move |_: MouseEvent| next.clone());
    html! {
        <p class="suited">{ text }{ " " }
            if let Suited::Offered(Draft { text, count: lines, interval_ms, .. }) = suited {
                <code translate="no">{ shortened(text) }{ " × " }{ lines.parse().map_or_else(|_| lines.clone(), count) }</code>
                if interval_ms != "0" { { " " }{ language.suits_every(interval_ms) } }
                { " " }
            }
            <button type="button" {onclick}>{ name }</button>
        </p>
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_stands_in_the_prompt_already_is_not_offered_and_where_it_goes_stays() {
        let presets = Preset::all();
        let preset = presets.last().unwrap();
        let draft = Draft::default();
        let Some(Suited::Offered(offered)) = Suited::of(preset, &draft) else { panic!("offered") };
        assert_eq!(offered.to, draft.to);
        assert_eq!(Suited::of(preset, &offered), None);
    }
}
