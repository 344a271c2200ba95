//! Something that a person chose once, stored in this browser and said to the document.

use yew::prelude::*;

use super::storage;

/// A choice among few.
pub(crate) trait Choice: Copy + PartialEq + 'static {
    /// Under which key the browser stores it.
    const KEY: &'static str;
    /// The attribute of the document's root that says it.
    const ATTRIBUTE: &'static str;

    /// The choice of a word; none if it is no such word.
    fn of_word(word: &str) -> Option<Self>;

    /// Its word.
    fn word(self) -> &'static str;

    /// What holds until a person chooses.
    fn suggested() -> Self;
}

/// The choice as it stands, and how to make another.
#[hook]
pub(crate) fn use_choice<T: Choice>() -> (T, Callback<T>) {
    let chosen = use_state(|| storage::read::<String>(T::KEY).and_then(|it| T::of_word(&it)));
    let holds = chosen.unwrap_or_else(T::suggested);
    use_effect_with(holds.word(), |word| {
        let root = web_sys::window().and_then(|it| it.document()?.document_element());
        if let Some(root) = root {
            // Fails only for a name that is none.
            let _set = root.set_attribute(T::ATTRIBUTE, word);
        }
    });
    let choose = {
        let chosen = chosen.clone();
        Callback::from(move |choice: T| {
            storage::write(T::KEY, choice.word());
            chosen.set(Some(choice));
        })
    };
    (holds, choose)
}
