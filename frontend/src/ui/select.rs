//! Options of which one is chosen, in a list that opens.

use web_sys::HtmlSelectElement;
use yew::prelude::*;

#[derive(Properties, PartialEq)]
pub(crate) struct SelectProps<T: PartialEq> {
    pub(crate) label: &'static str,
    pub(crate) options: Vec<(T, &'static str)>,
    pub(crate) chosen: T,
    pub(crate) on_choose: Callback<T>,
}

/// The list.
#[component]
pub(crate) fn Select<T: Copy + PartialEq + 'static>(props: &SelectProps<T>) -> Html {
    let SelectProps { label, options, chosen, on_choose } = props;
    let onchange = {
        let (options, on_choose) = (options.clone(), on_choose.clone());
        move |event: Event| {
            let index = event.target_unchecked_into::<HtmlSelectElement>().selected_index();
            if let Some((option, _)) = usize::try_from(index).ok().and_then(|at| options.get(at)) {
                on_choose.emit(*option);
            }
        }
    };
    html! {
        <select aria-label={*label} {onchange}>
            for (option, name) in options {
                <option selected={option == chosen}>{ *name }</option>
            }
        </select>
    }
}
