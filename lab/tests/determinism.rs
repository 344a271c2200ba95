//! The same seed gives the same trace, today and on every machine.

#[path = "../../sweep/examples/same_trace.rs"]
mod same_trace;

#[test]
fn the_same_seed_gives_the_same_trace() {
    let [once, again] = [same_trace::trace(), same_trace::trace()];
    assert_eq!(once, again);
    assert_eq!(once, same_trace::HASH, "the trace has changed: is that meant?");
}
