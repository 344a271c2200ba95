//! What the black-box tests share: a server on free ports that ends with its test, and a model of the
//! browser that talks to it.

mod browser;
mod http;
mod raw_socket;
mod server;
mod stamp;

use streamgram_protocol::CTIME_LEN;

pub use browser::{Browser, Closed, PATIENCE, connect_raw};
pub use http::{Response, get, request};
pub use raw_socket::{RawSocket, Reading, masked_frame, masked_head};
pub use server::{Server, binary};
pub use stamp::{echoes, is_ctime, is_stamped, now_second, utc_ctime};

/// Checks that bytes are the text of C's `ctime`: `Mon Nov 23 05:52:57 2026`.
///
/// # Panics
/// They are not.
pub fn assert_ctime(text: &[u8]) {
    let shown = String::from_utf8_lossy(text).into_owned();
    assert_eq!(text.len(), CTIME_LEN, "{shown:?}");
    // A capital, a small letter, a digit or the space before a single one, a digit, or itself.
    for (byte, kind) in text.iter().zip(b"Aaa Aaa _0 00:00:00 0000") {
        let right = match kind {
            b'A' => byte.is_ascii_uppercase(),
            b'a' => byte.is_ascii_lowercase(),
            b'_' => byte.is_ascii_digit() || *byte == b' ',
            b'0' => byte.is_ascii_digit(),
            other => byte == other,
        };
        assert!(right, "{shown:?}");
    }
}
