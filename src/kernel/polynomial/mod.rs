//! The polynomial of least squares through the rows of a window of any grid, and its derivative at a row.
//!
//! ```text
//! u[k], r[k]   steps of x and rises of y from the row to those of its window;  v[k]: their weights
//! basis        p[0] = 1,  p[j+1] = (u - a[j]) p[j] - b[j] p[j-1]             orthogonal (Forsythe 1957)
//!              g[j] = sum v p[j]²,  a[j] = sum v u p[j]² / g[j],  b[j] = g[j] / g[j-1]
//! fit          c[j] = sum v p[j] r / g[j];   r becomes r - c[j] p[j], what is left to fit
//! derivative   n! * sum over j of c[j] q[j][n]                              q[j]: the coefficients of p[j] at the row
//!              q[j+1][n] = q[j][n-1] - a[j] q[j][n] - b[j] q[j-1][n]
//! ```
//!
//! Nothing is solved, and no powers are summed: each basis polynomial is orthogonal to those before it, up to rounding, and
//! what rounding leaves of lower ones is not in `r` any more. Sums run over the rows of a window from its first row on, in
//! blocks, so that the bits of a row depend on its window alone.
//!
//! A result of floats has a bound on its error. Where that is not small beside the terms `w[k] r[k]` of the result, with `w`
//! the weights of the values of y, the window is fitted again in longer numbers ([`weights`]): a large value may have a
//! weight of almost nothing.
//!
//! 32 windows are fitted side by side, in the lanes of vector registers. A lane whose window is shorter has rows of
//! weight zero at its end.

#[cfg_attr(not(any(feature = "polars", feature = "arrow")), allow(dead_code))] // A live feed does not use it.
pub(crate) mod gram;
mod weights;

use std::ops::Range;

use super::differences::Rises;
use super::sample::Scale;
use super::stencil::inverse_power_of_two;
use super::wide::Wide;
use crate::dispatch::{Kernel, dispatch};
use crate::kernel::double::{DoubleDouble, Real};
use crate::kernel::quad_double::QuadDouble;

/// The highest degree of a polynomial.
pub(crate) const MAX_DEGREE: usize = 6;

/// Up to this degree the error of a result is bounded. Double-doubles would be needed too often beyond it.
const MAX_CERTAIN_DEGREE: usize = 3;

/// Windows that are fitted at once. The compiler turns a loop over fewer lanes into scalar code.
const LANES: usize = 32;

/// Lanes whose numbers stay in registers where there are many of each.
const PART: usize = 8;

/// Rows whose terms are summed before they are added to those before.
const BLOCK: usize = 32;

/// One number for each window.
type Lanes = [f64; LANES];

/// A row, and the rows that the polynomial at it is fitted to.
#[derive(Clone, Debug)]
pub(crate) struct Window {
    pub(crate) row: usize,
    pub(crate) rows: Range<usize>,
    /// The size of what is added to the derivative: the y of the row to a derivative of order 0.
    pub(crate) level: f64,
}

/// Which derivative of which polynomial.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Model {
    pub(crate) degree: usize,
    pub(crate) order: usize,
    pub(crate) weights: Weights,
    pub(crate) errors: Errors,
}

/// The weights of the rows of a window.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Weights {
    /// All the same.
    Uniform,
    /// `(1 - (distance / width)³)³` of the distance from the row. The width is a step, on the average, more than the
    /// furthest distance.
    TricubeOfRows,
    /// The same with this width.
    TricubeOfLength(f64),
}

/// What standard errors are computed from.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Errors {
    /// There are none.
    None,
    /// The residuals. A window needs more rows than the polynomial has coefficients.
    Residuals,
    /// The standard deviation of y.
    Sigma(f64),
    /// The standard deviation of each y.
    Deviations,
}

/// Columns whose windows are fitted.
pub(crate) struct Fitter<'a, Y, X> {
    pub(crate) y: &'a Y,
    pub(crate) x: &'a X,
    /// The standard deviation of each y, by which rows are weighed.
    pub(crate) sigma: Option<&'a [f64]>,
    pub(crate) model: Model,
    /// The scale of the derivatives, and that of their errors.
    pub(crate) scales: [Scale; 2],
    pub(crate) memory: Memory,
}

/// The memory of a fit, used again by the next one.
#[derive(Default)]
pub(crate) struct Memory {
    steps: Vec<Lanes>,
    rises: Vec<Lanes>,
    /// Empty if all are 1.
    weights: Vec<Lanes>,
    /// The squared deviations of the rows over that of the least one; empty without deviations.
    variances: Vec<Lanes>,
    /// The least deviation of each window.
    least: Lanes,
    /// The level of each window.
    levels: Lanes,
    /// 1 for each window whose steps may be rounded, else 0.
    roundings: Lanes,
    /// The basis polynomials at the rows, one after the other.
    basis: Vec<Lanes>,
}

