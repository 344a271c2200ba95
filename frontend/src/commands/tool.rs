//! The tools that a command can be written for.

/// What a command is written for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Tool {
    Nc,
    Python,
    Node,
    Rust,
    C,
}

impl Tool {
    pub(crate) const ALL: [Self; 5] = [Self::Nc, Self::Python, Self::Node, Self::Rust, Self::C];

    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Nc => "nc",
            Self::Python => "Python",
            Self::Node => "Node",
            Self::Rust => "Rust",
            Self::C => "C",
        }
    }
}
