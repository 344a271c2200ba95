//! The boundary strip, drawn: rows of cells, TCP's replies on a scale of their own. It can be pointed at, and gone
//! through with the arrow keys.

use std::rc::Rc;

use yew::prelude::*;

use super::pointed::Pointed;
use super::strip::{Cell, Kind, SHOWN_LINES, Strip};
use crate::i18n::figures::{Noun, count, counted};
use crate::i18n::language::use_language;

/// Part of the strip that a character of a label needs, in thousandths of a percent: where there is room,
/// and on a phone.
const CHARACTER: u64 = 2_200;
const CHARACTER_ON_PHONE: u64 = 3_800;
/// From here on characters are twice as wide.
const WIDE: char = '\u{2e80}';

#[derive(Properties, PartialEq)]
pub(crate) struct BoundaryStripProps {
    pub(crate) strip: Rc<Strip>,
    pub(crate) pointed: Option<Pointed>,
    pub(crate) on_point: Callback<Option<Pointed>>,
}

/// The rows of a strip that have something in them.
#[component]
pub(crate) fn BoundaryStrip(props: &BoundaryStripProps) -> Html {
    let BoundaryStripProps { strip, pointed, on_point } = props;
    let language = use_language();
    // Only who steps through the lines is told of each.
    let steps = use_state_eq(|| false);
    let all = strip.lines();
    let own = pointed.filter(|pointed| all.is_some_and(|all| all.protocol == pointed.protocol));
    let onkeydown = {
        let (on_point, steps) = (on_point.clone(), steps.clone());
        move |event: KeyboardEvent| {
            let next = match (event.key().as_str(), all) {
                ("ArrowLeft", Some(all)) => Some(step(all, own, false)),
                ("ArrowRight", Some(all)) => Some(step(all, own, true)),
                ("Escape", _) if own.is_some() => None,
                _ => return,
            };
            event.prevent_default();
            steps.set(next.is_some());
            on_point.emit(next);
        }
    };
    let onblur = {
        let steps = steps.clone();
        move |_: FocusEvent| steps.set(false)
    };
    let onmouseleave = on_point.reform(|_: MouseEvent| None);
    let label = all.map(|all| language.strip_keys(all.protocol.name()));
    let row = |name: &'static str, row: &'static str, layers: &[&[Cell]]| {
        html! {
            <>
                <span class="strip-name">{ name }</span>
                <svg class="strip-row" translate="no" data-row={row} width="100%" height="24">
                    for cells in layers {
                        for run in runs(cells, own) { { draw(run, own, on_point) } }
                    }
                </svg>
            </>
        }
    };
    let replies = row(language.strip_replies(), "replies", &[&strip.replies, &strip.stamps]);
    html! {
        <div class="strip" role="group" tabindex={all.map(|_| "0")} aria-label={label} {onkeydown} {onblur} {onmouseleave}>
            <div class="strip-rows" role="img" aria-label={strip.summary.clone()}>
                if !strip.sends.is_empty() {
                    { row(language.strip_sends(), "sends", &[&strip.sends]) }
                }
                { row(language.strip_reads(), "reads", &[&strip.reads]) }
                if !strip.kept.is_empty() { { row("recv(1024)", "kept", &[&strip.kept]) } }
                if strip.came.is_none() { { replies.clone() } }
                <div class="strip-scale">
                    <span>{ "0" }</span>
                    if strip.hidden > 0 {
                        <span>{ language.strip_hidden(&SHOWN_LINES.to_string(), &count(strip.hidden as u64)) }</span>
                    }
                    <span>{ counted(language, strip.bytes, Noun::Byte) }</span>
                </div>
                if let Some(came) = &strip.came {
                    { replies }
                    <div class="strip-scale"><span>{ "0" }</span><span>{ came }</span></div>
                }
            </div>
            <span class="visually-hidden" role="status">
                if *steps { { said(strip, own) } }
            </span>
        </div>
    }
}

/// The line before, or after, the one that is pointed at; none goes beyond the ends.
fn step(all: Pointed, pointed: Option<Pointed>, forward: bool) -> Pointed {
    let line = match (pointed, forward) {
        (None, true) => all.first,
        (None, false) => all.last,
        (Some(pointed), true) => pointed.last + 1,
        (Some(pointed), false) => pointed.first.saturating_sub(1),
    };
    let line = line.clamp(all.first, all.last);
    Pointed { first: line, last: line, ..all }
}

/// What every row has of the line that is pointed at.
fn said(strip: &Strip, pointed: Option<Pointed>) -> String {
    let rows = [&strip.sends, &strip.reads, &strip.kept, &strip.replies];
    let cells = rows.into_iter().flatten().filter(|cell| meets(cell, pointed));
    cells.map(|cell| cell.title.as_str()).collect::<Vec<_>>().join("; ")
}

fn meets(cell: &Cell, pointed: Option<Pointed>) -> bool {
    cell.lines.zip(pointed).is_some_and(|(lines, pointed)| lines.meets(pointed))
}

/// Cells that are too narrow for a label are drawn together, with their neighbours of the same kind: a
/// burst of many lines is a few elements and not a thousand. Those that are pointed at stand out.
fn runs(cells: &[Cell], pointed: Option<Pointed>) -> impl Iterator<Item = &[Cell]> {
    let narrow = |cell: &Cell| cell.to - cell.from < CHARACTER;
    cells.chunk_by(move |one, next| {
        narrow(one)
            && narrow(next)
            && one.kind == next.kind
            && meets(one, pointed) == meets(next, pointed)
    })
}