/// The results of some windows.
struct Fits {
    values: Lanes,
    errors: Lanes,
    /// The largest step and rise.
    largest: [Lanes; 2],
    /// Whether the errors of the values may be too large.
    are_doubtful: [bool; LANES],
}

impl<Y: Rises, X: Rises> Fitter<'_, Y, X> {
    /// Computes the derivatives at the rows of some windows, and their errors if the model has any. They are NaN if a y of
    /// the window is not finite.
    pub(crate) fn fit(&mut self, windows: &[Window], values: &mut [f64], errors: &mut [f64]) {
        let mut doubtful = Vec::new();
        for (index, windows) in windows.chunks(LANES).enumerate() {
            let first = index * LANES;
            self.load(windows, [1.0; 2]);
            let fits = self.memory.fit(self.model, windows);
            for (lane, window) in windows.iter().enumerate() {
                if fits.are_doubtful[lane] && fits.is_usual(lane) {
                    doubtful.push(first + lane);
                }
                let [value, error] = if fits.is_usual(lane) {
                    [
                        self.scales[0].apply(fits.values[lane]),
                        self.scales[1].apply(fits.errors[lane]),
                    ]
                } else {
                    self.fit_scaled(window)
                };
                values[first + lane] = value;
                if let Some(own) = errors.get_mut(first + lane) {
                    *own = error;
                }
            }
        }
        for indices in doubtful.chunks(weights::LANES) {
            let again: Vec<_> = indices.iter().map(|&index| &windows[index]).collect();
            for (&index, value) in indices.iter().zip(self.fit_again(&again, [1.0; 2])) {
                values[index] = self.scales[0].apply(value);
            }
        }
    }

    /// Fits at most 8 windows in double-doubles, with their steps and rises times powers of two, and those in quad-doubles
    /// that these do not hold. Returns the values.
    #[cold]
    fn fit_again(&self, windows: &[&Window], scales: [f64; 2]) -> [f64; weights::LANES] {
        let (mut values, are_doubtful) = self.fit_long::<DoubleDouble, _>(windows, scales);
        for (lane, window) in windows.iter().enumerate() {
            if are_doubtful[lane] {
                ([values[lane]], _) = self.fit_long::<QuadDouble, _>(&[window], scales);
            }
        }
        values
    }

    /// Fits windows in longer numbers. Returns the values, and whether rounding may have changed them.
    fn fit_long<N: Real, const LANES: usize>(
        &self,
        windows: &[&Window],
        scales: [f64; 2],
    ) -> ([f64; LANES], [bool; LANES]) {
        let size = windows.iter().map(|window| window.rows.len()).max().unwrap_or(0);
        let mut rows = weights::Rows::new(size, windows.len());
        for (lane, window) in windows.iter().enumerate() {
            let Window {
                row,
                rows: others,
                level,
            } = window;
            for (index, other) in others.clone().enumerate() {
                let (step, rest) = self.x.split_rise(other, *row, scales[0]);
                rows.steps[index][lane] = N::of_pair(step, rest);
                rows.rises[index][lane] = self.y.scaled_rise(other, *row, scales[1]);
            }
            rows.levels[lane] = *level;
            let sigma = self.sigma.map(|sigma| &sigma[others.clone()]);
            rows.weigh(lane, others.len(), self.model.weights, sigma, scales[0]);
        }
        let Model { degree, order, .. } = self.model;
        weights::Fit { rows, degree, order }.values()
    }

    /// Fits a window whose steps or rises are so large or small that products may leave the range of a float: steps and
    /// rises are multiplied by powers of two.
    #[cold]
    fn fit_scaled(&mut self, window: &Window) -> [f64; 2] {
        let Window { row, rows, level } = window;
        if rows.clone().any(|row| self.y.zero_unless_finite::<1>(row) != [0.0]) {
            return [f64::NAN; 2];
        }
        let scale = |largest: f64| {
            if largest == 0.0 {
                1.0
            } else {
                0.25 * inverse_power_of_two(largest)
            }
        };
        let largest = |scaled: &dyn Fn(usize) -> f64| rows.clone().map(scaled).fold(0.0, |a: f64, b| a.max(b.abs()));
        let scales = [
            scale(largest(&|other| self.x.scaled_rise(other, *row, 0.25))),
            scale(largest(&|other| self.y.scaled_rise(other, *row, 0.25))),
        ];
        let window = Window {
            level: level * scales[1],
            ..window.clone()
        };
        let windows = std::slice::from_ref(&window);
        self.load(windows, scales);
        let mut fits = self.memory.fit(self.model, windows);
        if fits.are_doubtful[0] {
            [fits.values[0], ..] = self.fit_again(&[&window], scales);
        }
        let [x, y] = scales.map(Wide::new);
        let unscaled = |value: f64, y: Wide, scale: Scale| {
            let value = (0..self.model.order).fold(Wide::new(value), |value, _| value * x) / y;
            (value * Wide::new(scale.numerator) / Wide::new(scale.denominator)).to_float()
        };
        let of_error = match self.model.errors {
            Errors::Sigma(_) | Errors::Deviations => Wide::new(1.0),
            _ => y,
        };
        [
            unscaled(fits.values[0], y, self.scales[0]),
            unscaled(fits.errors[0], of_error, self.scales[1]),
        ]
    }

    /// Reads the steps and rises of at most 32 windows, times powers of two.
    fn load(&mut self, windows: &[Window], [x_scale, y_scale]: [f64; 2]) {
        let size = windows.iter().map(|window| window.rows.len()).max().unwrap_or(0);
        read(self.x, windows, size, x_scale, &mut self.memory.steps);
        read(self.y, windows, size, y_scale, &mut self.memory.rises);
        self.memory
            .weigh(self.model.weights, self.sigma, windows, size, x_scale);
        for (lane, window) in windows.iter().enumerate() {
            self.memory.levels[lane] = window.level;
            self.memory.roundings[lane] = f64::from(u8::from(!self.x.are_exact(window.rows.clone())));
        }
    }
}

