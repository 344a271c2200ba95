//! The flags for rooms: how many there may be, how fast their members may ask, and the store that servers share.

use std::path::PathBuf;

use clap::Args;

/// How many rooms and members there may be, and how fast each may ask.
#[derive(Debug, Clone, Copy, Args)]
#[command(next_help_heading = "Limits of rooms")]
pub struct RoomLimits {
    /// Rooms at a time; one more is refused. 0 switches rooms off
    #[arg(long, value_name = "ROOMS", env = "STREAMGRAM_ROOMS", default_value_t = Self::default().rooms)]
    pub rooms: usize,
    /// Rooms that were opened from one address (IPv6: from one /64) at a time; one more is refused
    #[arg(long, value_name = "ROOMS", env = "STREAMGRAM_ROOMS_PER_ADDRESS",
        default_value_t = Self::default().rooms_per_address)]
    pub rooms_per_address: usize,
    /// Members of a room that are here at a time, at this server; one more is refused
    #[arg(long, value_name = "MEMBERS", env = "STREAMGRAM_ROOM_MEMBERS",
        default_value_t = Self::default().room_members, value_parser = clap::value_parser!(u32).range(1..=2_000))]
    pub room_members: u32,
    /// Age at which a room ends, in minutes
    #[arg(long, value_name = "MINUTES", env = "STREAMGRAM_ROOM_MINUTES",
        default_value_t = Self::default().room_minutes, value_parser = clap::value_parser!(u32).range(1..=10_080))]
    pub room_minutes: u32,
    /// What a member asks of its room per second, ten seconds' worth at once; more is refused, and its session waits
    /// until the next is free
    #[arg(long, value_name = "MESSAGES", env = "STREAMGRAM_ROOM_MESSAGES_PER_S",
        default_value_t = Self::default().room_messages_per_s, value_parser = clap::value_parser!(u32).range(1..))]
    pub room_messages_per_s: u32,
    /// What a teacher asks of its room per second, ten seconds' worth at once; more is refused, and its session waits
    /// until the next is free
    #[arg(long, value_name = "MESSAGES", env = "STREAMGRAM_ROOM_TEACHER_MESSAGES_PER_S",
        default_value_t = Self::default().room_teacher_messages_per_s,
        value_parser = clap::value_parser!(u32).range(1..))]
    pub room_teacher_messages_per_s: u32,
    /// Codes and keys of no room that an address (IPv6: a /64) may try per minute, as many at once; then it enters
    /// none until a minute's share is free again
    #[arg(long, value_name = "TRIES", env = "STREAMGRAM_ROOM_TRIES_PER_MIN",
        default_value_t = Self::default().room_tries_per_min, value_parser = clap::value_parser!(u32).range(1..=600))]
    pub room_tries_per_min: u32,
}

impl Default for RoomLimits {
    fn default() -> Self {
        Self {
            rooms: 200,
            rooms_per_address: 20,
            room_members: 500,
            room_minutes: 720,
            room_messages_per_s: 5,
            room_teacher_messages_per_s: 10,
            room_tries_per_min: 20,
        }
    }
}

/// The store through which several servers have the same rooms.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Rooms of several servers")]
pub struct NatsFlags {
    /// Share rooms with other servers through NATS with JetStream, as nats://HOST:PORT or tls://HOST:PORT, with
    /// USER:PASSWORD@ where it asks for that; several with commas. Without it rooms are this server's own
    #[arg(long, value_name = "URL", env = "STREAMGRAM_NATS", hide_env_values = true, value_delimiter = ',',
        value_parser = server)]
    pub nats: Vec<String>,
    /// Certificates of who may have signed that of NATS, as PEM, instead of those of the system
    #[arg(long, value_name = "FILE", env = "STREAMGRAM_NATS_CA", requires = "nats")]
    pub nats_ca: Option<PathBuf>,
    /// Certificate to show to NATS, as PEM
    #[arg(long, value_name = "FILE", env = "STREAMGRAM_NATS_CERT", requires_all = ["nats", "nats_key"])]
    pub nats_cert: Option<PathBuf>,
    /// Its private key, as PEM
    #[arg(long, value_name = "FILE", env = "STREAMGRAM_NATS_KEY", requires_all = ["nats", "nats_cert"])]
    pub nats_key: Option<PathBuf>,
    /// Credentials of NATS: a file with a token (JWT) and its key
    #[arg(long, value_name = "FILE", env = "STREAMGRAM_NATS_CREDS", requires = "nats")]
    pub nats_creds: Option<PathBuf>,
    /// Prefix of the bucket, and with it of all subjects: letters, digits, hyphens and underscores
    #[arg(long, value_name = "NAME", env = "STREAMGRAM_NATS_PREFIX", default_value = "streamgram",
        value_parser = prefix)]
    pub nats_prefix: String,
    /// Size of the bucket, if it is not there yet, in MiB; what does not fit is refused by NATS, and the page says so
    #[arg(long, value_name = "MIB", env = "STREAMGRAM_NATS_MIB", default_value_t = 64,
        value_parser = clap::value_parser!(u32).range(1..=1 << 20))]
    pub nats_mib: u32,
    /// Copies of the bucket in a cluster of NATS, if it is not there yet: with 3 it survives the loss of one server
    #[arg(long, value_name = "COPIES", env = "STREAMGRAM_NATS_COPIES", default_value_t = 1,
        value_parser = clap::value_parser!(u8).range(1..=5))]
    pub nats_copies: u8,
}

/// An address of NATS.
fn server(text: &str) -> Result<String, String> {
    let expected = "write it as nats://HOST:PORT or tls://HOST:PORT";
    let url: url::Url = text.parse().map_err(|error| format!("{error}, {expected}"))?;
    let is_known = matches!(url.scheme(), "nats" | "tls") && url.has_host();
    if is_known { Ok(text.to_owned()) } else { Err(expected.into()) }
}

/// What a bucket's name may begin with.
fn prefix(text: &str) -> Result<String, &'static str> {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '_';
    if (1..=64).contains(&text.len()) && text.chars().all(is_plain) {
        Ok(text.to_owned())
    } else {
        Err("write 1 to 64 letters, digits, hyphens and underscores")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_store_is_named_by_its_scheme_and_host_and_a_prefix_is_plain() {
        for url in ["nats://127.0.0.1:4222", "tls://me:secret@nats.example:4222", "nats://nats"] {
            assert_eq!(server(url), Ok(url.into()));
        }
        for url in ["", "127.0.0.1:4222", "http://x", "nats:", "redis://x"] {
            assert!(server(url).unwrap_err().contains("nats://HOST:PORT"), "{url}");
        }
        assert_eq!(prefix("class_7-b"), Ok("class_7-b".into()));
        for text in ["", "a.b", "a b", "*", &"x".repeat(65)] {
            assert!(prefix(text).is_err(), "{text}");
        }
    }
}
