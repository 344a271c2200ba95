//! What the black-box tests share: a server on free ports that ends with its test, and a model of the
//! browser that talks to it.

mod browser;
mod digits;
#[cfg(target_os = "linux")]
mod faults;
mod http;
#[cfg(target_os = "linux")]
mod network;
mod raw_socket;
mod server;
#[cfg(unix)]
mod service_manager;
mod skip;
mod stamp;
mod witness;

pub use browser::{Browser, Closed, PATIENCE, SOON, connect_raw};
pub use digits::grouped;
#[cfg(target_os = "linux")]
pub use faults::Faults;
pub use http::{Response, exchange, get, raw_request, request};
#[cfg(target_os = "linux")]
pub use network::is_inside;
pub use raw_socket::{RawSocket, Reading, masked_frame, masked_head, upgrade_request};
pub use server::{Server, binary};
#[cfg(unix)]
pub use service_manager::ServiceManager;
pub use skip::skip;
pub use stamp::{echoes, is_ctime, is_stamped, now_second, utc_ctime};
pub use witness::Witness;
