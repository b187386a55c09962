//! Local polynomials on even spacing: the same weights in every window, from Gram's polynomials, and the loop that applies
//! them.
//!
//! ```text
//! polynomials   T[0] = 1,  T[1] = 2k,  T[j+1] = 2 (2j+1) k T[j] - j² (N² - j²) T[j-1]
//!               at the rows k = -h, ..., h of a window of N = 2h + 1: whole numbers, orthogonal (Gram 1883)
//! norms         G[j] = sum of T[j]² = j!² N (N² - 1²) ... (N² - j²) / (2j + 1)
//! weights       w[k] = n! * sum over j of T[j][n] * T[j](k) / G[j]        T[j][n]: the coefficient of k^n
//! derivative    sum over k of w[k] * (y[i+k] - y[i])
//! ```
//!
//! Weights are whole numbers over a common divisor where these fit, so that a line of whole numbers has exactly its slope.
//! Weights of k and -k are equal or opposite: their rows are added or subtracted first, which halves the products, and a
//! line has a second derivative of exactly zero.

use num_traits::{FromPrimitive, Num};

use crate::dispatch::{Kernel, dispatch};
use crate::kernel::differences::Rises;
use crate::kernel::sample::Scale;
use crate::kernel::stencil::inverse_power_of_two;
use crate::kernel::wide::Wide;

/// The weights of the derivative at the middle of a window.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Filter {
    /// Those of the rows 1, 2, ... after the middle, times the divisor.
    weights: Vec<f64>,
    divisor: f64,
    /// Whether the rows before the middle have opposite weights, not equal ones.
    is_odd: bool,
}

impl Filter {
    /// The derivative of some order of the polynomial through a window of `2 * half + 1` rows, more than its degree.
    pub(crate) fn new(half: usize, degree: usize, order: usize) -> Self {
        let gram = Gram { half, degree, order };
        let (weights, divisor) = gram.whole().unwrap_or_else(|| gram.rounded());
        Self {
            weights,
            divisor,
            is_odd: order % 2 == 1,
        }
    }

    /// Computes the derivatives at adjacent rows from `first` on, each in the middle of a window. For order 0 it is the
    /// value less that of the row itself. They are NaN if a y of the window is not finite.
    pub(crate) fn apply(&self, y: &impl Rises, first: usize, scale: Scale, results: &mut [f64]) {
        let filter = self;
        if self.is_odd {
            dispatch(Convolve::<_, true> {
                filter,
                y,
                first,
                results,
            });
        } else {
            dispatch(Convolve::<_, false> {
                filter,
                y,
                first,
                results,
            });
        }
        if scale != Scale::ONE {
            for result in results.iter_mut() {
                *result = *result * scale.numerator / scale.denominator;
            }
        }
        // Without branches, for vector registers.
        let all_finite = results.iter().fold(true, |all, result| all & result.is_finite());
        if !all_finite {
            for (result, row) in results
                .iter_mut()
                .zip(first..)
                .filter(|(result, _)| !result.is_finite())
            {
                *result = self.apply_scaled(y, row, scale);
            }
        }
    }

    /// [`apply`](Self::apply) for one row, where a sum may leave the range of a float although the result does not.
    #[cold]
    fn apply_scaled(&self, y: &impl Rises, row: usize, scale: Scale) -> f64 {
        // Rises beyond 2^700, which a sum overflows with, keep their digits.
        const SMALL: f64 = 4.909_093_465_297_727e-91; // 2^-300
        let half = self.weights.len();
        if (row - half..=row + half).any(|row| y.zero_unless_finite::<1>(row) != [0.0]) {
            return f64::NAN;
        }
        let mut sum = 0.0;
        for (k, weight) in (1..).zip(&self.weights) {
            let pair = if self.is_odd {
                y.scaled_rise(row + k, row - k, SMALL)
            } else {
                y.scaled_rise(row + k, row, SMALL) + y.scaled_rise(row - k, row, SMALL)
            };
            sum = pair.mul_add(*weight, sum);
        }
        let numerator = Wide::new(sum) * Wide::new(scale.numerator);
        let denominator = Wide::new(self.divisor) * Wide::new(SMALL) * Wide::new(scale.denominator);
        (numerator / denominator).to_float()
    }
}

/// Which derivative of which polynomial through how many rows.
struct Gram {
    half: usize,
    degree: usize,
    order: usize,
}

impl Gram {
    /// The degrees that have a part in the derivative: those of its parity, as the others are zero in the middle.
    fn degrees(&self) -> impl Iterator<Item = usize> + Clone + use<> {
        (self.order..=self.degree).step_by(2)
    }

    /// The norms by degree.
    fn norms<T: Num + FromPrimitive + Copy>(&self) -> Vec<T> {
        let number = |value: usize| T::from_usize(value).unwrap_or_else(T::zero);
        let rows = number(2 * self.half + 1);
        let mut product = rows;
        let norm = |degree: usize| {
            if degree > 0 {
                let square = number(degree * degree);
                product = product * square * (rows * rows - square);
            }
            product / number(2 * degree + 1)
        };
        (0..=self.degree).map(norm).collect()
    }

