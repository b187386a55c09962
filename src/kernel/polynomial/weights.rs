//! The same derivative from the weights of the values of y, in longer numbers: where the parts of a fit cancel so far that
//! floats keep too few digits of the weight of a large value.
//!
//! ```text
//! weights       w[k] = n! * sum over j of q[j][n] * v[k] p[j][k] / g[j]       the names of the parent module
//! derivative    sum over k of w[k] * r[k]
//! ```
//!
//! A weight that is zero but for rounding is zero: the value at a root of the polynomial of the weights has no part in the
//! result, however large it is. Double-doubles do not say whether a weight of less than 1e-26 of its parts is zero, and hold
//! few digits of one below 1e-15. Such weights are common where x is in decimals, evenly spaced but for their rounding. Only
//! where all other rises are far smaller is the window fitted again in quad-doubles.

#![expect(clippy::needless_range_loop, reason = "a loop over lanes reads several arrays")]

use super::{MAX_DEGREE, Weights};
use crate::dispatch::{Kernel, dispatch};
use crate::kernel::double::Real;

/// Windows that are fitted at once in double-doubles.
pub(super) const LANES: usize = 8;

/// Up to this share of its terms a result is zero: 2^-60, far less than a float of their size holds. A line has no
/// curvature.
const RESULT_ROUNDING: f64 = 8.673_617_379_884_035e-19;

/// The rows of some windows.
pub(super) struct Rows<N, const LANES: usize> {
    /// Steps of x from the row to those of its window.
    pub(super) steps: Vec<[N; LANES]>,
    /// Rises of y, rounded once.
    pub(super) rises: Vec<[f64; LANES]>,
    /// Zero where a window has no more rows.
    pub(super) weights: Vec<[N; LANES]>,
    /// The size of what is added to the derivative of each window.
    pub(super) levels: [f64; LANES],
}

impl<N: Real, const LANES: usize> Rows<N, LANES> {
    /// Rows of weight zero; all weights are 1 in a window that stays empty.
    pub(super) fn new(size: usize, windows: usize) -> Self {
        let mut weights = [N::ZERO; LANES];
        weights[windows..].fill(N::ONE);
        Self {
            steps: vec![[N::ZERO; LANES]; size],
            rises: vec![[0.0; LANES]; size],
            weights: vec![weights; size],
            levels: [0.0; LANES],
        }
    }

    /// Sets the weights of the rows of a window, whose steps have been set. A step is multiplied by `x_scale`.
    pub(super) fn weigh(&mut self, lane: usize, rows: usize, kind: Weights, sigma: Option<&[f64]>, x_scale: f64) {
        let distance = |steps: &[N; LANES]| {
            let step = steps[lane];
            if step.to_float() < 0.0 {
                N::ZERO.minus(step)
            } else {
                step
            }
        };
        let width = match kind {
            Weights::Uniform => None,
            Weights::TricubeOfRows => {
                let ends = [&self.steps[0], &self.steps[rows - 1]].map(distance);
                let [first, last] = ends.map(N::to_float);
                let furthest = if first > last { ends[0] } else { ends[1] };
                Some(furthest.times(N::of((rows + 1) as f64)).over(N::of((rows - 1) as f64)))
            },
            Weights::TricubeOfLength(width) => Some(N::of(width * x_scale)),
        };
        let least = sigma.map_or(1.0, |sigma| sigma.iter().copied().fold(f64::INFINITY, f64::min));
        for row in 0..rows {
            let mut weight = N::ONE;
            if let Some(width) = width {
                let share = distance(&self.steps[row]).over(width);
                let rest = weight.minus(share.times(share).times(share));
                weight = rest.times(rest).times(rest);
            }
            if let Some(sigma) = sigma {
                let share = N::of(least).over(N::of(sigma[row]));
                weight = weight.times(share.times(share));
            }
            self.weights[row][lane] = weight.renormalized();
        }
    }
}

/// The derivatives at the rows of some windows.
pub(super) struct Fit<N, const LANES: usize> {
    pub(super) rows: Rows<N, LANES>,
    pub(super) degree: usize,
    pub(super) order: usize,
}

impl<N: Real, const LANES: usize> Fit<N, LANES> {
    /// The derivatives, and whether rounding may have changed them.
    #[inline(never)]
    pub(super) fn values(self) -> ([f64; LANES], [bool; LANES]) {
        dispatch(self)
    }
}

/// A number that is a sum of terms which may cancel, and the sum of the absolute terms.
#[derive(Clone, Copy)]
struct Sized<N, const LANES: usize> {
    value: [N; LANES],
    size: [f64; LANES],
}

impl<N: Real, const LANES: usize> Sized<N, LANES> {
    const ZERO: Self = Self {
        value: [N::ZERO; LANES],
        size: [0.0; LANES],
    };
    const ONE: Self = Self {
        value: [N::ONE; LANES],
        size: [1.0; LANES],
    };

