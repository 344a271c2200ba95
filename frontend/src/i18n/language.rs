//! The languages of the page. Every text stands in `locales/page.lrc`, a key for each and a line for
//! each language; a key becomes a method of [`Language`], so a key that is not there does not compile.
//!
//! Protocol names, flags of packets and what the system says stay as they are in every language.

use typed_i18n::TypedI18N;
use yew::prelude::*;

/// A language of the page.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, TypedI18N)]
#[typed_i18n(filename = "locales/page.lrc")]
#[typed_i18n(builder = "mixed_str")]
pub(crate) enum Language {
    #[default]
    En,
    Zh,
}

impl Language {
    /// All of them, in the order in which they are offered.
    pub(crate) const ALL: [Self; 2] = [Self::En, Self::Zh];

    /// What it calls itself.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::En => "English",
            Self::Zh => "简体中文",
        }
    }

    /// Its tag (BCP 47).
    pub(crate) fn tag(self) -> &'static str {
        match self {
            Self::En => "en",
            Self::Zh => "zh-Hans",
        }
    }

    /// What stands between two sentences.
    pub(crate) fn between_sentences(self) -> &'static str {
        if self == Self::Zh { "" } else { " " }
    }

    /// The first part of its tag.
    fn primary(self) -> &'static str {
        primary(self.tag())
    }

    /// The language of a tag: `zh`, `zh-CN` and the like are Chinese.
    pub(crate) fn of_tag(tag: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|it| it.primary().eq_ignore_ascii_case(primary(tag)))
    }
}

fn primary(tag: &str) -> &str {
    tag.split('-').next().unwrap_or_default()
}

/// The language of the page, from its context; English where there is none, as in tests.
#[hook]
pub(crate) fn use_language() -> Language {
    use_context::<Language>().unwrap_or_default()
}

/// What a text is given where an element is to stand, for [`with_element`].
pub(crate) const ELEMENT: &str = "\0";

/// A text with an element in it, at the place of the parameter that was [`ELEMENT`].
pub(crate) fn with_element(text: &str, element: Html) -> Html {
    let (before, after) = text.split_once(ELEMENT).unwrap_or((text, ""));
    html! { <>{ before }{ element }{ after }</> }
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::path::{Path, PathBuf};

    use super::*;

    /// The keys of the table, each with its line in every language.
    fn table() -> Vec<(&'static str, Vec<(&'static str, &'static str)>)> {
        let mut keys: Vec<(&str, Vec<_>)> = Vec::new();
        for line in include_str!("../../locales/page.lrc").lines().map(str::trim) {
            if let Some(key) = line.strip_prefix('#') {
                keys.push((key.trim(), Vec::new()));
            } else if let (Some((language, text)), Some((_, texts))) =
                (line.split_once(' ').filter(|_| !line.starts_with(';')), keys.last_mut())
            {
                texts.push((language, text));
            }
        }
        keys
    }

    /// The parameters of a text, `%{n}`, sorted.
    fn parameters(text: &str) -> Vec<String> {
        let starts = text.match_indices("%{").map(|(at, _)| &text[at..]);
        let mut found: Vec<_> =
            starts.filter_map(|rest| rest.split_inclusive('}').next().map(str::to_owned)).collect();
        found.sort();
        found.dedup();
        found
    }

    fn sources(folder: &Path, found: &mut Vec<PathBuf>) {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                sources(&path, found);
            } else if path.extension().is_some_and(|end| end == "rs") {
                found.push(path);
            }
        }
    }

    #[test]
    fn every_key_has_a_text_in_every_language_with_the_same_parameters() {
        for (key, texts) in table() {
            let languages: Vec<_> = texts.iter().map(|(language, _)| *language).collect();
            assert_eq!(languages, ["en", "zh"], "{key}");
            assert!(texts.iter().all(|(_, text)| !text.is_empty()), "{key}");
            assert_eq!(parameters(texts[0].1), parameters(texts[1].1), "{key}");
        }
    }

    #[test]
    fn every_key_is_used() {
        let mut files = Vec::new();
        sources(&Path::new(env!("CARGO_MANIFEST_DIR")).join("src"), &mut files);
        let code: String = files.iter().map(|file| fs::read_to_string(file).unwrap()).collect();
        let is_used = |key: &str| {
            code.match_indices(key).any(|(at, _)| {
                let (before, after) = (&code[..at], &code[at + key.len()..]);
                (before.ends_with('.') || before.ends_with("Language::"))
                    && !after.starts_with(|c: char| c.is_alphanumeric() || c == '_')
            })
        };
        let unused: Vec<_> =
            table().into_iter().map(|(key, _)| key).filter(|key| !is_used(key)).collect();
        assert_eq!(unused, [""; 0]);
    }

    #[test]
    fn a_browser_s_tag_finds_its_language() {
        let of = ["zh", "zh-CN", "ZH-hans", "en-GB", "zha", "fr", ""].map(Language::of_tag);
        let (en, zh) = (Some(Language::En), Some(Language::Zh));
        assert_eq!(of, [zh, zh, zh, en, None, None, None]);
    }
}
