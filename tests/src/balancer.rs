//! nginx with `deploy/nginx-replicas.conf` as it is, but for addresses, in front of two servers.

use std::net::SocketAddr;
use std::path::Path;

use crate::nginx::{Nginx, listener};

const SETTINGS: &str = include_str!("../../deploy/nginx-replicas.conf");

/// A balancer; it ends with its test.
#[derive(Debug)]
pub struct Balancer {
    /// Where it listens.
    pub at: SocketAddr,
    _nginx: Nginx,
}

impl Balancer {
    /// A balancer in front of servers, in a new folder below this one.
    ///
    /// # Panics
    /// It does not start.
    #[must_use]
    pub fn of(servers: [SocketAddr; 2], below: &Path) -> Self {
        let (listener, at) = listener();
        let mut settings = SETTINGS.to_owned();
        for (theirs, ours) in [
            ("listen 80;", format!("listen {at};")),
            ("listen [::]:80;", String::new()),
            ("server 127.0.0.1:8001 ", format!("server {} ", servers[0])),
            ("server 127.0.0.1:8002 ", format!("server {} ", servers[1])),
        ] {
            assert_eq!(settings.matches(theirs).count(), 1, "{theirs}");
            settings = settings.replace(theirs, &ours);
        }
        let folder = below.join(format!("balancer-{}", at.port()));
        Self { at, _nginx: Nginx::start(&folder, &[listener], &settings) }
    }
}
