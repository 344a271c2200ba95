//! What is typed, and whether it may go out.

pub(crate) mod draft;
pub(crate) mod history;
pub(crate) mod notice_line;
pub(crate) mod prompt_card;
pub(crate) mod prompt_more;
pub(crate) mod saved_lines;
pub(crate) mod stored_lines;
pub(crate) mod suited;
pub(crate) mod use_awaited;
