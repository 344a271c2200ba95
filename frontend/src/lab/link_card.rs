//! The path that legs go over: direct, or an emulated link with presets, knobs and rules.

use std::rc::Rc;

use streamgram_protocol::{Congestion, Knob, Link, Path, Preset, Rule, Scenario};
use web_sys::HtmlInputElement;
use yew::prelude::*;

use super::knobs::{Side, knob_label, knob_unit, preset_text, rule_text, step, steps, turned_text};
use crate::i18n::language::{Language, use_language};
use crate::session::notice::Notice;
use crate::session::run::Conditions;
use crate::ui::toggle_group::toggle_group;

/// What a person wants of the link.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Wish {
    /// Go over this path from now on.
    Path(Path),
    /// Turn knobs.
    Link(Link),
    /// A preset: its link.
    Preset(Box<Preset>),
    /// What a link carries: its path, and its burst in the prompt.
    Scenario(Rc<Scenario>),
    /// Of what a link carries the path alone.
    Way(Rc<Scenario>),
    /// Something that cannot be read as a number.
    Unreadable(Notice),
}

#[derive(Properties, PartialEq)]
pub(crate) struct LinkCardProps {
    pub(crate) conditions: Conditions,
    pub(crate) on_wish: Callback<Wish>,
}

/// The path: direct, or over one of the links; and the knobs of that link, on demand.
#[component]
pub(crate) fn LinkCard(LinkCardProps { conditions, on_wish }: &LinkCardProps) -> Html {
    let language = use_language();
    let adjusts = use_state(|| false);
    let side = use_state(|| Side::Both);
    let link = &conditions.link;
    let (emulated, preset) = (conditions.path == Path::Emulated, conditions.preset());
    let sides = Side::ALL.map(|side| (side, side.name(language)));
    let said = match preset {
        _ if !emulated => language.path_direct_hint().to_owned(),
        Some(name) => preset_text(language, name).1.to_owned(),
        None => turned_text(language, link).join(" · "),
    };
    let adjust = {
        let adjusts = adjusts.clone();
        move |_| adjusts.set(!*adjusts)
    };
    html! {
        <section class="link" aria-label={language.link()}>
            <div class="link-head">
                <div class="link-presets" role="group" aria-label={language.path()}>
                    { chip(language.path_direct(), !emulated, on_wish.reform(|_| Wish::Path(Path::Direct))) }
                    for offered in Preset::all() {
                        { chip(
                            preset_text(language, offered.name).0,
                            preset == Some(offered.name),
                            { let offered = Box::new(offered); on_wish.reform(move |_| Wish::Preset(offered.clone())) },
                        ) }
                    }
                    { chip(language.path_own(), emulated && preset.is_none(), {
                        let adjusts = adjusts.setter();
                        on_wish.reform(move |_| { adjusts.set(true); Wish::Path(Path::Emulated) })
                    }) }
                </div>
                if emulated {
                    <button type="button" class="link-adjust" aria-expanded={adjusts.to_string()} onclick={adjust}>
                        { language.link_adjust() }</button>
                }
            </div>
            <p class="link-said">{ said }</p>
            if emulated && *adjusts {
                <div class="link-knobs">
                    for knob in Knob::ALL {
                        { knob_row(language, *knob, *side, link, on_wish) }
                    }
                </div>
                <div class="link-more">
                    { toggle_group(language.directions(), sides, *side, side.setter()) }
                    { rules(language, link, on_wish) }
                    { next_open(language, link, on_wish) }
                </div>
            }
        </section>
    }
}

/// One of the paths.
fn chip(name: &'static str, chosen: bool, onclick: Callback<MouseEvent>) -> Html {
    html! { <button key={name} type="button" aria-pressed={chosen.to_string()} {onclick}>{ name }</button> }
}