// Compiled once, not once per pair of types.
impl Memory {
    /// Sets the weights, unless all are 1.
    #[inline(never)]
    fn weigh(&mut self, kind: Weights, sigma: Option<&[f64]>, windows: &[Window], size: usize, x_scale: f64) {
        let Self { steps, weights, .. } = self;
        weights.clear();
        let are_full = windows.len() == LANES && windows.iter().all(|window| window.rows.len() == size);
        if are_full && matches!(kind, Weights::Uniform) && sigma.is_none() {
            return;
        }
        weights.resize(size, [0.0; LANES]);
        for (lane, window) in windows.iter().enumerate() {
            let count = window.rows.len();
            // The distance from the border is a sum of positive terms, or nearly exact: a weight near zero keeps its digits.
            let (width, from_border): (f64, &dyn Fn(f64) -> f64) = match kind {
                Weights::Uniform => {
                    for weights in &mut weights[..count] {
                        weights[lane] = 1.0;
                    }
                    continue;
                },
                Weights::TricubeOfRows => {
                    let furthest = steps[0][lane].abs().max(steps[count - 1][lane].abs());
                    let others = (count - 1) as f64;
                    let width = furthest * ((count + 1) as f64 / others);
                    (width, &move |distance| {
                        (2.0 * furthest + others * (furthest - distance)) / others
                    })
                },
                Weights::TricubeOfLength(width) => {
                    let width = width * x_scale;
                    (width, &move |distance| width - distance)
                },
            };
            for (weights, steps) in weights[..count].iter_mut().zip(&*steps) {
                let distance = steps[lane].abs();
                let share = distance / width;
                // 1 - share³
                let rest = from_border(distance) / width * (1.0 + share + share * share);
                weights[lane] = rest * rest * rest;
            }
        }
        if let Some(sigma) = sigma {
            self.weigh_by(sigma, windows, size);
        }
        // Lanes without a window: any weights that are not zero.
        for weights in &mut self.weights {
            weights[windows.len()..].fill(1.0);
        }
    }

    /// Divides the weights by the squares of deviations, in units of the least one of each window.
    fn weigh_by(&mut self, sigma: &[f64], windows: &[Window], size: usize) {
        let Memory {
            weights,
            variances,
            least,
            ..
        } = self;
        variances.clear();
        variances.resize(size, [1.0; LANES]);
        for (lane, window) in windows.iter().enumerate() {
            let sigma = &sigma[window.rows.clone()];
            least[lane] = sigma.iter().copied().fold(f64::INFINITY, f64::min);
            for ((weights, variances), sigma) in weights.iter_mut().zip(&mut *variances).zip(sigma) {
                let share = least[lane] / sigma;
                weights[lane] *= share * share;
                variances[lane] = 1.0 / (share * share);
            }
        }
    }

    /// Fits the windows whose rows have been read.
    #[inline(never)]
    fn fit(&mut self, model: Model, windows: &[Window]) -> Fits {
        let mut counts = [1.0; LANES];
        for (count, window) in counts.iter_mut().zip(windows) {
            *count = window.rows.len() as f64;
        }
        let memory = self;
        if memory.weights.is_empty() {
            dispatch(Forsythe::<false> { memory, model, counts })
        } else {
            dispatch(Forsythe::<true> { memory, model, counts })
        }
    }
}

