//! The external clients of the servers, which are raw ones on the wire.

mod client_deeds;
mod client_packets;
pub(crate) mod client_records;
pub(crate) mod client_result;
pub(crate) mod client_verdict;
pub(crate) mod clients_badge;
pub(crate) mod clients_list;
mod faulty_servers;
