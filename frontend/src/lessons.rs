//! Predict, run, compare.

pub(crate) mod lesson_detail;
pub(crate) mod lessons_card;
pub(crate) mod observed;
pub(crate) mod progress;
pub(crate) mod use_lessons;
