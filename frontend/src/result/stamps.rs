//! Where the stamps stand in TCP's replies: by the server's account of its reads, never by looking for brackets,
//! which a line can have too.

use streamgram_protocol::STAMP_LEN;

use crate::session::leg_run::{LegRun, Piece, Read};

/// A stretch of the replies: its first byte, and the one after its last.
pub(crate) type Stretch = (u64, u64);

/// Where the answer to a read stands among the replies: its stamp, and with it the echo.
pub(crate) fn answer(read: &Read) -> (Stretch, Stretch) {
    let begin = read.offset + STAMP_LEN as u64 * read.number;
    let echo = begin + STAMP_LEN as u64;
    ((begin, echo), (begin, echo + read.bytes as u64))
}

/// The stamps that a piece of the replies has bytes of, cut to it, each with the read that it stands before.
pub(crate) fn stamps<'a>(
    leg_run: &'a LegRun,
    piece: &Piece,
) -> impl Iterator<Item = (&'a Read, Stretch)> + use<'a> {
    let (begin, end) = (piece.offset, piece.offset + piece.bytes as u64);
    let stamp = |read: &Read| answer(read).0;
    let from = leg_run.reads.partition_point(|read| stamp(read).1 <= begin);
    let within = leg_run.reads[from..].iter().take_while(move |read| stamp(read).0 < end);
    within.map(move |read| (read, (stamp(read).0.max(begin), stamp(read).1.min(end))))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::session::leg_run::tests::{merged, piece};

    #[test]
    fn a_stamp_that_two_pieces_share_is_cut_between_them() {
        let run = merged();
        // Read 1 is answered at 127: 27 bytes of stamp, 7 of echo; read 2 at 161, read 3 at 195.
        let within = |offset, bytes| -> Vec<_> {
            stamps(&run, &piece(offset, bytes)).map(|(read, at)| (read.number, at)).collect()
        };
        assert_eq!(within(127, 44), [(1, (127, 154)), (2, (161, 171))]);
        assert_eq!(within(171, 72), [(2, (171, 188)), (3, (195, 222))]);
        assert_eq!(within(154, 7), []);
        assert_eq!(within(400, 7), []);
    }
}
