//! A scenario as the fragment of a share link: the prompt, the emulated link, language and view.
//!
//! Anybody can write such a link. So reading one never fails, and it can ask for no more than a person at
//! the page can. What is unknown, broken or out of range is left out or clamped, with a [`Remark`].

mod escapes;
mod lines;
mod remark;
mod words;

use std::collections::HashSet;
use std::ops::RangeInclusive;

pub use escapes::BadEscape;
pub use lines::{BadLine, data_of, lines_of};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, percent_decode_str, utf8_percent_encode};
pub use remark::{MAX_QUOTE_CHARS, MAX_REMARKS, Remark};
pub use words::{Ending, Mode, View};

use crate::link::{MTU, RULES};
use crate::scenario::remark::{Remarks, quoted};
use crate::text::digits;
use crate::{Knob, Limits, Link, MAX_ID, Path, Send, Target};

/// Bytes of the longest fragment that is read; a longer one is refused as a whole. Browsers take far
/// longer ones, chat programs do not.
pub const MAX_FRAGMENT: usize = 16 * 1024;
/// Bytes of the longest link that is drawn as a QR code; with a longer one it would get too fine for a
/// telephone at the back of a room.
pub const MAX_QR_LINK: usize = 800;
/// Characters of the longest language tag that must be taken (RFC 5646, section 4.4.1).
const MAX_LANGUAGE: usize = 35;

/// What stands first in a fragment.
const VERSION: &str = "v1";

/// All but what every program leaves as it is (RFC 3986, section 2.3), and the colon of our rules. More
/// would be allowed, but chat programs end a link there.
const ESCAPED: &AsciiSet =
    &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~').remove(b':');

/// Everything that a link carries.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Scenario {
    /// What stands in the prompt.
    pub text: String,
    /// How that is to be read.
    pub mode: Mode,
    /// What every line ends with.
    pub ending: Ending,
    /// Which legs.
    pub to: Target,
    /// How many lines.
    pub count: u32,
    /// Milliseconds between two lines.
    pub interval_ms: u32,
    /// Whether TCP sends small segments at once (TCP_NODELAY), as every leg does if nobody says otherwise.
    pub nodelay: bool,
    /// The emulated link; none for a direct path.
    pub link: Option<Link>,
    /// A suggestion, as a language tag (BCP 47).
    pub language: Option<String>,
    /// How the page is arranged.
    pub view: View,
}

impl Default for Scenario {
    fn default() -> Self {
        Self {
            text: "hello {n}".into(),
            mode: Mode::default(),
            ending: Ending::default(),
            to: Target::Both,
            count: 1,
            interval_ms: 0,
            nodelay: true,
            link: None,
            language: None,
            view: View::default(),
        }
    }
}

impl Scenario {
    /// The fragment of a link, without its `#`. [`Scenario::decode`] reads it back, if it is not longer
    /// than [`MAX_FRAGMENT`].
    #[must_use]
    pub fn encode(&self) -> String {
        let mut fragment = String::from(VERSION);
        let mut add = |name: &str, value: &str| {
            fragment.push('&');
            fragment += name;
            fragment.push('=');
            fragment.extend(utf8_percent_encode(value, ESCAPED));
        };
        add("text", &self.text);
        if self.mode != Mode::default() {
            add("mode", self.mode.into());
        }
        if self.ending != Ending::default() {
            add("ending", self.ending.into());
        }
        add("to", self.to.into());
        add("count", &self.count.to_string());
        add("every", &self.interval_ms.to_string());
        if !self.nodelay {
            add("nodelay", "off");
        }
        if let Some(link) = &self.link {
            add("path", Path::Emulated.into());
            add_link(link, &mut add);
        }
        if let Some(language) = &self.language {
            add("lang", language);
        }
        if self.view != View::default() {
            add("view", self.view.into());
        }
        fragment
    }

    /// Reads a fragment, without its `#`. It is none if the fragment is no scenario. The remarks say why,
    /// and what else could not be read as it stands.
    #[must_use]
    pub fn decode(fragment: &str, limits: &Limits) -> (Option<Self>, Vec<Remark>) {
        if fragment.len() > MAX_FRAGMENT {
            let (bytes, limit) = (fragment.len(), MAX_FRAGMENT);
            return (None, vec![Remark::TooLong { bytes, limit }]);
        }
        let mut pairs = fragment.split('&');
        let version = pairs.next().unwrap_or_default();
        if version != VERSION {
            return (None, vec![Remark::Version(quoted(&unescape(version).text))]);
        }
        let mut reader = Reader { limits: *limits, ..Reader::default() };
        for pair in pairs.filter(|pair| !pair.is_empty()) {
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            reader.read(&unescape(name).text, &unescape(value));
        }
        reader.finish()
    }

