//! What came of a run: verdict, replies, boundary strip, ladder; and the runs to choose from.

pub(crate) mod asked;
pub(crate) mod boundary_strip;
pub(crate) mod bytes_panel;
pub(crate) mod compare_card;
pub(crate) mod export;
pub(crate) mod figures;
pub(crate) mod head_of_line;
pub(crate) mod ladder;
pub(crate) mod ladder_card;
pub(crate) mod ladder_drawing;
pub(crate) mod ladder_labels;
pub(crate) mod ladder_steps;
pub(crate) mod linux;
pub(crate) mod moments;
pub(crate) mod picture;
pub(crate) mod pointed;
pub(crate) mod replies;
pub(crate) mod result_card;
pub(crate) mod runs_list;
pub(crate) mod stamps;
pub(crate) mod strip;
pub(crate) mod tabs;
pub(crate) mod verdict;
