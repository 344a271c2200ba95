//! A list of rows of which only those in sight are drawn. Follows the newest; scrolling up stops that,
//! and a button jumps back.
//!
//! Ours, because it is held at a row and not at a height: rows before it come and go while a person reads.

use std::rc::Rc;

use gloo_events::EventListener;
use streamgram_protocol::Protocol;
use web_sys::{Element, HtmlElement};
use yew::prelude::*;

use super::matches::Matches;
use super::transcript_row::{Look, Place, row};
use crate::session::row::Row;

/// How far from the end, in pixels, still counts as being there: fractions of zoomed pixels.
const END_PIXELS: i32 = 8;
/// Rows in sight before that is known: the height that the style allows at most.
const SIGHT_ROWS: usize = 24;
/// Rows above and below that are drawn too, so that scrolling shows no gaps.
const AROUND_ROWS: usize = 1;
/// Rows to scroll before others are drawn.
const STEP_ROWS: usize = 2;

#[derive(Properties, PartialEq)]
pub(crate) struct TranscriptListProps {
    pub(crate) matches: Rc<Matches>,
    /// Whose rows; both if none is named.
    pub(crate) list: Option<Protocol>,
    pub(crate) look: Look,
    pub(crate) on_row: Callback<RowRequest>,
}

/// What a person can ask of a row.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum RowRequest {
    Show(Rc<Row>),
    Copy(Rc<Row>),
    /// To mark elsewhere what it is about; nothing, if there is none.
    Point(Option<Rc<Row>>),
}

/// What a list needs to know of itself between two drawings.
#[derive(Debug)]
struct Layout {
    /// Rows in sight.
    sight: usize,
    /// Height of a row in pixels.
    row: f64,
    /// The place of the row that the list is held at, and pixels scrolled beyond its top.
    held: usize,
    beyond: f64,
    /// Where the list was scrolled to, in pixels, when it last followed the newest.
    followed_to: i32,
}