    /// What it sends: a send for each line of its text, with ids from 1.
    ///
    /// # Errors
    /// The number of the first line that cannot go out, and why.
    pub fn sends(&self) -> Result<Vec<Send>, (usize, BadLine)> {
        let lines = lines_of(&self.text).zip(1..);
        let send = |(line, id): (&str, usize)| {
            let data = data_of(line, self.mode, self.ending).map_err(|bad| (id, bad))?;
            let (count, interval_ms) = (self.count, self.interval_ms);
            Ok(Send { count, interval_ms, ..Send::new(id as u64, self.to, data) })
        };
        lines.map(send).collect()
    }
}

/// The knobs that are not as on a perfect link.
fn add_link(link: &Link, add: &mut impl FnMut(&str, &str)) {
    let perfect = Link::default();
    for knob in Knob::ALL {
        let [up, down, none] = [link.up, link.down, perfect.up].map(|way| knob.text(knob.get(way)));
        if up == down && up != none {
            add(knob.name(), &up);
        } else {
            for (side, value) in [("up.", &up), ("down.", &down)] {
                if *value != none {
                    add(&format!("{side}{}", knob.name()), value);
                }
            }
        }
    }
    for rule in &link.rules {
        add("rule", &words::of_rule(*rule));
    }
    if link.mtu != perfect.mtu {
        add("mtu", &link.mtu.to_string());
    }
    if link.seed != perfect.seed {
        add("seed", &link.seed.to_string());
    }
    if link.congestion != perfect.congestion {
        add("tcp", link.congestion.into());
    }
    if link.delayed_ack != perfect.delayed_ack {
        add("delayed_ack", "off");
    }
}

/// What has been read so far.
#[derive(Default)]
struct Reader {
    limits: Limits,
    scenario: Scenario,
    link: Link,
    path: Option<Path>,
    names: HashSet<String>,
    remarks: Remarks,
}

impl Reader {
    fn read(&mut self, name: &str, value: &Unescaped) {
        let text = value.text.as_str();
        // Only rules can be several.
        if name != "rule" && !self.names.insert(name.to_owned()) {
            return self.remarks.add(|| Remark::Repeated(quoted(name)));
        }
        if value.broken {
            self.remarks.add(|| Remark::Percent(quoted(name)));
        }
        if value.not_utf8 {
            self.remarks.add(|| Remark::NotUtf8(quoted(name)));
        }
        let understood = match name {
            "text" => {
                text.clone_into(&mut self.scenario.text);
                true
            }
            "mode" => set(&mut self.scenario.mode, text.parse().ok()),
            "ending" => set(&mut self.scenario.ending, text.parse().ok()),
            "to" => set(&mut self.scenario.to, text.parse().ok()),
            "count" => {
                let count = self.number(name, text, 1..=self.limits.burst_lines.max(1));
                set(&mut self.scenario.count, count)
            }
            "every" => {
                let interval = self.number(name, text, 0..=self.limits.interval_ms);
                set(&mut self.scenario.interval_ms, interval)
            }
            "nodelay" => set(&mut self.scenario.nodelay, words::on(text)),
            "path" => set(&mut self.path, text.parse().ok().map(Some)),
            "lang" => set(&mut self.scenario.language, is_tag(text).then(|| Some(text.into()))),
            "view" => set(&mut self.scenario.view, text.parse().ok()),
            _ => return self.read_of_link(name, text),
        };
        if !understood {
            self.unreadable(name, text);
        }
    }

    /// A setting of the emulated link. The path is then an emulated one, unless the scenario says otherwise.
    fn read_of_link(&mut self, name: &str, text: &str) {
        let understood = match name {
            "rule" => self.rule(text),
            "mtu" => {
                let mtu = self.number(name, text, (*MTU.start()).into()..=(*MTU.end()).into());
                set(&mut self.link.mtu, mtu.and_then(|mtu| mtu.try_into().ok()))
            }
            "seed" => {
                let seed =
                    self.clamped(name, text, digits(text), 0..=MAX_ID, |seed| seed.to_string());
                set(&mut self.link.seed, seed)
            }
            "tcp" => set(&mut self.link.congestion, text.parse().ok()),
            "delayed_ack" => set(&mut self.link.delayed_ack, words::on(text)),
            _ => match self.knob(name, text) {
                Some(understood) => understood,
                None => return self.remarks.add(|| Remark::Unknown(quoted(name))),
            },
        };
        if understood {
            self.path = self.path.or(Some(Path::Emulated));
        } else {
            self.unreadable(name, text);
        }
    }

