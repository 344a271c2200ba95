//! The boundary strip, drawn: three rows of cells on one scale.

use std::rc::Rc;

use yew::prelude::*;

use crate::figures::{Noun, count, counted};
use crate::language::use_language;
use crate::last_send::LastSend;
use crate::strip::{Cell, Kind, SHOWN_LINES, Strip};

/// Part of the strip that a character of a label needs, in thousandths of a percent: where the lanes
/// stand side by side, and on a phone.
const CHARACTER: u64 = 2_200;
const CHARACTER_ON_PHONE: u64 = 3_200;

#[derive(Properties, PartialEq)]
pub(crate) struct BoundaryStripProps {
    pub(crate) send: LastSend,
}

/// The last send, cut three times.
#[component]
pub(crate) fn BoundaryStrip(BoundaryStripProps { send }: &BoundaryStripProps) -> Html {
    let language = use_language();
    let strip = use_memo((language, send.clone()), |(language, send)| Strip::of(*language, send));
    html! { <StripRows {strip} /> }
}

#[derive(Properties, PartialEq)]
pub(crate) struct StripRowsProps {
    pub(crate) strip: Rc<Strip>,
}

/// The rows of a strip that have something in them.
#[component]
pub(crate) fn StripRows(StripRowsProps { strip }: &StripRowsProps) -> Html {
    let language = use_language();
    let rows = [
        (language.strip_sends(), "sends", &strip.sends),
        (language.strip_reads(), "reads", &strip.reads),
        (language.strip_replies(), "replies", &strip.replies),
    ];
    html! {
        <div class="strip" role="img" aria-label={strip.summary.clone()}>
            for (name, row, cells) in rows.into_iter().filter(|(_, row, cells)| *row != "sends" || !cells.is_empty()) {
                <span class="strip-name">{ name }</span>
                <svg class="strip-row" data-row={row} width="100%" height="24">
                    for (place, cell) in cells.iter().enumerate() { { draw(place, cell) } }
                </svg>
            }
            <div class="strip-scale">
                <span>{ "0" }</span>
                if strip.hidden > 0 {
                    <span>{ language.fill_strip_hidden(&SHOWN_LINES.to_string(), &count(strip.hidden as u64)) }</span>
                }
                <span>{ counted(language, strip.bytes, Noun::Byte) }</span>
            </div>
        </div>
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
    let (width, characters) = (to - from, label.chars().count() as u64);
    let tight = width < CHARACTER_ON_PHONE * characters;
    html! {
        <g key={place} class="strip-cell" data-kind={kind}>
            <title>{ title }</title>
            <rect x={percent(*from)} width={percent(width)} y="1" height="22" rx="3" />
            if width >= CHARACTER * characters {
                <text x={percent(u64::midpoint(*from, *to))} y="16" text-anchor="middle"
                    data-tight={tight.to_string()}>{ label }</text>
            }
        </g>
    }
}

/// Thousandths of a percent as an SVG length.
fn percent(part: u64) -> String {
    format!("{}.{:03}%", part / 1_000, part % 1_000)
}
