//! The same derivative from the weights of the values of y, in double-doubles: where the parts of a fit cancel so far that
//! floats keep too few digits of the weight of a large value.
//!
//! ```text
//! weights       w[k] = n! * sum over j of q[j][n] * v[k] p[j][k] / g[j]       the names of the parent module
//! derivative    sum over k of w[k] * r[k]
//! ```
//!
//! A weight that is zero but for rounding is zero: the value at a root of the polynomial of the weights has no part in the
//! result, however large it is.

#![expect(clippy::needless_range_loop, reason = "a loop over lanes reads several arrays")]

use super::{MAX_DEGREE, Weights};
use crate::dispatch::{Kernel, dispatch};
use crate::kernel::double::{DoubleDouble, Real};

/// Windows that are fitted at once.
pub(super) const LANES: usize = 8;

/// One number for each window.
type Lanes = [f64; LANES];
type LongLanes = [DoubleDouble; LANES];

const ZERO: LongLanes = [DoubleDouble::ZERO; LANES];
const ONE: LongLanes = [DoubleDouble::ONE; LANES];

/// Up to this share of its parts a weight is rounding: 2^-88. Nothing but rounding is left of the parts of zero.
const WEIGHT_ROUNDING: f64 = 3.231_174_267_785_264e-27;

/// Up to this share of its terms a result is zero: 2^-60, far less than a float of their size holds. A line has no
/// curvature.
const RESULT_ROUNDING: f64 = 8.673_617_379_884_035e-19;

/// The rows of some windows.
pub(super) struct Rows {
    /// Steps of x from the row to those of its window.
    pub(super) steps: Vec<LongLanes>,
    /// Rises of y, rounded once.
    pub(super) rises: Vec<Lanes>,
    /// Zero where a window has no more rows.
    pub(super) weights: Vec<LongLanes>,
}

impl Rows {
    /// Rows of weight zero; all weights are 1 in a window that stays empty.
    pub(super) fn new(size: usize, windows: usize) -> Self {
        let mut weights = ZERO;
        weights[windows..].fill(DoubleDouble::ONE);
        Self {
            steps: vec![ZERO; size],
            rises: vec![[0.0; LANES]; size],
            weights: vec![weights; size],
        }
    }

    /// Sets the weights of the rows of a window, whose steps have been set. A step is multiplied by `x_scale`.
    pub(super) fn weigh(&mut self, lane: usize, rows: usize, kind: Weights, sigma: Option<&[f64]>, x_scale: f64) {
        let number = <DoubleDouble as Real>::of;
        let distance = |steps: &LongLanes| {
            let step = steps[lane];
            if step.high < 0.0 {
                DoubleDouble::ZERO.minus(step)
            } else {
                step
            }
        };
        let width = match kind {
            Weights::Uniform => None,
            Weights::TricubeOfRows => {
                let ends = [&self.steps[0], &self.steps[rows - 1]].map(distance);
                let furthest = if ends[0].high > ends[1].high { ends[0] } else { ends[1] };
                Some(Real::over(
                    furthest.scaled((rows + 1) as f64),
                    number((rows - 1) as f64),
                ))
            },
            Weights::TricubeOfLength(width) => Some(number(width * x_scale)),
        };
        let least = sigma.map_or(1.0, |sigma| sigma.iter().copied().fold(f64::INFINITY, f64::min));
        for row in 0..rows {
            let mut weight = DoubleDouble::ONE;
            if let Some(width) = width {
                let share = Real::over(distance(&self.steps[row]), width);
                let rest = weight.minus(share.times(share).times(share));
                weight = rest.times(rest).times(rest);
            }
            if let Some(sigma) = sigma {
                let share = Real::over(number(least), number(sigma[row]));
                weight = weight.times(share.times(share));
            }
            self.weights[row][lane] = weight.renormalized();
        }
    }
}

