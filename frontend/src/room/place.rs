//! Where a class is led to: what it is called, what is asked there, and whether a page is there.

use streamgram_protocol::room::{Place, Step};
use streamgram_protocol::scenario::MAX_QUOTE_CHARS;
use streamgram_protocol::{Lesson, Limits, Preset, Scenario, printable};

use super::pooled_step::PooledShown;
use crate::i18n::language::Language;
use crate::lab::knobs::preset_text;
use crate::lessons::lesson_detail::text;
use crate::lessons::lessons_card::LINK;
use crate::session::room::SeenStep;

/// The fragment of the area from which a class is led.
pub(crate) const TEACH: &str = "teach";

/// What a place is called.
pub(super) fn place_name(language: Language, place: &Place, lessons: &[Lesson]) -> String {
    match place {
        Place::Lesson { id, .. } => lesson_of(place, lessons)
            .map_or_else(|| quoted(id), |lesson| text(language, &lesson.title).to_owned()),
        Place::Scenario(fragment) => match decoded(fragment, &Limits::default()) {
            Some(scenario) => scenario_name(language, &scenario),
            None => quoted(fragment),
        },
        Place::Path(fragment) => match decoded(fragment, &Limits::default()) {
            Some(scenario) => language.room_path(&path_name(language, &scenario)),
            None => quoted(fragment),
        },
    }
}

/// What a scenario sends, in short.
pub(super) fn scenario_name(language: Language, scenario: &Scenario) -> String {
    let line = quoted(&scenario.text);
    let times = if scenario.count > 1 { format!(" ×{}", scenario.count) } else { String::new() };
    format!("{line}{times} · {}", path_name(language, scenario))
}

/// What a scenario's path is called.
pub(super) fn path_name(language: Language, scenario: &Scenario) -> String {
    let Some(link) = &scenario.link else { return language.path_direct().to_owned() };
    let preset = Preset::all().into_iter().find(|preset| preset.link == *link);
    preset.map_or(language.path_own(), |preset| preset_text(language, preset.name).0).to_owned()
}

/// What a link carries, if it is one.
pub(super) fn decoded(fragment: &str, limits: &Limits) -> Option<Scenario> {
    Scenario::decode(fragment, limits).0
}

/// The lesson of a place, if it is one and known.
pub(super) fn lesson_of<'l>(place: &Place, lessons: &'l [Lesson]) -> Option<&'l Lesson> {
    let Place::Lesson { id, .. } = place else { return None };
    lessons.iter().find(|lesson| lesson.id == *id)
}

/// Whether a fragment of the page's address leads to a place. Only a lesson has one of its own.
pub(super) fn is_address_of(fragment: &str, place: &Place) -> bool {
    match place {
        Place::Lesson { id, .. } => fragment.strip_prefix(LINK) == Some(id),
        Place::Scenario(_) | Place::Path(_) => false,
    }
}

/// A step as it is shown.
pub(crate) fn shown(language: Language, seen: &SeenStep, lessons: &[Lesson]) -> PooledShown {
    let Step { number, place, .. } = &seen.step;
    let lesson = lesson_of(place, lessons);
    let choices = lesson.map_or(&[][..], |lesson| &lesson.choices);
    PooledShown {
        number: *number,
        title: place_name(language, place, lessons),
        question: lesson.map(|lesson| text(language, &lesson.question).to_owned()),
        choices: choices.iter().map(|it| text(language, &it.text).to_owned()).collect(),
        given: seen.given,
        pooled: seen.pooled.clone(),
        own: seen.own.clone(),
        outcome: seen.outcome.clone(),
        members: seen.members,
    }
}

/// What somebody else wrote, as far as it is shown.
fn quoted(text: &str) -> String {
    let is_longer = text.chars().count() > MAX_QUOTE_CHARS;
    let head: String = text.chars().take(MAX_QUOTE_CHARS).collect();
    format!("{}{}", printable(head.as_bytes()), if is_longer { "…" } else { "" })
}

#[cfg(test)]
mod tests {
    use streamgram_protocol::PresetName;

    use super::*;

    fn name(place: &Place) -> String {
        place_name(Language::En, place, &[])
    }

    #[test]
    fn a_place_is_called_by_what_is_done_there_and_hides_nothing() {
        let scenario = Place::Scenario("v1&text=hello%20%7Bn%7D&count=20".into());
        assert_eq!(name(&scenario), "hello {n} ×20 · Direct");
        let line_lost =
            Preset::all().into_iter().find(|it| it.name == PresetName::LineThreeLost).unwrap();
        let link = Some(line_lost.link);
        let path = Scenario { link, ..Scenario::default() }.encode();
        assert!(name(&Place::Path(path)).contains("lost"));
        let unknown = Place::Lesson { id: "new".into(), choices: 2 };
        assert_eq!(name(&unknown), "new");
        assert_eq!(name(&Place::Scenario("v9&\u{202e}".into())), r"v9&\u{202e}");
    }

    #[test]
    fn only_a_lesson_has_an_address_of_its_own() {
        let lesson = Place::Lesson { id: "order".into(), choices: 3 };
        assert!(is_address_of("lesson=order", &lesson));
        assert!(!is_address_of("lesson=orders", &lesson) && !is_address_of("order", &lesson));
        assert!(!is_address_of("v1&text=x", &Place::Scenario("v1&text=x".into())));
    }
}
