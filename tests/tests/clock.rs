//! The clock follows the machine's time zone while the server runs, into summer time and out of it.
// A time zone of its own needs Linux namespaces.
#![cfg(target_os = "linux")]

use std::fs;
use std::net::UdpSocket;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use streamgram_tests::{PATIENCE, Server, binary, now_second, skip, utc_ctime};

const HOUR: u64 = 3_600;

/// A zone that is so many hours east of UTC, and from some seconds on so many.
struct Zone<'a> {
    hours: u64,
    changes: &'a [(u64, u64)],
}

impl Zone<'_> {
    fn hours_at(&self, second: u64) -> u64 {
        let last = self.changes.iter().rfind(|(from, _)| *from <= second);
        last.map_or(self.hours, |(_, hours)| *hours)
    }

    /// The smallest file of RFC 8536, version 1.
    fn file(&self) -> Vec<u8> {
        const UT_STD_AND_LEAP_COUNTS: [u32; 3] = [0; 3];
        const NAME: &[u8] = b"TST\0";
        let word = |number: u64| u32::try_from(number).expect("four bytes").to_be_bytes();
        let types = self.changes.len() as u64 + 1;
        let mut file = b"TZif\0".to_vec();
        file.extend([0; 15]);
        file.extend(UT_STD_AND_LEAP_COUNTS.map(u32::to_be_bytes).concat());
        file.extend([types - 1, types, NAME.len() as u64].map(word).concat());
        file.extend(self.changes.iter().flat_map(|(from, _)| word(*from)));
        file.extend(1..u8::try_from(types).expect("few changes"));
        for hours in [self.hours].into_iter().chain(self.changes.iter().map(|change| change.1)) {
            let (is_summer_time, name_at) = (0, 0);
            file.extend(word(hours * HOUR));
            file.extend([is_summer_time, name_at]);
        }
        file.extend(NAME);
        file
    }
}

/// A folder that takes the place of `/etc`, for the server alone.
fn folder(name: &str) -> PathBuf {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
    if folder.exists() {
        fs::remove_dir_all(&folder).expect("an earlier run's folder can go");
    }
    fs::create_dir_all(&folder).expect("there is room");
    folder
}

/// Changes the zone as a machine's administrator does: all at once.
fn set_zone(etc: &Path, zone: &Zone) {
    let new = etc.join("localtime.new");
    fs::write(&new, zone.file()).expect("there is room");
    fs::rename(new, etc.join("localtime")).expect("a file can be replaced");
}

/// A command in a mount namespace of its own, where `etc` is `/etc`.
fn with_etc(etc: &Path, program: &Path) -> Command {
    let mut command = Command::new("unshare");
    command
        .args(["-rm", "sh", "-c", r#"mount --bind "$0" /etc && exec "$@""#])
        .args([etc, program])
        .env_remove("TZ");
    command
}

fn time_in_words(clock: &UdpSocket) -> String {
    clock.send(b"?").expect("the server listens");
    let mut reply = [0; 64];
    let bytes = clock.recv(&mut reply).expect("a reply comes");
    String::from_utf8(reply[..bytes].to_vec()).expect("a reply is text")
}

/// Whether the server shows the time of a zone.
fn shows(clock: &UdpSocket, zone: &Zone) -> bool {
    let before = now_second();
    let shown = time_in_words(clock);
    let right = |second| shown == utc_ctime(second + zone.hours_at(second) * HOUR);
    (before..=now_second()).any(right)
}

/// A server in a zone, and a socket to ask it; none where an `/etc` of one's own is forbidden, which
/// is said.
fn server_in(etc: &Path, zone: &Zone) -> Option<(Server, UdpSocket)> {
    set_zone(etc, zone);
    let tried = with_etc(etc, Path::new("true")).stderr(Stdio::piped()).output();
    let refusal = match tried {
        Ok(output) if output.status.success() => None,
        Ok(output) => Some(String::from_utf8_lossy(&output.stderr).trim().to_owned()),
        Err(error) => Some(error.to_string()),
    };
    if let Some(refusal) = refusal {
        skip(&format!("time zones cannot be tested here: {refusal}"));
        return None;
    }
    let server = Server::spawn(with_etc(etc, &binary()));
    let clock = UdpSocket::bind("127.0.0.1:0").expect("a free port");
    clock.set_read_timeout(Some(PATIENCE)).expect("a time");
    clock.connect(server.udp).expect("an address");
    assert!(shows(&clock, zone), "{}", time_in_words(&clock));
    Some((server, clock))
}

#[test]
fn a_new_time_zone_shows_within_two_seconds() {
    let etc = folder("clock-new-zone");
    let Some((_server, clock)) = server_in(&etc, &Zone { hours: 1, changes: &[] }) else { return };
    for hours in [9, 2] {
        let zone = Zone { hours, changes: &[] };
        set_zone(&etc, &zone);
        let changed = Instant::now();
        while !shows(&clock, &zone) {
            // A second above the promise, for a machine that is busy with something else.
            let shown = time_in_words(&clock);
            assert!(changed.elapsed() < Duration::from_secs(3), "UTC+{hours}, still {shown}");
            std::thread::sleep(Duration::from_millis(10));
        }
    }
}

#[test]
fn summer_time_begins_and_ends_in_the_second_that_it_does() {
    let etc = folder("clock-summer-time");
    let now = now_second();
    let (begins, ends) = (now + 2, now + 4);
    let zone = Zone { hours: 1, changes: &[(begins, 2), (ends, 1)] };
    let Some((_server, clock)) = server_in(&etc, &zone) else { return };
    // An hour that is left out, and one that comes twice.
    while now_second() <= ends {
        assert!(shows(&clock, &zone), "{} at {}", time_in_words(&clock), now_second());
        std::thread::sleep(Duration::from_millis(10));
    }
}