    /// The values of the polynomials at a row, by degree.
    fn values<T: Num + FromPrimitive + Copy>(&self, row: usize) -> Vec<T> {
        let row = T::from_usize(row).unwrap_or_else(T::zero);
        let mut values = vec![T::one()];
        for degree in 0..self.degree {
            let [factor, square]: [T; 2] = self.factors(degree);
            let before = if degree > 0 { values[degree - 1] } else { T::zero() };
            values.push(factor * row * values[degree] - square * before);
        }
        values
    }

    /// The coefficients of `k^order`, by degree.
    fn coefficients<T: Num + FromPrimitive + Copy>(&self) -> Vec<T> {
        // Those of all lower powers: multiplied by k, the coefficient of a power is that of the power below.
        let mut before = vec![T::zero(); self.order + 1];
        let mut own = before.clone();
        own[0] = T::one();
        let mut coefficients = vec![own[self.order]];
        for degree in 0..self.degree {
            let [factor, square]: [T; 2] = self.factors(degree);
            let next = |power: usize| {
                let shifted = if power > 0 { own[power - 1] } else { T::zero() };
                factor * shifted - square * before[power]
            };
            let next: Vec<T> = (0..=self.order).map(next).collect();
            before = std::mem::replace(&mut own, next);
            coefficients.push(own[self.order]);
        }
        coefficients
    }

    /// `2 (2j + 1)` and `j² (N² - j²)`.
    fn factors<T: Num + FromPrimitive + Copy>(&self, degree: usize) -> [T; 2] {
        let number = |value: usize| T::from_usize(value).unwrap_or_else(T::zero);
        let (rows, square) = (number(2 * self.half + 1), number(degree * degree));
        [number(2 * (2 * degree + 1)), square * (rows * rows - square)]
    }

    /// Whole weights and their divisor; `None` where 128 bits might not hold them.
    fn whole(&self) -> Option<(Vec<f64>, f64)> {
        // A common multiple of the norms is at most about a million times the largest.
        const MOST: f64 = 1e31;
        if self.norms::<f64>().into_iter().any(|norm| norm > MOST) {
            return None;
        }
        let norms: Vec<i128> = self.norms();
        let coefficients: Vec<i128> = self.coefficients();
        let multiple = self.degrees().fold(1, |multiple, degree| {
            multiple / gcd(multiple, norms[degree]) * norms[degree]
        });
        let factorial: i128 = (1..=self.order as i128).product();
        let weights: Vec<i128> = (1..=self.half)
            .map(|row| {
                let values: Vec<i128> = self.values(row);
                let terms = self
                    .degrees()
                    .map(|degree| multiple / norms[degree] * coefficients[degree] * values[degree]);
                factorial * terms.sum::<i128>()
            })
            .collect();
        let common = weights.iter().fold(multiple, |common, &weight| gcd(common, weight));
        let weights = weights.into_iter().map(|weight| (weight / common) as f64);
        Some((weights.collect(), (multiple / common) as f64))
    }

    /// The weights as floats.
    fn rounded(&self) -> (Vec<f64>, f64) {
        let norms: Vec<f64> = self.norms();
        let coefficients: Vec<f64> = self.coefficients();
        let factorial: f64 = (1..=self.order).map(|order| order as f64).product();
        let weights = (1..=self.half).map(|row| {
            let values: Vec<f64> = self.values(row);
            let terms = self
                .degrees()
                .map(|degree| coefficients[degree] / norms[degree] * values[degree]);
            factorial * terms.sum::<f64>()
        });
        let weights: Vec<f64> = weights.collect();
        // Of the size of whole weights, so that small rises keep their digits.
        let largest = weights
            .iter()
            .fold(f64::MIN_POSITIVE, |largest, weight| largest.max(weight.abs()));
        let divisor = inverse_power_of_two(largest);
        (weights.into_iter().map(|weight| weight * divisor).collect(), divisor)
    }
}

fn gcd(a: i128, b: i128) -> i128 {
    if b == 0 { a.abs() } else { gcd(b, a % b) }
}

/// The loop over the rows.
struct Convolve<'a, Y, const ODD: bool> {
    filter: &'a Filter,
    y: &'a Y,
    first: usize,
    results: &'a mut [f64],
}

/// Rows whose sums stay in vector registers.
const BLOCK: usize = 32;

impl<Y: Rises, const ODD: bool> Kernel for Convolve<'_, Y, ODD> {
    type Output = ();

    #[inline(always)]
    fn run(self) {
        let rows = self.results.len();
        if rows < BLOCK {
            for row in 0..rows {
                [self.results[row]] = self.block(self.first + row);
            }
            return;
        }
        for row in (0..rows).step_by(BLOCK) {
            // The last block overlaps the one before: the bits of a row do not depend on its block.
            let row = row.min(rows - BLOCK);
            let block: [f64; BLOCK] = self.block(self.first + row);
            self.results[row..row + BLOCK].copy_from_slice(&block);
        }
    }
}

