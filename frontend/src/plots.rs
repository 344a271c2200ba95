//! Measurements drawn, and the sweep.

pub(crate) mod plot;
pub(crate) mod plot_figure;
pub(crate) mod plots_card;
pub(crate) mod repetition;
pub(crate) mod scale;
pub(crate) mod sweep;
pub(crate) mod sweep_card;
pub(crate) mod use_sweep;
