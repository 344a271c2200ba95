//! Where a line is typed, and how often and where it goes.

use streamgram_protocol::{Limits, Target};
use web_sys::{HtmlInputElement, HtmlTextAreaElement};
use yew::prelude::*;

use super::draft::{Draft, lines_at_once};
use super::history::History;
use super::prompt_more::PromptMore;
use crate::browser::composing::composes;
use crate::browser::keyboard::has_keyboard;
use crate::i18n::figures::count;
use crate::i18n::language::{ELEMENT, Language, use_language, with_element};
use crate::session::notice::Notice;

/// Lines of the quick burst: enough to see TCP merge.
pub(crate) const QUICK_BURST: &str = "20";
/// Lines that are in sight at once; more are scrolled.
const SHOWN_LINES: usize = 8;

#[derive(Properties, PartialEq)]
pub(crate) struct PromptCardProps {
    pub(crate) limits: Limits,
    pub(crate) draft: Draft,
    /// It gets the focus when it appears, where there is a keyboard.
    pub(crate) focus: bool,
    pub(crate) on_change: Callback<Draft>,
    /// Sends a draft, or says why it may not go out.
    pub(crate) on_submit: Callback<Draft, Result<(), Notice>>,
    pub(crate) on_clear: Callback<()>,
}

/// The prompt.
#[component]
pub(crate) fn PromptCard(props: &PromptCardProps) -> Html {
    let PromptCardProps { draft, on_change, .. } = props;
    let language = use_language();
    let line = use_node_ref();
    let history = use_mut_ref(History::stored);
    use_effect_with((), {
        let (line, focus) = (line.clone(), props.focus);
        move |()| {
            // On a telephone it would bring up the keyboard, over half of the page.
            let line = line.cast::<HtmlTextAreaElement>();
            if let Some(line) = line.filter(|_| focus && has_keyboard()) {
                // Fails only where it cannot have the focus.
                let _focused = line.focus();
            }
        }
    });
    let edit = |change: fn(&mut Draft, String)| {
        let draft = draft.clone();
        on_change.reform(move |event: InputEvent| {
            let mut edited = draft.clone();
            change(&mut edited, event.target_unchecked_into::<HtmlInputElement>().value());
            edited
        })
    };
    let send = {
        let (history, line) = (history.clone(), line.clone());
        let on_submit = props.on_submit.clone();
        move |draft: Draft| {
            if on_submit.emit(draft.clone()).is_ok() {
                history.borrow_mut().remember(&Draft::default().with_line_of(&draft));
                // Enter sends it again, typing replaces it.
                if let Some(line) = line.cast::<HtmlTextAreaElement>() {
                    line.select();
                }
            }
        }
    };
    let onsubmit = {
        let (draft, send) = (draft.clone(), send.clone());
        move |event: SubmitEvent| {
            event.prevent_default();
            send(draft.clone());
        }
    };
    let burst = {
        let (draft, send) = (draft.clone(), send.clone());
        move |_| {
            let (count, interval_ms) = (QUICK_BURST.to_owned(), "0".to_owned());
            send(Draft { count, interval_ms, ..draft.clone() });
        }
    };
    let on_use = {
        let (on_change, line) = (on_change.clone(), line.clone());
        Callback::from(move |saved: Draft| {
            on_change.emit(saved);
            if let Some(line) = line.cast::<HtmlTextAreaElement>() {
                // Fails only where it cannot have the focus.
                let _focused = line.focus();
            }
        })
    };
    let on_forget = {
        let history = history.clone();
        Callback::from(move |()| history.borrow_mut().forget())
    };
    let onkeydown = {
        let (draft, on_change, on_clear) =
            (draft.clone(), on_change.clone(), props.on_clear.clone());
        move |event: KeyboardEvent| {
            if composes(&event) {
                return;
            }
            let at = caret(&event);
            let mut history = history.borrow_mut();
            let recalled = match event.key().as_str() {
                "ArrowUp" if at.first_line => history.older(&draft),
                "ArrowDown" if at.last_line => history.newer(),
                "Escape" => history.draft(),
                "l" if event.ctrl_key() => {
                    event.prevent_default();
                    on_clear.emit(());
                    None
                }
                "Enter" if !event.shift_key() => {
                    event.prevent_default();
                    drop(history);
                    return send(draft.clone());
                }
                _ => None,
            };
            if let Some(recalled) = recalled {
                event.prevent_default();
                on_change.emit(draft.with_line_of(&recalled));
            }
        }
    };
    let Limits { burst_lines, interval_ms, .. } = props.limits;
    let rows = draft.text.split('\n').count().min(SHOWN_LINES);
    html! {
        <form class="prompt" {onsubmit} novalidate=true>
            <div class="prompt-line">
                <span class="prompt-sign" aria-hidden="true">{ ">" }</span>
                <textarea ref={line} class="prompt-text" aria-label={language.line_to_send()} autocomplete="off"
                    autocapitalize="off" spellcheck="false" enterkeyhint="send" wrap="off"
                    rows={rows.to_string()} placeholder={language.placeholder()}
                    value={draft.text.clone()} {onkeydown}
                    oninput={edit(|draft, text| draft.text = text)} />
                <button class="primary">{ language.send() }{ draft.amount().map(|amount| format!(" {amount}")) }
                    <span aria-hidden="true">{ " ⏎" }</span></button>
            </div>
            <div class="prompt-options">
                { targets(language, draft, on_change) }
                <label>{ language.prompt_lines() }{ " " }<input type="number" min="1" max={burst_lines.to_string()}
                    value={draft.count.clone()}
                    oninput={edit(|draft, count| draft.count = count)} /></label>
                <label>{ language.prompt_every() }{ " " }<input type="number" min="0" max={interval_ms.to_string()}
                    value={draft.interval_ms.clone()}
                    oninput={edit(|draft, interval| draft.interval_ms = interval)} />{ " ms" }</label>
                <button type="button" class="prompt-burst" onclick={burst}>{ language.burst(QUICK_BURST) }</button>
                <PromptMore draft={draft.clone()} lines_at_once={lines_at_once(&props.limits)}
                    {on_change} {on_use} {on_forget}>
                    <p class="hint">
                        { with_element(
                            &language.number_hint(ELEMENT, &count(burst_lines.into())),
                            html! { <code translate="no">{ "{n}" }</code> },
                        ) }
                    </p>
                </PromptMore>
            </div>
        </form>
    }
}

/// Whether the caret stands in the first line, and whether in the last: several lines are walked through
/// before a line is recalled.
struct Caret {
    first_line: bool,
    last_line: bool,
}

fn caret(event: &KeyboardEvent) -> Caret {
    let field = event.target_unchecked_into::<HtmlTextAreaElement>();
    // Browsers count in units of UTF-16.
    let text: Vec<u16> = field.value().encode_utf16().collect();
    let place = |at: Option<u32>| at.map_or(0, |at| text.len().min(at as usize));
    let from = place(field.selection_start().unwrap_or_default());
    let to = place(field.selection_end().unwrap_or_default());
    // A line that was sent is selected from end to end: that is both its first and its last.
    let whole = (from, to) == (0, text.len());
    let line_break = u16::from(b'\n');
    Caret {
        first_line: whole || !text[..from].contains(&line_break),
        last_line: whole || !text[to..].contains(&line_break),
    }
}

/// Where the line goes: three buttons of which one is pressed.
fn targets(language: Language, draft: &Draft, on_change: &Callback<Draft>) -> Html {
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
                        on_change.reform(move |_| Draft { to, ..draft.clone() })
                    }>{ name }</button>
            }
        </div>
    }
}
