//! The scenario of the page as a link: to copy, and to photograph.

use std::rc::Rc;

use streamgram_protocol::Scenario;
use streamgram_protocol::scenario::{MAX_FRAGMENT, MAX_QR_LINK, View};
use web_sys::HtmlInputElement;
use yew::prelude::*;

use super::address::{address_for_others, port};
use super::scenario::carried_list;
use crate::browser::address::own_address;
use crate::browser::clipboard::Copied;
use crate::i18n::figures::{Noun, counted};
use crate::i18n::language::{ELEMENT, Language, use_language, with_element};
use crate::ui::clipboard::use_clipboard;
use crate::ui::dialog::Dialog;

/// What was chosen in the dialog.
#[derive(Clone, Copy)]
struct Chosen {
    view: View,
    /// The link was copied as it stands.
    copied: bool,
}

#[derive(Properties, PartialEq)]
pub(crate) struct ShareDialogProps {
    pub(crate) scenario: Rc<Scenario>,
    /// Where the server says that others can open the page.
    pub(crate) lan: Option<String>,
    pub(crate) on_view: Callback<View>,
    pub(crate) on_close: Callback<()>,
}

/// The dialog; it is open as long as it is there.
#[component]
pub(crate) fn ShareDialog(props: &ShareDialogProps) -> Html {
    let ShareDialogProps { scenario, lan, on_view, on_close } = props;
    let language = use_language();
    let state = use_state(|| Chosen { view: scenario.view, copied: false });
    let chosen = *state;
    let language_tag = Some(language.tag().to_owned());
    let scenario =
        Rc::new(Scenario { view: chosen.view, language: language_tag, ..(**scenario).clone() });
    let fragment = scenario.encode();
    let for_others = address_for_others(lan.as_deref());
    let address = for_others.clone().or_else(own_address).unwrap_or_default();
    let link = format!("{address}#{fragment}");
    let oncopy = {
        let (clipboard, link, state) = (use_clipboard(), link.clone(), state.setter());
        move |_| {
            let state = state.clone();
            clipboard.copy(link.clone(), move |copied| {
                state.set(Chosen { copied: copied == Copied::Done, ..chosen });
            });
        }
    };
    let onview = move |event: Event| {
        let large = event.target_unchecked_into::<HtmlInputElement>().checked();
        let view = if large { View::Large } else { View::Full };
        state.set(Chosen { view, copied: false });
    };
    let onnow = {
        let (on_view, on_close) = (on_view.clone(), on_close.clone());
        move |_| {
            on_view.emit(View::Large);
            on_close.emit(());
        }
    };
    html! {
        <Dialog class="share" labelled_by="share-title" {on_close}>
            <h2 id="share-title">{ language.share_title() }</h2>
            if fragment.len() > MAX_FRAGMENT {
                <p class="notice">{ too_long(language, fragment.len()) }</p>
            } else {
                <div class="share-link">
                    <input readonly=true aria-label={language.share_link()} value={link} />
                    <button type="button" class="primary" onclick={oncopy}>{ language.commands_copy() }</button>
                </div>
                <p class="share-copied" role="status">
                    if chosen.copied { { language.commands_copied() } }
                </p>
            }
            <div class="share-parts">
                <div>
                    <h3>{ language.share_carries() }</h3>
                    { carried_list(language, &scenario) }
                    <label class="share-view">
                        <input type="checkbox" checked={chosen.view == View::Large} onchange={onview} />
                        { " " }{ language.share_large() }
                    </label>
                    <button type="button" onclick={onnow}>{ language.share_large_now() }</button>
                </div>
                <div class="share-qr">{ qr(language, for_others, &fragment) }</div>
            </div>
            <button class="primary">{ language.dismiss() }</button>
        </Dialog>
    }
}

fn too_long(language: Language, length: usize) -> String {
    let [length, limit] =
        [length, MAX_FRAGMENT].map(|bytes| counted(language, bytes as u64, Noun::Byte));
    language.share_too_long(&length, &limit)
}

/// The QR code with its address beside it, or why there is none.
fn qr(language: Language, address: Option<String>, fragment: &str) -> Html {
    let Some(address) = address else {
        let command = format!("streamgram --http 0.0.0.0:{}", port());
        return with_element(
            &language.share_only_here(ELEMENT),
            html! { <code translate="no">{ command }</code> },
        );
    };
    let whole = address.len() + 1 + fragment.len() <= MAX_QR_LINK;
    // The number sign would end the request; the server puts it back.
    let behind = if whole { format!("%23{fragment}") } else { String::new() };
    html! {
        <>
            <img src={format!("api/qr.svg?{address}{behind}")} width="264" height="264"
                alt={language.share_qr(&address)} />
            <code translate="no">{ address }</code>
            if !whole { <p>{ language.share_qr_page() }</p> }
        </>
    }
}
