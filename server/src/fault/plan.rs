//! What becomes of each reply: a pure function of the recipe, of the connection's number and of the read's.

use std::time::Duration;

use streamgram_lab::chance::{below, mix};
use streamgram_protocol::Percent;
use streamgram_protocol::fault::{Cut, Span, Stamp, TcpRecipe, UdpRecipe};

/// How far a wrong timestamp lies from the right one, at most: a year, in seconds.
const WRONG_BY_S: u64 = 365 * 86_400;
/// Milliseconds between two writes of what drips.
const DRIP_EVERY_MS: u64 = 20;
/// Between two pieces of a reply, so that they are read apart by who reads at once.
pub const BETWEEN_PIECES: Duration = Duration::from_millis(5);

/// What a choice is for. What one decides does not move what another one does.
#[derive(Debug, Clone, Copy)]
enum Choice {
    Split,
    Merge,
    Delay,
    Drip,
    Cut,
    Stall,
    Wrong,
    Alter,
    Drop,
    Duplicate,
    Reorder,
    Truncate,
}

/// Every choice about one connection, or about one socket.
#[derive(Debug, Clone, Copy)]
struct Chance(u64);

impl Chance {
    fn of(seed: u64, connection: u64) -> Self {
        Self(mix(seed ^ mix(!connection)))
    }

    fn roll(self, choice: Choice, number: u64) -> u64 {
        mix(self.0 ^ mix(number << 4 | choice as u64))
    }

    fn within(self, Span { least, most }: Span, choice: Choice, number: u64) -> u64 {
        let width = u64::from(most) - u64::from(least) + 1;
        u64::from(least) + below(width, self.roll(choice, number))
    }

    fn ms(self, span: Option<Span>, number: u64) -> Duration {
        span.map_or(Duration::ZERO, |span| {
            Duration::from_millis(self.within(span, Choice::Delay, number))
        })
    }

    fn hits(self, share: Percent, choice: Choice, number: u64) -> bool {
        let share = u64::try_from(share.in_hundredths()).unwrap_or(0);
        below(10_000, self.roll(choice, number)) < share
    }

    /// Seconds that a timestamp is off.
    fn off_s(self, stamp: Stamp, number: u64) -> i64 {
        if stamp != Stamp::Wrong {
            return 0;
        }
        // Never right by chance.
        let off = 1 + below(WRONG_BY_S, self.roll(Choice::Wrong, number));
        let off = i64::try_from(off).unwrap_or(1);
        if off % 2 == 0 { off } else { -off }
    }
}

/// Something that is done to the client, in order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Step {
    /// A pause between two pieces.
    Wait(Duration),
    /// The reply that follows waits.
    Delay(Duration),
    /// These bytes are written at once.
    Write(Vec<u8>),
    /// Something ends; nothing follows.
    Cut(Cut),
}

/// What becomes of the replies of one connection.
#[derive(Debug)]
pub struct TcpPlan<'a> {
    recipe: &'a TcpRecipe,
    chance: Chance,
    /// Replies that were asked for.
    replies: u64,
    /// Bytes that were written, or are about to be.
    written: u64,
    /// Pieces that were made.
    pieces: u64,
    /// Replies that wait for others, in so many bytes; the groups before; what this one still lacks.
    held: Vec<u8>,
    groups: u64,
    lacking: u64,
    is_cut: bool,
}

impl<'a> TcpPlan<'a> {
    /// The plan for the `connection`th connection of a listener, from 0.
    #[must_use]
    pub fn of(recipe: &'a TcpRecipe, connection: u64) -> Self {
        let chance = Chance::of(recipe.seed, connection);
        let mut plan = Self {
            recipe,
            chance,
            replies: 0,
            written: 0,
            pieces: 0,
            held: Vec::new(),
            groups: 0,
            lacking: 0,
            is_cut: false,
        };
        plan.lacking = plan.group();
        plan
    }

    /// How many replies the next group has.
    fn group(&mut self) -> u64 {
        let Some(merge) = self.recipe.merge else { return 1 };
        let size = self.chance.within(merge, Choice::Merge, self.groups);
        self.groups += 1;
        size
    }

    /// After how many bytes of the client's nothing is read any more.
    #[must_use]
    pub fn stalls_after(&self) -> Option<u64> {
        self.recipe.stall.map(|stall| self.chance.within(stall, Choice::Stall, 0))
    }

    /// Whether timestamps are not the server's.
    #[must_use]
    pub fn misdates(&self) -> bool {
        self.recipe.stamp != Stamp::Right
    }

    /// Seconds that the timestamp of the next reply is off.
    #[must_use]
    pub fn off_s(&self) -> i64 {
        self.chance.off_s(self.recipe.stamp, self.replies)
    }

