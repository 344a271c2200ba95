//! The raw clients of the servers.

pub(crate) mod raw_clients_card;
