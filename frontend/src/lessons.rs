//! Predict, run, compare.

pub(crate) mod ballot;
pub(crate) mod lesson_detail;
pub(crate) mod lessons_card;
pub(crate) mod observed;
pub(crate) mod progress;
mod trial;
pub(crate) mod use_lessons;
