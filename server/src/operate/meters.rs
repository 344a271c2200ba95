//! The meters of the server, in Prometheus' text format.
//!
//! Every meter is named and described here. Without [`start`] they cost next to nothing.

use std::fmt;
use std::time::Duration;

use metrics::{
    Counter, Gauge, Histogram, counter, describe_counter, describe_gauge, describe_histogram,
    gauge, histogram,
};
use metrics_exporter_prometheus::{BuildError, Matcher, PrometheusBuilder, PrometheusHandle};
use streamgram_protocol::{Path, Protocol};
use tokio::runtime::Handle;
use tokio::time::interval;

/// Between two rounds of upkeep.
pub const UPKEEP: Duration = Duration::from_secs(5);

const BUILD_INFO: &str = "streamgram_build_info";
const CAPTURED_TOTAL: &str = "streamgram_captured_total";
const CAPTURE_DROPPED_TOTAL: &str = "streamgram_capture_dropped_total";
const CAPTURE_UNREADABLE_TOTAL: &str = "streamgram_capture_unreadable_total";
const CONNECTIONS: &str = "streamgram_connections";
const CONNECTIONS_TOTAL: &str = "streamgram_connections_total";
const DATAGRAMS_TOTAL: &str = "streamgram_datagrams_total";
const EVENTS_WAITING: &str = "streamgram_events_waiting";
const LABS: &str = "streamgram_labs";
const LEGS: &str = "streamgram_legs";
const LEGS_TOTAL: &str = "streamgram_legs_total";
const REFUSED_TOTAL: &str = "streamgram_refused_total";
const ROOMS: &str = "streamgram_rooms";
const ROOM_MEMBERS: &str = "streamgram_room_members";
const ROUND_TRIP: &str = "streamgram_round_trip_seconds";
const SESSIONS: &str = "streamgram_sessions";
const SESSIONS_TOTAL: &str = "streamgram_sessions_total";
const TASKS: &str = "streamgram_tasks";
const TCP_REPLIES_TOTAL: &str = "streamgram_tcp_replies_total";
const WATCHING: &str = "streamgram_watching";

/// Upper bounds of the buckets of round trips, in seconds: from loopback to a bad satellite link.
const ROUND_TRIP_BUCKETS: [f64; 14] = [
    0.000_05, 0.000_1, 0.000_2, 0.000_5, 0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.5, 1.0, 5.0,
];

/// The recorder of all meters.
pub struct Meters {
    recorder: PrometheusHandle,
}

/// Starts the meters; once in a process.
///
/// # Errors
/// They are started already.
pub fn start() -> Result<Meters, BuildError> {
    let recorder = PrometheusBuilder::new()
        .set_buckets_for_metric(Matcher::Full(ROUND_TRIP.into()), &ROUND_TRIP_BUCKETS)?
        .install_recorder()?;
    describe_gauge!(BUILD_INFO, "1, with the version as a label");
    describe_counter!(CAPTURED_TOTAL, "packets that were captured for a session");
    describe_counter!(
        CAPTURE_DROPPED_TOTAL,
        "packets that the kernel dropped above the rate of the capture, or that did not fit its memory"
    );
    describe_counter!(CAPTURE_UNREADABLE_TOTAL, "packets that were captured and could not be read");
    describe_gauge!(CONNECTIONS, "connections that are open, by surface");
    describe_counter!(CONNECTIONS_TOTAL, "connections that were accepted, by surface");
    describe_counter!(DATAGRAMS_TOTAL, "datagrams that were answered");
    describe_gauge!(EVENTS_WAITING, "events that wait for the pages of all sessions to read");
    describe_gauge!(LABS, "emulated paths that run");
    describe_gauge!(LEGS, "legs of all sessions, by protocol and path");
    describe_counter!(LEGS_TOTAL, "legs that were begun, by protocol and path");
    describe_counter!(REFUSED_TOTAL, "what was not served, by reason");
    describe_gauge!(ROOMS, "rooms that this server has members of, or had a moment ago");
    describe_gauge!(ROOM_MEMBERS, "sessions that are in a room");
    describe_histogram!(ROUND_TRIP, "from sending a line of a leg to the end of its reply");
    describe_gauge!(SESSIONS, "sessions that run");
    describe_counter!(SESSIONS_TOTAL, "sessions that were begun");
    describe_gauge!(TASKS, "tasks of the runtime that are alive");
    describe_counter!(TCP_REPLIES_TOTAL, "reads of the TCP server that were answered");
    describe_gauge!(WATCHING, "sessions that watch raw clients");
    // So that a meter is 0 and not absent before something happens.
    gauge!(BUILD_INFO, "version" => env!("CARGO_PKG_VERSION")).set(1.0);
    for one in [SESSIONS, LABS, EVENTS_WAITING, WATCHING, ROOMS, ROOM_MEMBERS] {
        gauge!(one).set(0.0);
    }
    for all in [
        SESSIONS_TOTAL,
        DATAGRAMS_TOTAL,
        TCP_REPLIES_TOTAL,
        CAPTURED_TOTAL,
        CAPTURE_DROPPED_TOTAL,
        CAPTURE_UNREADABLE_TOTAL,
    ] {
        counter!(all).absolute(0);
    }
    for surface in [Surface::Http, Surface::Tcp, Surface::Admin] {
        gauge!(CONNECTIONS, "surface" => surface.label()).set(0.0);
        counter!(CONNECTIONS_TOTAL, "surface" => surface.label()).absolute(0);
    }
    for protocol in Protocol::BOTH {
        for path in [Path::Direct, Path::Emulated] {
            gauge!(LEGS, &of_leg(protocol, path)).set(0.0);
            counter!(LEGS_TOTAL, &of_leg(protocol, path)).absolute(0);
            drop(round_trips(protocol, path));
        }
    }
    #[cfg(not(target_os = "macos"))]
    metrics_process::Collector::default().describe();
    Ok(Meters { recorder })
}

