//! Light, dark, or as the system has it.

use strum::{EnumString, IntoStaticStr};

use crate::browser::use_choice::Choice;
use crate::i18n::language::Language;

/// How the page is coloured.
#[derive(Debug, Clone, Copy, PartialEq, Eq, EnumString, IntoStaticStr)]
#[strum(serialize_all = "lowercase")]
pub(crate) enum Theme {
    System,
    Light,
    Dark,
}

impl Theme {
    /// All of them, in the order in which they are offered.
    pub(crate) const ALL: [Self; 3] = [Self::System, Self::Light, Self::Dark];

    /// What to call it.
    pub(crate) fn name(self, language: Language) -> &'static str {
        match self {
            Self::System => language.theme_system(),
            Self::Light => language.theme_light(),
            Self::Dark => language.theme_dark(),
        }
    }
}

impl Choice for Theme {
    const KEY: &'static str = "theme";
    const ATTRIBUTE: &'static str = "data-theme";

    fn of_word(word: &str) -> Option<Self> {
        word.parse().ok()
    }

    fn word(self) -> &'static str {
        self.into()
    }

    fn suggested() -> Self {
        Self::System
    }
}
