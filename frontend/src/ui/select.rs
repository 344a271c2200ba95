//! Options of which one is chosen, in a list that opens.

use web_sys::HtmlSelectElement;
use yew::prelude::*;

/// The list: what each option stands for, and its name.
pub(crate) fn select<T: Copy + PartialEq + 'static, N: AsRef<str>>(
    label: &'static str,
    options: &[(T, N)],
    chosen: T,
    on_choose: impl Into<Callback<T>>,
) -> Html {
    let values: Vec<T> = options.iter().map(|(option, _)| *option).collect();
    let chosen = values.iter().position(|value| *value == chosen);
    let names: Vec<_> = options.iter().map(|(_, name)| name.as_ref().to_owned().into()).collect();
    let on_choose = on_choose.into();
    let on_index = move |index: usize| {
        values.get(index).into_iter().for_each(|value| on_choose.emit(*value));
    };
    html! { <Select {label} {names} {chosen} {on_index} /> }
}

#[derive(Properties, PartialEq)]
struct SelectProps {
    label: &'static str,
    names: Vec<AttrValue>,
    chosen: Option<usize>,
    on_index: Callback<usize>,
}

#[component]
fn Select(SelectProps { label, names, chosen, on_index }: &SelectProps) -> Html {
    let list = use_node_ref();
    // Once a person has picked an option, its attribute has no effect any more.
    use_effect_with((*chosen, names.clone()), {
        let list = list.clone();
        move |(chosen, _)| {
            let index = chosen.and_then(|at| i32::try_from(at).ok());
            if let Some((list, index)) = list.cast::<HtmlSelectElement>().zip(index) {
                list.set_selected_index(index);
            }
        }
    });
    let onchange = on_index.reform(|event: Event| {
        let index = event.target_unchecked_into::<HtmlSelectElement>().selected_index();
        usize::try_from(index).unwrap_or(usize::MAX)
    });
    html! {
        <select ref={list} aria-label={*label} {onchange}>
            for (at, name) in names.iter().enumerate() {
                <option selected={Some(at) == *chosen}>{ name }</option>
            }
        </select>
    }
}
