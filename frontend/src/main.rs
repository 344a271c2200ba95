//! The page of Streamgram. State is pure and tested without a browser ([`page`], [`lane`],
//! [`last_send`], [`strip`], [`verdict`], [`draft`]; their words stand in [`language`]); components show it; hooks talk to the browser.

mod address;
mod app;
mod clipboard;
mod commands;
mod components;
mod draft;
mod escapes;
mod export;
mod figures;
mod hooks;
mod kept;
mod knobs;
mod ladder;
mod lane;
mod language;
mod last_send;
mod log;
mod matches;
mod note;
mod notice;
mod observed;
mod page;
mod part;
mod playground;
mod plot;
mod progress;
mod raw_clients;
mod records;
mod repetition;
mod route;
mod row;
mod samples;
mod scenario;
mod status;
mod storage;
mod strip;
mod sweep;
mod template;
mod theme;
mod trace;
mod verdict;
mod view;

fn main() {
    let root = web_sys::window()
        .and_then(|window| window.document())
        .and_then(|document| document.get_element_by_id("app"));
    if let Some(root) = root {
        // The document's first paint gives way to the page.
        root.set_text_content(None);
        yew::Renderer::<app::App>::with_root(root).render();
    }
}
