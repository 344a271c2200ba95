//! The transcript: its tools, a list for each protocol or one of all rows, and the detail of a row.

use std::rc::Rc;

use gloo_timers::callback::Timeout;
use streamgram_protocol::Protocol;
use yew::prelude::*;

use super::records;
use super::row_detail::RowDetail;
use super::transcript_list::{RowRequest, TranscriptList};
use super::transcript_row::{Look, pointed};
use super::transcript_tools::{Figures, ToolRequest, transcript_tools};
use super::use_matches::use_matches;
use super::view::{List, View};
use crate::browser::clipboard::Copied;
use crate::i18n::language::use_language;
use crate::result::pointed::Pointed;
use crate::session::log::Log;
use crate::session::row::{Content, Row};
use crate::session::run::Run;
use crate::ui::clipboard::use_clipboard;

/// How long it is said that something was copied.
const SAID_MS: u32 = 3_000;

#[derive(Properties, PartialEq)]
pub(crate) struct TranscriptPaneProps {
    pub(crate) log: Rc<Log>,
    /// The run whose rows are shown first.
    pub(crate) run: Option<Rc<Run>>,
    /// Minutes east of UTC.
    pub(crate) zone: i32,
    pub(crate) pointed: Option<Pointed>,
    pub(crate) on_point: Callback<Option<Pointed>>,
    /// What was chosen above the rows.
    pub(crate) view: View,
    pub(crate) on_view: Callback<View>,
    pub(crate) on_clear: Callback<()>,
}

/// Everything that shows rows.
#[component]
pub(crate) fn TranscriptPane(props: &TranscriptPaneProps) -> Html {
    let TranscriptPaneProps { log, run, zone, pointed: elsewhere, on_point, view, .. } = props;
    let language = use_language();
    let chosen = use_state(|| None::<Rc<Row>>);
    let test = view.test(language, run.as_ref().map(|run| run.number));
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
        let (on_point, number) = (on_point.clone(), run.as_ref().map(|run| run.number));
        Callback::from(move |ask| match ask {
            RowRequest::Point(row) => {
                let own = row.filter(|row| Some(row.run) == number);
                on_point.emit(own.and_then(|row| pointed(&row)));
            }
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
        let (on_view, on_clear) = (props.on_view.clone(), props.on_clear.clone());
        Callback::from(move |ask| match ask {
            ToolRequest::View(next) => on_view.emit(next),
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
    let look = Look {
        language,
        zone: *zone,
        hex: view.hex,
        delta: view.delta,
        protocol: list.is_none(),
        pointed: run.as_ref().map(|run| run.number).zip(*elsewhere),
    };
    let in_lanes = view.list == List::Lanes;
    let lane_look = Look { protocol: false, ..look };
    // As it stands now; as it stood, if it is no longer kept.
    let shown = chosen.as_ref().map(|row| Rc::clone(log.row(row.key).unwrap_or(row)));
    html! {
        <>
            if run.is_some() { { transcript_tools(language, view, &figures, *said, &on_tool) } }
            if in_lanes {
                <div class="lanes">
                    for protocol in Protocol::BOTH {
                        <section key={protocol.name()} class="lane" role="group" data-protocol={protocol.name()} aria-label={protocol.name()}>
                            <TranscriptList matches={Rc::clone(&matches)} list={protocol} look={lane_look}
                                on_row={on_row.clone()} />
                        </section>
                    }
                </div>
            } else {
                <section class="one-list" aria-label={language.transcript()}>
                    <TranscriptList {matches} {list} {look} {on_row} />
                </section>
            }
            if let Some(row) = shown {
                <RowDetail {row} zone={*zone} said={*said} {on_copy} {on_close} />
            }
        </>
    }
}
