//! Reads JSON (RFC 8259) as far as a message of the server needs it, in little code: a browser has to
//! load it. What serde_json reads is read alike; of numbers no more than their characters is checked.

/// Objects and lists within each other. One more is not read; messages have two.
const MAX_DEPTH: usize = 16;

/// A value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Json {
    Text(String),
    Number(u64),
    Flag(bool),
    Object(Vec<(String, Json)>),
    /// What no field of a message is: null, a list, a number that is negative or has a fraction.
    Other,
}

impl Json {
    /// Reads a text that is one value; nothing, if it is not.
    pub(crate) fn read(text: &str) -> Option<Self> {
        let mut reader = Reader { rest: text };
        let value = reader.value(MAX_DEPTH)?;
        reader.skip_space();
        reader.rest.is_empty().then_some(value)
    }
}

/// What is left to be read.
struct Reader<'t> {
    rest: &'t str,
}

impl<'t> Reader<'t> {
    /// Reads a value that has at most so many others around each other in it.
    fn value(&mut self, depth: usize) -> Option<Json> {
        self.skip_space();
        if self.takes('"') {
            return self.text().map(Json::Text);
        }
        if self.takes('{') {
            let (depth, mut fields) = (depth.checked_sub(1)?, Vec::new());
            self.members('}', &mut |reader| {
                let name = reader.takes('"').then(|| reader.text())??;
                reader.skip_space();
                let value = reader.takes(':').then(|| reader.value(depth))??;
                fields.push((name, value));
                Some(())
            })?;
            return Some(Json::Object(fields));
        }
        if self.takes('[') {
            let depth = depth.checked_sub(1)?;
            self.members(']', &mut |reader| reader.value(depth).map(drop))?;
            return Some(Json::Other);
        }
        match self.run(|byte| byte.is_ascii_alphanumeric() || b"+-.".contains(&byte)) {
            "true" => Some(Json::Flag(true)),
            "false" => Some(Json::Flag(false)),
            "null" => Some(Json::Other),
            number if number.starts_with(|first| first == '-' || char::is_ascii_digit(&first)) => {
                Some(number.parse().map_or(Json::Other, Json::Number))
            }
            _ => None,
        }
    }

    /// Reads what stands between commas, up to a closing bracket.
    fn members(
        &mut self,
        close: char,
        member: &mut dyn FnMut(&mut Self) -> Option<()>,
    ) -> Option<()> {
        self.skip_space();
        if self.takes(close) {
            return Some(());
        }
        loop {
            self.skip_space();
            member(self)?;
            self.skip_space();
            if self.takes(close) {
                return Some(());
            }
            self.takes(',').then_some(())?;
        }
    }

    /// Reads a string behind its opening quotation mark.
    fn text(&mut self) -> Option<String> {
        let mut text = String::new();
        loop {
            text.push_str(self.run(|byte| !matches!(byte, b'"' | b'\\' | 0..b' ')));
            if self.takes('"') {
                return Some(text);
            }
            text.push(self.takes('\\').then(|| self.escaped())??);
        }
    }

    /// Reads the rest of an escape.
    fn escaped(&mut self) -> Option<char> {
        let mut characters = self.rest.chars();
        let first = characters.next()?;
        self.rest = characters.as_str();
        Some(match first {
            '"' | '\\' | '/' => first,
            'b' => '\u{8}',
            'f' => '\u{c}',
            'n' => '\n',
            'r' => '\r',
            't' => '\t',
            'u' => {
                let unit = self.code_unit()?;
                let low = |reader: &mut Self| {
                    (reader.takes('\\') && reader.takes('u')).then(|| reader.code_unit())?
                };
                // What is beyond the 65,536 first characters stands there as a pair of surrogates.
                let pair = [unit, if unit & 0xfc00 == 0xd800 { low(self)? } else { 0 }];
                let pair = if pair[1] == 0 { &pair[..1] } else { &pair };
                char::decode_utf16(pair.iter().copied()).next()?.ok()?
            }
            _ => return None,
        })
    }

    fn code_unit(&mut self) -> Option<u16> {
        let (digits, rest) = self.rest.split_at_checked(4)?;
        self.rest = rest;
        let is_hex = digits.bytes().all(|digit| digit.is_ascii_hexdigit());
        u16::from_str_radix(digits, 16).ok().filter(|_| is_hex)
    }

