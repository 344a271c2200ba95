//! The areas of the page, of which one is in sight; which one stands in the page's address.

use streamgram_protocol::room::RoomLink;
use yew::prelude::*;

use crate::i18n::language::Language;
use crate::lessons::lessons_card::LINK;
use crate::room::place::TEACH;

/// An area.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Area {
    Play,
    Lessons,
    Plots,
    Teach,
}

impl Area {
    const ALL: [Self; 4] = [Self::Play, Self::Lessons, Self::Plots, Self::Teach];

    /// The area that a fragment leads to. A scenario is for playing with.
    pub(crate) fn of(fragment: &str) -> Self {
        match fragment {
            "lessons" => Self::Lessons,
            "plots" => Self::Plots,
            TEACH => Self::Teach,
            other if other.starts_with(LINK) => Self::Lessons,
            _ => Self::Play,
        }
    }

    /// The fragment that leads there, which is its name in style sheets too.
    pub(crate) fn word(self) -> &'static str {
        match self {
            Self::Play => "play",
            Self::Lessons => "lessons",
            Self::Plots => "plots",
            Self::Teach => TEACH,
        }
    }

    /// Whether a fragment is the name of an area, of something in one, or of a room: not a scenario.
    pub(crate) fn is_named(fragment: &str) -> bool {
        fragment == Self::Play.word()
            || Self::of(fragment) != Self::Play
            || RoomLink::is_meant(fragment)
    }
}

/// Links to all areas.
pub(crate) fn areas(language: Language, chosen: Area) -> Html {
    let name = |area| match area {
        Area::Play => language.play(),
        Area::Lessons => language.lessons(),
        Area::Plots => language.plots(),
        Area::Teach => language.teach(),
    };
    html! {
        <nav class="views" aria-label={language.areas()}>
            for area in Area::ALL {
                <a href={format!("#{}", area.word())} aria-current={(area == chosen).then_some("page")}>{ name(area) }</a>
            }
        </nav>
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fragment_leads_to_its_area_and_a_scenario_to_playing() {
        let areas = ["", "play", "v1&text=x", "lessons", "lesson=records", "plots", "teach"];
        let (play, lessons) = (Area::Play, Area::Lessons);
        let expected = [play, play, play, lessons, lessons, Area::Plots, Area::Teach];
        assert_eq!(areas.map(Area::of), expected);
        let named = ["v1&text=x", "play", "plots", "teach", "room=K7M4Q2XAB"].map(Area::is_named);
        assert_eq!(named, [false, true, true, true, true]);
    }
}
