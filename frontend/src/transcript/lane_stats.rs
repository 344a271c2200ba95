//! A lane's figures.

use std::rc::Rc;

use yew::prelude::*;

use crate::i18n::figures::{count, duration};
use crate::i18n::language::use_language;
use crate::session::lane::Lane;

#[derive(Properties, PartialEq)]
pub(crate) struct LaneStatsProps {
    pub(crate) lane: Rc<Lane>,
}

/// Counts and round trips.
#[component]
pub(crate) fn LaneStats(LaneStatsProps { lane }: &LaneStatsProps) -> Html {
    let language = use_language();
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
                <div><dt>{ name }</dt><dd>{ figure }</dd></div>
            }
        </dl>
    }
}