/// Reads rises from the row of each window to all its rows, times a power of two.
fn read<R: Rises>(column: &R, windows: &[Window], size: usize, scale: f64, rises: &mut Vec<Lanes>) {
    rises.clear();
    let first = &windows[0];
    let follow_each_other = || {
        (0..).zip(windows).all(|(lane, window)| {
            window.row == first.row + lane && window.rows == (first.rows.start + lane..first.rows.end + lane)
        })
    };
    if scale == 1.0 && windows.len() == LANES && follow_each_other() {
        rises.extend(first.rows.clone().map(|row| column.rises(row, first.row)));
        return;
    }
    rises.resize(size, [0.0; LANES]);
    for (lane, Window { row, rows, .. }) in windows.iter().enumerate() {
        for (rises, other) in rises.iter_mut().zip(rows.clone()) {
            rises[lane] = if scale == 1.0 {
                column.rise(other, *row)
            } else {
                column.scaled_rise(other, *row, scale)
            };
        }
    }
}

impl Fits {
    /// Whether no product has left the range of a float.
    fn is_usual(&self, lane: usize) -> bool {
        // To the power of twice the degree.
        const STEPS: [f64; 2] = [8.271_806_125_530_277e-25, 1.208_925_819_614_629_2e24]; // 2^-80, 2^80
        const RISES: [f64; 2] = [2.409_919_865_102_884e-181, 4.149_515_568_880_993e180]; // 2^-600, 2^600
        let [step, rise] = self.largest.map(|largest| largest[lane]);
        let is_in = |value: f64, [least, most]: [f64; 2]| value >= least && value <= most;
        is_in(step, STEPS) && (rise == 0.0 || is_in(rise, RISES))
    }
}

/// The fits of 32 windows.
struct Forsythe<'a, const WEIGHTED: bool> {
    memory: &'a mut Memory,
    model: Model,
    /// The number of rows of each window.
    counts: Lanes,
}

/// Sums over the rows of a window.
#[derive(Clone, Copy)]
struct Sums {
    /// Of `v p²`.
    norm: Lanes,
    /// Of `v u p²`.
    moment: Lanes,
    /// Of `v p r`.
    product: Lanes,
}

impl Sums {
    const ZERO: Self = Self {
        norm: [0.0; LANES],
        moment: [0.0; LANES],
        product: [0.0; LANES],
    };

    #[inline(always)]
    fn add(&mut self, other: &Self) {
        for lane in 0..LANES {
            self.norm[lane] += other.norm[lane];
            self.moment[lane] += other.moment[lane];
            self.product[lane] += other.product[lane];
        }
    }
}

/// The recurrence up to a degree.
#[derive(Clone, Copy)]
struct Recurrence {
    alpha: Lanes,
    beta: Lanes,
    /// The part of the polynomial of this degree in the fit.
    coefficient: Lanes,
}

impl Recurrence {
    const ZERO: Self = Self {
        alpha: [0.0; LANES],
        beta: [0.0; LANES],
        coefficient: [0.0; LANES],
    };
}

impl<const WEIGHTED: bool> Kernel for Forsythe<'_, WEIGHTED> {
    type Output = Fits;

    #[inline(always)]
    fn run(mut self) -> Fits {
        let Model { degree, order, .. } = self.model;
        let size = self.memory.steps.len();
        self.memory.basis.resize((degree + 1) * size, [0.0; LANES]);
        self.memory.basis[..size].fill([1.0; LANES]);
        let largest = self.largest();
        let mut sums = self.first();
        // The coefficients of the basis polynomial at the row, up to the order, and of the one before.
        let mut own = [[0.0; LANES]; MAX_DEGREE + 1];
        let mut before = own;
        own[0] = [1.0; LANES];
        // The same with every minus a plus.
        let (mut own_size, mut size_before) = (own, before);
        let mut values = [0.0; LANES];
        let mut shares = Shares {
            of_value: [[0.0; LANES]; MAX_DEGREE + 1],
            size: [[0.0; LANES]; MAX_DEGREE + 1],
            of_norm: [[0.0; LANES]; MAX_DEGREE + 1],
            noise: [0.0; LANES],
        };
        let mut norm_before = [1.0; LANES];
        let mut recurrences = [Recurrence::ZERO; MAX_DEGREE + 1];
        for j in 0..=degree {
            let mut next = Recurrence::ZERO;
            for lane in 0..LANES {
                let norm = sums.norm[lane];
                next.alpha[lane] = sums.moment[lane] / norm;
                next.beta[lane] = if j == 0 { 0.0 } else { norm / norm_before[lane] };
                next.coefficient[lane] = sums.product[lane] / norm;
                values[lane] = next.coefficient[lane].mul_add(own[order][lane], values[lane]);
                shares.of_value[j][lane] = own[order][lane] / norm;
                shares.size[j][lane] = own_size[order][lane];
                shares.of_norm[j][lane] = 1.0 / norm;
                shares.noise[lane] = shares.of_value[j][lane].mul_add(own[order][lane], shares.noise[lane]);
            }
            recurrences[j] = next;
            if j == degree {
                let are_doubtful = self.are_doubtful(&recurrences, &shares);
                let errors = self.errors(&next, &shares);
                let factorial = (1..=order).product::<usize>() as f64;
                return Fits {
                    values: values.map(|value| value * factorial),
                    errors: errors.map(|error| error * factorial),
                    largest,
                    are_doubtful,
                };
            }
            for n in (0..=order).rev() {
                let mut following = [0.0; LANES];
                for lane in 0..LANES {
                    let shifted = if n > 0 { own[n - 1][lane] } else { 0.0 };
                    let product = next.beta[lane].mul_add(before[n][lane], next.alpha[lane] * own[n][lane]);
                    following[lane] = shifted - product;
                }
                before[n] = own[n];
                own[n] = following;
                for lane in 0..LANES {
                    let shifted = if n > 0 { own_size[n - 1][lane] } else { 0.0 };
                    // The mean of the steps is rounded in proportion to their size, even where it is zero.
                    let alpha = 0.25_f64.mul_add(largest[0][lane], next.alpha[lane].abs());
                    let product = alpha.mul_add(own_size[n][lane], shifted);
                    following[lane] = next.beta[lane].mul_add(size_before[n][lane], product);
                }
                size_before[n] = own_size[n];
                own_size[n] = following;
            }
            norm_before = sums.norm;
            sums = self.next(j + 1, &next);
        }
        unreachable!("the loop ends at the degree")
    }
}

