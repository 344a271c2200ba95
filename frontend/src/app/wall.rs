//! A class on the wall: what it is asked, what came of that, and the ladder of the latest run.

use yew::prelude::*;

use crate::i18n::language::Language;
use crate::lessons::use_lessons::Lessons;
use crate::result::ladder_card::LadderCard;
use crate::result::result_card::{caption, has_packets, source, traces};
use crate::room::invitation::student_link;
use crate::room::place::shown;
use crate::room::projector::Projector;
use crate::room::stage_controls::stage_controls;
use crate::room::use_room::RoomAsk;
use crate::session::page::Page;
use crate::share::address::address_for_others;

/// The wall; nothing, if the page leads no class.
pub(crate) fn wall(
    language: Language,
    (page, zone): (&Page, i32),
    lessons: &Lessons,
    on_ask: &Callback<RoomAsk>,
    on_leave: &Callback<()>,
) -> Option<Html> {
    let member = page.room.member().filter(|member| member.teaches)?;
    let id = member.step().map(|step| &step.id);
    let seen = page.room.steps.seen.last().filter(|seen| Some(&seen.step.id) == id);
    let shown = seen.map(|seen| shown(language, seen, lessons.all()));
    let (here, store) =
        member.state.as_ref().map(|state| (state.here, state.store)).unwrap_or_default();
    let lan = page.hello.as_ref().and_then(|hello| hello.lan.clone());
    let address = address_for_others(lan.as_deref());
    let link = student_link(&member.join).encode();
    let link = address.map(|address| AttrValue::from(format!("{address}#{link}")));
    Some(html! {
        <Projector {shown} stage={member.step().map(|step| step.stage)} {here} {store} code={member.join.code} {link}
            controls={stage_controls(language, member, lessons.all(), on_ask)} on_leave={on_leave.clone()}>
            { ladder(language, page, zone) }
        </Projector>
    })
}

fn ladder(language: Language, page: &Page, zone: i32) -> Html {
    let run = page.runs.latest().filter(|run| has_packets(run));
    html! {
        for run in run {
            { {
                let [tcp, udp] = traces(run);
                html! {
                    <LadderCard key={run.number} {tcp} {udp} {zone} source={source(run)} caption={caption(language, run)}
                        pointed={None} on_point={Callback::noop()} />
                }
            } }
        }
    }
}
