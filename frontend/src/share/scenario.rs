//! Scenarios of links in the page's words: what a link carries, and what of it was not taken.

use streamgram_protocol::scenario::{Ending, Mode, Remark, View};
use streamgram_protocol::{Limits, Link, Path, Scenario, Target, printable};
use yew::prelude::*;

use crate::i18n::figures::{Noun, count, counted};
use crate::i18n::language::Language;
use crate::lab::knobs::turned_text;
use crate::prompt::draft::{Draft, ending_name, mode_name};
use crate::ui::bytes::payload;

impl From<&Scenario> for Draft {
    fn from(scenario: &Scenario) -> Self {
        Self {
            text: scenario.text.clone(),
            mode: scenario.mode,
            ending: scenario.ending,
            to: scenario.to,
            count: scenario.count.to_string(),
            interval_ms: scenario.interval_ms.to_string(),
        }
    }
}

/// What a link would carry of the page as it stands. What is no number in the prompt is not carried.
pub(crate) fn scenario(
    draft: &Draft,
    (path, link, nodelay): (Path, &Link, bool),
    limits: &Limits,
) -> Scenario {
    let number = |typed: &str, most: u32| typed.trim().parse().map_or(0, |n: u32| n.min(most));
    Scenario {
        text: draft.text.clone(),
        mode: draft.mode,
        ending: draft.ending,
        to: draft.to,
        count: number(&draft.count, limits.burst_lines).max(1),
        interval_ms: number(&draft.interval_ms, limits.interval_ms),
        nodelay,
        link: (path == Path::Emulated).then(|| link.clone()),
        ..Scenario::default()
    }
}

/// The language of a scenario, if it is one of the page's.
pub(crate) fn language_of(scenario: &Scenario) -> Option<Language> {
    scenario.language.as_deref().and_then(Language::of_tag)
}

/// What a scenario carries, as a list.
pub(crate) fn carried_list(language: Language, scenario: &Scenario) -> Html {
    html! {
        <dl class="carried">
            <div>
                <dt>{ language.carried_text() }</dt>
                <dd><code class="carried-text" translate="no">{ payload(language, scenario.text.as_bytes()) }</code></dd>
            </div>
            for (name, text) in carried(language, scenario) {
                <div><dt>{ name }</dt><dd>{ text }</dd></div>
            }
        </dl>
    }
}

/// What it carries besides its text, each with its name.
fn carried(language: Language, scenario: &Scenario) -> Vec<(&'static str, String)> {
    let to = match scenario.to {
        Target::Tcp => "TCP",
        Target::Udp => "UDP",
        Target::Both => "TCP + UDP",
    };
    let mut lines = counted(language, scenario.count.into(), Noun::Line);
    if scenario.count > 1 {
        lines = language.carried_every(&lines, &count(scenario.interval_ms.into()));
    }
    let mut carried =
        vec![(language.where_it_goes(), to.to_owned()), (language.carried_lines(), lines)];
    let Scenario { mode, ending, .. } = *scenario;
    if mode != Mode::Text {
        carried.push((language.prompt_mode(), mode_name(language, mode).to_owned()));
    }
    if ending != Ending::None {
        carried.push((language.prompt_ending(), ending_name(language, ending).to_owned()));
    }
    if !scenario.nodelay {
        carried.push(("TCP_NODELAY", language.carried_off().to_owned()));
    }
    if let Some(link) = &scenario.link {
        let turned = turned_text(language, link);
        let emulated = [language.path_emulated().to_owned()].into_iter().chain(turned);
        carried.push((language.link(), emulated.collect::<Vec<_>>().join(" · ")));
    }
    if let Some(tag) = &scenario.language {
        let name = language_of(scenario).map_or_else(|| tag.clone(), |it| it.name().to_owned());
        carried.push((language.language(), name));
    }
    if scenario.view == View::Large {
        carried.push((language.carried_view(), language.carried_large().to_owned()));
    }
    carried
}

/// A remark in words. What the link says is quoted so that it hides nothing and turns nothing round.
pub(crate) fn remark_text(language: Language, remark: &Remark) -> String {
    let quoted = |text: &str| printable(text.as_bytes());
    let bytes = |bytes: usize| counted(language, bytes as u64, Noun::Byte);
    match remark {
        Remark::TooLong { bytes: length, limit } => {
            language.remark_too_long(&bytes(*length), &bytes(*limit))
        }
        Remark::Version(version) => language.remark_version(&quoted(version)),
        Remark::Unknown(name) => language.remark_unknown(&quoted(name)),
        Remark::Repeated(name) => language.remark_repeated(&quoted(name)),
        Remark::Unreadable { name, value } => {
            language.remark_unreadable(&quoted(name), &quoted(value))
        }
        Remark::Clamped { name, value, taken } => {
            language.remark_clamped(&quoted(name), &quoted(value), taken)
        }
        Remark::Rules { limit } => language.remark_rules(&limit.to_string()),
        Remark::Cut { bytes: length, limit } => {
            language.remark_cut(&bytes(*length), &bytes(*limit))
        }
        Remark::Percent(name) => language.remark_percent(&quoted(name)),
        Remark::NotUtf8(name) => language.remark_not_utf8(&quoted(name)),
        Remark::More(more) => language.remark_more(&count(*more as u64)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_shared_is_what_stands_in_the_prompt() {
        let draft = Draft {
            count: "20".into(),
            interval_ms: "5".into(),
            mode: Mode::Escapes,
            ending: Ending::CrLf,
            ..Draft::default()
        };
        let link = Link::default();
        let direct = scenario(&draft, (Path::Direct, &link, true), &Limits::default());
        assert_eq!((Draft::from(&direct), direct.link), (draft.clone(), None));
        let emulated = scenario(&draft, (Path::Emulated, &link, true), &Limits::default());
        assert_eq!(emulated.link, Some(link.clone()));
        let odd = Draft { count: "many".into(), interval_ms: "99999".into(), ..draft };
        let odd = scenario(&odd, (Path::Direct, &link, true), &Limits::default());
        assert_eq!((odd.count, odd.interval_ms), (1, 10_000));
    }

    #[test]
    fn what_a_link_carries_is_said_in_words() {
        let fragment = "v1&text=x&count=20&every=400&delay=20&up.loss=2.5&rule=lose_line:3&seed=7&view=large&lang=zh";
        let (scenario, _) = Scenario::decode(fragment, &Limits::default());
        let carried = carried(Language::En, &scenario.unwrap());
        let said: Vec<_> = carried.iter().map(|(_, text)| text.as_str()).collect();
        assert_eq!(said[..2], ["TCP + UDP", "20 lines, 400 ms apart"]);
        assert_eq!(
            said[2],
            "emulated · delay 20 ms · loss to the server 2.5 % · lose the first copy of line 3 · seed 7"
        );
        assert_eq!(said[3..], ["简体中文", "large type, for a projector"]);
    }

    #[test]
    fn a_remark_quotes_nothing_that_hides_or_turns() {
        let remark = Remark::Unknown("\u{202e}<b>\0".into());
        let text = remark_text(Language::En, &remark);
        assert!(text.contains(r"\u{202e}<b>\x00"), "{text}");
    }
}
