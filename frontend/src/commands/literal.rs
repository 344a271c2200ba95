//! Bytes between quotes: whatever could end them, run, or turn the text around it is escaped, as each
//! language writes that.

use std::fmt::Write as _;

use streamgram_protocol::{Data, Send, numbered, numbers_in};

use super::tool::Tool;

/// What stands between the quotes.
#[derive(Debug)]
pub(super) struct Literal {
    tool: Tool,
    /// Bytes, not characters.
    raw: bool,
    /// A format, as `printf` reads it.
    is_format: bool,
    pub(super) text: String,
    /// Of the format.
    pub(super) arguments: String,
    /// What it stands for has so many bytes.
    pub(super) bytes: usize,
    /// A line break stands in it.
    pub(super) breaks: bool,
    /// How often the line's number stands in it.
    pub(super) numbers: usize,
}

impl Literal {
    /// The line of a send, at most so many bytes of it.
    pub(super) fn of(tool: Tool, send: &Send, room: usize) -> Self {
        let data = send.data();
        let mut literal = Self {
            tool,
            raw: matches!(data, Data::Hex(_)),
            is_format: false,
            text: String::new(),
            arguments: String::new(),
            bytes: 0,
            breaks: false,
            numbers: 0,
        };
        match &data {
            Data::Text(text) if send.count == 1 => literal.push_text(&numbered(text, 1), room),
            Data::Text(text) => literal.push_text(text, room),
            hex @ Data::Hex(_) => {
                let bytes = hex.to_bytes().unwrap_or_default();
                let bytes = &bytes[..bytes.len().min(room)];
                literal.bytes = bytes.len();
                if tool == Tool::Node {
                    literal.text = Data::hex(bytes);
                } else {
                    bytes.iter().for_each(|byte| literal.push_byte(*byte));
                }
            }
        }
        literal
    }

    /// Which of three kinds it is: text, text to be numbered, bytes.
    pub(super) fn kind(&self) -> usize {
        if self.raw { 2 } else { usize::from(self.numbers > 0) }
    }

    fn push_text(&mut self, text: &str, room: usize) {
        let text = &text[..text.floor_char_boundary(room)];
        self.bytes = text.len();
        self.numbers = numbers_in(text);
        self.is_format = self.numbers > 0 && matches!(self.tool, Tool::Nc | Tool::C);
        if !self.is_format {
            return text.chars().for_each(|c| self.push(c));
        }
        for (place, part) in text.split("{n}").enumerate() {
            if place > 0 {
                self.text.push_str("%d");
                self.arguments.push_str(if self.tool == Tool::C { ", n" } else { " \"$n\"" });
            }
            part.chars().for_each(|c| self.push(c));
        }
    }

    fn push(&mut self, c: char) {
        let shell = self.tool == Tool::Nc;
        match c {
            '\\' => self.text.push_str("\\\\"),
            '\n' => {
                self.breaks = true;
                self.text.push_str("\\n");
            }
            '\r' => self.text.push_str("\\r"),
            '\t' => self.text.push_str("\\t"),
            // What is printed is a format in any case.
            '%' if shell || self.is_format => self.text.push_str("%%"),
            // It would end a format of C.
            '\0' if self.is_format && self.tool == Tool::C => {
                self.text.push_str("%c");
                self.arguments.push_str(", 0");
            }
            '\'' if shell => self.escape(c),
            // An option begins so.
            '-' if shell && self.text.is_empty() => self.escape(c),
            '"' if shell => self.text.push(c),
            '"' => self.text.push_str("\\\""),
            '!' if !shell => self.escape(c),
            // Three of them were a character once.
            '?' if self.tool == Tool::C => self.text.push_str("\\?"),
            _ if is_plain(c) && (c.is_ascii() || !self.raw) => self.text.push(c),
            _ => self.escape(c),
        }
    }

    fn push_byte(&mut self, byte: u8) {
        if byte.is_ascii() { self.push(byte.into()) } else { self.escape(byte.into()) }
    }

