//! The scenario of a share link, given as the whole link or as what stands behind its `#`.

use anyhow::{anyhow, bail};
use streamgram_protocol::{Limits, Scenario, Send};

use crate::terminal::screen::note;

/// Reads a link, and says what of it could not be taken as it stands.
///
/// # Errors
/// It is no scenario, and why.
pub(super) fn read(link: &str, limits: &Limits) -> anyhow::Result<Scenario> {
    let (scenario, remarks) = Scenario::decode(fragment(link), limits);
    let Some(scenario) = scenario else {
        let why: Vec<_> = remarks.iter().map(ToString::to_string).collect();
        bail!("this is no share link: {}", why.join(", "));
    };
    remarks.iter().for_each(|remark| note(&remark.to_string()));
    Ok(scenario)
}

/// What a scenario sends.
///
/// # Errors
/// The first line that cannot go out, and why.
pub(super) fn sends(scenario: &Scenario, limits: &Limits) -> anyhow::Result<Vec<Send>> {
    let sends = scenario.sends();
    let sends = sends.map_err(|(line, bad)| anyhow!("line {line} of the scenario: {bad}"))?;
    for send in &sends {
        let checked = send.check(limits);
        let wrong = |detail| anyhow!("line {} of the scenario: {detail}", send.id);
        checked.map_err(|invalid| wrong(invalid.detail))?;
    }
    Ok(sends)
}

fn fragment(link: &str) -> &str {
    link.split_once('#').map_or(link, |(_, fragment)| fragment)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_link_and_its_fragment_are_the_same() {
        let limits = Limits::default();
        let [whole, fragment, bare] =
            ["http://127.0.0.1:8000/#v1&text=x&count=2", "#v1&text=x&count=2", "v1&text=x&count=2"]
                .map(|link| read(link, &limits).unwrap());
        assert_eq!((&whole, &whole), (&fragment, &bare));
        assert_eq!(whole.count, 2);
        let wrong = read("http://127.0.0.1:8000/", &limits).unwrap_err().to_string();
        assert!(wrong.contains("http://127.0.0.1:8000/") && wrong.contains("v1"), "{wrong}");
    }
}
