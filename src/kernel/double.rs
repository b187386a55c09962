//! Double-double arithmetic: unevaluated sums of two floats (Dekker 1971), and exact expansions (Shewchuk 1997).

use super::sample::two_sum;

/// An unevaluated sum of two floats. Sums do not renormalize, so `low` may exceed the rounding error of `high` by a few
/// digits.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct DoubleDouble {
    pub(super) high: f64,
    pub(super) low: f64,
}

/// The relative error of a rounded operation.
pub(super) const HALF_EPSILON: f64 = 0.5 * f64::EPSILON;

impl DoubleDouble {
    #[inline(always)]
    pub(super) fn new(high: f64, low: f64) -> Self {
        Self { high, low }
    }

    #[inline(always)]
    pub(super) fn plus(self, other: Self) -> Self {
        let (high, rest) = two_sum(self.high, other.high);
        Self::new(high, self.low + (rest + other.low))
    }

    #[inline(always)]
    pub(super) fn minus(self, other: Self) -> Self {
        let (high, rest) = two_sum(self.high, -other.high);
        Self::new(high, rest + (self.low - other.low))
    }

    #[inline(always)]
    pub(super) fn times(self, other: Self) -> Self {
        let high = self.high * other.high;
        let rest = self.low.mul_add(other.low, self.high.mul_add(other.high, -high));
        Self::new(high, self.low.mul_add(other.high, self.high.mul_add(other.low, rest)))
    }

    /// The product with a float.
    #[inline(always)]
    pub(super) fn scaled(self, factor: f64) -> Self {
        let high = self.high * factor;
        Self::new(high, self.low.mul_add(factor, self.high.mul_add(factor, -high)))
    }

    /// The quotient by a renormalized number.
    #[inline(always)]
    pub(super) fn over(self, divisor: Self) -> Self {
        let high = self.high / divisor.high;
        let rest = self.minus(divisor.scaled(high));
        Self::new(high, (rest.high + rest.low) / divisor.high)
    }

    /// The same number, with `low` the rounding error of `high`.
    #[inline(always)]
    pub(super) fn renormalized(self) -> Self {
        let (high, low) = two_sum(self.high, self.low);
        Self::new(high, low)
    }

    /// The number rounded to a float, and whether every number within `error` of it rounds to the same float: Ziv's rounding
    /// test.
    ///
    /// Rounding is to nearest, shifted by a tenth of the last digit. Sums of whole numbers often lie halfway between two
    /// floats, where the test would fail for any error.
    #[inline(always)]
    pub(super) fn rounded(self, error: f64) -> (f64, bool) {
        const SHIFT: f64 = 1.7e-17;
        let Self { high, low } = self.renormalized();
        let low = SHIFT.mul_add(high, low);
        (high + low, high + (low - error) == high + (low + error))
    }
}

/// What a recurrence computes with: floats, or double-doubles.
pub(super) trait Real: Copy {
    const ZERO: Self;
    const ONE: Self;

    /// Up to this share of its absolute terms a sum of long numbers is nothing but rounding. Zero for floats, which are too
    /// short to tell.
    const ROUNDING: f64;

    #[inline(always)]
    fn of(value: f64) -> Self {
        Self::of_pair(value, 0.0)
    }

    /// A float plus its rounding error, as far as the number holds it.
    fn of_pair(value: f64, rest: f64) -> Self;

    #[inline(always)]
    fn of_floats<const N: usize>(values: &[f64; N]) -> [Self; N] {
        std::array::from_fn(|index| Self::of(values[index]))
    }

    #[inline(always)]
    fn of_pairs<const N: usize>(values: &[f64; N], rests: &[f64; N]) -> [Self; N] {
        std::array::from_fn(|index| Self::of_pair(values[index], rests[index]))
    }

    fn plus(self, other: Self) -> Self;

    fn minus(self, other: Self) -> Self;

    fn times(self, other: Self) -> Self;

    fn over(self, divisor: Self) -> Self;

    fn half(self) -> Self;

    /// The same number, as short as it can be.
    #[inline(always)]
    fn renormalized(self) -> Self {
        self
    }

    /// The number rounded to a float.
    fn to_float(self) -> f64;

    /// The number, or zero if it is nothing but rounding, given the sum of its absolute terms.
    #[inline(always)]
    #[expect(
        clippy::needless_bitwise_bool,
        reason = "conditions without branches stay in vector registers"
    )]
    fn unless_rounding(self, size: f64) -> Self {
        if (self.to_float().abs() <= Self::ROUNDING * size) & (size < f64::INFINITY) {
            Self::ZERO
        } else {
            self
        }
    }
}

impl Real for f64 {
    const ZERO: Self = 0.0;
    const ONE: Self = 1.0;
    const ROUNDING: f64 = 0.0;

    #[inline(always)]
    fn of_pair(value: f64, _: f64) -> Self {
        value
    }

    #[inline(always)]
    fn of_floats<const N: usize>(values: &[f64; N]) -> [Self; N] {
        *values
    }

    #[inline(always)]
    fn of_pairs<const N: usize>(values: &[f64; N], _: &[f64; N]) -> [Self; N] {
        *values
    }

    #[inline(always)]
    fn plus(self, other: Self) -> Self {
        self + other
    }

    #[inline(always)]
    fn minus(self, other: Self) -> Self {
        self - other
    }

    #[inline(always)]
    fn times(self, other: Self) -> Self {
        self * other
    }

    #[inline(always)]
    fn over(self, divisor: Self) -> Self {
        self / divisor
    }

    #[inline(always)]
    fn half(self) -> Self {
        0.5 * self
    }

