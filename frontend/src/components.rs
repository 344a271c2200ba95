//! What the page is made of; each shows what it is given and says what it is asked.

pub(crate) mod absence_card;
pub(crate) mod boundary_strip;
pub(crate) mod carried;
pub(crate) mod choice;
pub(crate) mod commands_card;
pub(crate) mod header;
pub(crate) mod ladder_card;
pub(crate) mod lane_card;
pub(crate) mod lane_stats;
pub(crate) mod lesson;
pub(crate) mod lessons_card;
pub(crate) mod link_card;
pub(crate) mod offer_card;
pub(crate) mod preferences;
pub(crate) mod prompt;
pub(crate) mod prompt_more;
pub(crate) mod raw_clients_card;
pub(crate) mod row_detail;
pub(crate) mod saved_lines;
pub(crate) mod share_dialog;
pub(crate) mod shortcuts;
pub(crate) mod transcript;
pub(crate) mod transcript_pane;
pub(crate) mod transcript_row;
pub(crate) mod transcript_tools;
pub(crate) mod verdict_card;
