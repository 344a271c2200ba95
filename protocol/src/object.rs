//! Writes objects of JSON (RFC 8259) field by field: in little code for the page, which a browser has to
//! load, and fast for the server, which writes most of them.

use std::fmt::{self, Display, Write as _};

use serde::Serialize;

/// An object that is being written.
#[derive(Debug)]
pub struct Object(String);

impl Object {
    /// One without fields.
    #[must_use]
    pub fn new() -> Self {
        Self::behind(String::new())
    }

    /// One without fields, behind what is written already.
    pub(crate) fn behind(mut written: String) -> Self {
        written.push('{');
        Self(written)
    }

    fn name(&mut self, name: &str) {
        if self.0.as_bytes().last() != Some(&b'{') {
            self.0.push(',');
        }
        self.0.push('"');
        self.0.push_str(name);
        self.0.push_str("\":");
    }

    /// Adds a number or a flag, or JSON that is written already.
    #[must_use]
    pub fn bare(mut self, name: &str, value: &dyn Display) -> Self {
        self.name(name);
        // Writing to a String cannot fail.
        let _ok = write!(self.0, "{value}");
        self
    }

    /// Adds one of the words that serde derives for a type.
    #[must_use]
    pub fn word(self, name: &str, word: impl Serialize) -> Self {
        self.bare(name, &format_args!("\"{}\"", Word(word)))
    }

    /// Adds a text.
    #[must_use]
    pub fn text(mut self, name: &str, text: &str) -> Self {
        self.name(name);
        self.0.push('"');
        for character in text.chars() {
            match character {
                '"' | '\\' => self.0.extend(['\\', character]),
                '\0'..' ' => {
                    // As above.
                    let _ok = write!(self.0, "\\u{:04x}", u32::from(character));
                }
                _ => self.0.push(character),
            }
        }
        self.0.push('"');
        self
    }

    /// Adds a word that has nothing to escape.
    pub(crate) fn plain(mut self, name: &str, word: &str) -> Self {
        self.name(name);
        self.0.push('"');
        self.0.push_str(word);
        self.0.push('"');
        self
    }

    /// Adds a text as serde_json writes it. With the short escapes, and copied in runs between them: more
    /// code than [`text`](Self::text), and several times as fast.
    pub(crate) fn string(mut self, name: &str, text: &str) -> Self {
        self.name(name);
        self.0.push('"');
        let mut rest = text;
        while let Some(at) = rest.bytes().position(needs_escape) {
            let (run, from) = rest.split_at(at);
            self.0.push_str(run);
            // What is escaped is a byte long.
            let (escaped, behind) = from.split_at(1);
            match escaped {
                "\"" => self.0.push_str("\\\""),
                "\\" => self.0.push_str("\\\\"),
                "\x08" => self.0.push_str("\\b"),
                "\t" => self.0.push_str("\\t"),
                "\n" => self.0.push_str("\\n"),
                "\x0c" => self.0.push_str("\\f"),
                "\r" => self.0.push_str("\\r"),
                _ => {
                    // Writing to a String cannot fail.
                    let _ok = write!(self.0, "\\u{:04x}", escaped.as_bytes()[0]);
                }
            }
            rest = behind;
        }
        self.0.push_str(rest);
        self.0.push('"');
        self
    }

    /// Adds a number; [`bare`](Self::bare) is less code, and slower.
    pub(crate) fn number(mut self, name: &str, number: impl itoa::Integer) -> Self {
        self.name(name);
        self.0.push_str(itoa::Buffer::new().format(number));
        self
    }

    /// Adds a flag.
    pub(crate) fn flag(mut self, name: &str, flag: bool) -> Self {
        self.name(name);
        self.0.push_str(if flag { "true" } else { "false" });
        self
    }

    /// Adds an object with these fields.
    pub(crate) fn object(mut self, name: &str, fields: impl FnOnce(Self) -> Self) -> Self {
        self.name(name);
        Self(fields(Self::behind(self.0)).written())
    }

    /// The object as JSON.
    #[must_use]
    pub fn written(mut self) -> String {
        self.0.push('}');
        self.0
    }
}

impl Default for Object {
    fn default() -> Self {
        Self::new()
    }
}

fn needs_escape(byte: u8) -> bool {
    byte < b' ' || byte == b'"' || byte == b'\\'
}

/// A variant without fields, by its name in JSON.
struct Word<W>(W);

impl<W: Serialize> Display for Word<W> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.serialize(f)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn what_is_written_is_read_by_others(text: String, number: u64) {
            let written = Object::new().text("a", &text).bare("b", &number).written();
            let read: serde_json::Value = serde_json::from_str(&written).unwrap();
            prop_assert_eq!(read, serde_json::json!({ "a": text, "b": number }));
        }

        #[test]
        fn what_is_written_fast_is_as_serde_writes_it(
            text in "[\\x00-\\x20\"\\\\a\\x7f好]{0,12}",
            number: u64,
            flag: bool,
        ) {
            let written = Object::new()
                .string("a", &text)
                .plain("e", "word")
                .object("b", |object| object.number("c", number))
                .flag("d", flag)
                .written();
            let [text, number] = [serde_json::to_string(&text), serde_json::to_string(&number)];
            let derived =
                format!(r#"{{"a":{},"e":"word","b":{{"c":{}}},"d":{flag}}}"#, text.unwrap(), number.unwrap());
            prop_assert_eq!(written, derived);
        }
    }
}
