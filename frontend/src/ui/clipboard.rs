//! Copying, for all of the page. Where a browser refuses, the text is shown, selected, for a person to
//! copy.

use wasm_bindgen_futures::spawn_local;
use web_sys::{HtmlDialogElement, HtmlTextAreaElement};
use yew::prelude::*;

use crate::browser::clipboard::{self, Copied};
use crate::i18n::language::use_language;

/// What copies a text.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct Clipboard {
    on_refused: Callback<String>,
}

impl Clipboard {
    /// Copies a text, in whichever way this page may, and then says how.
    pub(crate) fn copy(&self, text: String, on_copied: impl FnOnce(Copied) + 'static) {
        let on_refused = self.on_refused.clone();
        spawn_local(async move {
            let copied = clipboard::copy(&text).await;
            if copied == Copied::ByHand {
                on_refused.emit(text);
            }
            on_copied(copied);
        });
    }
}

/// The clipboard of the page, from its context.
#[hook]
pub(crate) fn use_clipboard() -> Clipboard {
    use_context().unwrap_or_default()
}

#[derive(Properties, PartialEq)]
pub(crate) struct ClipboardProviderProps {
    pub(crate) children: Html,
}

/// Gives what is in it a clipboard.
#[component]
pub(crate) fn ClipboardProvider(
    ClipboardProviderProps { children }: &ClipboardProviderProps,
) -> Html {
    let refused = use_state(|| None::<AttrValue>);
    let on_refused = use_callback((), {
        let refused = refused.setter();
        move |text: String, ()| refused.set(Some(text.into()))
    });
    let on_close = {
        let refused = refused.setter();
        move |()| refused.set(None)
    };
    html! {
        <ContextProvider<Clipboard> context={Clipboard { on_refused }}>
            { children.clone() }
            if let Some(text) = &*refused {
                <CopyByHand {text} {on_close} />
            }
        </ContextProvider<Clipboard>>
    }
}

#[derive(Properties, PartialEq)]
struct CopyByHandProps {
    text: AttrValue,
    on_close: Callback<()>,
}

/// The dialog; it is open as long as it is there.
#[component]
fn CopyByHand(CopyByHandProps { text, on_close }: &CopyByHandProps) -> Html {
    let language = use_language();
    let (dialog, field) = (use_node_ref(), use_node_ref());
    use_effect_with((dialog.clone(), field.clone()), |(dialog, field)| {
        if let (Some(dialog), Some(field)) =
            (dialog.cast::<HtmlDialogElement>(), field.cast::<HtmlTextAreaElement>())
        {
            // Fails only for a dialog that is open already.
            let _shown = dialog.show_modal();
            field.select();
        }
    });
    html! {
        <dialog ref={dialog} class="copy-by-hand" onclose={on_close.reform(|_| ())}>
            <form method="dialog">
                <p>{ language.copy_by_hand() }</p>
                <textarea ref={field} readonly=true aria-label={language.copy_by_hand()} value={text} />
                <button>{ language.dismiss() }</button>
            </form>
        </dialog>
    }
}
