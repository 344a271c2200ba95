//! A service manager: it holds the sockets, and hands them to one server after another, by the protocol
//! of sd_listen_fds(3).

use std::net::{TcpListener, UdpSocket};
use std::os::fd::OwnedFd;
use std::process::Command;

use command_fds::{CommandFdExt, FdMapping};
use socket2::Socket;

use crate::{Server, binary};

/// Connections that wait while no server takes them, as systemd has it by default. The 128 of a plain
/// listener are filled within a quarter of a second at 500 connections a second, and Linux drops the
/// last packet of the handshakes after them.
const BACKLOG: i32 = 4_096;

/// The first descriptor that is handed over.
const FIRST: i32 = 3;

/// The sockets, each with its name.
#[derive(Debug)]
pub struct ServiceManager {
    sockets: Vec<(&'static str, Socket)>,
}

impl ServiceManager {
    /// All three sockets of a server.
    ///
    /// # Panics
    /// There are none on this machine.
    #[must_use]
    pub fn new() -> Self {
        let [http, tcp] = [(); 2].map(|()| TcpListener::bind("127.0.0.1:0").expect("a port"));
        let udp = UdpSocket::bind("127.0.0.1:0").expect("a port");
        let [http, tcp] = [http, tcp].map(Socket::from);
        for listener in [&http, &tcp] {
            listener.listen(BACKLOG).expect("a listener that listens");
        }
        Self::with(vec![("udp", udp.into()), ("http", http), ("tcp", tcp)])
    }

    /// Sockets of one's own, with the names that they are handed over by.
    #[must_use]
    pub fn with(sockets: Vec<(&'static str, Socket)>) -> Self {
        Self { sockets }
    }

    /// One of the sockets.
    ///
    /// # Panics
    /// None has this name.
    #[must_use]
    pub fn socket(&self, name: &str) -> &Socket {
        let found = self.sockets.iter().find(|(this, _)| *this == name);
        &found.expect("a name that was given").1
    }

    /// Starts a server that is handed all sockets.
    ///
    /// # Panics
    /// It does not start.
    #[must_use]
    pub fn start(&self, flags: &[&str]) -> Server {
        Server::spawn(self.command(flags))
    }

    /// What would start a server.
    ///
    /// # Panics
    /// The process has no more descriptors.
    #[must_use]
    pub fn command(&self, flags: &[&str]) -> Command {
        // Only the process itself knows its number before it is the server.
        let mut command = Command::new("sh");
        command.args(["-c", "LISTEN_PID=$$ exec \"$0\" \"$@\""]).arg(binary()).args(flags);
        let names: Vec<_> = self.sockets.iter().map(|(name, _)| *name).collect();
        command.env("LISTEN_FDS", names.len().to_string()).env("LISTEN_FDNAMES", names.join(":"));
        let copies = self.sockets.iter().map(|(_, socket)| socket.try_clone().expect("a copy"));
        let mappings = (FIRST..).zip(copies);
        let mappings = mappings
            .map(|(child_fd, socket)| FdMapping { parent_fd: OwnedFd::from(socket), child_fd });
        command.fd_mappings(mappings.collect()).expect("each has a number of its own");
        command
    }
}

impl Default for ServiceManager {
    fn default() -> Self {
        Self::new()
    }
}