    /// `self - alpha * own - beta * before`
    #[inline(always)]
    fn next(mut self, [alpha, own]: [&Self; 2], [beta, before]: [&Self; 2]) -> Self {
        for lane in 0..LANES {
            let product = alpha.value[lane].times(own.value[lane]);
            let product = product.plus(beta.value[lane].times(before.value[lane]));
            self.value[lane] = self.value[lane].minus(product).renormalized();
            self.size[lane] += alpha.size[lane] * own.size[lane] + beta.size[lane] * before.size[lane];
        }
        self
    }

    #[inline(always)]
    fn times(mut self, factor: &[N; LANES]) -> Self {
        for lane in 0..LANES {
            self.value[lane] = self.value[lane].times(factor[lane]);
            self.size[lane] *= factor[lane].to_float().abs();
        }
        self
    }
}

impl<N: Real, const LANES: usize> Kernel for Fit<N, LANES> {
    type Output = ([f64; LANES], [bool; LANES]);

    #[inline(always)]
    fn run(self) -> Self::Output {
        let Self { rows, degree, order } = self;
        let size = rows.steps.len();
        let mut own = vec![Sized::<N, LANES>::ONE; size];
        let mut before = vec![Sized::<N, LANES>::ZERO; size];
        let mut sums = vec![Sized::<N, LANES>::ZERO; size];
        // The coefficients at the row, up to the order.
        let mut coefficients = [Sized::<N, LANES>::ZERO; MAX_DEGREE + 1];
        let mut coefficients_before = coefficients;
        coefficients[0] = Sized::ONE;
        let mut norm_before = [N::ONE; LANES];
        for j in 0..=degree {
            let (mut norm, mut alpha) = ([N::ZERO; LANES], Sized::<N, LANES>::ZERO);
            for (own, (steps, weights)) in own.iter().zip(rows.steps.iter().zip(&rows.weights)) {
                for lane in 0..LANES {
                    let square = own.value[lane].times(own.value[lane]).times(weights[lane]);
                    norm[lane] = norm[lane].plus(square);
                    let moment = square.times(steps[lane]);
                    alpha.value[lane] = alpha.value[lane].plus(moment);
                    alpha.size[lane] += moment.to_float().abs();
                }
            }
            let (mut inverse, mut beta) = ([N::ZERO; LANES], Sized::<N, LANES>::ZERO);
            for lane in 0..LANES {
                inverse[lane] = N::ONE.over(norm[lane]);
                if j > 0 {
                    beta.value[lane] = norm[lane].over(norm_before[lane]);
                    beta.size[lane] = beta.value[lane].to_float();
                }
            }
            let alpha = alpha.times(&inverse);
            let share = coefficients[order].times(&inverse);
            for (sum, (own, weights)) in sums.iter_mut().zip(own.iter().zip(&rows.weights)) {
                for lane in 0..LANES {
                    let part = share.value[lane].times(own.value[lane]).times(weights[lane]);
                    sum.value[lane] = sum.value[lane].plus(part);
                    sum.size[lane] += share.size[lane] * own.size[lane] * weights[lane].to_float();
                }
            }
            if j == degree {
                break;
            }
            for (row, steps) in rows.steps.iter().enumerate() {
                let (this, lower) = (own[row], before[row]);
                // (u - alpha) p - beta p[-1]
                let mut shifted = this;
                for lane in 0..LANES {
                    shifted.value[lane] = this.value[lane].times(steps[lane]);
                    shifted.size[lane] *= steps[lane].to_float().abs();
                }
                own[row] = shifted.next([&alpha, &this], [&beta, &lower]);
                before[row] = this;
            }
            for n in (0..=order).rev() {
                let (this, lower) = (coefficients[n], coefficients_before[n]);
                let shifted = if n > 0 { coefficients[n - 1] } else { Sized::ZERO };
                coefficients[n] = shifted.next([&alpha, &this], [&beta, &lower]);
                coefficients_before[n] = this;
            }
            norm_before = norm;
        }
        let mut result = Sized::<N, LANES>::ZERO;
        // The most that rounding has changed.
        let mut errors = [0.0; LANES];
        for (sum, rises) in sums.iter().zip(&rows.rises) {
            for lane in 0..LANES {
                let weight = sum.value[lane].unless_rounding(sum.size[lane]);
                let term = weight.times(N::of(rises[lane]));
                result.value[lane] = result.value[lane].plus(term);
                result.size[lane] += term.to_float().abs();
                errors[lane] += N::ROUNDING * sum.size[lane] * rises[lane].abs();
            }
        }
        let factorial = (1..=order).product::<usize>() as f64;
        let values = std::array::from_fn(|lane| {
            let value = result.value[lane].times(N::of(factorial)).to_float();
            if value.abs() <= RESULT_ROUNDING * factorial * result.size[lane] {
                0.0
            } else {
                value
            }
        });
        let are_doubtful =
            std::array::from_fn(|lane| errors[lane] > f64::EPSILON * (result.size[lane] + rows.levels[lane]));
        (values, are_doubtful)
    }
}
