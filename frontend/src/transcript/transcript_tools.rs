//! Above the transcript: which rows are shown, how they are written, and what can be done with all.

use streamgram_protocol::Protocol;
use web_sys::{HtmlInputElement, HtmlSelectElement};
use yew::prelude::*;

use super::view::{Direction, Filter, List, Outcome, View};
use crate::browser::clipboard::Copied;
use crate::i18n::figures::count;
use crate::i18n::language::{Language, use_language};

/// How many rows there are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Figures {
    pub(crate) shown: usize,
    pub(crate) kept: usize,
    pub(crate) dropped: u64,
    /// Not all rows are to be shown.
    pub(crate) filtered: bool,
    /// All rows have been looked through.
    pub(crate) complete: bool,
}

/// What a person can ask of the transcript.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum ToolAsk {
    View(View),
    JsonLines,
    Text,
    Clear,
}

#[derive(Properties, PartialEq)]
pub(crate) struct TranscriptToolsProps {
    pub(crate) view: View,
    pub(crate) figures: Figures,
    /// How something was copied just now.
    pub(crate) said: Option<Copied>,
    pub(crate) on_ask: Callback<ToolAsk>,
}

/// The tools.
#[component]
pub(crate) fn TranscriptTools(props: &TranscriptToolsProps) -> Html {
    let TranscriptToolsProps { view, figures, said, on_ask } = props;
    let language = use_language();
    let filter = &view.filter;
    let search = {
        let (view, on_ask) = (view.clone(), on_ask.clone());
        move |event: InputEvent| {
            let query = event.target_unchecked_into::<HtmlInputElement>().value();
            let filter = Filter { query, ..view.filter.clone() };
            on_ask.emit(ToolAsk::View(View { filter, ..view.clone() }));
        }
    };
    let directions = [
        (Direction::All, language.all_directions()),
        (Direction::Sent, language.only_sent()),
        (Direction::Received, language.only_received()),
        (Direction::Notes, language.only_notes()),
    ];
    let outcomes = [
        (Outcome::All, language.all_outcomes()),
        (Outcome::Answered, language.stat_answered()),
        (Outcome::Waiting, language.only_waiting()),
        (Outcome::NoReply, language.stat_without_reply()),
    ];
    let protocols = [
        (List::One(None), language.both()),
        (List::One(Some(Protocol::Tcp)), "TCP"),
        (List::One(Some(Protocol::Udp)), "UDP"),
    ];
    let one = if view.list == List::Lanes { List::One(None) } else { view.list };
    let button = |name: &'static str, ask: ToolAsk| {
        let onclick = on_ask.reform(move |_: MouseEvent| ask.clone());
        html! { <button type="button" {onclick}>{ name }</button> }
    };
    html! {
        <div class="transcript-tools card">
            <input type="search" class="transcript-search" aria-label={language.search()} spellcheck="false"
                placeholder={language.search()} aria-describedby="transcript-count"
                value={filter.query.clone()} oninput={search} />
            { select(language.direction(), &directions, filter.direction, on_ask, view,
                |view, direction| view.filter.direction = direction) }
            { select(language.outcome(), &outcomes, filter.outcome, on_ask, view,
                |view, outcome| view.filter.outcome = outcome) }
            { switch([(false, language.as_text()), (true, language.hex())], view.hex, on_ask, view,
                (language.payloads(), |view, hex| view.hex = hex)) }
            { switch([(false, language.as_time()), (true, "Δ")], view.delta, on_ask, view,
                (language.times(), |view, delta| view.delta = delta)) }
            { switch([(List::Lanes, language.in_lanes()), (one, language.in_one_list())], view.list, on_ask, view,
                (language.list(), |view, list| view.list = list)) }
            if view.list != List::Lanes {
                { select(language.protocol(), &protocols, view.list, on_ask, view,
                    |view, list| view.list = list) }
            }
            <span id="transcript-count" class="transcript-count">{ told(language, figures) }</span>
            <span role="status" class="transcript-said">{ said.map(|said| copied(language, said)) }</span>
            <span class="transcript-all" role="group" aria-label={language.all_rows()}>
                { button("JSON Lines", ToolAsk::JsonLines) }
                { button(language.text_file(), ToolAsk::Text) }
                { button(language.clear(), ToolAsk::Clear) }
            </span>
        </div>
    }
}

/// What is said of something that was copied.
pub(crate) fn copied(language: Language, said: Copied) -> &'static str {
    match said {
        Copied::Done => language.copied(),
        Copied::ByHand => language.copy_by_hand(),
    }
}

fn told(language: Language, figures: &Figures) -> String {
    let Figures { shown, kept, dropped, filtered, complete } = *figures;
    let (shown, kept) = (count(shown as u64), count(kept as u64));
    let mut told = if !filtered { language.rows(&kept) } else { language.rows_of(&shown, &kept) };
    if !complete {
        told += " …";
    }
    if dropped > 0 {
        told = told + " · " + &language.older_rows_dropped(&count(dropped));
    }
    told
}

/// Choices of which one holds, in a list that opens.
fn select<T: Copy + PartialEq + 'static>(
    label: &'static str,
    choices: &[(T, &'static str)],
    chosen: T,
    on_ask: &Callback<ToolAsk>,
    view: &View,
    choose: fn(&mut View, T),
) -> Html {
    let values: Vec<T> = choices.iter().map(|(value, _)| *value).collect();
    let onchange = {
        let (view, on_ask) = (view.clone(), on_ask.clone());
        move |event: Event| {
            let at = event.target_unchecked_into::<HtmlSelectElement>().selected_index();
            if let Some(value) = usize::try_from(at).ok().and_then(|at| values.get(at)) {
                let mut view = view.clone();
                choose(&mut view, *value);
                on_ask.emit(ToolAsk::View(view));
            }
        }
    };
    html! {
        <select aria-label={label} {onchange}>
            for (value, name) in choices {
                <option selected={*value == chosen}>{ *name }</option>
            }
        </select>
    }
}

/// Two buttons of which one is pressed.
fn switch<T: Copy + PartialEq + 'static>(
    choices: [(T, &'static str); 2],
    chosen: T,
    on_ask: &Callback<ToolAsk>,
    view: &View,
    (label, choose): (&'static str, fn(&mut View, T)),
) -> Html {
    html! {
        <span class="targets" role="group" aria-label={label}>
            for (value, name) in choices {
                <button type="button" aria-pressed={(value == chosen).to_string()} onclick={
                    let mut view = view.clone();
                    choose(&mut view, value);
                    on_ask.reform(move |_| ToolAsk::View(view.clone()))
                }>{ name }</button>
            }
        </span>
    }
}
