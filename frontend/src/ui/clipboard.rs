//! Copying, for all of the page. Where a browser refuses, the text is shown, selected, for a person to
//! copy.

use wasm_bindgen_futures::spawn_local;
use web_sys::HtmlTextAreaElement;
use yew::prelude::*;

use crate::browser::clipboard::{self, Copied};
use crate::i18n::language::use_language;
use crate::ui::dialog::Dialog;

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
    let language = use_language();
    let refused = use_state(|| None::<AttrValue>);
    let on_refused = use_callback((), {
        let refused = refused.setter();
        move |text: String, ()| refused.set(Some(text.into()))
    });
    let on_close = {
        let refused = refused.setter();
        move |()| refused.set(None)
    };
    // The dialog gives it the focus.
    let select = |event: FocusEvent| event.target_unchecked_into::<HtmlTextAreaElement>().select();
    html! {
        <ContextProvider<Clipboard> context={Clipboard { on_refused }}>
            { children.clone() }
            if let Some(text) = &*refused {
                <Dialog class="copy-by-hand" labelled_by="copy-by-hand" {on_close}>
                    <p id="copy-by-hand">{ language.copy_by_hand() }</p>
                    <textarea readonly=true aria-labelledby="copy-by-hand" value={text} onfocus={select} />
                    <button>{ language.dismiss() }</button>
                </Dialog>
            }
        </ContextProvider<Clipboard>>
    }
}
