//! Rooms: a class that predicts, runs and compares together; joining one, following it, and teaching it.

pub(crate) mod class_card;
mod csv_button;
mod desk;
mod distribution;
pub(crate) mod invitation;
mod join_form;
mod lead_card;
mod marks;
mod measure_figure;
mod outcome;
pub(crate) mod place;
pub(crate) mod pooled_card;
mod pooled_picture;
pub(crate) mod pooled_step;
pub(crate) mod projector;
mod reasons;
pub(crate) mod room_bar;
mod saved;
pub(crate) mod stage_controls;
pub(crate) mod teach_card;
pub(crate) mod use_follow;
pub(crate) mod use_room;
mod votes;
mod votes_bars;
