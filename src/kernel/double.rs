//! Numbers of twice the digits: the sum of two floats (Dekker 1971), rounded so that it does not matter how they were
//! computed.

use super::sample::two_sum;

/// The sum of a float and of what it lacks. The second one may be a few digits longer than the rounding error of the first:
/// sums carry nothing over.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Double {
    pub(super) high: f64,
    pub(super) low: f64,
}

/// The relative error of a rounded operation.
pub(super) const HALF_EPSILON: f64 = 0.5 * f64::EPSILON;

impl Double {
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

    /// The quotient by a number whose digits have been carried over.
    #[inline(always)]
    pub(super) fn over(self, divisor: Self) -> Self {
        let high = self.high / divisor.high;
        let rest = self.minus(divisor.scaled(high));
        Self::new(high, (rest.high + rest.low) / divisor.high)
    }

    /// The same number, the second float being the rounding error of the first.
    #[inline(always)]
    pub(super) fn carried(self) -> Self {
        let (high, low) = two_sum(self.high, self.low);
        Self::new(high, low)
    }

    /// The number as a float, and whether every number that differs from it by at most `error` is the same float.
    ///
    /// Floats are rounded to nearest, but for a shift of a tenth of the last digit: halfway between two floats are many sums of
    /// whole numbers, which could not be told from both sides.
    #[inline(always)]
    pub(super) fn rounded(self, error: f64) -> (f64, bool) {
        const SHIFT: f64 = 1.7e-17;
        let Self { high, low } = self.carried();
        let low = SHIFT.mul_add(high, low);
        (high + low, high + (low - error) == high + (low + error))
    }
}

/// An exact sum of floats: components that do not overlap, the smallest first (Shewchuk 1997).
#[derive(Clone, Debug)]
pub(super) struct Exact(Vec<f64>);

impl Exact {
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

    /// The sum, with twice the digits of a float.
    pub(super) fn double(&self) -> Double {
        self.0.iter().fold(Double::new(0.0, 0.0), |sum, &part| {
            sum.plus(Double::new(part, 0.0)).carried()
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn exact_sums_lose_nothing() {
        let mut sum = Exact::new();
        for number in [1e300, 1.0, -1e-300, 1e16, -1e300, 3.0, -1e16] {
            sum.add(number);
        }
        assert_eq!(sum.double(), Double::new(4.0, -1e-300));
        sum.add_product(&[-2.0, -1.0], &[1.0, 1.0]);
        assert_eq!(sum.double(), Double::new(-2.0, -1e-300));
        sum.add(1e-300);
        sum.add(2.0);
        assert!(sum.0.is_empty());
    }

    #[test]
    fn numbers_near_a_border_of_rounding_are_not_certain() {
        let next = 1.0 + f64::EPSILON;
        let at = |digits: f64| Double::new(1.0, digits * f64::EPSILON);
        assert_eq!(at(0.0).rounded(1e-25), (1.0, true));
        assert_eq!(at(0.5).rounded(1e-25), (next, true));
        assert_eq!(at(0.4).rounded(1e-25), (1.0, true));
        assert_eq!(at(0.4).rounded(1e-17), (1.0, false));
        assert_eq!(at(1.0).rounded(1e-25), (next, true));
    }
}
