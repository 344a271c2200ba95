//! How much memory the process may take: what its control group allows, or what the machine has. Only Linux
//! is asked; elsewhere a flag can say it.

use std::fs;
use std::path::Path;

/// Where the control groups of version 2 are, and the memory controller of version 1.
const GROUPS: &str = "/sys/fs/cgroup";

/// Bytes that the process may take, if it is known.
pub(super) fn available() -> Option<u64> {
    let own = fs::read_to_string("/proc/self/cgroup").unwrap_or_default();
    let groups = limit_files(&own).into_iter().filter_map(|file| {
        let limit = fs::read_to_string(Path::new(GROUPS).join(file)).ok()?;
        // "max" is no number, and no limit.
        limit.trim().parse().ok()
    });
    let machine = fs::read_to_string("/proc/meminfo").ok().and_then(|text| total(&text));
    groups.chain(machine).min()
}

/// The files with the limits of a process's groups, given its `/proc/PID/cgroup` (cgroups(7)). A limit also
/// holds for the groups inside, so each path is followed up to its root. Inside a container the root can be
/// the only one that is visible.
fn limit_files(own: &str) -> Vec<String> {
    let mut files = Vec::new();
    for line in own.lines() {
        let mut fields = line.splitn(3, ':').skip(1);
        let (Some(controllers), Some(path)) = (fields.next(), fields.next()) else { continue };
        let (folder, file) = match controllers {
            "" => (".", "memory.max"),
            "memory" => ("memory", "memory.limit_in_bytes"),
            _ => continue,
        };
        for group in Path::new(path).ancestors() {
            files.push(format!(
                "{folder}{}/{file}",
                group.display().to_string().trim_end_matches('/')
            ));
        }
    }
    files
}

/// The memory of the machine, given its `/proc/meminfo` (proc_meminfo(5)).
fn total(meminfo: &str) -> Option<u64> {
    let line = meminfo.lines().find_map(|line| line.strip_prefix("MemTotal:"))?;
    let kib: u64 = line.trim().strip_suffix(" kB")?.parse().ok()?;
    Some(kib * 1024)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_limit_is_looked_for_in_every_group_around_the_process() {
        assert_eq!(
            limit_files("0::/system.slice/streamgram.service\n"),
            [
                "./system.slice/streamgram.service/memory.max",
                "./system.slice/memory.max",
                "./memory.max"
            ]
        );
        let version_1 = "9:name=systemd:/\n4:memory:/pods/one\n2:cpu,cpuacct:/\n0::/\n";
        assert_eq!(
            limit_files(version_1),
            [
                "memory/pods/one/memory.limit_in_bytes",
                "memory/pods/memory.limit_in_bytes",
                "memory/memory.limit_in_bytes",
                "./memory.max"
            ]
        );
        assert_eq!(
            limit_files("0::/../../a:b"),
            ["./../../a:b/memory.max", "./../../memory.max", "./../memory.max", "./memory.max"]
        );
        assert_eq!(limit_files("nothing"), [""; 0]);
    }

    #[test]
    fn the_machine_says_what_it_has() {
        assert_eq!(total("MemFree: 1 kB\nMemTotal:       24683800 kB\n"), Some(24_683_800 * 1_024));
        assert_eq!(total("MemTotal: much"), None);
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn here_some_limit_is_known() {
        assert!(available().is_some_and(|bytes| bytes >= 64 << 20));
    }
}
