//! Options of which one is chosen, in a list that opens.

use web_sys::HtmlSelectElement;
use yew::prelude::*;

/// The list: what each option stands for, and its name.
pub(crate) fn select<T: Copy + PartialEq + 'static>(
    label: &'static str,
    options: &[(T, &'static str)],
    chosen: T,
    on_choose: impl Into<Callback<T>>,
) -> Html {
    let values: Vec<T> = options.iter().map(|(option, _)| *option).collect();
    let on_choose = on_choose.into();
    let onchange = move |event: Event| {
        let index = event.target_unchecked_into::<HtmlSelectElement>().selected_index();
        if let Some(value) = usize::try_from(index).ok().and_then(|at| values.get(at)) {
            on_choose.emit(*value);
        }
    };
    html! {
        <select aria-label={label} {onchange}>
            for &(option, name) in options {
                <option selected={option == chosen}>{ name }</option>
            }
        </select>
    }
}
