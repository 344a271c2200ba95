//! nginx on listeners that are open already; it ends with its test.

use std::fs;
use std::net::{SocketAddr, TcpListener};
use std::os::fd::AsRawFd as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command};

use socket2::SockRef;

use crate::named_program;

/// A running nginx.
#[derive(Debug)]
pub struct Nginx {
    process: Child,
    folder: PathBuf,
}

impl Nginx {
    /// nginx with settings for its block `http`, which name the addresses of the listeners, in a folder of its own.
    ///
    /// # Panics
    /// It does not start.
    #[must_use]
    pub fn start(folder: &Path, listeners: &[TcpListener], settings: &str) -> Self {
        fs::create_dir_all(folder).expect("a folder");
        let temporary = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"]
            .map(|what| format!("{what}_temp_path {what};"))
            .concat();
        // A server that refuses is what tests are about. That nginx itself cannot go on is told all the same.
        let settings = format!(
            "daemon off; error_log stderr crit; worker_processes 1; pid nginx.pid; events {{ worker_connections 8192; }}
             http {{ access_log off; {temporary} {settings} }}"
        );
        fs::write(folder.join("nginx.conf"), settings).expect("a file");
        // nginx knows no port 0. But it takes over the listeners of the one before it, which are named
        // by a variable of this name; so they are open before it starts, and nobody has to wait.
        let mut inherited = String::new();
        for listener in listeners {
            SockRef::from(listener).set_cloexec(false).expect("an open file");
            inherited += &format!("{};", listener.as_raw_fd());
        }
        let process = Command::new(named_program("nginx", "NGINX"))
            .args(["-e", "stderr", "-c", "nginx.conf", "-p"])
            .arg(folder)
            .env("NGINX", inherited)
            .spawn()
            .expect("nginx starts");
        Self { process, folder: folder.into() }
    }

    /// Where its files are.
    #[must_use]
    pub fn folder(&self) -> &Path {
        &self.folder
    }
}

impl Drop for Nginx {
    fn drop(&mut self) {
        // Killed outright, it would leave its workers behind.
        let _asked = Command::new("kill").arg(self.process.id().to_string()).status();
        let _waited = self.process.wait();
        let _removed = fs::remove_dir_all(&self.folder);
    }
}

/// A listener for nginx, and its address.
///
/// # Panics
/// No port is free.
#[must_use]
pub fn listener() -> (TcpListener, SocketAddr) {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let at = listener.local_addr().expect("an address");
    (listener, at)
}