impl Meters {
    /// Sorts what was measured into its buckets, again and again. Until then the recorder keeps every single
    /// round trip, even if nobody ever asks for one.
    pub fn upkeep(&self) -> impl Future<Output = ()> + Send + use<> {
        let recorder = self.recorder.clone();
        async move {
            let mut rounds = interval(UPKEEP);
            loop {
                rounds.tick().await;
                recorder.run_upkeep();
            }
        }
    }

    /// All meters as they are now, in the text format of Prometheus, version 0.0.4. `refused` is the count of
    /// each reason. Needs a runtime.
    #[must_use]
    pub fn text(&self, refused: impl IntoIterator<Item = (&'static str, u64)>) -> String {
        for (reason, count) in refused {
            counter!(REFUSED_TOTAL, "reason" => reason).absolute(count);
        }
        let tasks = Handle::current().metrics().num_alive_tasks();
        gauge!(TASKS).set(u32::try_from(tasks).unwrap_or(u32::MAX));
        #[cfg(not(target_os = "macos"))]
        metrics_process::Collector::default().collect();
        self.recorder.run_upkeep();
        self.recorder.render()
    }
}

impl fmt::Debug for Meters {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Meters").finish_non_exhaustive()
    }
}

/// What a connection is made to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Surface {
    /// The page, its API and its WebSockets.
    Http,
    /// The TCP timestamp server.
    Tcp,
    /// The operator's own listener.
    Admin,
}

impl Surface {
    /// Its name in a sentence.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Http => "HTTP",
            Self::Tcp => "TCP",
            Self::Admin => "admin",
        }
    }

    fn label(self) -> &'static str {
        match self {
            Self::Http => "http",
            Self::Tcp => "tcp",
            Self::Admin => "admin",
        }
    }
}

/// Counts one of something until it is dropped.
#[derive(Debug)]
pub(crate) struct Present(Gauge);

impl Present {
    fn one_of(now: Gauge, all: &Counter) -> Self {
        all.increment(1);
        now.increment(1.0);
        Self(now)
    }

    /// A connection to a surface.
    pub(crate) fn connection(surface: Surface) -> Self {
        let all = counter!(CONNECTIONS_TOTAL, "surface" => surface.label());
        Self::one_of(gauge!(CONNECTIONS, "surface" => surface.label()), &all)
    }

    /// A session.
    pub(crate) fn session() -> Self {
        Self::one_of(gauge!(SESSIONS), &counter!(SESSIONS_TOTAL))
    }

    /// A leg.
    pub(crate) fn leg(protocol: Protocol, path: Path) -> Self {
        let labels = of_leg(protocol, path);
        Self::one_of(gauge!(LEGS, &labels), &counter!(LEGS_TOTAL, &labels))
    }

    /// A room.
    pub(crate) fn room() -> Self {
        Self::one_of(gauge!(ROOMS), &Counter::noop())
    }

    /// A session in a room.
    pub(crate) fn room_member() -> Self {
        Self::one_of(gauge!(ROOM_MEMBERS), &Counter::noop())
    }

    /// A session that watches raw clients.
    pub(crate) fn watcher() -> Self {
        Self::one_of(gauge!(WATCHING), &Counter::noop())
    }

    /// An emulated path, which may outlive its leg for a while.
    pub(crate) fn lab() -> Self {
        Self::one_of(gauge!(LABS), &Counter::noop())
    }
}

impl Drop for Present {
    fn drop(&mut self) {
        self.0.decrement(1.0);
    }
}

/// What became of packets.
pub(crate) struct Captured {
    /// Those that were handed to a session.
    pub(crate) packets: Counter,
    /// Those that the kernel or the capture had no room for.
    pub(crate) dropped: Counter,
    /// Those whose headers make no sense.
    pub(crate) unreadable: Counter,
}

/// Packets that were captured.
pub(crate) fn captured() -> Captured {
    Captured {
        packets: counter!(CAPTURED_TOTAL),
        dropped: counter!(CAPTURE_DROPPED_TOTAL),
        unreadable: counter!(CAPTURE_UNREADABLE_TOTAL),
    }
}

/// Datagrams that were answered.
pub(crate) fn datagrams() -> Counter {
    counter!(DATAGRAMS_TOTAL)
}

/// Reads of the TCP server that were answered.
pub(crate) fn tcp_replies() -> Counter {
    counter!(TCP_REPLIES_TOTAL)
}

/// Events that wait for pages.
pub(crate) fn events_waiting() -> Gauge {
    gauge!(EVENTS_WAITING)
}

/// Round trips of a leg, in seconds.
pub(crate) fn round_trips(protocol: Protocol, path: Path) -> Histogram {
    histogram!(ROUND_TRIP, &of_leg(protocol, path))
}

fn of_leg(protocol: Protocol, path: Path) -> [(&'static str, &'static str); 2] {
    [("protocol", protocol.name()), ("path", path.name())]
}
