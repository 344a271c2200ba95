//! What theory expects of TCP's throughput under random loss, in bits a second.

/// Mathis, Semke, Mahdavi and Ott, "The Macroscopic Behavior of the TCP Congestion Avoidance
/// Algorithm", ACM SIGCOMM CCR 27(3), 1997: MSS / RTT * C / sqrt(p). The constant is the paper's for
/// periodic loss and an ACK for every segment, sqrt(3/2), with its correction for random loss: 1.31.
/// It knows no timeouts, so it holds for little loss only.
#[must_use]
pub fn mathis(mss_bytes: f64, rtt_s: f64, loss: f64) -> f64 {
    const C: f64 = 1.31;
    8.0 * mss_bytes / rtt_s * C / loss.sqrt()
}

/// Padhye, Firoiu, Towsley and Kurose, "Modeling TCP Throughput: A Simple Model and its Empirical
/// Validation", ACM SIGCOMM 1998, equation 30, with an ACK for every segment (b = 1) and without a
/// limit by the receiver. `rto_s` is the first timeout, T0.
#[must_use]
pub fn pftk(mss_bytes: f64, rtt_s: f64, rto_s: f64, loss: f64) -> f64 {
    let p = loss;
    let fast = rtt_s * (2.0 * p / 3.0).sqrt();
    let timeouts = rto_s * (3.0 * (3.0 * p / 8.0).sqrt()).min(1.0) * p * (1.0 + 32.0 * p * p);
    8.0 * mss_bytes / (fast + timeouts)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_models_give_the_figures_of_their_papers_formulas() {
        let mbit = |bits: f64| (bits / 1e4).round() / 100.0;
        assert_eq!(mbit(mathis(1_460.0, 0.02, 0.001)), 24.19);
        assert_eq!(mbit(mathis(1_460.0, 0.1, 0.01)), 1.53);
        assert_eq!(mbit(pftk(1_460.0, 0.1, 1.0, 0.01)), 1.17);
        assert_eq!(mbit(pftk(1_460.0, 0.02, 1.0, 0.05)), 0.45);
    }
}
