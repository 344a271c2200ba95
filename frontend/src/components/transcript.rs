//! A lane's rows. Follows the newest; scrolling up stops that, and a button jumps back.

use std::rc::Rc;

use web_sys::Element;
use yew::prelude::*;

use super::transcript_row::TranscriptRow;
use crate::figures::count;
use crate::lane::Lane;
use crate::language::use_language;

/// How far from the end, in pixels, still counts as being there: fractions of zoomed pixels.
const END_PIXELS: i32 = 8;

#[derive(Properties, PartialEq)]
pub(crate) struct TranscriptProps {
    pub(crate) lane: Rc<Lane>,
    /// Minutes east of UTC.
    pub(crate) zone: i32,
}

/// The transcript of a lane.
#[component]
pub(crate) fn Transcript(TranscriptProps { lane, zone }: &TranscriptProps) -> Html {
    let language = use_language();
    let list = use_node_ref();
    let following = use_state(|| true);
    let newest = lane.rows.back().map(|row| row.key);
    use_effect_with((newest, *following), {
        let list = list.clone();
        move |(_, following)| {
            if let Some(list) = list.cast::<Element>().filter(|_| *following) {
                list.set_scroll_top(list.scroll_height());
            }
        }
    });
    let onscroll = {
        let following = following.clone();
        move |event: Event| {
            let list = event.target_unchecked_into::<Element>();
            let below = list.scroll_height() - list.scroll_top() - list.client_height();
            following.set(below <= END_PIXELS);
        }
    };
    let jump = {
        let following = following.clone();
        move |_| following.set(true)
    };
    html! {
        <div class="transcript">
            if lane.dropped > 0 {
                <p class="transcript-dropped">
                    { language.older_rows_dropped(&count(lane.dropped)) }
                </p>
            }
            <ol ref={list} class="rows" tabindex="0" {onscroll}
                aria-label={language.transcript_of(lane.protocol.name())}>
                for row in &lane.rows {
                    <TranscriptRow key={row.key} row={Rc::clone(row)} zone={*zone} />
                }
            </ol>
            if !*following {
                <button type="button" class="transcript-jump" onclick={jump}>{ language.newest() }</button>
            }
        </div>
    }
}
