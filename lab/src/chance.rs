//! Chance without state: a hash of numbers that say what is decided. The same numbers always decide the same.

/// The finalizer of SplitMix64 (Steele, Lea and Flood 2014): every bit of the input moves half of
/// the output's.
#[must_use]
pub fn mix(x: u64) -> u64 {
    let x = x.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let x = (x ^ (x >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let x = (x ^ (x >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    x ^ (x >> 31)
}

/// An even choice from `0..limit` by 64 bits of chance.
#[must_use]
pub fn below(limit: u64, roll: u64) -> u64 {
    let scaled = (u128::from(roll) * u128::from(limit)) >> 64;
    u64::try_from(scaled).unwrap_or(0)
}