impl<const WEIGHTED: bool> Forsythe<'_, WEIGHTED> {
    #[inline(always)]
    fn largest(&self) -> [Lanes; 2] {
        [&self.memory.steps, &self.memory.rises].map(|column| {
            let mut largest = [0.0; LANES];
            for values in column {
                for lane in 0..LANES {
                    largest[lane] = f64::max(largest[lane], values[lane].abs());
                }
            }
            largest
        })
    }

    /// The sums of degree 0.
    #[inline(always)]
    fn first(&self) -> Sums {
        let Memory {
            steps, rises, weights, ..
        } = &*self.memory;
        let size = steps.len();
        let mut sums = Sums::ZERO;
        for start in (0..size).step_by(BLOCK) {
            let mut part = Sums::ZERO;
            for k in start..size.min(start + BLOCK) {
                let (step, rise) = (steps[k], rises[k]);
                let weight = if WEIGHTED { weights[k] } else { [1.0; LANES] };
                for lane in 0..LANES {
                    part.norm[lane] += weight[lane];
                    part.moment[lane] = weight[lane].mul_add(step[lane], part.moment[lane]);
                    part.product[lane] = weight[lane].mul_add(rise[lane], part.product[lane]);
                }
            }
            sums.add(&part);
        }
        sums
    }

    /// Computes the basis polynomial of the next degree and what the fit up to the last one leaves. Returns its sums.
    #[inline(always)]
    fn next(&mut self, degree: usize, last: &Recurrence) -> Sums {
        let Memory {
            steps,
            rises,
            weights,
            basis,
            ..
        } = &mut *self.memory;
        let size = steps.len();
        let (earlier, these) = basis.split_at_mut(degree * size);
        let these = &mut these[..size];
        let lower = &earlier[(degree - 1) * size..];
        // Of no weight where there is none.
        let lowest = &earlier[degree.saturating_sub(2) * size..][..size];
        let (steps, rises) = (&steps[..size], &mut rises[..size]);
        let mut sums = Sums::ZERO;
        for start in (0..size).step_by(BLOCK) {
            let mut part = Sums::ZERO;
            for k in start..size.min(start + BLOCK) {
                // Copies, so that the compiler knows that no two of them are the same memory.
                let (step, lower, lowest) = (steps[k], lower[k], lowest[k]);
                let weight = if WEIGHTED { weights[k] } else { [1.0; LANES] };
                let (mut rise, mut own) = (rises[k], [0.0; LANES]);
                for lane in 0..LANES {
                    rise[lane] = (-last.coefficient[lane]).mul_add(lower[lane], rise[lane]);
                    let product = last.beta[lane] * lowest[lane];
                    own[lane] = (step[lane] - last.alpha[lane]).mul_add(lower[lane], -product);
                    let weighted = if WEIGHTED { weight[lane] * own[lane] } else { own[lane] };
                    part.norm[lane] = weighted.mul_add(own[lane], part.norm[lane]);
                    part.moment[lane] = (weighted * own[lane]).mul_add(step[lane], part.moment[lane]);
                    part.product[lane] = weighted.mul_add(rise[lane], part.product[lane]);
                }
                rises[k] = rise;
                these[k] = own;
            }
            sums.add(&part);
        }
        sums
    }

    /// Whether the rounding errors of the values may be more than 16 epsilons of the sum of their absolute terms.
    ///
    /// ```text
    /// error   2.5 * sum over k, j of |s p| R                s[j]: the share of p[j] in the derivative, q[j][n] / g[j]
    ///         + 2 * root of the sum over k of (sum over j of |s| P R)²
    ///         + 3 * sum over j of |c| Q
    /// R       |r| + |fit of the polynomials before p[j]|    what is multiplied by p[j], before the subtraction
    /// P, Q    p and q[n] with every minus a plus            where they cancel, they have lost digits
    /// ```
    ///
    /// The errors of p at the rows of a window are independent, so that their squares add up. A rounded step may leave no digit
    /// of the weight of a row near the border of a tricube.
    #[inline(always)]
    fn are_doubtful(&self, recurrences: &[Recurrence; MAX_DEGREE + 1], shares: &Shares) -> [bool; LANES] {
        let degree = self.model.degree;
        let Memory {
            steps,
            rises,
            weights,
            variances,
            levels,
            roundings,
            basis,
            ..
        } = &*self.memory;
        let size = steps.len();
        let tricube = !matches!(self.model.weights, Weights::Uniform);
        // Weights are rounded too.
        let limit = if tricube || !variances.is_empty() { 12.0 } else { 16.0 };
        let mut are_doubtful = [false; LANES];
        if degree > MAX_CERTAIN_DEGREE {
            return are_doubtful;
        }
        for first in (0..LANES).step_by(PART) {
            let mut terms = *part(levels, first);
            let roundings = part(roundings, first);
            let [mut errors, mut squares]: [[f64; PART]; 2] = [[0.0; PART]; 2];
            for k in 0..size {
                let (step, mut rise) = (part(&steps[k], first), *part(&rises[k], first));
                // The rise before all fits.
                for j in 0..degree {
                    let own = part(&basis[j * size + k], first);
                    let coefficient = part(&recurrences[j].coefficient, first);
                    for lane in 0..PART {
                        rise[lane] = coefficient[lane].mul_add(own[lane], rise[lane]);
                    }
                }
                // Degree 0, where p is 1.
                let Recurrence { alpha, coefficient, .. } = &recurrences[0];
                let [alpha, coefficient] = [alpha, coefficient].map(|lanes| part(lanes, first));
                let (mut weight, mut fit) = (*part(&shares.of_value[0], first), *coefficient);
                let [mut of_sums, mut of_basis, mut bound]: [[f64; PART]; 3] = [[0.0; PART]; 3];
                let mut bound_before = [1.0; PART];
                for lane in 0..PART {
                    of_sums[lane] = (weight[lane] * rise[lane]).abs();
                    bound[lane] = roundings[lane].mul_add(step[lane].abs(), (step[lane] - alpha[lane]).abs());
                }
                for j in 1..=degree {
                    let own = part(&basis[j * size + k], first);
                    let alpha = part(&recurrences[j].alpha, first);
                    let beta = part(&recurrences[j].beta, first);
                    let coefficient = part(&recurrences[j].coefficient, first);
                    let share = part(&shares.of_value[j], first);
                    for lane in 0..PART {
                        weight[lane] = share[lane].mul_add(own[lane], weight[lane]);
                        let size = share[lane].abs() * (rise[lane].abs() + fit[lane].abs());
                        of_sums[lane] = size.mul_add(own[lane].abs(), of_sums[lane]);
                        of_basis[lane] = size.mul_add(bound[lane], of_basis[lane]);
                        fit[lane] = coefficient[lane].mul_add(own[lane], fit[lane]);
                        let width = (step[lane] - alpha[lane]).abs();
                        let next = width.mul_add(bound[lane], beta[lane] * bound_before[lane]);
                        bound_before[lane] = bound[lane];
                        bound[lane] = next;
                    }
                }
                for lane in 0..PART {
                    let own = if WEIGHTED { weights[k][first + lane] } else { 1.0 };
                    terms[lane] = own.mul_add((weight[lane] * rise[lane]).abs(), terms[lane]);
                    errors[lane] = own.mul_add(of_sums[lane], errors[lane]);
                    let of_basis = own * of_basis[lane];
                    squares[lane] = of_basis.mul_add(of_basis, squares[lane]);
                }
            }
            for lane in 0..PART {
                let sums = (0..=degree).fold(0.0, |sum, j| {
                    recurrences[j].coefficient[first + lane]
                        .abs()
                        .mul_add(shares.size[j][first + lane], sum)
                });
                let error = 2.5 * errors[lane] + 2.0 * squares[lane].sqrt() + 3.0 * sums;
                are_doubtful[first + lane] = error > limit * terms[lane] || (tricube && roundings[lane] > 0.0);
            }
        }
        are_doubtful
    }

    /// Standard errors over n!.
    #[inline(always)]
    fn errors(&mut self, last: &Recurrence, shares: &Shares) -> Lanes {
        let Model {
            degree,
            weights: kind,
            errors,
            ..
        } = self.model;
        if matches!(errors, Errors::None) {
            return [0.0; LANES];
        }
        let is_uniform = matches!(kind, Weights::Uniform);
        let Memory {
            rises,
            weights,
            variances,
            least,
            basis,
            ..
        } = &*self.memory;
        let size = rises.len();
        // Of the residuals, and what it is expected to be over the variance of y.
        let (mut squares, mut freedom) = ([0.0; LANES], self.counts.map(|rows| rows - (degree + 1) as f64));
        // The sum of the squared weights of the values of y.
        let mut noise = shares.noise;
        if !is_uniform {
            (freedom, noise) = ([0.0; LANES], [0.0; LANES]);
        }
        for k in 0..size {
            for lane in 0..LANES {
                let weight = if WEIGHTED { weights[k][lane] } else { 1.0 };
                let rest = (-last.coefficient[lane]).mul_add(basis[degree * size + k][lane], rises[k][lane]);
                squares[lane] = (weight * rest).mul_add(rest, squares[lane]);
                if !is_uniform {
                    let (mut of_value, mut leverage) = (0.0, 0.0);
                    for j in 0..=degree {
                        let own = basis[j * size + k][lane];
                        of_value += shares.of_value[j][lane] * own;
                        leverage += own * own * shares.of_norm[j][lane];
                    }
                    let variance = variances.get(k).map_or(1.0, |variances| variances[lane]);
                    noise[lane] += (weight * of_value) * (weight * of_value) * variance;
                    freedom[lane] += weight - weight * weight * leverage;
                }
            }
        }
        std::array::from_fn(|lane| match errors {
            Errors::Sigma(sigma) => sigma * noise[lane].sqrt(),
            Errors::Deviations => least[lane] * noise[lane].sqrt(),
            _ => (squares[lane] / freedom[lane] * noise[lane]).sqrt(),
        })
    }
}

