//! A row of buttons of which one is pressed.

use yew::prelude::*;

/// The buttons: what each stands for, and its name.
pub(crate) fn toggle_group<T: Copy + PartialEq + 'static>(
    label: &'static str,
    options: impl IntoIterator<Item = (T, &'static str)>,
    chosen: T,
    on_choose: impl Into<Callback<T>>,
) -> Html {
    let on_choose = on_choose.into();
    html! {
        <span class="targets" role="group" aria-label={label}>
            for (option, name) in options {
                <button key={name} type="button" aria-pressed={(option == chosen).to_string()}
                    onclick={on_choose.reform(move |_| option)}>{ name }</button>
            }
        </span>
    }
}
