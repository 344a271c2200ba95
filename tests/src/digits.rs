//! Numbers as reports write them.

use std::fmt::Display;

/// 1234567 as 1,234,567; what stands behind the point is rounded away.
pub fn grouped(number: impl Display) -> String {
    let digits = format!("{number:.0}");
    let mut grouped = String::new();
    for (place, digit) in digits.chars().enumerate() {
        if place > 0 && (digits.len() - place).is_multiple_of(3) {
            grouped.push(',');
        }
        grouped.push(digit);
    }
    grouped
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_grouped_by_three_digits() {
        let numbers = [0_u64, 999, 1_000, 123_456, 1_234_567].map(grouped);
        assert_eq!(numbers, ["0", "999", "1,000", "123,456", "1,234,567"]);
        assert_eq!(grouped(1_234.4), "1,234");
    }
}
