//! What the black-box tests share: a server on free ports that ends with its test, and a model of the
//! browser that talks to it.

#[cfg(target_os = "linux")]
mod balancer;
mod browser;
mod certificate;
mod class;
mod digits;
#[cfg(target_os = "linux")]
mod faults;
mod http;
mod nats;
#[cfg(target_os = "linux")]
mod network;
#[cfg(target_os = "linux")]
mod nginx;
mod program;
mod raw_socket;
mod relay;
mod server;
#[cfg(unix)]
mod service_manager;
mod skip;
mod stamp;
mod witness;

#[cfg(target_os = "linux")]
pub use balancer::Balancer;
pub use browser::{Browser, Closed, PATIENCE, SOON, connect_raw};
pub use certificate::make_certificate;
pub use class::{Answer, Class, Door, Field, Flood, Flooder, Member, Page, Reached, What, lesson};
pub use digits::grouped;
#[cfg(target_os = "linux")]
pub use faults::Faults;
pub use http::{Response, exchange, get, raw_request, request};
pub use nats::Nats;
#[cfg(target_os = "linux")]
pub use network::is_inside;
#[cfg(target_os = "linux")]
pub use nginx::{Nginx, listener};
pub use program::{Ended, Program, named_program};
pub use raw_socket::{RawSocket, Reading, masked_frame, masked_head, upgrade_request};
pub use relay::Relay;
pub use server::{Server, binary};
#[cfg(unix)]
pub use service_manager::ServiceManager;
pub use skip::skip;
pub use stamp::{echoes, is_ctime, is_stamped, now_second, utc_ctime};
pub use witness::Witness;
