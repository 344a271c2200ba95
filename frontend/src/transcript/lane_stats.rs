//! A lane's figures.

use yew::prelude::*;

use crate::i18n::figures::{count, duration};
use crate::i18n::language::Language;
use crate::session::lane::Lane;

/// Counts and round trips.
pub(crate) fn lane_stats(language: Language, lane: &Lane) -> Html {
    let time = |us: Option<u64>| us.map_or_else(|| "–".to_owned(), duration);
    let figures = [
        (language.stat_sent(), count(lane.sent)),
        (language.stat_answered(), count(lane.answered)),
        (language.stat_without_reply(), count(lane.unanswered)),
        (language.stat_last_round_trip(), time(lane.last_round_trip())),
        (language.stat_median(), time(lane.median_round_trip())),
    ];
    html! {
        <dl class="lane-stats">
            for (name, figure) in figures {
                <div><dt>{ name }</dt><dd translate="no">{ figure }</dd></div>
            }
        </dl>
    }
}
