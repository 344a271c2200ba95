//! The page of Streamgram, a folder for each feature, with state and view of one thing side by side. State is
//! pure and tested without a browser; components show it and say what they are asked; hooks talk to the browser.

mod app;
mod browser;
mod clients;
mod commands;
mod i18n;
mod lab;
mod lessons;
mod plots;
mod prompt;
mod result;
mod room;
mod session;
mod share;
mod transcript;
mod ui;

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
