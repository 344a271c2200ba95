//! A row of buttons of which one is pressed.

use yew::prelude::*;

/// What to call a choice, whether it is made, and what makes it.
pub(crate) type Choice = (&'static str, bool, Callback<MouseEvent>);

/// The choices of a group with this name.
pub(crate) fn choice(group: &'static str, choices: Vec<Choice>) -> Html {
    html! {
        <span class="targets" role="group" aria-label={group}>
            for (name, pressed, onclick) in choices {
                <button key={name} type="button" aria-pressed={pressed.to_string()} {onclick}>{ name }</button>
            }
        </span>
    }
}