    fn escape(&mut self, c: char) {
        let code = u32::from(c);
        let text = &mut self.text;
        // Writing to a String cannot fail.
        let _ok = match self.tool {
            Tool::Nc | Tool::C if self.raw => write!(text, "\\{code:03o}"),
            Tool::Nc | Tool::C => {
                let mut buffer = [0; 4];
                let mut bytes = c.encode_utf8(&mut buffer).bytes();
                bytes.try_for_each(|byte| write!(text, "\\{byte:03o}"))
            }
            Tool::Python | Tool::Rust if self.raw => write!(text, "\\x{code:02x}"),
            Tool::Python => write!(text, "\\U{code:08x}"),
            Tool::Node | Tool::Rust => write!(text, "\\u{{{code:x}}}"),
        };
    }
}

/// Characters that can be told from each other, neither are nor move anything: ASCII, letters of Europe,
/// punctuation, Chinese, Japanese, Korean, symbols.
fn is_plain(c: char) -> bool {
    matches!(c, ' '..='~'
        | '\u{a1}'..='\u{ac}' | '\u{ae}'..='\u{24f}' | '\u{391}'..='\u{3c9}' | '\u{400}'..='\u{45f}'
        | '\u{2010}'..='\u{2027}' | '\u{3001}'..='\u{3029}' | '\u{3041}'..='\u{3096}'
        | '\u{30a0}'..='\u{30ff}' | '\u{4e00}'..='\u{9fff}' | '\u{ac00}'..='\u{d7a3}'
        | '\u{ff01}'..='\u{ff5e}' | '\u{1f300}'..='\u{1f6ff}')
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;
    use std::process::{Command as Process, Stdio};

    use proptest::prelude::*;
    use streamgram_protocol::Target;

    use super::*;
    use crate::commands::command::tests::expression;

    fn send(data: Data, count: u32) -> Send {
        Send { count, ..Send::new(1, Target::Both, data) }
    }

    /// What a shell prints for the expression of nc.
    fn printed(send: &Send, n: u32) -> Vec<u8> {
        let script = format!("n={n}; printf {}", expression(Tool::Nc, send));
        let mut shell =
            Process::new("sh").stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
        shell.stdin.take().unwrap().write_all(script.as_bytes()).unwrap();
        shell.wait_with_output().unwrap().stdout
    }

    const HOSTILE: &str = "[-'\"\\\\$`%!?(){}n;|&\\PC\0\n\u{202e}]*";

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]

        #[test]
        fn a_shell_prints_the_bytes_and_runs_nothing(bytes: Vec<u8>, text in HOSTILE) {
            let hex = send(Data::Hex(Data::hex(&bytes)), 2);
            prop_assert_eq!(printed(&hex, 7), bytes);
            let numbered = text.replace("{n}", "7").into_bytes();
            prop_assert_eq!(printed(&send(Data::Text(text), 9), 7), numbered);
        }
    }

    proptest! {
        #[test]
        fn no_line_breaks_out_of_its_literal(bytes: Vec<u8>, text in HOSTILE) {
            for data in [Data::Hex(Data::hex(&bytes)), Data::Text(text)] {
                for tool in Tool::ALL {
                    let expression = expression(tool, &send(data.clone(), 2));
                    prop_assert!(expression.chars().all(is_plain), "{expression}");
                    let quote = if tool == Tool::Nc { '\'' } else { '"' };
                    // Escapes are gone, then quotes come in pairs with nothing special outside.
                    let bare = expression.replace("\\\\", "").replace("\\\"", "");
                    let outside: String = bare.split(quote).step_by(2).collect();
                    let known = |c: char| c.is_ascii_alphanumeric() || " .,()&_{}$\"".contains(c);
                    prop_assert!(outside.chars().all(known), "{expression}");
                    prop_assert!(tool == Tool::Nc || !expression.contains('!'));
                    prop_assert!(bare.matches(quote).count().is_multiple_of(2), "{expression}");
                }
            }
        }
    }
}
