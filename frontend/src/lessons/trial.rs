//! A lesson's own run: from its start until all of it has come, or the server is away.

use streamgram_protocol::Lesson;
use streamgram_protocol::lesson::Figures;

use super::lesson_detail::Standing;
use super::observed::figures;
use crate::session::page::{Absence, Page};

/// A lesson that was started.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Trial {
    pub(super) lesson: String,
    pub(super) stage: Stage,
    /// What was observed of it, once all has come or is given up.
    pub(super) seen: Option<Figures>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Stage {
    /// Its run has not begun; the latest one before it, 0 if there was none.
    Due(u32),
    /// Its run.
    Out(u32),
    /// The server went away before all had come.
    Cut,
}

impl Trial {
    /// It as it stands now, if anything has become known of it.
    pub(super) fn next(&self, page: &Page) -> Option<Self> {
        let latest = page.runs.latest().map_or(0, |run| run.number);
        let stage = match self.stage {
            _ if page.absence == Absence::Away && self.seen.is_none() => Stage::Cut,
            Stage::Due(before) if latest > before => Stage::Out(latest),
            stage => stage,
        };
        let seen = match stage {
            // Half of a run shows nothing.
            Stage::Cut => Some(Figures::default()),
            // The last ACK comes after the last answer.
            Stage::Out(number) => {
                let over = page.runs.get(number).filter(|run| !run.is_open());
                over.map(|run| figures(run)).or_else(|| self.seen.clone())
            }
            Stage::Due(_) => None,
        };
        let next = Self { stage, seen, ..self.clone() };
        (next != *self).then_some(next)
    }

    /// Its run by the number, once all of it has come.
    pub(super) fn over(&self) -> Option<u32> {
        match self.stage {
            Stage::Out(number) if self.seen.is_some() => Some(number),
            _ => None,
        }
    }
}

/// How a lesson's run stands, if it is the one that was started.
pub(super) fn standing(run: Option<&Trial>, lesson: &Lesson) -> Standing {
    run.filter(|run| run.lesson == lesson.id).map_or(Standing::NotRun, |run| {
        run.seen.clone().map_or(Standing::Running, |seen| Standing::Over(Box::new(seen)))
    })
}

#[cfg(test)]
mod tests {
    use streamgram_protocol::Protocol;
    use streamgram_protocol::lesson::Count;

    use super::*;
    use crate::session::leg_run::tests::{ANSWERED, WAITING, sent};
    use crate::session::page::tests::with_legs;

    fn trial(stage: Stage) -> Trial {
        Trial { lesson: "records".into(), stage, seen: None }
    }

    /// A page with two runs, of which the second is answered as far as `lines`.
    fn answered(lines: usize) -> Page {
        let run = |answered| {
            let lines = (0..5).map(|line| (7, if line < answered { ANSWERED } else { WAITING }));
            sent(Protocol::Tcp, &lines.collect::<Vec<_>>())
        };
        with_legs([run(5), run(lines)])
    }

    #[test]
    fn a_run_is_judged_once_it_is_over() {
        assert_eq!(trial(Stage::Due(0)).next(&Page::new()), None);
        assert_eq!(trial(Stage::Due(2)).next(&answered(5)), None);
        let under_way = trial(Stage::Due(1)).next(&answered(4)).unwrap();
        assert_eq!(under_way, trial(Stage::Out(2)));
        let over = under_way.next(&answered(5)).unwrap();
        assert_eq!(over.seen.as_ref().unwrap().get(Protocol::Tcp, Count::Answered), Some(5));
        assert_eq!(over.next(&answered(5)), None);
        assert_eq!((under_way.over(), over.over()), (None, Some(2)));
    }

    #[test]
    fn what_is_sent_afterwards_changes_nothing() {
        let over = trial(Stage::Out(1)).next(&answered(4)).unwrap();
        assert_eq!(over.next(&answered(5)), None);
        // Nor that its run is no longer kept.
        assert_eq!(over.next(&Page::new()), None);
    }

    #[test]
    fn half_a_run_shows_nothing_and_a_whole_one_stays() {
        let mut page = answered(5);
        let over = trial(Stage::Out(2)).next(&page).unwrap();
        page.absence = Absence::Away;
        assert_eq!(over.next(&page), None);
        for stage in [Stage::Due(0), Stage::Out(2)] {
            let cut = trial(stage).next(&page).unwrap();
            assert_eq!((cut.stage, &cut.seen), (Stage::Cut, &Some(Figures::default())));
            assert_eq!(cut.over(), None);
            assert_eq!(cut.next(&page), None);
            page.absence = Absence::Back;
            assert_eq!(cut.next(&page), None);
            page.absence = Absence::Away;
        }
    }
}
