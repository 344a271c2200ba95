//! Which language the page speaks: the one that a person chose, else the one that fits best.

use streamgram_protocol::{Limits, Scenario};

use crate::browser::use_choice::Choice;
use crate::browser::use_fragment::fragment;
use crate::i18n::language::Language;
use crate::share::scenario::language_of;

impl Choice for Language {
    const KEY: &'static str = "language";
    const ATTRIBUTE: &'static str = "lang";

    fn of_word(word: &str) -> Option<Self> {
        Self::of_tag(word)
    }

    fn word(self) -> &'static str {
        self.tag()
    }

    /// The language of the share link that was opened, else the first of the browser's languages that the
    /// page has.
    fn suggested() -> Self {
        let (linked, _) = Scenario::decode(&fragment(), &Limits::default());
        if let Some(language) = linked.as_ref().and_then(language_of) {
            return language;
        }
        let tags = web_sys::window().map(|window| window.navigator().languages());
        let tags = tags.into_iter().flatten().filter_map(|tag| tag.as_string());
        tags.filter_map(|tag| Self::of_tag(&tag)).next().unwrap_or_default()
    }
}