impl<Y: Rises, const ODD: bool> Convolve<'_, Y, ODD> {
    #[inline(always)]
    fn block<const N: usize>(&self, row: usize) -> [f64; N] {
        let Filter { weights, divisor, .. } = self.filter;
        let y = self.y;
        let mut sums = [0.0; N];
        for (k, &weight) in (1..).zip(weights) {
            if ODD {
                let rises: [f64; N] = y.rises(row + k, row - k);
                for lane in 0..N {
                    sums[lane] = rises[lane].mul_add(weight, sums[lane]);
                }
            } else {
                let after: [f64; N] = y.rises(row + k, row);
                let before: [f64; N] = y.rises(row - k, row);
                for lane in 0..N {
                    sums[lane] = (after[lane] + before[lane]).mul_add(weight, sums[lane]);
                }
            }
        }
        // The row itself has no weight, but what is not finite there must show.
        let own: [f64; N] = y.zero_unless_finite(row);
        for lane in 0..N {
            sums[lane] = sums[lane] / divisor + own[lane];
        }
        sums
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kernel::differences::Column;

    fn filter(rows: usize, degree: usize, order: usize) -> (Vec<f64>, f64) {
        let filter = Filter::new(rows / 2, degree, order);
        (filter.weights, filter.divisor)
    }

    #[test]
    fn weights_are_those_of_the_tables() {
        // Savitzky and Golay 1964, as corrected by Steinier, Termonia and Deltour 1972.
        assert_eq!(filter(5, 2, 0), (vec![12.0, -3.0], 35.0));
        assert_eq!(filter(5, 2, 1), (vec![1.0, 2.0], 10.0));
        assert_eq!(filter(5, 2, 2), (vec![-1.0, 2.0], 7.0));
        assert_eq!(filter(5, 4, 1), (vec![8.0, -1.0], 12.0));
        assert_eq!(filter(7, 3, 1), (vec![58.0, 67.0, -22.0], 252.0));
        assert_eq!(filter(9, 4, 0), (vec![135.0, 30.0, -55.0, 15.0], 429.0));
    }

    #[test]
    fn rounded_weights_are_the_whole_ones() {
        for degree in 1..=6_usize {
            for order in 0..=degree {
                // Through as many rows as it has coefficients, order 0 is the row itself.
                for half in [degree / 2 + 1, 5, 10, 30] {
                    let gram = Gram { half, degree, order };
                    let (whole, divisor) = gram.whole().expect("128 bits hold them");
                    let (rounded, by) = gram.rounded();
                    let largest = whole
                        .iter()
                        .fold(0.0, |largest: f64, weight| largest.max((weight / divisor).abs()));
                    for (whole, rounded) in whole.iter().zip(rounded) {
                        assert!(
                            (whole / divisor - rounded / by).abs() <= 1e-14 * largest,
                            "{half} {degree} {order}"
                        );
                    }
                }
            }
        }
        assert!(
            Gram {
                half: 5_000,
                degree: 6,
                order: 2
            }
            .whole()
            .is_none()
        );
    }

    #[test]
    fn a_row_has_the_same_bits_in_any_block() {
        let values: Vec<f64> = (0..150).map(|row| f64::from(row * 7_919 % 1_001) / 7.0).collect();
        let y = Column::new(&values);
        for order in [0, 1, 2] {
            let filter = Filter::new(10, 3, order);
            let mut all = vec![0.0; 130];
            filter.apply(&y, 10, Scale::ONE, &mut all);
            for (first, rows) in [(10, 1), (11, 31), (40, 32), (17, 100)] {
                let mut some = vec![0.0; rows];
                filter.apply(&y, first, Scale::ONE, &mut some);
                assert_eq!(some, all[first - 10..first - 10 + rows], "{order} {first} {rows}");
            }
        }
    }

    #[test]
    fn a_constant_has_none_and_a_line_exactly_its_slope() {
        let line: Vec<i64> = (0..64).map(|row| (1 << 60) - 3 * row).collect();
        let constant = [0.1; 64];
        for degree in 1..=6 {
            for order in 0..=degree {
                let filter = Filter::new(10, degree, order);
                let mut slopes = vec![9.0; 44];
                filter.apply(&Column::new(&line), 10, Scale::ONE, &mut slopes);
                assert_eq!(
                    slopes,
                    vec![if order == 1 { -3.0 } else { 0.0 }; 44],
                    "{degree} {order}"
                );
                filter.apply(&Column::new(&constant), 10, Scale::ONE, &mut slopes);
                assert_eq!(slopes, vec![0.0; 44]);
            }
        }
    }
}
