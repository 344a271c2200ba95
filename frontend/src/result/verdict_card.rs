//! The verdict on the last send.

use streamgram_protocol::Protocol;
use yew::prelude::*;

use super::verdict::{Finding, Verdict};
use crate::i18n::language::{ELEMENT, Language, with_element};
use crate::prompt::prompt_card::QUICK_BURST;
use crate::session::leg_run::LegRun;
use crate::session::page::Page;

/// What happened, in a sentence for each protocol.
pub(crate) fn verdict_card(language: Language, page: &Page) -> Html {
    let verdict = Verdict::of(language, page);
    let open = page.last_sends().any(LegRun::is_open);
    // Read out once, when all is known, not at every step of a burst.
    let spoken = verdict.as_ref().filter(|_| !open).map(ToString::to_string).unwrap_or_default();
    html! {
        <section class="verdict card" aria-label={language.verdict()}>
            if let Some(verdict) = &verdict {
                <p class="verdict-sends">{ &verdict.sends }</p>
                <div class="verdict-findings">
                    for finding in &verdict.findings { { shown(finding) } }
                </div>
            } else {
                <p class="verdict-invitation">
                    { with_element(
                        &language.invitation(ELEMENT),
                        html! { <b>{ language.burst(QUICK_BURST) }</b> },
                    ) }
                </p>
            }
            <p class="visually-hidden" role="status">{ spoken }</p>
        </section>
    }
}

fn class(protocol: Protocol) -> &'static str {
    match protocol {
        Protocol::Tcp => "tcp",
        Protocol::Udp => "udp",
    }
}

fn shown(finding: &Finding) -> Html {
    html! {
        <div class="verdict-finding">
            <p class="verdict-figures">
                <b class={class(finding.protocol)}>{ finding.protocol.name() }</b>
                { " " }{ &finding.figures }
            </p>
            <p class="verdict-meaning">{ &finding.meaning }</p>
        </div>
    }
}
