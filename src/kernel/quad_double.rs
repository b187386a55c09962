//! Quad-double arithmetic: unevaluated sums of four floats (Hida, Li and Bailey 2001), for the few numbers that
//! double-doubles do not hold.

use super::double::Real;
use super::sample::two_sum;

/// An unevaluated sum of four floats, the largest first.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct QuadDouble([f64; 4]);

impl QuadDouble {
    /// The sum of some floats: each pass over them takes their rounded sum and leaves its rounding errors (Ogita, Rump and
    /// Oishi 2005).
    #[inline(always)]
    fn sum<const N: usize>(mut terms: [f64; N]) -> Self {
        Self(std::array::from_fn(|_| {
            let mut sum = 0.0;
            for term in &mut terms {
                (sum, *term) = two_sum(sum, *term);
            }
            sum
        }))
    }

    /// The product with a float.
    #[inline(always)]
    fn product(self, factor: f64) -> Self {
        let products = self.0.map(|part| part * factor);
        let error = |index: usize| self.0[index].mul_add(factor, -products[index]);
        let [a, b, c, d] = products;
        Self::sum([error(3), d, error(2), c, error(1), b, error(0), a])
    }
}

impl Real for QuadDouble {
    const ZERO: Self = Self([0.0; 4]);
    const ONE: Self = Self([1.0, 0.0, 0.0, 0.0]);
    const ROUNDING: f64 = 6.372_367_644_445_809e-58; // 2^-190

    #[inline(always)]
    fn of_pair(value: f64, rest: f64) -> Self {
        Self([value, rest, 0.0, 0.0])
    }

    #[inline(always)]
    fn plus(self, other: Self) -> Self {
        let ([a, b, c, d], [e, f, g, h]) = (self.0, other.0);
        Self::sum([d, h, c, g, b, f, a, e])
    }

    #[inline(always)]
    fn minus(self, other: Self) -> Self {
        self.plus(Self(other.0.map(|part| -part)))
    }

    #[inline(always)]
    fn times(self, other: Self) -> Self {
        // Products of the parts i and j with i + j <= 3, and the rounding errors of those with i + j <= 2.
        let mut terms = [0.0; 16];
        let mut count = 0;
        for places in (0..=3).rev() {
            for i in 0..=places {
                let (one, two) = (self.0[i], other.0[places - i]);
                let product = one * two;
                terms[count] = product;
                count += 1;
                if places < 3 {
                    terms[count] = one.mul_add(two, -product);
                    count += 1;
                }
            }
        }
        Self::sum(terms)
    }

    #[inline(always)]
    fn over(self, divisor: Self) -> Self {
        let first = divisor.to_float();
        let mut rest = self;
        let mut quotients = [0.0; 5];
        for quotient in quotients.iter_mut().rev() {
            *quotient = rest.to_float() / first;
            rest = rest.minus(divisor.product(*quotient));
        }
        Self::sum(quotients)
    }

    #[inline(always)]
    fn half(self) -> Self {
        Self(self.0.map(|part| 0.5 * part))
    }

    #[inline(always)]
    fn to_float(self) -> f64 {
        let [a, b, c, d] = self.0;
        a + (b + (c + d))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn four_floats_hold_what_two_do_not() {
        for exponent in [-60, -90, -150] {
            let small = QuadDouble::of(2_f64.powi(exponent));
            let [above, below] = [QuadDouble::ONE.plus(small), QuadDouble::ONE.minus(small)];
            assert_eq!(above.minus(QuadDouble::ONE).to_float(), small.to_float());
            // (1 + s) (1 - s) = 1 - s²
            let square = QuadDouble::ONE.minus(above.times(below));
            assert_eq!(square.to_float(), 2_f64.powi(2 * exponent));
        }
    }

    #[test]
    fn a_quotient_times_its_divisor_is_the_number() {
        for number in 1..100 {
            let divisor = QuadDouble::of_pair(f64::from(number), 1e-17).times(QuadDouble::of(0.1));
            let quotient = QuadDouble::of(7.0).over(divisor);
            let rest = quotient.times(divisor).minus(QuadDouble::of(7.0)).to_float();
            assert!(rest.abs() <= 7.0 * QuadDouble::ROUNDING, "{number}: {rest:e}");
        }
    }
}
