//! Where a line is typed, and how often and where it goes.

use std::rc::Rc;

use streamgram_protocol::{Limits, Protocol, Target};
use web_sys::HtmlInputElement;
use yew::prelude::*;

use crate::draft::Draft;
use crate::figures::count;
use crate::hooks::use_history::use_history;
use crate::language::{Language, use_language};
use crate::notice::Notice;

/// Lines of the quick burst: enough to see TCP merge.
pub(crate) const QUICK_BURST: &str = "20";

#[derive(Properties, PartialEq)]
pub(crate) struct PromptProps {
    pub(crate) limits: Limits,
    pub(crate) notice: Option<Notice>,
    /// What a preset puts here; every suggestion is taken once.
    pub(crate) suggestion: Option<Rc<Draft>>,
    /// Whether the draft went out.
    pub(crate) on_submit: Callback<Draft, bool>,
    pub(crate) on_open: Callback<Protocol>,
    pub(crate) on_clear: Callback<()>,
}

/// The prompt.
#[component]
pub(crate) fn Prompt(props: &PromptProps) -> Html {
    let language = use_language();
    let draft = use_state(Draft::default);
    use_effect_with(props.suggestion.clone(), {
        let draft = draft.clone();
        move |suggestion| {
            if let Some(suggestion) = suggestion {
                draft.set((**suggestion).clone());
            }
        }
    });
    let line = use_node_ref();
    let history = use_history();
    let edit = |change: fn(&mut Draft, String)| {
        let draft = draft.clone();
        Callback::from(move |event: InputEvent| {
            let mut edited = (*draft).clone();
            change(&mut edited, event.target_unchecked_into::<HtmlInputElement>().value());
            draft.set(edited);
        })
    };
    let send = {
        let (history, line) = (history.clone(), line.clone());
        let on_submit = props.on_submit.clone();
        move |draft: Draft| {
            let text = draft.text.clone();
            if on_submit.emit(draft) {
                history.borrow_mut().remember(&text);
                // Enter sends it again, typing replaces it.
                if let Some(line) = line.cast::<HtmlInputElement>() {
                    line.select();
                }
            }
        }
    };
    let onsubmit = {
        let (draft, send) = (draft.clone(), send.clone());
        move |event: SubmitEvent| {
            event.prevent_default();
            send((*draft).clone());
        }
    };
    let burst = {
        let draft = draft.clone();
        move |_| {
            let (count, interval_ms) = (QUICK_BURST.to_owned(), "0".to_owned());
            send(Draft { count, interval_ms, ..(*draft).clone() });
        }
    };
    let onkeydown = {
        let (draft, on_clear) = (draft.clone(), props.on_clear.clone());
        move |event: KeyboardEvent| {
            let mut history = history.borrow_mut();
            let text = match event.key().as_str() {
                "ArrowUp" => history.older(&draft.text),
                "ArrowDown" => history.newer(),
                "Escape" => history.draft(),
                "l" if event.ctrl_key() => {
                    event.prevent_default();
                    on_clear.emit(());
                    None
                }
                _ => None,
            };
            if let Some(text) = text {
                event.prevent_default();
                draft.set(Draft { text, ..(*draft).clone() });
            }
        }
    };
    let Limits { burst_lines, interval_ms, .. } = props.limits;
    html! {
        <form class="prompt card" {onsubmit} novalidate=true>
            <div class="prompt-line">
                <span class="prompt-sign" aria-hidden="true">{ ">" }</span>
                <input ref={line} class="prompt-text" aria-label={language.line_to_send()} autocomplete="off"
                    autocapitalize="off" spellcheck="false" placeholder={language.placeholder()}
                    value={draft.text.clone()} {onkeydown}
                    oninput={edit(|draft, text| draft.text = text)} />
                <button class="primary">{ language.send() }<span aria-hidden="true">{ " ⏎" }</span></button>
            </div>
            <div class="prompt-options">
                { targets(language, &draft) }
                <label>{ language.prompt_lines() }{ " " }<input type="number" min="1" max={burst_lines.to_string()}
                    value={draft.count.clone()}
                    oninput={edit(|draft, count| draft.count = count)} /></label>
                <label>{ language.prompt_every() }{ " " }<input type="number" min="0" max={interval_ms.to_string()}
                    value={draft.interval_ms.clone()}
                    oninput={edit(|draft, interval| draft.interval_ms = interval)} />{ " ms" }</label>
                <button type="button" class="prompt-burst" onclick={burst}>{ language.burst(QUICK_BURST) }</button>
                <small class="hint">
                    { language.html_number_hint(html! { <code>{ "{n}" }</code> }, &count(burst_lines.into())) }
                </small>
            </div>
            <p class="notice" role="alert">
                if let Some(notice) = &props.notice {
                    { notice.text(language) }
                    if let Some(protocol) = notice.opens() {
                        <button type="button" onclick={props.on_open.reform(move |_| protocol)}>
                            { language.open_leg(protocol.name()) }
                        </button>
                    }
                }
            </p>
        </form>
    }
}

/// Where the line goes: three buttons of which one is pressed.
fn targets(language: Language, draft: &UseStateHandle<Draft>) -> Html {
    let choices = [
        (Target::Tcp, "TCP", "TCP"),
        (Target::Both, "both", language.both()),
        (Target::Udp, "UDP", "UDP"),
    ];
    html! {
        <div class="targets" role="group" aria-label={language.where_it_goes()}>
            for (to, word, name) in choices {
                <button key={word} type="button" data-target={word}
                    aria-pressed={(draft.to == to).to_string()}
                    onclick={
                        let draft = draft.clone();
                        move |_| draft.set(Draft { to, ..(*draft).clone() })
                    }>{ name }</button>
            }
        </div>
    }
}