    /// Whether it is understood; none if there is no such knob.
    fn knob(&mut self, name: &str, text: &str) -> Option<bool> {
        let (side, plain) = match name.split_once('.') {
            Some((side @ ("up" | "down"), plain)) => (side, plain),
            _ => ("", name),
        };
        let knob: Knob = plain.parse().ok()?;
        let value = knob.parse(text);
        let value = self.clamped(name, text, value, knob.range(), |value| knob.text(value));
        let Some(value) = value else { return Some(false) };
        for (way, other) in [(&mut self.link.up, "down"), (&mut self.link.down, "up")] {
            if side != other {
                knob.set(way, value);
            }
        }
        Some(true)
    }

    fn unreadable(&mut self, name: &str, value: &str) {
        self.remarks.add(|| Remark::Unreadable { name: quoted(name), value: quoted(value) });
    }

    fn rule(&mut self, text: &str) -> bool {
        let Some(rule) = words::rule(text).filter(|rule| rule.check("").is_ok()) else {
            return false;
        };
        let rules = &mut self.link.rules;
        if rules.len() < *RULES.end() {
            rules.push(rule);
        } else {
            self.remarks.add(|| Remark::Rules { limit: *RULES.end() });
        }
        true
    }

    fn number(&mut self, name: &str, text: &str, range: RangeInclusive<u32>) -> Option<u32> {
        let value = digits(text).map(|value| value.try_into().unwrap_or(u32::MAX));
        self.clamped(name, text, value, range, |value| value.to_string())
    }

    /// A number, moved into its range.
    fn clamped<N: Copy + Ord>(
        &mut self,
        name: &str,
        text: &str,
        read: Option<N>,
        range: RangeInclusive<N>,
        shown: impl FnOnce(N) -> String,
    ) -> Option<N> {
        let clamped = read?.clamp(*range.start(), *range.end());
        if read != Some(clamped) {
            self.remarks.add(|| Remark::Clamped {
                name: quoted(name),
                value: quoted(text),
                taken: shown(clamped),
            });
        }
        Some(clamped)
    }

    fn finish(self) -> (Option<Scenario>, Vec<Remark>) {
        let Self { limits, mut scenario, link, path, mut remarks, .. } = self;
        let (bytes, limit) = (scenario.text.len(), limits.line_bytes);
        // How many bytes escapes and hex stand for is seen when they are sent.
        if scenario.mode == Mode::Text && bytes > limit {
            scenario.text.truncate(scenario.text.floor_char_boundary(limit));
            remarks.add(|| Remark::Cut { bytes, limit });
        }
        scenario.link = (path == Some(Path::Emulated)).then_some(link);
        (Some(scenario), remarks.finish())
    }
}

/// Sets it, if there is anything to set; whether there was.
fn set<T>(place: &mut T, value: Option<T>) -> bool {
    value.map(|value| *place = value).is_some()
}

fn is_tag(text: &str) -> bool {
    (1..=MAX_LANGUAGE).contains(&text.len())
        && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
}

/// A name or a value without its percent codes.
struct Unescaped {
    text: String,
    /// Whether there was a `%` that begins no code; it is taken for itself.
    broken: bool,
    /// Whether there were bytes that are not UTF-8; they are U+FFFD now.
    not_utf8: bool,
}

fn unescape(text: &str) -> Unescaped {
    let is_code = |text: &str| {
        text.as_bytes()
            .first_chunk::<2>()
            .is_some_and(|code| code.iter().all(u8::is_ascii_hexdigit))
    };
    let broken = text.split('%').skip(1).any(|rest| !is_code(rest));
    // Forms and `URLSearchParams` write a space as a plus.
    let text = text.replace('+', " ");
    let decoded = percent_decode_str(&text);
    Unescaped {
        text: decoded.clone().decode_utf8_lossy().into_owned(),
        broken,
        not_utf8: decoded.decode_utf8().is_err(),
    }
}

#[cfg(test)]
mod tests;