fn draw(run: &[Cell], pointed: Option<Pointed>, on_point: &Callback<Option<Pointed>>) -> Html {
    let [first, ..] = run else { return Html::default() };
    let marked = meets(first, pointed).then_some("true");
    if let [cell] = run { one(cell, marked, on_point) } else { many(run, marked) }
}

fn one(
    Cell { from, to, label, title, kind, lines }: &Cell,
    marked: Option<&'static str>,
    on_point: &Callback<Option<Pointed>>,
) -> Html {
    let (width, (top, height)) = (to - from, place(*kind));
    let characters: u64 = label.chars().map(|c| 1 + u64::from(c >= WIDE)).sum();
    let tight = width < CHARACTER_ON_PHONE * characters;
    let onmouseover = lines.map(|lines| on_point.reform(move |_: MouseEvent| Some(lines)));
    html! {
        <g class="strip-cell" data-kind={<&str>::from(kind)} data-pointed={marked} {onmouseover}>
            <title>{ title }</title>
            <rect x={percent(*from)} width={percent(width)} y={top.to_string()} height={height.to_string()} rx="3" />
            if width >= CHARACTER * characters {
                <text x={percent(u64::midpoint(*from, *to))} y="15" text-anchor="middle"
                    data-tight={tight.to_string()}>{ label }</text>
            }
        </g>
    }
}

/// Cells that follow one another, as one path.
fn many(cells: &[Cell], marked: Option<&'static str>) -> Html {
    let [first, .., last] = cells else { return Html::default() };
    let (from, width) = (first.from, last.to - first.from);
    let (top, height) = place(first.kind);
    let outline = |cell: &Cell| {
        let width = cell.to - cell.from;
        format!("M{} {top}h{width}v{height}h-{width}z", cell.from - from)
    };
    html! {
        <g class="strip-cell" data-kind={<&str>::from(first.kind)} data-pointed={marked}
            data-cells={cells.len().to_string()}>
            <title>{ format!("{} … {}", first.title, last.title) }</title>
            <svg x={percent(from)} width={percent(width)} viewBox={format!("0 0 {width} 24")}
                preserveAspectRatio="none">
                <path d={cells.iter().map(outline).collect::<String>()} />
            </svg>
        </g>
    }
}

/// Where a cell stands in its row, and how high it is: a stamp below the label of its piece.
fn place(kind: Kind) -> (u8, u8) {
    if kind == Kind::Stamp { (17, 6) } else { (1, 22) }
}

/// Thousandths of a percent as an SVG length.
fn percent(part: u64) -> String {
    format!("{}.{:03}%", part / 1_000, part % 1_000)
}

#[cfg(test)]
mod tests {
    use streamgram_protocol::Protocol;

    use super::*;
    use crate::session::leg_run::tests::{merged, piece};
    use crate::ui::tests::rendered;

    fn line(number: u32) -> Pointed {
        Pointed { protocol: Protocol::Tcp, first: number, last: number }
    }

    #[test]
    fn narrow_neighbours_of_a_kind_are_drawn_together_but_for_those_that_are_pointed_at() {
        let widths = [CHARACTER, 9, 9, CHARACTER - 1, 9, 9];
        let kinds = [Kind::Whole, Kind::Whole, Kind::Whole, Kind::Whole, Kind::Lost, Kind::Lost];
        let mut from = 0;
        let cells = (0..).zip(widths.into_iter().zip(kinds)).map(|(number, (width, kind))| {
            from += width;
            let (label, title) = (String::new(), String::new());
            Cell { from: from - width, to: from, label, title, kind, lines: Some(line(number)) }
        });
        let cells: Vec<_> = cells.collect();
        let lengths = |pointed| runs(&cells, pointed).map(<[_]>::len).collect::<Vec<_>>();
        assert_eq!(lengths(None), [1, 3, 2]);
        assert_eq!(lengths(Some(line(2))), [1, 1, 1, 1, 2]);
    }

    #[test]
    fn the_arrow_keys_go_through_the_lines_and_stop_at_the_ends() {
        let all = Pointed { protocol: Protocol::Tcp, first: 1, last: 5 };
        assert_eq!([step(all, None, true), step(all, None, false)], [line(1), line(5)]);
        assert_eq!(step(all, Some(line(5)), true), line(5));
        let three_to_five = Pointed { first: 3, ..all };
        assert_eq!(step(all, Some(three_to_five), false), line(2));
        assert_eq!(step(all, Some(line(1)), false), line(1));
    }

    #[tokio::test]
    async fn what_meets_the_lines_pointed_at_is_marked_in_every_row() {
        let mut run = merged();
        run.piece(0, piece(127, 68));
        run.piece(0, piece(195, 48));
        let strip = Rc::new(Strip::of(crate::i18n::language::Language::En, &run));
        let markup = |pointed| {
            let (strip, on_point) = (Rc::clone(&strip), Callback::noop());
            rendered(html! { <BoundaryStrip {strip} {pointed} {on_point} /> })
        };
        assert_eq!(markup(None).await.matches("data-pointed").count(), 0);
        // A line, the read of three lines, the piece that answers them, and its stamp.
        assert_eq!(markup(Some(line(4))).await.matches("data-pointed=\"true\"").count(), 4);
        let udp = Pointed { protocol: Protocol::Udp, ..line(4) };
        assert_eq!(markup(Some(udp)).await.matches("data-pointed").count(), 0);
        assert!(markup(None).await.contains("116 bytes, 3 timestamps"));
    }
}
