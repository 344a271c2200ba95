//! The boundary strip, drawn: three rows of cells on one scale.

use yew::prelude::*;

use crate::figures::{count, counted};
use crate::last_send::LastSend;
use crate::strip::{Cell, Kind, SHOWN_LINES, Strip};

/// Percent of the strip's width that a character of a label needs.
const CHARACTER_PERCENT: f64 = 2.2;

#[derive(Properties, PartialEq)]
pub(crate) struct BoundaryStripProps {
    pub(crate) send: LastSend,
}

/// The last send, cut three times.
#[component]
pub(crate) fn BoundaryStrip(BoundaryStripProps { send }: &BoundaryStripProps) -> Html {
    let strip = use_memo(send.clone(), Strip::of);
    let rows = [
        ("you sent", "sends", &strip.sends),
        ("server read", "reads", &strip.reads),
        ("replies", "replies", &strip.replies),
    ];
    html! {
        <figure class="strip" role="img" aria-label={strip.summary.clone()}>
            for (name, row, cells) in rows {
                <span class="strip-name">{ name }</span>
                <svg class="strip-row" data-row={row} width="100%" height="24">
                    for (place, cell) in cells.iter().enumerate() { { draw(place, cell) } }
                </svg>
            }
            <figcaption class="strip-scale">
                <span>{ "0" }</span>
                if strip.hidden > 0 {
                    <span>{ format!("the first {SHOWN_LINES} lines; {} not drawn", count(strip.hidden as u64)) }</span>
                }
                <span>{ counted(strip.bytes, "byte") }</span>
            </figcaption>
        </figure>
    }
}

fn draw(place: usize, cell: &Cell) -> Html {
    let Cell { from, to, label, title, kind } = cell;
    let kind = match kind {
        Kind::Whole => "whole",
        Kind::Cut => "cut",
        Kind::Waiting => "waiting",
        Kind::Lost => "lost",
    };
    #[expect(clippy::cast_precision_loss, reason = "labels have a few characters")]
    let fits = to - from >= CHARACTER_PERCENT * label.chars().count() as f64;
    html! {
        <g key={place} class="strip-cell" data-kind={kind}>
            <title>{ title }</title>
            <rect x={percent(*from)} width={percent(to - from)} y="1" height="22" rx="3" />
            if fits {
                <text x={percent(f64::midpoint(*from, *to))} y="16" text-anchor="middle">{ label }</text>
            }
        </g>
    }
}

fn percent(number: f64) -> String {
    format!("{number:.3}%")
}