    /// Whether replies wait for others, so that [`flush`](Self::flush) would do something.
    #[must_use]
    pub fn holds(&self) -> bool {
        !self.held.is_empty()
    }

    /// Makes one byte of the next echo another one; where, and what it was.
    pub fn alter(&self, echo: &mut [u8]) -> Option<(usize, u8)> {
        if !self.recipe.altered || echo.is_empty() {
            return None;
        }
        let roll = self.chance.roll(Choice::Alter, self.replies);
        let at = usize::try_from(below(echo.len() as u64, roll)).unwrap_or(0);
        let was = echo[at];
        // Letters stay letters.
        echo[at] ^= if was.is_ascii_alphabetic() { 0x20 } else { 0x01 };
        Some((at, was))
    }

    /// What is done about the next reply.
    pub fn reply(&mut self, reply: &[u8]) -> Vec<Step> {
        let delay = self.chance.ms(self.recipe.delay, self.replies);
        let mut steps = Vec::new();
        if !delay.is_zero() {
            steps.push(Step::Delay(delay));
        }
        self.replies += 1;
        self.held.extend(reply);
        self.lacking -= 1;
        if self.lacking == 0 {
            steps.append(&mut self.flush());
        }
        steps
    }

    /// What is done about the replies that wait for others, which do not come.
    pub fn flush(&mut self) -> Vec<Step> {
        self.lacking = self.group();
        let mut held = std::mem::take(&mut self.held);
        let cut = self.cut();
        let room = cut.map_or(u64::MAX, |(_, at)| at - self.written);
        let is_cut = held.len() as u64 >= room;
        held.truncate(usize::try_from(room).unwrap_or(usize::MAX));
        self.written += held.len() as u64;
        let mut steps = self.pieces(&held);
        if let Some((cut, _)) = cut.filter(|_| is_cut && !self.is_cut) {
            self.is_cut = true;
            steps.push(Step::Cut(cut));
        }
        steps
    }

    /// What ends, and after how many bytes of replies.
    fn cut(&self) -> Option<(Cut, u64)> {
        self.recipe.cut.map(|(cut, at)| (cut, self.chance.within(at, Choice::Cut, 0)))
    }

    /// Bytes in pieces, with a pause between two.
    fn pieces(&mut self, mut bytes: &[u8]) -> Vec<Step> {
        let mut steps = Vec::new();
        let rate = self.recipe.drip.map(|drip| self.chance.within(drip, Choice::Drip, 0));
        while !bytes.is_empty() {
            let split = self.recipe.split;
            let size = split.map(|split| self.chance.within(split, Choice::Split, self.pieces));
            let drop = rate.map(|rate| (rate * DRIP_EVERY_MS / 1_000).max(1));
            let size = size.into_iter().chain(drop).min().unwrap_or(u64::MAX);
            let size = usize::try_from(size).unwrap_or(usize::MAX).min(bytes.len());
            self.pieces += 1;
            let (piece, rest) = bytes.split_at(size);
            steps.push(Step::Write(piece.to_vec()));
            bytes = rest;
            let dripping = rate.map(|rate| Duration::from_micros(size as u64 * 1_000_000 / rate));
            let pause = dripping.or((!bytes.is_empty()).then_some(BETWEEN_PIECES));
            steps.extend(pause.map(Step::Wait));
        }
        steps
    }
}

/// What becomes of a reply over UDP.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Fate {
    /// How often it is sent.
    pub copies: u32,
    /// How long it waits.
    pub delay: Duration,
    /// Whether it goes out behind the next one.
    pub behind: bool,
    /// How many of its bytes are sent.
    pub kept: usize,
    /// Seconds that its timestamp is off.
    pub off_s: i64,
}

