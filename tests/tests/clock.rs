//! The clock follows the machine's time zone while the server runs.
#![cfg(target_os = "linux")]

use std::fs;
use std::io::{Write as _, stderr};
use std::net::UdpSocket;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use streamgram_tests::{PATIENCE, Server, binary, now_second, utc_ctime};

const HOUR: u64 = 3_600;

/// The smallest file of RFC 8536, version 1: one zone that has always been `hours` east of UTC.
fn zone(hours: u64) -> Vec<u8> {
    const UT_STD_LEAP_AND_TIME_COUNTS: [u32; 4] = [0; 4];
    const TYPES: u32 = 1;
    const NAME: &[u8] = b"TST\0";
    let mut file = b"TZif\0".to_vec();
    file.extend([0; 15]);
    file.extend(UT_STD_LEAP_AND_TIME_COUNTS.map(u32::to_be_bytes).concat());
    file.extend(TYPES.to_be_bytes());
    file.extend(u32::try_from(NAME.len()).expect("a short name").to_be_bytes());
    let offset = u32::try_from(hours * HOUR).expect("a day has few seconds");
    file.extend(offset.to_be_bytes());
    let (is_summer_time, name_at) = (0, 0);
    file.extend([is_summer_time, name_at]);
    file.extend(NAME);
    file
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
fn set_zone(etc: &Path, hours: u64) {
    let new = etc.join("localtime.new");
    fs::write(&new, zone(hours)).expect("there is room");
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

/// Whether the server shows the time `hours` east of UTC.
fn shows(clock: &UdpSocket, hours: u64) -> bool {
    let before = now_second();
    let shown = time_in_words(clock);
    (before..=now_second()).any(|second| shown == utc_ctime(second + hours * HOUR))
}

#[test]
fn a_new_time_zone_shows_within_two_seconds() {
    let etc = folder("clock-etc");
    set_zone(&etc, 1);
    let tried = with_etc(&etc, Path::new("true")).stderr(Stdio::piped()).output();
    let refusal = match tried {
        Ok(output) if output.status.success() => None,
        Ok(output) => Some(String::from_utf8_lossy(&output.stderr).trim().to_owned()),
        Err(error) => Some(error.to_string()),
    };
    if let Some(refusal) = refusal {
        let _said = writeln!(stderr(), "a change of time zone cannot be tested here: {refusal}");
        return;
    }

    let server = Server::spawn(with_etc(&etc, &binary()));
    let clock = UdpSocket::bind("127.0.0.1:0").unwrap();
    clock.set_read_timeout(Some(PATIENCE)).unwrap();
    clock.connect(server.udp).unwrap();
    assert!(shows(&clock, 1), "{}", time_in_words(&clock));

    for hours in [9, 2] {
        set_zone(&etc, hours);
        let changed = Instant::now();
        while !shows(&clock, hours) {
            // A second above the promise, for a machine that is busy with something else.
            let shown = time_in_words(&clock);
            assert!(changed.elapsed() < Duration::from_secs(3), "UTC+{hours}, still {shown}");
            std::thread::sleep(Duration::from_millis(10));
        }
    }
}
