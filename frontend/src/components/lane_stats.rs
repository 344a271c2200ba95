//! A lane's figures.

use std::rc::Rc;

use yew::prelude::*;

use crate::figures::{count, duration};
use crate::lane::Lane;

#[derive(Properties, PartialEq)]
pub(crate) struct LaneStatsProps {
    pub(crate) lane: Rc<Lane>,
}

/// Counts and round trips.
#[component]
pub(crate) fn LaneStats(LaneStatsProps { lane }: &LaneStatsProps) -> Html {
    let time = |us: Option<u64>| us.map_or_else(|| "–".to_owned(), duration);
    let figures = [
        ("sent", count(lane.sent)),
        ("answered", count(lane.answered)),
        ("without reply", count(lane.unanswered)),
        ("last round trip", time(lane.last_round_trip())),
        ("median", time(lane.median_round_trip())),
    ];
    html! {
        <dl class="lane-stats">
            for (name, figure) in figures {
                <div><dt>{ name }</dt><dd>{ figure }</dd></div>
            }
        </dl>
    }
}