/// Some lanes.
#[inline(always)]
fn part(lanes: &Lanes, first: usize) -> &[f64; PART] {
    lanes[first..].first_chunk().expect("the lanes divide into parts")
}

/// What each basis polynomial adds to the derivative, by degree.
struct Shares {
    /// Its own derivative at the row over its norm.
    of_value: [Lanes; MAX_DEGREE + 1],
    /// Its own derivative at the row, as a sum of absolute terms.
    size: [Lanes; MAX_DEGREE + 1],
    /// 1 over its norm.
    of_norm: [Lanes; MAX_DEGREE + 1],
    /// The sum of squares of the derivatives over the norms: the variance of the derivative over that of y.
    noise: Lanes,
}

#[cfg(test)]
mod tests {
    use super::super::differences::{Column, Even};
    use super::*;

    fn model(degree: usize, order: usize) -> Model {
        Model {
            degree,
            order,
            weights: Weights::Uniform,
            errors: Errors::None,
        }
    }

    fn fit(y: &impl Rises, x: &impl Rises, model: Model, windows: &[Window]) -> [Vec<f64>; 2] {
        let mut results = [vec![0.0; windows.len()], vec![0.0; windows.len()]];
        let [values, errors] = &mut results;
        let (scales, memory) = ([Scale::ONE; 2], Memory::default());
        let mut fitter = Fitter {
            y,
            x,
            sigma: None,
            model,
            scales,
            memory,
        };
        fitter.fit(windows, values, errors);
        results
    }

