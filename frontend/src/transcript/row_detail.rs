//! All there is to a row, in a dialog: its time, how it stands, its payload as text and as hex.

use std::rc::Rc;

use yew::prelude::*;

use super::records::written;
use super::status::{numbers, status_text};
use super::transcript_tools::copied_text;
use crate::browser::clipboard::Copied;
use crate::i18n::figures::{Noun, counted, date_time};
use crate::i18n::language::{Language, use_language};
use crate::session::row::{Content, Row};
use crate::ui::bytes::{dump, piecewise};
use crate::ui::dialog::Dialog;

/// Bytes of a payload that are shown; more can be copied.
const SHOWN_BYTES: usize = 4_096;

#[derive(Properties, PartialEq)]
pub(crate) struct RowDetailProps {
    pub(crate) row: Rc<Row>,
    /// Minutes east of UTC.
    pub(crate) zone: i32,
    /// How something was copied just now.
    pub(crate) said: Option<Copied>,
    pub(crate) on_copy: Callback<String>,
    pub(crate) on_close: Callback<()>,
}

/// The detail of a row.
#[component]
pub(crate) fn RowDetail(props: &RowDetailProps) -> Html {
    let RowDetailProps { row, zone, said, on_copy, on_close } = props;
    let language = use_language();
    html! {
        <Dialog class="row-detail" labelled_by="row-detail-title" {on_close}>
            { title(language, row) }
            { facts(language, row, *zone) }
            { payload(language, row, on_copy) }
            <p class="row-detail-end">
                <button class="primary">{ language.dismiss() }</button>
                <span role="status">{ said.map(|said| copied_text(language, said)) }</span>
            </p>
        </Dialog>
    }
}

fn title(language: Language, row: &Row) -> Html {
    let (protocol, what) = (
        row.protocol.name(),
        match &row.content {
            Content::Line { place: number, .. } => language.strip_line_named(&number.to_string()),
            Content::Reply { .. } => language.strip_replies().into(),
            Content::Note(_) => language.only_notes().into(),
        },
    );
    html! {
        <h2 id="row-detail-title" data-protocol={protocol}>{ protocol }{ " · " }{ what }</h2>
    }
}

fn facts(language: Language, row: &Row, zone: i32) -> Html {
    let mut facts = vec![(language.as_time(), date_time(row.at_us, zone))];
    match &row.content {
        Content::Line { bytes, status, .. } => {
            facts.push((language.size(), counted(language, *bytes as u64, Noun::Byte)));
            facts.push((language.outcome(), status_text(language, *status).1));
        }
        Content::Reply { payload, answers } => {
            facts.push((language.size(), counted(language, payload.kept() as u64, Noun::Byte)));
            if answers.is_some() {
                facts.push((language.answers(), language.strip_lines_named(&numbers(*answers))));
            }
        }
        Content::Note(note) => facts.push((language.only_notes(), note.text(language))),
    }
    html! {
        <dl>
            for (name, fact) in facts {
                <div><dt>{ name }</dt><dd>{ fact }</dd></div>
            }
        </dl>
    }
}

fn payload(language: Language, row: &Row, on_copy: &Callback<String>) -> Html {
    let Some(payload) = row.payload() else { return html! {} };
    let copy = |name: String, hex: bool| {
        let payload = payload.clone();
        let onclick = on_copy.reform(move |_: MouseEvent| written(&payload, hex));
        html! { <button type="button" {onclick}>{ name }</button> }
    };
    let all = payload.bytes();
    let shown = payload.head(SHOWN_BYTES);
    let left = all.len() - shown.len();
    html! {
        <>
            <div class="row-detail-head"><h3>{ language.as_text() }</h3>{ copy(language.copy_as(language.as_text()), false) }</div>
            <code class="row-detail-text" translate="no" tabindex="0" role="group" aria-label={language.as_text()}>{ piecewise(language, &shown) }</code>
            <div class="row-detail-head"><h3>{ language.hex() }</h3>{ copy(language.copy_as(language.hex()), true) }</div>
            <pre class="row-detail-hex" translate="no" tabindex="0" role="group" aria-label={language.hex()}>{ dump(&shown) }</pre>
            if left > 0 {
                <p class="row-more">{ language.not_shown(&counted(language, left as u64, Noun::Byte)) }</p>
            }
        </>
    }
}
