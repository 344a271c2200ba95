//! The path that legs go over: direct, or an emulated link with presets, knobs and rules.

use std::rc::Rc;

use streamgram_protocol::{Congestion, Link, Path, Preset, Rule};
use web_sys::HtmlInputElement;
use yew::prelude::*;

use crate::knobs::{KNOBS, Knob, Side, rule_text};

/// What a person wants of the link.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Wish {
    /// Go over this path from now on.
    Path(Path),
    /// Turn knobs.
    Link(Link),
    /// A preset: its link, and its burst in the prompt.
    Preset(Box<Preset>),
    /// Something that cannot be read as a number, in words.
    Unreadable(String),
}

#[derive(Properties, PartialEq)]
pub(crate) struct LinkCardProps {
    pub(crate) path: Path,
    pub(crate) link: Rc<Link>,
    /// What to look for with the chosen preset.
    pub(crate) hint: Option<&'static str>,
    pub(crate) on_wish: Callback<Wish>,
}

/// The controls of the link.
#[component]
pub(crate) fn LinkCard(LinkCardProps { path, link, hint, on_wish }: &LinkCardProps) -> Html {
    let side = use_state(|| Side::Both);
    let paths = [(Path::Direct, "direct"), (Path::Emulated, "emulated")];
    html! {
        <section class="link card" aria-label="Link">
            <div class="link-head">
                <h2>{ "Link" }</h2>
                <div class="targets" role="group" aria-label="Path">
                    for (of, name) in paths {
                        <button type="button" aria-pressed={(of == *path).to_string()}
                            onclick={on_wish.reform(move |_| Wish::Path(of))}>{ name }</button>
                    }
                </div>
                <div class="link-presets" role="group" aria-label="Presets">
                    for preset in Preset::all() { { preset_button(preset, on_wish) } }
                </div>
            </div>
            if *path == Path::Emulated {
                <p class="link-hint">{ hint.unwrap_or(
                    "Both legs cross a link of their own with these knobs; every packet is shown below.") }</p>
                <div class="link-knobs">
                    for knob in KNOBS.iter() { { knob_row(knob, *side, link, on_wish) } }
                </div>
                <details class="link-more">
                    <summary>{ "Directions, rules, TCP, seed" }</summary>
                    <div class="targets" role="group" aria-label="Which directions the knobs turn">
                        for (of, name) in Side::ALL {
                            <button type="button" aria-pressed={(of == *side).to_string()}
                                onclick={let side = side.clone(); move |_| side.set(of)}>{ name }</button>
                        }
                    </div>
                    { rules(link, on_wish) }
                    { next_open(link, on_wish) }
                </details>
            }
        </section>
    }
}

fn preset_button(preset: Preset, on_wish: &Callback<Wish>) -> Html {
    let (name, title) = (preset.name, preset.look_for);
    let preset = Box::new(preset);
    html! {
        <button type="button" {title} onclick={on_wish.reform(move |_| Wish::Preset(preset.clone()))}>
            { name }
        </button>
    }
}

fn knob_row(knob: &'static Knob, side: Side, link: &Rc<Link>, on_wish: &Callback<Wish>) -> Html {
    let value = (knob.get)(side.of(link));
    let slide = {
        let link = Rc::clone(link);
        on_wish.reform(move |event: InputEvent| {
            let at = event.target_unchecked_into::<HtmlInputElement>().value().parse().unwrap_or(0);
            let value = knob.steps.get::<usize>(at).copied().unwrap_or_default();
            Wish::Link(side.turned(&link, knob, value))
        })
    };
    let typed = {
        let link = Rc::clone(link);
        on_wish.reform(move |event: Event| {
            let typed = event.target_unchecked_into::<HtmlInputElement>().value();
            knob.read(&typed).map_or_else(
                || Wish::Unreadable(format!("{} is “{typed}”, it must be a number", knob.name)),
                |value| Wish::Link(side.turned(&link, knob, value)),
            )
        })
    };
    html! {
        <div class="link-knob" key={knob.name}>
            <span>{ knob.name }</span>
            <input type="range" min="0" max={(knob.steps.len() - 1).to_string()} step="1"
                value={knob.step(value).to_string()} aria-label={format!("{}, slider", knob.name)}
                oninput={slide} />
            <input type="text" inputmode="decimal" value={knob.shown(value)} onchange={typed}
                aria-label={format!("{} in {}", knob.name, knob.unit)} />
            <small>{ knob.unit }</small>
        </div>
    }
}

fn rules(link: &Rc<Link>, on_wish: &Callback<Wish>) -> Html {
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
        <div class="link-rules" role="group" aria-label="Rules">
            for (at, rule) in link.rules.iter().enumerate() {
                <span class="link-rule">{ rule_text(*rule) }
                    <button type="button" aria-label={format!("remove: {}", rule_text(*rule))}
                        onclick={without(at)}>
                        { "✕" }</button></span>
            }
            { add("lose line 3", Rule::LoseLine { line: 3, packet: None }) }
            { add("lose reply 2", Rule::LoseReply { line: 2 }) }
            { add("black out 1 s to 4 s", Rule::BlackOut { from_ms: 1_000, to_ms: 4_000 }) }
        </div>
    }
}

/// What applies when a leg is opened next.
fn next_open(link: &Rc<Link>, on_wish: &Callback<Wish>) -> Html {
    let number = |name: &'static str, value: u64, set: fn(&mut Link, u64)| {
        let link = Rc::clone(link);
        let onchange = on_wish.reform(move |event: Event| {
            let typed = event.target_unchecked_into::<HtmlInputElement>().value();
            let Ok(value) = typed.trim().parse() else {
                return Wish::Unreadable(format!("{name} is “{typed}”, it must be a whole number"));
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
        <div class="link-next" role="group" aria-label="From the next open on">
            { number("MTU", link.mtu.into(), |link, mtu| link.mtu = u16::try_from(mtu).unwrap_or(u16::MAX)) }
            { number("seed", link.seed, |link, seed| link.seed = seed) }
            { toggle("Cubic instead of Reno", link.congestion == Congestion::Cubic, |link, on| {
                link.congestion = if on { Congestion::Cubic } else { Congestion::Reno };
            }) }
            { toggle("delayed ACK", link.delayed_ack, |link, on| link.delayed_ack = on) }
            <small class="hint">{ "these apply when a leg is opened next" }</small>
        </div>
    }
}
