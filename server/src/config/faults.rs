//! The flags for faulty servers: where each listens, and what its replies go through.

use std::fmt::Display;
use std::net::SocketAddr;

use clap::Args;
use clap::builder::BoolishValueParser;
use streamgram_protocol::fault::{TcpRecipe, UdpRecipe};
use thiserror::Error;

/// Servers whose replies go wrong on purpose.
#[derive(Debug, Clone, Default, Args)]
#[command(next_help_heading = "Faulty servers")]
pub struct FaultyServers {
    /// One more TCP timestamp server, whose replies go wrong as a recipe says; repeatable
    ///
    /// `127.0.0.1:9001;split=1..5;delay=10..50;seed=7`, or with a recipe's name `127.0.0.1:9001;split`.
    /// docs/faults.md lists words and names.
    #[arg(long, value_name = "ADDRESS;RECIPE", env = "STREAMGRAM_FAULT_TCP",
        value_delimiter = ',', value_parser = faulty::<TcpRecipe>)]
    pub fault_tcp: Vec<Faulty<TcpRecipe>>,
    /// One more UDP timestamp server, whose replies go wrong as a recipe says; repeatable
    #[arg(long, value_name = "ADDRESS;RECIPE", env = "STREAMGRAM_FAULT_UDP",
        value_delimiter = ',', value_parser = faulty::<UdpRecipe>)]
    pub fault_udp: Vec<Faulty<UdpRecipe>>,
    /// Let faulty servers listen on addresses that are not loopback's
    #[arg(long, env = "STREAMGRAM_FAULT_PUBLIC",
        value_parser = BoolishValueParser::new())]
    pub fault_public: bool,
}

/// A faulty server that is asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Faulty<Recipe> {
    /// Where it listens; port 0 picks a free one.
    pub address: SocketAddr,
    /// How its replies go wrong.
    pub recipe: Recipe,
}

/// A faulty server that everybody could reach, and the operator did not say that it may.
#[derive(Debug, Error, PartialEq, Eq)]
#[error(
    "{flag} {address}: a faulty server listens on loopback only, unless --fault-public is given"
)]
pub struct Public {
    flag: &'static str,
    address: SocketAddr,
}

impl FaultyServers {
    /// Whether there is none.
    pub(super) fn is_empty(&self) -> bool {
        self.fault_tcp.is_empty() && self.fault_udp.is_empty()
    }

    /// Checks that nobody else can reach them, unless they may.
    ///
    /// # Errors
    /// The first that others can reach.
    pub(super) fn check(&self) -> Result<(), Public> {
        let tcp = self.fault_tcp.iter().map(|faulty| ("--fault-tcp", faulty.address));
        let udp = self.fault_udp.iter().map(|faulty| ("--fault-udp", faulty.address));
        let mut reachable = tcp.chain(udp).filter(|(_, at)| !at.ip().to_canonical().is_loopback());
        match reachable.next().filter(|_| !self.fault_public) {
            Some((flag, address)) => Err(Public { flag, address }),
            None => Ok(()),
        }
    }
}

/// `ADDRESS;RECIPE`
fn faulty<Recipe: TryFrom<String, Error: Display>>(text: &str) -> Result<Faulty<Recipe>, String> {
    let (address, recipe) = text.split_once(';').unwrap_or((text, ""));
    let address = address.trim().parse();
    let address = address.map_err(|_| "write it as 127.0.0.1:9001;split=1..5".to_owned())?;
    let recipe = Recipe::try_from(recipe.to_owned()).map_err(|wrong| wrong.to_string())?;
    Ok(Faulty { address, recipe })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_comes_first_and_the_recipe_behind_it() {
        let read = |text: &str| faulty::<TcpRecipe>(text);
        let Faulty { address, recipe } = read("127.0.0.1:9001;split=1..5;seed=7").unwrap();
        assert_eq!((address.port(), recipe.seed), (9001, 7));
        assert_eq!(read("[::1]:0").unwrap().recipe, TcpRecipe::default());
        assert!(read("localhost;split").unwrap_err().contains("127.0.0.1:9001;split=1..5"));
        assert!(read("127.0.0.1:1;split=0").unwrap_err().contains("1 to 2048"));
        assert!(
            faulty::<UdpRecipe>("127.0.0.1:1;split").unwrap_err().contains("UDP has no recipe")
        );
    }

    #[test]
    fn others_reach_a_faulty_server_only_if_they_may() {
        let at = |address: &str, public| FaultyServers {
            fault_tcp: vec![faulty(address).unwrap()],
            fault_public: public,
            ..FaultyServers::default()
        };
        assert_eq!(at("127.0.0.2:0", false).check(), Ok(()));
        assert_eq!(at("0.0.0.0:0", true).check(), Ok(()));
        let refused = at("0.0.0.0:9;split", false).check().unwrap_err().to_string();
        assert!(refused.starts_with("--fault-tcp 0.0.0.0:9: a faulty server"), "{refused}");
    }
}
