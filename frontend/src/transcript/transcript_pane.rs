//! The transcript: its tools, the lanes, one list of all rows, and the detail of a row.

use std::rc::Rc;

use gloo_timers::callback::Timeout;
use streamgram_protocol::Protocol;
use yew::prelude::*;

use super::lane_card::{LaneCard, LaneRequest};
use super::records;
use super::row_detail::RowDetail;
use super::transcript_list::{RowRequest, TranscriptList};
use super::transcript_row::Look;
use super::transcript_tools::{Figures, ToolRequest, transcript_tools};
use super::use_matches::use_matches;
use super::view::{List, View};
use crate::browser::clipboard::Copied;
use crate::browser::download::save;
use crate::i18n::language::use_language;
use crate::session::page::Page;
use crate::session::row::{Content, Row};
use crate::ui::clipboard::use_clipboard;

/// How long it is said that something was copied.
const SAID_MS: u32 = 3_000;

#[derive(Properties, PartialEq)]
pub(crate) struct TranscriptPaneProps {
    pub(crate) page: Rc<Page>,
    /// Minutes east of UTC.
    pub(crate) zone: i32,
    pub(crate) on_ask: Callback<LaneRequest>,
    pub(crate) on_clear: Callback<()>,
}

/// Everything that shows rows.
#[component]
pub(crate) fn TranscriptPane(props: &TranscriptPaneProps) -> Html {
    let TranscriptPaneProps { page, zone, on_ask, on_clear } = props;
    let (language, log) = (use_language(), &page.log);
    let view = use_state(View::default);
    let chosen = use_state(|| None::<Rc<Row>>);
    let test = view.test(language);
    let (matches, complete) = use_matches(log, &test);

    let said = use_state_eq(|| None::<Copied>);
    use_effect_with(*said, {
        let said = said.clone();
        move |now| {
            let silence = now.map(|_| Timeout::new(SAID_MS, move || said.set(None)));
            move || drop(silence)
        }
    });
    let on_copy = {
        let (clipboard, said) = (use_clipboard(), said.clone());
        Callback::from(move |text: String| {
            let said = said.clone();
            clipboard.copy(text, move |copied| said.set(Some(copied)));
        })
    };
    let on_row = {
        let (chosen, on_copy, hex, zone) = (chosen.clone(), on_copy.clone(), view.hex, *zone);
        Callback::from(move |ask| match ask {
            RowRequest::Show(row) => chosen.set(Some(row)),
            RowRequest::Copy(row) => on_copy.emit(match &row.content {
                Content::Note(_) => records::line(language, &row, zone),
                Content::Line { payload, .. } | Content::Reply { payload, .. } => {
                    records::written(payload, hex)
                }
            }),
        })
    };
    let on_tool = {
        let (view, log, zone, on_clear) = (view.clone(), Rc::clone(log), *zone, on_clear.clone());
        Callback::from(move |ask| match ask {
            ToolRequest::View(next) => view.set(next),
            ToolRequest::JsonLines => {
                let file = records::json_lines(&log);
                save("streamgram-transcript.jsonl", "application/x-ndjson", file.as_bytes());
            }
            ToolRequest::Text => {
                let file = records::text(language, &log, zone);
                save("streamgram-transcript.txt", "text/plain", file.as_bytes());
            }
            ToolRequest::Clear => on_clear.emit(()),
        })
    };
    let on_close = {
        let chosen = chosen.clone();
        Callback::from(move |()| chosen.set(None))
    };
    let list = if let List::One(protocol) = view.list { protocol } else { None };
    let figures = Figures {
        shown: matches.count(list),
        kept: log.len(),
        dropped: log.dropped,
        filtered: !test.is_open() || list.is_some(),
        complete,
    };
    let look =
        Look { language, zone: *zone, hex: view.hex, delta: view.delta, protocol: list.is_none() };
    let in_lanes = view.list == List::Lanes;
    let lane_look = Look { protocol: false, ..look };
    // As it stands now; as it stood, if it is no longer kept.
    let shown = chosen.as_ref().map(|row| Rc::clone(log.row(row.key).unwrap_or(row)));
    html! {
        <>
            { transcript_tools(language, &view, &figures, *said, &on_tool) }
            <div class="lanes">
                for protocol in Protocol::BOTH {
                    <LaneCard key={protocol.name()} lane={Rc::clone(page.lane(protocol))}
                        matches={in_lanes.then(|| Rc::clone(&matches))} look={lane_look}
                        {on_ask} on_row={on_row.clone()} />
                }
            </div>
            if !in_lanes {
                <section class="one-list card" aria-label={language.transcript()}>
                    <TranscriptList {matches} {list} {look} {on_row} />
                </section>
            }
            if let Some(row) = shown {
                <RowDetail {row} zone={*zone} said={*said} {on_copy} {on_close} />
            }
        </>
    }
}
