//! A number, or two that it lies between.

use std::fmt;
use std::ops::RangeInclusive;

/// Numbers from a least to a most one, both included: `1..5`, or `3` for that alone.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Span {
    /// The least.
    pub least: u32,
    /// The most.
    pub most: u32,
}

impl Span {
    /// Reads one whose numbers lie in a range, and in order.
    pub(super) fn read(text: &str, range: &RangeInclusive<u32>) -> Option<Self> {
        let (least, most) = text.split_once("..").unwrap_or((text, text));
        let [least, most] = [least, most].map(|number| number.parse().ok());
        let span = Self { least: least?, most: most? };
        let is_allowed =
            span.least <= span.most && range.contains(&span.least) && range.contains(&span.most);
        is_allowed.then_some(span)
    }
}

impl fmt::Display for Span {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { least, most } = self;
        if least == most { write!(f, "{least}") } else { write!(f, "{least}..{most}") }
    }
}