/// The fate of the reply to the `number`th datagram of a socket, from 0.
#[must_use]
pub fn fate(recipe: &UdpRecipe, number: u64) -> Fate {
    let chance = Chance::of(recipe.seed, 0);
    let copies = match () {
        () if chance.hits(recipe.drop, Choice::Drop, number) => 0,
        () if chance.hits(recipe.duplicate, Choice::Duplicate, number) => 2,
        () => 1,
    };
    let kept = recipe.truncate.map(|kept| chance.within(kept, Choice::Truncate, number));
    Fate {
        copies,
        delay: chance.ms(recipe.delay, number),
        behind: chance.hits(recipe.reorder, Choice::Reorder, number),
        kept: kept.and_then(|kept| usize::try_from(kept).ok()).unwrap_or(usize::MAX),
        off_s: chance.off_s(recipe.stamp, number),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn recipe(words: &str) -> TcpRecipe {
        TcpRecipe::read(words).unwrap()
    }

    /// What is done about replies of so many bytes each.
    fn steps(words: &str, connection: u64, replies: &[usize]) -> Vec<Vec<Step>> {
        let recipe = recipe(words);
        let mut plan = TcpPlan::of(&recipe, connection);
        replies.iter().map(|bytes| plan.reply(&vec![b'x'; *bytes])).collect()
    }

    fn written(steps: &[Step]) -> Vec<usize> {
        let writes = steps.iter().filter_map(|step| match step {
            Step::Write(bytes) => Some(bytes.len()),
            Step::Wait(_) | Step::Delay(_) | Step::Cut(_) => None,
        });
        writes.collect()
    }

    #[test]
    fn without_words_a_reply_is_written_as_it_is() {
        assert_eq!(steps("", 0, &[5]), [[Step::Write(vec![b'x'; 5])]]);
    }

    #[test]
    fn a_connections_plan_is_its_own_and_always_the_same() {
        let of = |connection| steps("split=1..5;delay=1..500;seed=7", connection, &[40; 10]);
        assert_eq!(of(3), of(3));
        assert_ne!(of(3), of(4));
        let seed = steps("split=1..5;delay=1..500;seed=8", 3, &[40; 10]);
        assert_ne!(of(3), seed);
    }

    #[test]
    fn one_word_does_not_move_what_another_one_decides() {
        let delays = |words| -> Vec<Step> {
            let all = steps(words, 1, &[40; 10]).concat();
            all.into_iter().filter(|step| matches!(step, Step::Delay(_))).collect()
        };
        assert_eq!(delays("delay=1..500"), delays("delay=1..500;split=1..5;rst=200"));
    }

    #[test]
    fn merged_replies_are_one_write() {
        let all: Vec<_> =
            steps("merge=3", 0, &[10; 6]).iter().map(|steps| written(steps)).collect();
        assert_eq!(all, [vec![], vec![], vec![30], vec![], vec![], vec![30]]);
        let recipe = recipe("merge=3");
        let mut plan = TcpPlan::of(&recipe, 0);
        plan.reply(b"one");
        assert!(plan.holds());
        assert_eq!((written(&plan.flush()), plan.holds()), (vec![3], false));
    }

    #[test]
    fn what_is_cut_ends_within_a_reply_and_nothing_follows() {
        let all = steps("fin=25", 0, &[10, 10, 10, 10]);
        assert_eq!(
            all.iter().map(|steps| written(steps)).collect::<Vec<_>>().concat(),
            [10, 10, 5]
        );
        assert_eq!(all[2].last(), Some(&Step::Cut(Cut::Fin)));
        assert_eq!(all[3], []);
        assert_eq!(steps("half_close=0", 0, &[10]), [[Step::Cut(Cut::HalfClose)]]);
    }

    #[test]
    fn drops_come_as_fast_as_the_recipe_says() {
        let all = steps("drip=1000", 0, &[100]).concat();
        let pauses = all.iter().filter_map(|step| match step {
            Step::Wait(pause) => Some(*pause),
            _ => None,
        });
        assert_eq!(pauses.sum::<Duration>(), Duration::from_millis(100));
        assert_eq!(written(&all), [20; 5]);
    }

    #[test]
    fn a_wrong_timestamp_is_never_right() {
        let recipe = recipe("stamp=wrong");
        for connection in 0..1_000 {
            let off = TcpPlan::of(&recipe, connection).off_s();
            assert!(off != 0 && off.unsigned_abs() <= WRONG_BY_S);
        }
    }

    #[test]
    fn shares_are_hit_as_often_as_they_say() {
        let recipe = UdpRecipe::read("drop=10;reorder=50").unwrap();
        let fates: Vec<_> = (0..10_000).map(|number| fate(&recipe, number)).collect();
        let dropped = fates.iter().filter(|fate| fate.copies == 0).count();
        let behind = fates.iter().filter(|fate| fate.behind).count();
        assert!(
            dropped.abs_diff(1_000) < 150 && behind.abs_diff(5_000) < 250,
            "{dropped} {behind}"
        );
    }

    proptest! {
        #[test]
        fn no_byte_is_lost_or_made_up(
            split in 1_u32..50, merge in 2_u32..9, replies in proptest::collection::vec(1_usize..1_051, 1..40),
        ) {
            let recipe = recipe(&format!("split={split};merge=2..{merge}"));
            let mut plan = TcpPlan::of(&recipe, 0);
            let mut all: Vec<_> = replies.iter().flat_map(|bytes| plan.reply(&vec![b'x'; *bytes])).collect();
            all.append(&mut plan.flush());
            prop_assert_eq!(written(&all).iter().sum::<usize>(), replies.iter().sum::<usize>());
        }
    }
}
