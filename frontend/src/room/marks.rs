//! A drawing as a list of marks: shown on the page in its colours, or written as a file, which is light on every page.

use std::fmt::Write as _;

use yew::prelude::*;

/// A mark; places are in pixels.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Mark {
    Bar { at: (u64, u64), size: (u64, u64), ink: Ink },
    Text { at: (u64, u64), anchor: Anchor, ink: Ink, text: String },
}

/// What a mark is drawn with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Ink {
    Text,
    Title,
    Mute,
    Line,
    Before,
    After,
    Tcp,
    TcpOthers,
    Udp,
    UdpOthers,
}

/// Which part of a text stands at its place.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Anchor {
    Start,
    Middle,
    End,
}

impl Ink {
    /// What the style sheet calls it.
    fn word(self) -> &'static str {
        match self {
            Self::Text => "text",
            Self::Title => "title",
            Self::Mute => "mute",
            Self::Line => "line",
            Self::Before => "before",
            Self::After => "after",
            Self::Tcp => "tcp",
            Self::TcpOthers => "tcp-others",
            Self::Udp => "udp",
            Self::UdpOthers => "udp-others",
        }
    }

    /// The page's light colours, as its style sheet has them: a file has none.
    fn colour(self) -> &'static str {
        match self {
            Self::Text | Self::Title | Self::After => "#171c23",
            Self::Mute => "#566070",
            Self::Line => "#dfe3e8",
            Self::Before => "#868f9c",
            Self::Tcp => "#0a5cab",
            Self::TcpOthers => "#6598ca",
            Self::Udp => "#9a4700",
            Self::UdpOthers => "#c18b5e",
        }
    }
}

impl Anchor {
    fn word(self) -> &'static str {
        match self {
            Self::Start => "start",
            Self::Middle => "middle",
            Self::End => "end",
        }
    }
}

/// The marks as parts of an SVG of the page.
pub(crate) fn parts(marks: &[Mark]) -> Html {
    html! {
        for mark in marks {
            { match mark {
                Mark::Bar { at: (x, y), size: (width, height), ink } => html! {
                    <rect data-ink={ink.word()} x={x.to_string()} y={y.to_string()}
                        width={width.to_string()} height={height.to_string()} />
                },
                Mark::Text { at: (x, y), anchor, ink, text } => html! {
                    <text data-ink={ink.word()} x={x.to_string()} y={y.to_string()}
                        text-anchor={anchor.word()}>{ text }</text>
                },
            } }
        }
    }
}

/// The marks as a file.
pub(crate) fn file(marks: &[Mark], (width, height): (u64, u64)) -> String {
    let mut svg = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{width}\" height=\"{height}\" viewBox=\"0 0 {width} {height}\" \
         font-family=\"sans-serif\" font-size=\"13\"><rect width=\"100%\" height=\"100%\" fill=\"#ffffff\"/>"
    );
    for mark in marks {
        // A `String` takes everything.
        let _written = match mark {
            Mark::Bar { at: (x, y), size: (width, height), ink } => {
                let colour = ink.colour();
                write!(
                    svg,
                    "<rect x=\"{x}\" y=\"{y}\" width=\"{width}\" height=\"{height}\" fill=\"{colour}\"/>"
                )
            }
            Mark::Text { at: (x, y), anchor, ink, text } => {
                let (anchor, colour) = (anchor.word(), ink.colour());
                let weight = if *ink == Ink::Title { " font-weight=\"700\"" } else { "" };
                let text = text.replace('&', "&amp;").replace('<', "&lt;");
                write!(
                    svg,
                    "<text x=\"{x}\" y=\"{y}\" text-anchor=\"{anchor}\" fill=\"{colour}\"{weight}>{text}</text>"
                )
            }
        };
    }
    svg + "</svg>\n"
}

/// Lines of a text that are no longer than so many halves of a wide character.
pub(crate) fn wrapped(text: &str, halves: usize) -> Vec<String> {
    let width = |c: char| if c < '\u{1100}' { 1 } else { 2 };
    let (mut lines, mut line, mut long) = (Vec::new(), String::new(), 0);
    for word in text.split_inclusive(|c: char| c == ' ' || width(c) == 2) {
        let wide: usize = word.trim_end().chars().map(width).sum();
        if long + wide > halves && !line.is_empty() {
            lines.push(line.trim_end().to_owned());
            (line, long) = (String::new(), 0);
        }
        line += word;
        long += word.chars().map(width).sum::<usize>();
    }
    lines.push(line.trim_end().to_owned());
    lines
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ui::tests::rendered;

    fn text(text: &str) -> [Mark; 1] {
        [Mark::Text { at: (1, 2), anchor: Anchor::End, ink: Ink::Title, text: text.into() }]
    }

    #[tokio::test]
    async fn a_text_is_no_markup_on_the_page_or_in_a_file() {
        let marks = text("<script> & x");
        for svg in [rendered(parts(&marks)).await, file(&marks, (10, 10))] {
            assert!(svg.contains("&lt;script") && svg.contains("&amp; x"), "{svg}");
            assert!(svg.contains("text-anchor=\"end\"") && !svg.contains("<script"), "{svg}");
        }
    }

    #[test]
    fn lines_break_at_spaces_and_between_chinese_characters() {
        assert_eq!(wrapped("one two three", 7), ["one two", "three"]);
        assert_eq!(wrapped("连续发送二十行", 8), ["连续发送", "二十行"]);
        assert_eq!(wrapped("TCP 有，UDP 没有", 9), ["TCP 有，", "UDP 没有"]);
        assert_eq!(wrapped("", 9), [""]);
        assert_eq!(wrapped("endlessly", 4), ["endlessly"]);
    }
}
