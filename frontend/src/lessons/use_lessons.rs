//! The lessons, which are loaded when they are wanted.

use std::rc::Rc;

use streamgram_protocol::Lesson;
use wasm_bindgen::{JsCast, JsValue};
use wasm_bindgen_futures::{JsFuture, spawn_local};
use web_sys::Response;
use yew::prelude::*;

/// What has come of loading them.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Lessons {
    /// Not wanted yet.
    None,
    Loading,
    Loaded(Rc<Vec<Lesson>>),
    /// They did not come, or not whole.
    Failed,
}

impl Lessons {
    /// Those that are loaded.
    pub(crate) fn all(&self) -> &[Lesson] {
        if let Self::Loaded(all) = self { all } else { &[] }
    }
}

/// The lessons, and what loads them.
#[hook]
pub(crate) fn use_lessons() -> (Lessons, Callback<()>) {
    let lessons = use_state(|| Lessons::None);
    let load = {
        let lessons = lessons.clone();
        Callback::from(move |()| {
            lessons.set(Lessons::Loading);
            let lessons = lessons.setter();
            spawn_local(async move {
                let text = fetched().await.ok().and_then(|text| text.as_string());
                let read = text.and_then(|text| serde_json::from_str(&text).ok());
                lessons.set(read.map_or(Lessons::Failed, |read| Lessons::Loaded(Rc::new(read))));
            });
        })
    };
    ((*lessons).clone(), load)
}

/// The file whose address the document names.
async fn fetched() -> Result<JsValue, JsValue> {
    let window = web_sys::window().ok_or(JsValue::NULL)?;
    let document = window.document().ok_or(JsValue::NULL)?;
    let named = document.query_selector("meta[name=lessons]")?.ok_or(JsValue::NULL)?;
    let address = named.get_attribute("content").ok_or(JsValue::NULL)?;
    let response: Response = JsFuture::from(window.fetch_with_str(&address)).await?.dyn_into()?;
    if !response.ok() {
        return Err(JsValue::NULL);
    }
    JsFuture::from(response.text()?).await
}