    #[inline(always)]
    fn to_float(self) -> f64 {
        self
    }
}

impl Real for DoubleDouble {
    const ZERO: Self = Self { high: 0.0, low: 0.0 };
    const ONE: Self = Self { high: 1.0, low: 0.0 };
    const ROUNDING: f64 = 3.231_174_267_785_264e-27; // 2^-88

    #[inline(always)]
    fn of_pair(value: f64, rest: f64) -> Self {
        Self::new(value, rest)
    }

    #[inline(always)]
    fn plus(self, other: Self) -> Self {
        self.plus(other)
    }

    #[inline(always)]
    fn minus(self, other: Self) -> Self {
        self.minus(other)
    }

    #[inline(always)]
    fn times(self, other: Self) -> Self {
        self.times(other)
    }

    /// One division, by a number that need not be renormalized. Equal ratios of floats have equal quotients.
    #[inline(always)]
    fn over(self, divisor: Self) -> Self {
        let inverse = 1.0 / divisor.high;
        // Rounded once (Markstein 1990).
        let quotient = |number: f64| {
            let quotient = number * inverse;
            (-quotient).mul_add(divisor.high, number).mul_add(inverse, quotient)
        };
        let high = quotient(self.high);
        let rest = (-high).mul_add(divisor.high, self.high);
        Self::new(high, quotient((-high).mul_add(divisor.low, rest + self.low)))
    }

    #[inline(always)]
    fn half(self) -> Self {
        Self::new(0.5 * self.high, 0.5 * self.low)
    }

    #[inline(always)]
    fn renormalized(self) -> Self {
        self.renormalized()
    }

    #[inline(always)]
    fn to_float(self) -> f64 {
        self.high + self.low
    }
}

/// An exact sum of floats: an expansion of components that do not overlap, the smallest first.
#[derive(Clone, Debug)]
pub(super) struct Expansion(Vec<f64>);

impl Expansion {
    pub(super) const fn new() -> Self {
        Self(Vec::new())
    }

    pub(super) fn of(number: f64) -> Self {
        Self(vec![number])
    }

    /// `a * b - c * d`
    pub(super) fn determinant([a, b]: [&Self; 2], [c, d]: [&Self; 2]) -> Self {
        let mut sum = Self::new();
        sum.add_product(&a.0, &b.0);
        let minus: Vec<_> = d.0.iter().map(|part| -part).collect();
        sum.add_product(&c.0, &minus);
        sum
    }

    pub(super) fn add(&mut self, number: f64) {
        if number == 0.0 {
            return;
        }
        let mut sum = number;
        let mut kept = 0;
        for index in 0..self.0.len() {
            let (next, rest) = two_sum(sum, self.0[index]);
            sum = next;
            if rest != 0.0 {
                self.0[kept] = rest;
                kept += 1;
            }
        }
        self.0.truncate(kept);
        if sum != 0.0 {
            self.0.push(sum);
        }
    }

    /// Adds the product of two exact sums.
    pub(super) fn add_product(&mut self, one: &[f64], other: &[f64]) {
        for &a in one {
            for &b in other {
                let product = a * b;
                self.add(product);
                self.add(a.mul_add(b, -product));
            }
        }
    }

    /// The sum as a double-double.
    pub(super) fn double_double(&self) -> DoubleDouble {
        self.0.iter().fold(DoubleDouble::new(0.0, 0.0), |sum, &part| {
            sum.plus(DoubleDouble::new(part, 0.0)).renormalized()
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn exact_sums_lose_nothing() {
        let mut sum = Expansion::new();
        for number in [1e300, 1.0, -1e-300, 1e16, -1e300, 3.0, -1e16] {
            sum.add(number);
        }
        assert_eq!(sum.double_double(), DoubleDouble::new(4.0, -1e-300));
        sum.add_product(&[-2.0, -1.0], &[1.0, 1.0]);
        assert_eq!(sum.double_double(), DoubleDouble::new(-2.0, -1e-300));
        sum.add(1e-300);
        sum.add(2.0);
        assert!(sum.0.is_empty());
    }

    #[test]
    fn equal_ratios_have_equal_quotients() {
        let third = Real::over(DoubleDouble::of(1.0), DoubleDouble::of(3.0));
        assert_eq!(third.high, 1.0 / 3.0);
        // 3 (high + low) is 1 but for 2^-106.
        assert!(third.low.mul_add(3.0, third.high.mul_add(3.0, -1.0)).abs() < HALF_EPSILON * HALF_EPSILON);
        for factor in 1..10_000 {
            let factor = f64::from(factor) * 15_625.0;
            let quotient = Real::over(DoubleDouble::of(factor), DoubleDouble::of(3.0 * factor));
            assert_eq!(quotient, third, "{factor}");
            let whole = Real::over(DoubleDouble::of(7.0 * factor), DoubleDouble::of(factor));
            assert_eq!(whole, DoubleDouble::of(7.0), "{factor}");
        }
    }

    #[test]
    fn numbers_near_a_border_of_rounding_are_not_certain() {
        let next = 1.0 + f64::EPSILON;
        let at = |digits: f64| DoubleDouble::new(1.0, digits * f64::EPSILON);
        assert_eq!(at(0.0).rounded(1e-25), (1.0, true));
        assert_eq!(at(0.5).rounded(1e-25), (next, true));
        assert_eq!(at(0.4).rounded(1e-25), (1.0, true));
        assert_eq!(at(0.4).rounded(1e-17), (1.0, false));
        assert_eq!(at(1.0).rounded(1e-25), (next, true));
    }
}
