//! Text between quotes: whatever could end them, run, or turn the text around it is escaped.

/// Text in double quotes. `by_code` writes a character by its number, as the language does.
pub(super) fn quoted(text: &str, by_code: fn(char) -> String) -> String {
    let text: String = text.chars().map(|c| escape(c, by_code)).collect();
    format!("\"{text}\"")
}

/// A character of such a text.
pub(super) fn escape(c: char, by_code: fn(char) -> String) -> String {
    match c {
        '\\' => r"\\".into(),
        '\n' => r"\n".into(),
        '\r' => r"\r".into(),
        '\t' => r"\t".into(),
        '"' => r#"\""#.into(),
        // A shell could take it for its history.
        '!' => by_code(c),
        _ if is_plain(c) => c.into(),
        _ => by_code(c),
    }
}

/// As JavaScript and Rust write a character by its number.
pub(super) fn unicode(c: char) -> String {
    format!("\\u{{{:x}}}", u32::from(c))
}

/// As Python and Rust write bytes.
pub(super) fn quoted_bytes(bytes: &[u8]) -> String {
    let bytes: String = bytes.iter().map(|byte| format!("\\x{byte:02x}")).collect();
    format!("b\"{bytes}\"")
}

/// As C and `printf` write bytes.
pub(super) fn octal(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("\\{byte:03o}")).collect()
}

/// As C and `printf` write a character by its bytes.
pub(super) fn octal_char(c: char) -> String {
    octal(c.encode_utf8(&mut [0; 4]).as_bytes())
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
    use streamgram_protocol::{Data, Send, Target};

    use super::*;
    use crate::commands::command::Tool;
    use crate::commands::script::Line;
    use crate::commands::{c, nc, node, python, rust};

    /// A line as a tool would write it.
    fn literal(tool: Tool, data: Data, count: u32) -> String {
        let send = Send { count, ..Send::new(1, Target::Both, data) };
        let Line { payload, .. } = Line::new(&send, usize::MAX);
        match tool {
            Tool::Nc => nc::literal(&payload),
            Tool::Python => python::literal(&payload),
            Tool::Node => node::literal(&payload),
            Tool::Rust => rust::literal(&payload),
            Tool::C => c::literal(&payload),
        }
    }

    /// What a shell prints for the literal of nc.
    fn printed(data: Data, count: u32, n: u32) -> Vec<u8> {
        let script = format!("n={n}; printf {}", literal(Tool::Nc, data, count));
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
            prop_assert_eq!(printed(Data::Hex(Data::hex(&bytes)), 2, 7), bytes);
            let numbered = text.replace("{n}", "7").into_bytes();
            prop_assert_eq!(printed(Data::Text(text), 9, 7), numbered);
        }
    }

    proptest! {
        #[test]
        fn no_line_breaks_out_of_its_literal(bytes: Vec<u8>, text in HOSTILE) {
            for data in [Data::Hex(Data::hex(&bytes)), Data::Text(text)] {
                for tool in Tool::ALL {
                    let literal = literal(tool, data.clone(), 2);
                    prop_assert!(literal.chars().all(is_plain), "{literal}");
                    let quote = if tool == Tool::Nc { '\'' } else { '"' };
                    // Escapes are gone, then quotes come in pairs with nothing special outside.
                    let bare = literal.replace("\\\\", "").replace("\\\"", "");
                    let outside: String = bare.split(quote).step_by(2).collect();
                    let known = |c: char| c.is_ascii_alphanumeric() || " .,()&_{}$\"".contains(c);
                    prop_assert!(outside.chars().all(known), "{literal}");
                    prop_assert!(tool == Tool::Nc || !literal.contains('!'));
                    prop_assert!(bare.matches(quote).count().is_multiple_of(2), "{literal}");
                }
            }
        }
    }
}