    fn windows(rows: usize, size: usize) -> Vec<Window> {
        let window = |row: usize| {
            let start = row.saturating_sub(size / 2).min(rows - size);
            Window {
                row,
                rows: start..start + size,
                level: 0.0,
            }
        };
        (0..rows).map(window).collect()
    }

    /// Steps within a factor of ten.
    fn grid(rows: usize) -> Vec<f64> {
        let step = |row: usize| 0.1 + (row * 7_919 % 97) as f64 / 100.0;
        (0..rows)
            .scan(1e3, |x, row| {
                *x += step(row);
                Some(*x)
            })
            .collect()
    }

    #[test]
    fn a_polynomial_of_the_degree_is_found() {
        let x = grid(40);
        let power = |x: f64, exponent: usize| ((x - 1_010.0) / 5.0).powi(exponent as i32);
        for degree in 1..=MAX_DEGREE {
            let y: Vec<f64> = x.iter().map(|&x| power(x, degree)).collect();
            for order in 0..=degree {
                let windows = windows(40, 11);
                let [values, _] = fit(&Column::new(&y), &Column::new(&x), model(degree, order), &windows);
                let factor: f64 = (0..order).map(|n| (degree - n) as f64 / 5.0).product();
                for (row, value) in values.into_iter().enumerate() {
                    let own = if order == 0 { y[row] } else { 0.0 };
                    let exact = factor * power(x[row], degree - order) - own;
                    assert!((value - exact).abs() < 1e-7, "{degree} {order} {row}: {value} {exact}");
                }
            }
        }
    }

