//! Systems on which packets cannot be captured.

use std::convert::Infallible;
use std::io::{self, ErrorKind};
use std::time::{Duration, Instant};

use streamgram_protocol::CAPTURED_BYTES;

use super::filter::Step;
use super::views::View;

/// There is none.
#[derive(Debug)]
pub(super) struct Socket(Infallible);

/// What a read would give.
#[derive(Debug)]
pub(super) struct Received {
    pub(super) view: View,
    pub(super) dropped: Option<u32>,
}

impl Socket {
    pub(super) fn open(_patience: Duration) -> io::Result<Self> {
        Err(ErrorKind::Unsupported.into())
    }

    pub(super) fn attach(&self, _program: &[Step]) -> io::Result<()> {
        match self.0 {}
    }

    pub(super) fn receive(
        &self,
        _buffer: &mut [u8; CAPTURED_BYTES],
        _waits: bool,
        _previous: Instant,
    ) -> io::Result<Option<Received>> {
        match self.0 {}
    }
}
