//! A scenario that somebody else chose, by a link, a lesson or a class: offered, and taken up when a person asks.

use std::rc::Rc;

use streamgram_protocol::scenario::View;
use yew::prelude::*;

use super::area::Area;
use super::use_play::UsePlayHandle;
use super::use_view::use_view;
use super::workbench::Shown;
use crate::browser::use_fragment::forget;
use crate::lab::link_card::Wish;
use crate::prompt::use_awaited::{Awaited, use_awaited};
use crate::session::page::Page;
use crate::share::offer_card::{Answer, Offer, offer};

/// What is offered, and how to answer.
pub(crate) struct UseOfferHandle {
    /// What a link offers.
    pub(crate) offered: Rc<Option<Rc<Offer>>>,
    /// Whether a scenario waits for its legs.
    pub(crate) waiting: bool,
    /// How the page is arranged: a link can ask for that too.
    pub(crate) view: View,
    pub(crate) on_view: Callback<View>,
    /// Takes a scenario up, or does not.
    pub(crate) take_up: Callback<Answer>,
}

/// The offer of what stands behind the `#` of the page's address.
#[hook]
pub(crate) fn use_offer(
    page: &UseReducerHandle<Page>,
    play: &UsePlayHandle,
    fragment: &AttrValue,
) -> UseOfferHandle {
    let (view, on_view) = use_view();
    let (waiting, on_await) = use_awaited(page, play.submit.clone());
    let offered = use_memo((fragment.clone(), page.limits()), |(fragment, limits)| {
        // A lesson's link offers nothing that was not asked for.
        let scenario = Some(fragment).filter(|it| !Area::is_named(it));
        scenario.and_then(|it| offer(it, limits)).map(Rc::new)
    });
    let take_up = {
        let (page, play, on_view) = (page.clone(), play.clone(), on_view.clone());
        Callback::from(move |answer| {
            play.shown.set(Shown::Latest);
            on_await.emit(match &answer {
                Answer::Run(scenario) => {
                    let anew = play.route.taking(scenario).needs_legs(&page, &play.route, true);
                    Some(Awaited::of(scenario, &page, anew))
                }
                Answer::FillIn(_) | Answer::Dismiss => None,
            });
            match answer {
                Answer::Run(scenario) | Answer::FillIn(scenario) => {
                    on_view.emit(scenario.view);
                    play.wish.emit(Wish::Scenario(scenario));
                }
                Answer::Dismiss => forget(),
            }
        })
    };
    UseOfferHandle { offered, waiting, view, on_view, take_up }
}