/// The derivatives at the rows of 8 windows.
pub(super) struct Fit {
    pub(super) rows: Rows,
    pub(super) degree: usize,
    pub(super) order: usize,
}

impl Fit {
    /// The derivatives.
    #[inline(never)]
    pub(super) fn values(self) -> Lanes {
        dispatch(self)
    }
}

/// A number that is a sum of terms which may cancel, and the sum of the absolute terms.
#[derive(Clone, Copy)]
struct Sized {
    value: LongLanes,
    size: Lanes,
}

impl Sized {
    const ZERO: Self = Self {
        value: ZERO,
        size: [0.0; LANES],
    };
    const ONE: Self = Self {
        value: ONE,
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
    fn times(mut self, factor: &LongLanes) -> Self {
        for lane in 0..LANES {
            self.value[lane] = self.value[lane].times(factor[lane]);
            self.size[lane] *= factor[lane].high.abs();
        }
        self
    }
}

impl Kernel for Fit {
    type Output = Lanes;

    #[inline(always)]
    fn run(self) -> Lanes {
        let Self { rows, degree, order } = self;
        let size = rows.steps.len();
        let mut own = vec![Sized::ONE; size];
        let mut before = vec![Sized::ZERO; size];
        let mut sums = vec![Sized::ZERO; size];
        // The coefficients at the row, up to the order.
        let mut coefficients = [Sized::ZERO; MAX_DEGREE + 1];
        let mut coefficients_before = coefficients;
        coefficients[0] = Sized::ONE;
        let mut norm_before = ONE;
        for j in 0..=degree {
            let (mut norm, mut alpha) = (ZERO, Sized::ZERO);
            for (own, (steps, weights)) in own.iter().zip(rows.steps.iter().zip(&rows.weights)) {
                for lane in 0..LANES {
                    let square = own.value[lane].times(own.value[lane]).times(weights[lane]);
                    norm[lane] = norm[lane].plus(square);
                    let moment = square.times(steps[lane]);
                    alpha.value[lane] = alpha.value[lane].plus(moment);
                    alpha.size[lane] += moment.high.abs();
                }
            }
            let (mut inverse, mut beta) = (ZERO, Sized::ZERO);
            for lane in 0..LANES {
                inverse[lane] = DoubleDouble::ONE.over(norm[lane]);
                if j > 0 {
                    beta.value[lane] = norm[lane].over(norm_before[lane]);
                    beta.size[lane] = beta.value[lane].high;
                }
            }
            let alpha = alpha.times(&inverse);
            let share = coefficients[order].times(&inverse);
            for (sum, (own, weights)) in sums.iter_mut().zip(own.iter().zip(&rows.weights)) {
                for lane in 0..LANES {
                    let part = share.value[lane].times(own.value[lane]).times(weights[lane]);
                    sum.value[lane] = sum.value[lane].plus(part);
                    sum.size[lane] += share.size[lane] * own.size[lane] * weights[lane].high;
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
                    shifted.size[lane] *= steps[lane].high.abs();
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
        let mut result = Sized::ZERO;
        for (sum, rises) in sums.iter().zip(&rows.rises) {
            for lane in 0..LANES {
                let term = sum.unless_rounding(lane, WEIGHT_ROUNDING).scaled(rises[lane]);
                result.value[lane] = result.value[lane].plus(term);
                result.size[lane] += term.high.abs();
            }
        }
        let factorial = (1..=order).product::<usize>() as f64;
        std::array::from_fn(|lane| {
            result
                .unless_rounding(lane, RESULT_ROUNDING)
                .scaled(factorial)
                .to_float()
        })
    }
}

impl Sized {
    /// The sum, or zero if it is not larger than this share of the absolute terms.
    #[inline(always)]
    fn unless_rounding(&self, lane: usize, rounding: f64) -> DoubleDouble {
        let value = self.value[lane];
        if value.to_float().abs() <= rounding * self.size[lane] {
            DoubleDouble::ZERO
        } else {
            value
        }
    }
}
