//! What can be saved: the rows, the external clients, and the packets of the run.

use std::rc::Rc;

use yew::prelude::*;

use crate::browser::download::save;
use crate::clients::client_records;
use crate::i18n::language::Language;
use crate::result::export::packet_export;
use crate::result::result_card::{caption, has_packets, traces};
use crate::session::page::Page;
use crate::session::run::Run;
use crate::transcript::records;

/// Buttons that save files, with times in a zone that many minutes east of UTC.
pub(crate) fn export_panel(language: Language, page: &Rc<Page>, run: &Run, zone: i32) -> Html {
    let rows = |save_rows: fn(Language, &Page, i32)| {
        let page = Rc::clone(page);
        move |_: MouseEvent| save_rows(language, &page, zone)
    };
    html! {
        <div class="exports">
            <div class="export" role="group" aria-label={language.all_rows()}>
                <h3>{ language.all_rows() }</h3>
                <button type="button" onclick={rows(|_, page, _| {
                    let file = records::json_lines(&page.log);
                    save("streamgram-transcript.jsonl", "application/x-ndjson", file.as_bytes());
                })}>{ "JSON Lines" }</button>
                <button type="button" onclick={rows(|language, page, zone| {
                    let file = records::text(language, &page.log, zone);
                    save("streamgram-transcript.txt", "text/plain", file.as_bytes());
                })}>{ language.text_file() }</button>
            </div>
            if !page.raw.clients.is_empty() {
                <div class="export" role="group" aria-label={language.clients()}>
                    <h3>{ language.clients() }</h3>
                    <button type="button" onclick={rows(|_, page, _| {
                        let file = client_records::json_lines(&page.raw);
                        save("streamgram-clients.jsonl", "application/x-ndjson", file.as_bytes());
                    })}>{ "JSON Lines" }</button>
                    <button type="button" onclick={rows(|language, page, zone| {
                        let file = client_records::text(language, &page.raw, zone);
                        save("streamgram-clients.txt", "text/plain", file.as_bytes());
                    })}>{ language.text_file() }</button>
                </div>
            }
            if has_packets(run) {
                <div class="export">
                    <h3>{ language.packets_title() }</h3>
                    { packet_export(language, zone, &traces(run), &caption(language, run).into()) }
                </div>
            }
        </div>
    }
}
