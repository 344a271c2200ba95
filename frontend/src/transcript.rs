//! Rows found, drawn, exported.

pub(crate) mod matches;
pub(crate) mod records;
pub(crate) mod row_detail;
pub(crate) mod status;
pub(crate) mod transcript_list;
pub(crate) mod transcript_pane;
pub(crate) mod transcript_row;
pub(crate) mod transcript_tools;
pub(crate) mod use_matches;
pub(crate) mod view;