    #[test]
    fn a_line_has_exactly_its_slope_on_whole_numbers_and_a_constant_none() {
        let line: Vec<i64> = (0..40).map(|row| (1 << 60) - 3 * row).collect();
        for order in 0..=3 {
            let expected = if order == 1 { -3.0 } else { 0.0 };
            let [values, _] = fit(&Column::new(&line), &Even, model(3, order), &windows(40, 11));
            assert_eq!(values, vec![expected; 40], "{order}");
            let [values, _] = fit(
                &Column::new(&[0.1; 40]),
                &Column::new(&grid(40)),
                model(3, order),
                &windows(40, 11),
            );
            assert_eq!(values, vec![0.0; 40]);
        }
    }

    #[test]
    fn a_window_has_the_same_bits_alone_and_beside_others() {
        let x = grid(90);
        let mut y: Vec<f64> = (0..90).map(|row| f64::from(row * 7_919 % 1_001) / 7.0).collect();
        // Windows around it are fitted again.
        y[43] = 1e9;
        let mut windows = windows(90, 41);
        for (index, window) in windows.iter_mut().enumerate() {
            window.rows.end -= index % 3 * 5;
            window.row = window.row.clamp(window.rows.start, window.rows.end - 1);
        }
        let (x, y) = (Column::new(&x), Column::new(&y));
        for weights in [Weights::Uniform, Weights::TricubeOfRows, Weights::TricubeOfLength(80.0)] {
            for errors in [Errors::Residuals, Errors::Sigma(2.0)] {
                let model = Model {
                    weights,
                    errors,
                    ..model(3, 1)
                };
                let [values, errors] = fit(&y, &x, model, &windows);
                for index in 0..90 {
                    let alone = fit(&y, &x, model, &windows[index..=index]);
                    assert_eq!(alone, [vec![values[index]], vec![errors[index]]], "{index}");
                }
            }
        }
    }

    #[test]
    fn a_value_of_no_weight_has_no_part_in_the_result() {
        // The slope of the line through an odd number of rows does not depend on the middle one.
        let mut y = [0.0; 21];
        y[10] = 1e9;
        for row in [0, 3, 10, 20] {
            let windows = [Window {
                row,
                rows: 0..21,
                level: 0.0,
            }];
            let [values, _] = fit(&Column::new(&y), &Even, model(1, 1), &windows);
            assert_eq!(values, [0.0], "{row}");
        }
    }

    #[test]
    fn steps_and_rises_of_any_size_are_scaled() {
        let (x, y) = (
            grid(30),
            (0..30).map(|row| f64::from(row * row % 17)).collect::<Vec<_>>(),
        );
        let expected = fit(&Column::new(&y), &Column::new(&x), model(3, 2), &windows(30, 9));
        for (x_scale, y_scale) in [
            (2_f64.powi(-300), 2_f64.powi(-700)),
            (2_f64.powi(200), 2_f64.powi(1_019)),
        ] {
            let scaled = |values: &[f64], scale: f64| values.iter().map(|value| value * scale).collect::<Vec<_>>();
            let [values, _] = fit(
                &Column::new(&scaled(&y, y_scale)),
                &Column::new(&scaled(&x, x_scale)),
                model(3, 2),
                &windows(30, 9),
            );
            assert_eq!(scaled(&expected[0], y_scale / x_scale / x_scale), values);
        }
    }

    #[test]
    fn errors_of_a_line_are_those_of_the_regression() {
        let (x, y) = ([0.0, 1.0, 2.0, 3.0], [0.0, 1.0, 1.0, 3.0]);
        let windows = [Window {
            row: 1,
            rows: 0..4,
            level: 0.0,
        }];
        for (errors, expected) in [
            (Errors::Sigma(0.5), 0.5 / 5_f64.sqrt()),
            (Errors::Residuals, (0.7_f64 / 2.0 / 5.0).sqrt()),
        ] {
            let model = Model { errors, ..model(1, 1) };
            let [values, errors] = fit(&Column::new(&y), &Column::new(&x), model, &windows);
            assert!((values[0] - 0.9).abs() < 1e-15 && (errors[0] - expected).abs() < 1e-15);
        }
    }
}
