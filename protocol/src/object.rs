//! Writes objects of JSON (RFC 8259) field by field, in little code: a browser has to load it.

use std::fmt::{self, Display, Write as _};

use serde::Serialize;

/// An object that is being written.
#[derive(Debug)]
pub struct Object(String);

impl Object {
    /// One without fields.
    #[must_use]
    pub fn new() -> Self {
        Self("{".into())
    }

    fn name(&mut self, name: &str) {
        if self.0.len() > 1 {
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
    }
}