    /// Takes all bytes up to the first that is not wanted.
    fn run(&mut self, wanted: fn(u8) -> bool) -> &'t str {
        let length = self.rest.bytes().position(|byte| !wanted(byte)).unwrap_or(self.rest.len());
        let (run, rest) = self.rest.split_at(length);
        self.rest = rest;
        run
    }

    fn skip_space(&mut self) {
        self.run(|byte| matches!(byte, b' ' | b'\t' | b'\n' | b'\r'));
    }

    /// Takes a character, if it comes next.
    fn takes(&mut self, character: char) -> bool {
        let rest = self.rest.strip_prefix(character);
        self.rest = rest.unwrap_or(self.rest);
        rest.is_some()
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::Value;

    use super::*;

    /// What was read, as serde_json would have it.
    fn alike(value: Value) -> Json {
        match value {
            Value::String(text) => Json::Text(text),
            Value::Bool(flag) => Json::Flag(flag),
            Value::Number(number) => number.as_u64().map_or(Json::Other, Json::Number),
            Value::Object(fields) => {
                Json::Object(fields.into_iter().map(|(name, value)| (name, alike(value))).collect())
            }
            Value::Null | Value::Array(_) => Json::Other,
        }
    }

    fn values() -> impl Strategy<Value = Value> {
        let leaf = prop_oneof![
            Just(Value::Null),
            any::<bool>().prop_map(Value::from),
            any::<u64>().prop_map(Value::from),
            any::<i64>().prop_map(Value::from),
            any::<f64>().prop_map(Value::from),
            any::<String>().prop_map(Value::from),
        ];
        leaf.prop_recursive(4, 32, 4, |inner| {
            prop_oneof![
                prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
                prop::collection::btree_map(any::<String>(), inner, 0..4)
                    .prop_map(|fields| Value::Object(fields.into_iter().collect())),
            ]
        })
    }

    #[test]
    fn escapes_are_read() {
        let read = |text: &str| match Json::read(text) {
            Some(Json::Text(text)) => Some(text),
            _ => None,
        };
        assert_eq!(
            read(r#""\"\\\/\b\f\n\r\t\u00e9\ud83d\ude00""#).unwrap(),
            "\"\\/\u{8}\u{c}\n\r\té😀"
        );
        for wrong in [
            r#""\ud83d""#,
            r#""\ude00""#,
            r#""\ud83dx""#,
            r#""\ud83d\u0041""#,
            r#""\u+041""#,
            r#""\u004""#,
            r#""\x""#,
            "\"\n\"",
            "\"",
            "\"\\",
        ] {
            assert_eq!(read(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn what_is_not_json_is_not_read() {
        for wrong in ["", "{", "[1", "[1,]", r#"{"a"}"#, r#"{"a":1,}"#, "{1:2}", "nul", "{}x", "+1"]
        {
            assert_eq!(Json::read(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn what_is_too_deep_is_not_read() {
        let nested = |depth: usize| "[".repeat(depth) + &"]".repeat(depth);
        assert_eq!(Json::read(&nested(MAX_DEPTH)), Some(Json::Other));
        assert_eq!(Json::read(&nested(MAX_DEPTH + 1)), None);
        assert_eq!(Json::read(&nested(1_000_000)), None);
    }

    proptest! {
        #[test]
        fn what_serde_json_writes_is_read_alike(value in values()) {
            for text in [value.to_string(), format!(" {value:#}\r\n\t")] {
                prop_assert_eq!(Json::read(&text), Some(alike(value.clone())));
            }
        }

        #[test]
        fn what_serde_json_reads_is_read_alike(text in r#"[{}\[\]":,0-9a-f\\u \-.e+]{0,24}"#) {
            if let Ok(value) = serde_json::from_str::<Value>(&text) {
                // Of fields that are there twice, serde_json keeps the last.
                if !matches!(value, Value::Object(_)) {
                    prop_assert_eq!(Json::read(&text), Some(alike(value)));
                }
            }
        }

        #[test]
        fn no_text_breaks_it(text: String) {
            let _either = Json::read(&text);
        }
    }
}
