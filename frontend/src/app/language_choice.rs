//! Which language the page speaks: the one that a person chose, else the one that fits best.

use crate::browser::use_choice::Choice;
use crate::i18n::language::Language;

impl Choice for Language {
    const KEY: &'static str = "language";
    const ATTRIBUTE: &'static str = "lang";

    fn of_word(word: &str) -> Option<Self> {
        Self::of_tag(word)
    }

    fn word(self) -> &'static str {
        self.tag()
    }

    /// The first of the browser's languages that the page has. That of a share link is only offered.
    fn suggested() -> Self {
        let tags = web_sys::window().map(|window| window.navigator().languages());
        let tags = tags.into_iter().flatten().filter_map(|tag| tag.as_string());
        tags.filter_map(|tag| Self::of_tag(&tag)).next().unwrap_or_default()
    }
}