/// The transcript of a protocol, or of both.
#[component]
pub(crate) fn TranscriptList(props: &TranscriptListProps) -> Html {
    let TranscriptListProps { matches, list, look, on_row } = props;
    let (list, language) = (*list, look.language);
    let [view, space, window] = [use_node_ref(), use_node_ref(), use_node_ref()];
    // The row that the list is held at; none while it follows the newest.
    let held = use_state_eq(|| None::<u64>);
    let active = use_state_eq(|| None::<u64>);
    let layout = use_mut_ref(|| Layout {
        sight: SIGHT_ROWS,
        row: 0.0,
        held: 0,
        beyond: 0.0,
        followed_to: 0,
    });
    let sight = layout.borrow().sight;

    let count = matches.count(list);
    let at = held.map_or_else(|| count.saturating_sub(sight), |key| matches.place(list, key));
    let from = at.saturating_sub(AROUND_ROWS);
    use_effect_with((count, from, at, held.is_none()), {
        let (view, space, window) = (view.clone(), space.clone(), window.clone());
        let layout = Rc::clone(&layout);
        move |&(count, from, at, follows)| {
            rows_high(&space, "height", count);
            rows_high(&window, "top", from);
            let Some(view) = view.cast::<Element>() else { return };
            let mut layout = layout.borrow_mut();
            if follows {
                view.set_scroll_top(i32::MAX);
                layout.followed_to = view.scroll_top();
            } else if at != layout.held {
                // Rows before it went or came: what is in sight stays.
                layout.held = at;
                view.set_scroll_top(pixels(at as f64 * layout.row + layout.beyond));
            }
        }
    });
    // An empty list follows: there is nothing to be held at.
    use_effect_with(count == 0, {
        let held = held.clone();
        move |is_empty| {
            if *is_empty {
                held.set(None);
            }
        }
    });
    // Takes in where the list is scrolled to.
    let scrolled = {
        let (view, space, held) = (view.clone(), space.clone(), held.clone());
        let (layout, matches) = (Rc::clone(&layout), Rc::clone(matches));
        move || {
            let (Some(view), Some(space)) = (view.cast::<Element>(), space.cast::<Element>())
            else {
                return;
            };
            let (top, height) = (view.scroll_top(), view.client_height());
            if count == 0 {
                return held.set(None);
            }
            let row = f64::from(space.client_height()) / count as f64;
            layout.borrow_mut().sight = place(f64::from(height) / row) + 1;
            let is_at_end = space.client_height() - top - height <= END_PIXELS;
            // Only somebody who scrolls up stops it from following. The end moves away by itself too, where rows
            // come or the list becomes lower before it is drawn.
            let follows = held.is_none() && top >= layout.borrow().followed_to;
            if is_at_end || follows {
                return held.set(None);
            }
            let place = place(f64::from(top) / row);
            let place = place - place % STEP_ROWS;
            let beyond = f64::from(top) - place as f64 * row;
            let mut layout = layout.borrow_mut();
            *layout = Layout { row, held: place, beyond, ..*layout };
            held.set(matches.rows(list, place).next().map(|row| row.key));
        }
    };
    let again = use_force_update();
    // A window that grows shows more rows, without being scrolled.
    use_effect_with((), {
        let layout = Rc::clone(&layout);
        move |()| {
            let window = web_sys::window().map(|window| {
                EventListener::new(&window, "resize", move |_| {
                    layout.borrow_mut().sight = SIGHT_ROWS;
                    again.force_update();
                })
            });
            move || drop(window)
        }
    });
    let onkeydown = {
        let (view, space, active) = (view.clone(), space.clone(), active.clone());
        let (matches, on_row, scrolled) = (Rc::clone(matches), on_row.clone(), scrolled.clone());
        move |event: KeyboardEvent| {
            if event.ctrl_key() || event.meta_key() || event.alt_key() {
                return;
            }
            let (Some(view), Some(space)) = (view.cast::<Element>(), space.cast::<Element>())
            else {
                return;
            };
            let Some(last) = count.checked_sub(1) else { return };
            let row = f64::from(space.client_height()) / count as f64;
            let page = place(f64::from(view.client_height()) / row).saturating_sub(1).max(1);
            let now = active.map(|key| matches.place(list, key).min(last));
            let ask = match event.key().as_str() {
                "Enter" => RowRequest::Show,
                "c" => RowRequest::Copy,
                key => {
                    // Without a chosen row the newest is chosen first.
                    let next = match (key, now) {
                        ("Home", _) => 0,
                        ("End", _) | ("ArrowDown" | "ArrowUp" | "PageDown" | "PageUp", None) => {
                            last
                        }
                        ("ArrowDown", Some(now)) => (now + 1).min(last),
                        ("ArrowUp", Some(now)) => now.saturating_sub(1),
                        ("PageDown", Some(now)) => (now + page).min(last),
                        ("PageUp", Some(now)) => now.saturating_sub(page),
                        _ => return,
                    };
                    event.prevent_default();
                    let row_there = matches.rows(list, next).next();
                    active.set(row_there.map(|row| row.key));
                    on_row.emit(RowRequest::Point(row_there.cloned()));
                    bring(&view, next as f64 * row, row);
                    return scrolled();
                }
            };
            let chosen = now.and_then(|now| matches.rows(list, now).next());
            if let Some(row) = chosen.filter(|row| Some(row.key) == *active) {
                event.prevent_default();
                on_row.emit(ask(Rc::clone(row)));
            }
        }
    };
    let row_at = {
        let matches = Rc::clone(matches);
        move |event: &MouseEvent| {
            let row = event.target_unchecked_into::<Element>().closest("[role=option]");
            let place = row.ok().flatten().and_then(|row| row.get_attribute("aria-posinset"));
            let place = place.and_then(|place| place.parse::<usize>().ok()?.checked_sub(1));
            place.and_then(|place| matches.rows(list, place).next().cloned())
        }
    };
    let onclick = {
        let (row_at, active, on_row) = (row_at.clone(), active.clone(), on_row.clone());
        move |event: MouseEvent| {
            // Who marks a part of a row does not ask for it.
            if let Some(row) = row_at(&event).filter(|_| !is_marking()) {
                active.set(Some(row.key));
                on_row.emit(RowRequest::Show(row));
            }
        }
    };
    let onmouseover = {
        let on_row = on_row.clone();
        move |event: MouseEvent| on_row.emit(RowRequest::Point(row_at(&event)))
    };
    let onmouseleave = on_row.reform(|_: MouseEvent| RowRequest::Point(None));
    let jump = {
        let held = held.clone();
        move |_| held.set(None)
    };
    let name = list.map_or("all", Protocol::name);
    let id = |key: u64| format!("row-{name}-{key}");
    let shown = sight + STEP_ROWS + 2 * AROUND_ROWS;
    // With the row before them, from which the first one's time counts.
    let mut rows: Vec<_> = matches.rows(list, from.saturating_sub(1)).take(shown + 1).collect();
    let before = (from > 0 && !rows.is_empty()).then(|| rows.remove(0));
    let chosen = active.filter(|key| rows.iter().any(|row| row.key == *key));
    let label = list.map_or_else(
        || language.transcript().to_owned(),
        |protocol| language.transcript_of(protocol.name()),
    );
    html! {
        <div class="transcript">
            <div ref={view} class="rows" translate="no" role="listbox" tabindex="0" aria-label={label}
                data-delta={look.delta.to_string()}
                aria-activedescendant={chosen.map(id)} onscroll={move |_| scrolled()} {onkeydown} {onclick} {onmouseover} {onmouseleave}>
                <div ref={space} class="rows-space" role="presentation">
                    <div ref={window} class="rows-window" role="presentation">
                        for (place, shown) in rows.iter().enumerate() {
                            { row(*look, shown, Place {
                                id: (chosen == Some(shown.key)).then(|| id(shown.key)),
                                at: from + place + 1,
                                of: count,
                                before: place.checked_sub(1).map_or(before, |it| Some(rows[it])),
                            }) }
                        }
                    </div>
                </div>
            </div>
            if held.is_some() {
                <button type="button" class="transcript-jump" onclick={jump}>{ language.newest() }</button>
            }
        </div>
    }
}

/// Sets a length of an element to so many rows. Through its style's own interface: the page's policy
/// forbids style attributes.
fn rows_high(element: &NodeRef, property: &str, rows: usize) {
    if let Some(element) = element.cast::<HtmlElement>() {
        // Fails for no property that there is.
        let _set = element.style().set_property(property, &format!("calc({rows} * var(--row))"));
    }
}

/// Scrolls no more than it takes for a row to be in sight.
fn bring(view: &Element, top: f64, row: f64) {
    let (scrolled, height) = (f64::from(view.scroll_top()), f64::from(view.client_height()));
    if top < scrolled {
        view.set_scroll_top(pixels(top));
    } else if top + row > scrolled + height {
        view.set_scroll_top(pixels((top + row - height).ceil()));
    }
}

fn is_marking() -> bool {
    let selection = web_sys::window().and_then(|window| window.get_selection().ok()?);
    selection.is_some_and(|selection| !selection.is_collapsed())
}

#[expect(clippy::cast_possible_truncation, reason = "no list is that high")]
fn pixels(length: f64) -> i32 {
    length as i32
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "a place in a list, or NaN, which is 0, of one without height"
)]
fn place(rows: f64) -> usize {
    rows as usize
}
