//! Numbers that nobody can guess: codes, keys, members, steps, servers.

use sha2::{Digest, Sha256};
use streamgram_protocol::room::{CODE_SYMBOLS, RoomCode, SERVER_SYMBOLS};

use super::Refused;

/// Bits of a symbol of a code.
const SYMBOL_BITS: usize = 5;

/// Sixteen hexadecimal digits.
pub(super) fn digits() -> Result<String, Refused> {
    Ok(format!("{:016x}", random()?))
}

/// A key: 128 bits.
pub(super) fn key() -> Result<String, Refused> {
    Ok(digits()? + &digits()?)
}

/// What is kept of a key.
pub(super) fn fingerprint(key: &str) -> String {
    format!("{:x}", Sha256::digest(key))
}

/// A code that begins with a server's symbols: those of its number.
pub(super) fn code(server: u64) -> Result<RoomCode, Refused> {
    let (head, tail) = (symbols(server), symbols(random()?));
    let mut code = tail;
    code[..SERVER_SYMBOLS].copy_from_slice(&head[..SERVER_SYMBOLS]);
    Ok(RoomCode::of(code))
}

/// What the codes of a server begin with.
pub(super) fn server_symbols(server: u64) -> [u8; SERVER_SYMBOLS] {
    RoomCode::of(symbols(server)).server()
}

/// The lowest bits of a number, as symbols of a code.
fn symbols(number: u64) -> [u8; CODE_SYMBOLS] {
    std::array::from_fn(|at| (number >> (at * SYMBOL_BITS)).to_le_bytes()[0])
}

/// A number of the system's generator.
pub(super) fn random() -> Result<u64, Refused> {
    getrandom::u64().map_err(|error| Refused::NoRandomness(error.to_string()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_of_a_server_begin_alike_and_differ_behind_that() {
        let server = 0x1234_5678;
        let codes = [(); 2].map(|()| code(server).unwrap());
        assert_eq!(codes.map(|code| code.server()), [server_symbols(server); 2]);
        assert_ne!(codes[0], codes[1]);
    }

    #[test]
    fn of_a_key_only_its_fingerprint_is_kept() {
        // FIPS 180-4's example.
        let expected = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
        assert_eq!(fingerprint("abc"), expected);
        assert_eq!(key().unwrap().len(), streamgram_protocol::room::KEY_DIGITS);
        assert_eq!(digits().unwrap().len(), streamgram_protocol::room::MEMBER_DIGITS);
    }
}
