//! A row of buttons of which one is pressed.

use yew::prelude::*;

#[derive(Properties, PartialEq)]
pub(crate) struct ToggleGroupProps<T: PartialEq> {
    pub(crate) label: &'static str,
    pub(crate) options: Vec<(T, &'static str)>,
    pub(crate) chosen: T,
    pub(crate) on_choose: Callback<T>,
}

/// The buttons.
#[component]
pub(crate) fn ToggleGroup<T: Copy + PartialEq + 'static>(props: &ToggleGroupProps<T>) -> Html {
    let ToggleGroupProps { label, options, chosen, on_choose } = props;
    html! {
        <span class="targets" role="group" aria-label={*label}>
            for &(option, name) in options {
                <button key={name} type="button" aria-pressed={(option == *chosen).to_string()}
                    onclick={on_choose.reform(move |_| option)}>{ name }</button>
            }
        </span>
    }
}
