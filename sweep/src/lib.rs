//! The lab's sweep as JavaScript calls it, from `static/sweep.js`, in a worker of the page. What a sweep
//! is, what it may be asked for and how its rows are written is all in the lab.

use streamgram_lab::sweep::{self, BadSetting, Setting, Step};
use wasm_bindgen::prelude::wasm_bindgen;

/// A sweep under way.
#[wasm_bindgen]
#[derive(Debug)]
pub struct Sweep {
    sweep: sweep::Sweep,
    done: u64,
}

#[wasm_bindgen]
impl Sweep {
    /// A sweep of a kind, with settings by turns as names and texts; what is not among them is as usual.
    ///
    /// # Errors
    /// Something is not allowed: the sentence says what, and the limit.
    #[wasm_bindgen(constructor)]
    #[expect(clippy::needless_pass_by_value, reason = "JavaScript hands over no slices of texts")]
    pub fn new(kind: &str, settings: Vec<String>) -> Result<Self, String> {
        begin(kind, &settings).map_err(|bad| bad.to_string())
    }

    /// The first line of the CSV.
    #[must_use]
    pub fn header(&self) -> String {
        self.sweep.setting().kind.csv_header()
    }

    /// Runs so far.
    #[must_use]
    pub fn done(&self) -> f64 {
        whole(self.done)
    }

    /// Runs in all.
    #[must_use]
    pub fn runs(&self) -> f64 {
        whole(self.sweep.runs())
    }

    /// Does one run; a line of the CSV if it was the last of its loss.
    pub fn step(&mut self) -> Option<String> {
        let Step { done, row, .. } = self.sweep.next()?;
        self.done = done;
        row.map(|row| row.csv())
    }
}

fn begin(kind: &str, settings: &[String]) -> Result<Sweep, BadSetting> {
    let mut setting = Setting::new(kind.parse()?);
    for pair in settings.chunks_exact(2) {
        setting.set(&pair[0], &pair[1])?;
    }
    Ok(Sweep { sweep: sweep::Sweep::new(setting)?, done: 0 })
}

/// A count as JavaScript has it.
#[expect(clippy::cast_precision_loss, reason = "runs are far below 2^53")]
fn whole(count: u64) -> f64 {
    count as f64
}
