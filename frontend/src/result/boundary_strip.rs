//! The boundary strip, drawn: rows of cells on one scale.

use std::rc::Rc;

use yew::prelude::*;

use super::strip::{Cell, SHOWN_LINES, Strip};
use crate::i18n::figures::{Noun, count, counted};
use crate::i18n::language::use_language;

/// Part of the strip that a character of a label needs, in thousandths of a percent: where the lanes
/// stand side by side, and on a phone.
const CHARACTER: u64 = 2_200;
const CHARACTER_ON_PHONE: u64 = 3_200;

#[derive(Properties, PartialEq)]
pub(crate) struct BoundaryStripProps {
    pub(crate) strip: Rc<Strip>,
}

/// The rows of a strip that have something in them.
#[component]
pub(crate) fn BoundaryStrip(BoundaryStripProps { strip }: &BoundaryStripProps) -> Html {
    let language = use_language();
    let rows = [
        (language.strip_sends(), "sends", &strip.sends),
        (language.strip_reads(), "reads", &strip.reads),
        ("recv(1024)", "kept", &strip.kept),
        (language.strip_replies(), "replies", &strip.replies),
    ];
    html! {
        <div class="strip" role="img" aria-label={strip.summary.clone()}>
            for (name, row, cells) in rows.into_iter().filter(|(_, row, cells)| !may_miss(row) || !cells.is_empty()) {
                <span class="strip-name">{ name }</span>
                <svg class="strip-row" translate="no" data-row={row} width="100%" height="24">
                    for run in runs(cells) {
                        { if let [cell] = run { one(cell) } else { many(run) } }
                    }
                </svg>
            }
            <div class="strip-scale">
                <span>{ "0" }</span>
                if strip.hidden > 0 {
                    <span>{ language.strip_hidden(&SHOWN_LINES.to_string(), &count(strip.hidden as u64)) }</span>
                }
                <span>{ counted(language, strip.bytes, Noun::Byte) }</span>
            </div>
        </div>
    }
}

/// Rows that are shown only if there is something in them.
fn may_miss(row: &str) -> bool {
    matches!(row, "sends" | "kept")
}

/// Cells that are too narrow for a label are drawn together, with their neighbours of the same kind: a
/// burst of many lines is a few elements and not a thousand.
fn runs(cells: &[Cell]) -> impl Iterator<Item = &[Cell]> {
    let narrow = |cell: &Cell| cell.to - cell.from < CHARACTER;
    cells.chunk_by(move |one, next| narrow(one) && narrow(next) && one.kind == next.kind)
}

fn one(Cell { from, to, label, title, kind }: &Cell) -> Html {
    let (width, characters) = (to - from, label.chars().count() as u64);
    let tight = width < CHARACTER_ON_PHONE * characters;
    html! {
        <g class="strip-cell" data-kind={<&str>::from(kind)}>
            <title>{ title }</title>
            <rect x={percent(*from)} width={percent(width)} y="1" height="22" rx="3" />
            if width >= CHARACTER * characters {
                <text x={percent(u64::midpoint(*from, *to))} y="16" text-anchor="middle"
                    data-tight={tight.to_string()}>{ label }</text>
            }
        </g>
    }
}

/// Cells that follow one another, as one path.
fn many(cells: &[Cell]) -> Html {
    let [first, .., last] = cells else { return Html::default() };
    let (from, width) = (first.from, last.to - first.from);
    let outline = |cell: &Cell| {
        let width = cell.to - cell.from;
        format!("M{} 1h{width}v22h-{width}z", cell.from - from)
    };
    html! {
        <g class="strip-cell" data-kind={<&str>::from(first.kind)} data-cells={cells.len().to_string()}>
            <title>{ format!("{} … {}", first.title, last.title) }</title>
            <svg x={percent(from)} width={percent(width)} viewBox={format!("0 0 {width} 24")}
                preserveAspectRatio="none">
                <path d={cells.iter().map(outline).collect::<String>()} />
            </svg>
        </g>
    }
}

/// Thousandths of a percent as an SVG length.
fn percent(part: u64) -> String {
    format!("{}.{:03}%", part / 1_000, part % 1_000)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::result::strip::Kind;

    #[test]
    fn narrow_neighbours_of_a_kind_are_drawn_together() {
        let widths = [CHARACTER, 9, 9, CHARACTER - 1, 9, 9];
        let kinds = [Kind::Whole, Kind::Whole, Kind::Whole, Kind::Whole, Kind::Lost, Kind::Lost];
        let mut from = 0;
        let cells = widths.into_iter().zip(kinds).map(|(width, kind)| {
            from += width;
            Cell { from: from - width, to: from, label: String::new(), title: String::new(), kind }
        });
        let cells: Vec<_> = cells.collect();
        assert_eq!(runs(&cells).map(<[_]>::len).collect::<Vec<_>>(), [1, 3, 2]);
    }
}