/// A knob of one way of the link, as a slider and as a field for any value.
fn knob_row(
    language: Language,
    knob: Knob,
    side: Side,
    link: &Rc<Link>,
    on_wish: &Callback<Wish>,
) -> Html {
    let label = knob_label(language, knob);
    let unit = knob_unit(language, knob);
    let value = knob.get(*side.of(link));
    let slide = {
        let link = Rc::clone(link);
        on_wish.reform(move |event: InputEvent| {
            let at = event.target_unchecked_into::<HtmlInputElement>().value().parse().unwrap_or(0);
            let value = steps(knob).get::<usize>(at).copied().unwrap_or_default();
            Wish::Link(side.turned(&link, knob, value))
        })
    };
    let typed = {
        let link = Rc::clone(link);
        on_wish.reform(move |event: Event| {
            let typed = event.target_unchecked_into::<HtmlInputElement>().value();
            knob.parse(typed.trim()).map_or_else(
                || Wish::Unreadable(Notice::NotANumber { knob: knob.name(), typed: typed.clone() }),
                |value| Wish::Link(side.turned(&link, knob, value)),
            )
        })
    };
    html! {
        <div class="link-knob" key={knob.name()}>
            <span>{ label }</span>
            <input type="range" min="0" max={(steps(knob).len() - 1).to_string()} step="1"
                value={step(knob, value).to_string()} aria-label={language.knob_slider(label)}
                oninput={slide} />
            <input type="text" inputmode="decimal" value={knob.text(value)} onchange={typed}
                aria-label={language.knob_in(label, unit)} />
            <small>{ unit }</small>
        </div>
    }
}

fn rules(language: Language, link: &Rc<Link>, on_wish: &Callback<Wish>) -> Html {
    let with = |rules: Vec<Rule>| {
        let link = Link { rules, ..(**link).clone() };
        on_wish.reform(move |_: MouseEvent| Wish::Link(link.clone()))
    };
    let without = |at: usize| {
        let others = link.rules.iter().enumerate().filter(|(other, _)| *other != at);
        with(others.map(|(_, rule)| *rule).collect())
    };
    let add = |name: &'static str, rule: Rule| {
        let onclick = with(link.rules.iter().copied().chain([rule]).collect());
        html! { <button type="button" {onclick}>{ name }</button> }
    };
    html! {
        <div class="link-rules" role="group" aria-label={language.rules()}>
            for (at, rule) in link.rules.iter().enumerate() {
                <span class="link-rule">{ rule_text(language, *rule) }
                    <button type="button" aria-label={language.rule_remove(&rule_text(language, *rule))}
                        onclick={without(at)}>
                        { "✕" }</button></span>
            }
            { add(language.add_lose_line(), Rule::LoseLine { line: 3, packet: None }) }
            { add(language.add_lose_reply(), Rule::LoseReply { line: 2 }) }
            { add(language.add_black_out(), Rule::BlackOut { from_ms: 1_000, to_ms: 4_000 }) }
        </div>
    }
}

/// What applies when a leg is opened next.
fn next_open(language: Language, link: &Rc<Link>, on_wish: &Callback<Wish>) -> Html {
    let number = |name: &'static str, value: u64, set: fn(&mut Link, u64)| {
        let link = Rc::clone(link);
        let onchange = on_wish.reform(move |event: Event| {
            let typed = event.target_unchecked_into::<HtmlInputElement>().value();
            let Ok(value) = typed.trim().parse() else {
                return Wish::Unreadable(Notice::NotANumber { knob: name, typed });
            };
            let mut link = (*link).clone();
            set(&mut link, value);
            Wish::Link(link)
        });
        html! {
            <label>{ name }{ " " }<input type="text" inputmode="numeric" value={value.to_string()} {onchange} />
            </label>
        }
    };
    let toggle = |name: &'static str, on: bool, set: fn(&mut Link, bool)| {
        let link = Rc::clone(link);
        let onchange = on_wish.reform(move |event: Event| {
            let mut link = (*link).clone();
            set(&mut link, event.target_unchecked_into::<HtmlInputElement>().checked());
            Wish::Link(link)
        });
        html! { <label><input type="checkbox" checked={on} {onchange} />{ " " }{ name }</label> }
    };
    html! {
        <div class="link-next" role="group" aria-label={language.next_open()}>
            { number("MTU", link.mtu.into(), |link, mtu| link.mtu = u16::try_from(mtu).unwrap_or(u16::MAX)) }
            { number(language.seed(), link.seed, |link, seed| link.seed = seed) }
            { toggle(language.cubic(), link.congestion == Congestion::Cubic, |link, on| {
                link.congestion = if on { Congestion::Cubic } else { Congestion::Reno };
            }) }
            { toggle(language.delayed_ack(), link.delayed_ack, |link, on| link.delayed_ack = on) }
            <small class="hint">{ language.next_open_hint() }</small>
        </div>
    }
}
