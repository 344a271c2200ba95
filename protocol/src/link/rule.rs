//! What is lost on purpose: by content, so that it means the same for TCP and for UDP.

use serde::{Deserialize, Serialize};

use super::{BLACK_OUT_MS, LINE, NTH_PACKET, OutOfRange, within};

/// One thing to lose. Lines count from 1 within a send; a later send starts at 1 again, and the
/// rules apply to it anew.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(proptest_derive::Arbitrary))]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum Rule {
    /// The first copy of a line: every packet upwards that carries a byte of it for the first time.
    LoseLine {
        /// Which line.
        line: u32,
        /// Only this one of those packets, from 1.
        #[serde(skip_serializing_if = "Option::is_none")]
        packet: Option<u32>,
    },
    /// The first copy of the reply to a line: likewise, downwards.
    LoseReply {
        /// Which line.
        line: u32,
    },
    /// Everything in both directions, counted from the first line of the latest send.
    BlackOut {
        /// Milliseconds until it begins.
        from_ms: u32,
        /// Milliseconds until it is over.
        to_ms: u32,
    },
}

impl Rule {
    pub(crate) fn check(&self, path: &str) -> Result<(), OutOfRange> {
        match *self {
            Self::LoseLine { line, packet } => {
                within(&format!("{path}.line"), line, &LINE)?;
                let packet = packet.unwrap_or(*NTH_PACKET.start());
                within(&format!("{path}.packet"), packet, &NTH_PACKET)
            }
            Self::LoseReply { line } => within(&format!("{path}.line"), line, &LINE),
            Self::BlackOut { from_ms, to_ms } => {
                let least = BLACK_OUT_MS.start() + 1;
                within(&format!("{path}.to_ms"), to_ms, &(least..=*BLACK_OUT_MS.end()))?;
                within(&format!("{path}.from_ms"), from_ms, &(*BLACK_OUT_MS.start()..=to_ms - 1))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_rule_is_what_a_person_can_type() {
        for (json, rule) in [
            (r#"{"lose_line":{"line":3}}"#, Rule::LoseLine { line: 3, packet: None }),
            (r#"{"lose_line":{"line":3,"packet":2}}"#, Rule::LoseLine { line: 3, packet: Some(2) }),
            (r#"{"lose_reply":{"line":2}}"#, Rule::LoseReply { line: 2 }),
            (
                r#"{"black_out":{"from_ms":2000,"to_ms":5000}}"#,
                Rule::BlackOut { from_ms: 2_000, to_ms: 5_000 },
            ),
        ] {
            assert_eq!(serde_json::from_str::<Rule>(json).unwrap(), rule);
            assert_eq!(serde_json::to_string(&rule).unwrap(), json);
        }
    }

    #[test]
    fn a_rule_takes_no_field_of_another() {
        let wrong = |json: &str| serde_json::from_str::<Rule>(json).unwrap_err().to_string();
        let extra = wrong(r#"{"lose_reply":{"line":1,"packet":1}}"#);
        assert!(extra.starts_with("unknown field `packet`, expected `line`"), "{extra}");
        let missing = wrong(r#"{"black_out":{"from_ms":1}}"#);
        assert!(missing.starts_with("missing field `to_ms`"), "{missing}");
        assert!(wrong(r#"{"lose_all":{}}"#).contains("lose_line"));
    }

    #[test]
    fn a_blackout_ends_after_it_begins() {
        let wrong = |from_ms, to_ms| {
            Rule::BlackOut { from_ms, to_ms }.check("rules[0]").unwrap_err().to_string()
        };
        assert_eq!(wrong(300, 300), "rules[0].from_ms is 300, it must be 0 to 299");
        assert_eq!(wrong(0, 0), "rules[0].to_ms is 0, it must be 1 to 60000");
        assert_eq!(wrong(0, 60_001), "rules[0].to_ms is 60001, it must be 1 to 60000");
    }
}
