//! The servers' time follows the machine's time zone. The zone is changed in a mount namespace of the
//! test's own, never on the machine.
#![expect(clippy::unwrap_used, reason = "what helps a test may fail as the test does")]
#![cfg(target_os = "linux")]

use std::fs;
use std::io::Write as _;
use std::net::UdpSocket;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use streamgram_tests::{PATIENCE, Server, binary};

/// A zone of one fixed offset as a file (TZif version 1, RFC 9636).
fn zone_file(hours_east: i32) -> Vec<u8> {
    let mut file = b"TZif\0".to_vec();
    file.extend([0; 15]);
    // Counts of: UT and standard indicators, leap seconds, transitions, types, characters of names.
    for count in [0_u32, 0, 0, 0, 1, 4] {
        file.extend(count.to_be_bytes());
    }
    file.extend((hours_east * 3_600).to_be_bytes());
    file.extend([0, 0]);
    file.extend(b"TST\0");
    file
}

/// Puts a zone in place in one step, as an administrator's tools do.
fn set_zone(etc: &Path, hours_east: i32) {
    fs::write(etc.join("localtime.new"), zone_file(hours_east)).unwrap();
    fs::rename(etc.join("localtime.new"), etc.join("localtime")).unwrap();
}

/// The hour that the server says it is.
fn hour(socket: &UdpSocket) -> i32 {
    socket.send(b"?").unwrap();
    let mut text = [0; 24];
    socket.recv(&mut text).unwrap();
    std::str::from_utf8(&text[11..13]).unwrap().parse().unwrap()
}

#[test]
fn the_text_follows_a_change_of_time_zone_within_two_seconds() {
    let allowed = Command::new("unshare").args(["-rm", "true"]).stderr(Stdio::null()).status();
    if !allowed.is_ok_and(|status| status.success()) {
        // Not captured by the test runner: this must be seen.
        writeln!(
            std::io::stderr(),
            "NOT TESTED: changing the time zone needs unshare(1) and user namespaces"
        )
        .unwrap();
        return;
    }
    let etc = std::env::temp_dir().join(format!("streamgram-zone-{}", std::process::id()));
    fs::create_dir_all(&etc).unwrap();
    set_zone(&etc, 1);
    let mut command = Command::new("unshare");
    let script = "mount --bind \"$1\" /etc && shift && exec \"$@\"";
    command.args(["-rm", "sh", "-c", script, "sh"]).arg(&etc).arg(binary()).env_remove("TZ");
    let server = Server::spawn(command);
    let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
    socket.connect(server.udp).unwrap();
    socket.set_read_timeout(Some(PATIENCE)).unwrap();

    let before = hour(&socket);
    let changed = Instant::now();
    set_zone(&etc, 9);
    // An hour may begin in between.
    let moved = |hour: i32| [8, 9].contains(&(hour - before).rem_euclid(24));
    while !moved(hour(&socket)) {
        assert!(changed.elapsed() < Duration::from_secs(2), "still the old zone");
        std::thread::sleep(Duration::from_millis(20));
    }
    drop(server);
    fs::remove_dir_all(etc).unwrap();
}
