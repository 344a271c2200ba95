//! A modal dialog: open as long as it is there.

use web_sys::HtmlDialogElement;
use yew::prelude::*;

#[derive(Properties, PartialEq)]
pub(crate) struct DialogProps {
    pub(crate) class: &'static str,
    /// The `id` of its title.
    pub(crate) labelled_by: &'static str,
    pub(crate) on_close: Callback<()>,
    pub(crate) children: Html,
}

/// The dialog. A button in it that submits closes it, and so does Escape.
#[component]
pub(crate) fn Dialog(props: &DialogProps) -> Html {
    let DialogProps { class, labelled_by, on_close, children } = props;
    let dialog = use_node_ref();
    use_effect_with(dialog.clone(), |dialog| {
        // Fails only for a dialog that is open already.
        let _shown = dialog.cast::<HtmlDialogElement>().map(|dialog| dialog.show_modal());
    });
    html! {
        <dialog ref={dialog} class={*class} aria-labelledby={*labelled_by} onclose={on_close.reform(|_| ())}>
            <form method="dialog">{ children.clone() }</form>
        </dialog>
    }
}
