//! Above the transcript: which rows are shown, how they are written, and what can be done with all.

use streamgram_protocol::Protocol;
use web_sys::HtmlInputElement;
use yew::prelude::*;

use super::view::{Direction, List, Outcome, View};
use crate::browser::clipboard::Copied;
use crate::i18n::figures::count;
use crate::i18n::language::Language;
use crate::ui::select::select;
use crate::ui::toggle_group::toggle_group;

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
pub(crate) enum ToolRequest {
    View(View),
    Clear,
}

/// The tools; `copied` is how something was copied just now.
pub(crate) fn transcript_tools(
    language: Language,
    view: &View,
    figures: &Figures,
    copied: Option<Copied>,
    on_ask: &Callback<ToolRequest>,
) -> Html {
    let filter = &view.filter;
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
    let lists = [(List::Lanes, language.in_lanes()), (one, language.in_one_list())];
    let payloads = [(false, language.as_text()), (true, language.hex())];
    let times = [(false, language.as_time()), (true, "Δ")];
    let on_direction = changed(view, on_ask, |view, direction| view.filter.direction = direction);
    let on_outcome = changed(view, on_ask, |view, outcome| view.filter.outcome = outcome);
    let on_hex = changed(view, on_ask, |view, hex| view.hex = hex);
    let on_delta = changed(view, on_ask, |view, delta| view.delta = delta);
    let on_list = changed(view, on_ask, |view, list| view.list = list);
    let search = changed(view, on_ask, |view, query| view.filter.query = query)
        .reform(|event: InputEvent| event.target_unchecked_into::<HtmlInputElement>().value());
    let runs = [(false, language.this_run()), (true, language.all_runs())];
    let on_runs = changed(view, on_ask, |view, all| view.all_runs = all);
    let on_clear = on_ask.reform(|_: MouseEvent| ToolRequest::Clear);
    html! {
        <div class="transcript-tools">
            <input type="search" class="transcript-search" aria-label={language.search()} spellcheck="false"
                placeholder={language.search()} aria-describedby="transcript-count"
                value={filter.query.clone()} oninput={search} />
            { toggle_group(language.whose_rows(), runs, view.all_runs, on_runs) }
            { select(language.direction(), &directions, filter.direction, on_direction) }
            { select(language.outcome(), &outcomes, filter.outcome, on_outcome) }
            { toggle_group(language.payloads(), payloads, view.hex, on_hex) }
            { toggle_group(language.times(), times, view.delta, on_delta) }
            { toggle_group(language.list(), lists, view.list, on_list.clone()) }
            if view.list != List::Lanes {
                { select(language.protocol(), &protocols, view.list, on_list) }
            }
            <span id="transcript-count" class="transcript-count">{ summary(language, figures) }</span>
            <span role="status" class="transcript-said">{ copied.map(|copied| copied_text(language, copied)) }</span>
            <button type="button" class="transcript-clear" onclick={on_clear}>{ language.clear() }</button>
        </div>
    }
}

/// What is said of something that was copied.
pub(crate) fn copied_text(language: Language, copied: Copied) -> &'static str {
    match copied {
        Copied::Done => language.copied(),
        Copied::ByHand => language.copy_by_hand(),
    }
}

fn summary(language: Language, figures: &Figures) -> String {
    let Figures { shown, kept, dropped, filtered, complete } = *figures;
    let (shown, kept) = (count(shown as u64), count(kept as u64));
    let mut summary =
        if !filtered { language.rows(&kept) } else { language.rows_of(&shown, &kept) };
    if !complete {
        summary += " …";
    }
    if dropped > 0 {
        summary = summary + " · " + &language.older_rows_dropped(&count(dropped));
    }
    summary
}

/// Asks for the view with something changed in it.
fn changed<T: 'static>(
    view: &View,
    on_ask: &Callback<ToolRequest>,
    change: fn(&mut View, T),
) -> Callback<T> {
    let view = view.clone();
    on_ask.reform(move |value| {
        let mut view = view.clone();
        change(&mut view, value);
        ToolRequest::View(view)
    })
}
