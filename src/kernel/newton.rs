//! The n-th derivative of a polynomial through rows of any grid, from Newton's divided differences, for 64 rows at once or
//! for one.
//!
//! ```text
//! table     f[j]     = rise[j] / step[j]                              divided differences of adjacent rows,
//!           f[j..=k] = (f[j+1..=k] - f[j..k]) / (x[k] - x[j])         of more of them
//! nodes     the row itself, then outwards: next, previous, second next, ...; each prefix of them is adjacent rows
//! value     n! * sum over k of f[first k+1 nodes] * b[k][n]
//!           b[k+1][n] = b[k][n-1] - (node[k] - row) * b[k][n]         Newton's basis, its n-th derivative over n!
//! ```
//!
//! A divided difference does not depend on the row whose derivative is computed. In a block of rows each is computed once,
//! so a stencil of r rows takes r - 1 divisions a row. Sums over rows, and arrays of 64 lanes, keep all else in vector
//! registers.
//!
//! Stencils of three rows are evaluated in floats, longer ones in double-doubles, and two that are wanted most in the formula
//! of [`five_rows`]. [`evaluate`] is the same code for a block and for one row, so both give a row the same bits.
//!
//! A divided difference in double-doubles that is zero but for rounding is zero. Far from a row, the basis would multiply what
//! rounding leaves of the third difference of a parabola.

#![expect(clippy::needless_range_loop, reason = "a loop over lanes reads several arrays")]
#![expect(
    clippy::needless_bitwise_bool,
    reason = "conditions without branches stay in vector registers"
)]

use std::borrow::Cow;

use super::double::{DoubleDouble, Real};
use super::five_rows;
use crate::bits::{ROWS, movemask};
use crate::dispatch::{Kernel, dispatch};

/// The highest order of a derivative.
const MAX_ORDER: usize = 8;

/// The most rows of a polynomial, without the two that a truncation error needs.
const MAX_NODES: usize = 16;

/// The most differences of a block of rows, rounded up to whole vectors.
const BLOCK_COUNT: usize = ROWS + 16;

/// The most differences around one row.
const ROW_COUNT: usize = MAX_NODES + 1;

/// Differences of a block of rows, with room for shifted reads.
pub(crate) const BLOCK_SPAN: usize = BLOCK_COUNT + 16;

/// Differences around one row, with room for shifted reads.
const ROW_SPAN: usize = 2 * ROW_COUNT;

/// How a derivative is computed where steps differ.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Formula {
    /// Newton's formula in floats.
    Floats,
    /// Newton's formula in double-doubles.
    DoubleDoubles,
    /// That of [`five_rows`]; truncation and noise are Newton's, in floats.
    FiveRows,
}

impl Formula {
    /// Whether what steps lack for the exact ones is read.
    pub(crate) fn reads_rests(self) -> bool {
        self != Self::Floats
    }
}

/// Which derivative of which polynomial.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Polynomial {
    pub(crate) order: usize,
    /// Rows before the row.
    pub(crate) before: usize,
    /// Rows after the row.
    pub(crate) after: usize,
    /// Whether the result is the mean of two polynomials: without the first row, and without the last. `before` and
    /// `after` are equal then.
    pub(crate) paired: bool,
    /// Rows before and after the row of the polynomial with two more rows, for the truncation error.
    pub(crate) wider: Option<[usize; 2]>,
}

impl Polynomial {
    /// The rows before and after the row that are read.
    pub(crate) fn reads(self) -> [usize; 2] {
        self.wider.unwrap_or([self.before, self.after])
    }

    /// The formula whose rounding errors do not add up to more than 4 epsilons of `S`.
    ///
    /// Where one rise or one short step outweighs all others, a result is a product along one path through the table, with
    /// three to five roundings a level. Those of three rows are too few.
    pub(crate) fn formula(self) -> Formula {
        let rows = self.before + 1 + self.after - usize::from(self.paired);
        match (self.order, self.before, self.after, self.paired) {
            (1, 2, 2, false) | (2, 2, 2, true) => Formula::FiveRows,
            _ if rows > 3 => Formula::DoubleDoubles,
            _ => Formula::Floats,
        }
    }

    /// The largest size of a divided difference in rows, minus one.
    fn levels(self) -> usize {
        let [before, after] = self.reads();
        before + after - usize::from(self.paired)
    }
}

/// Rises and steps from each of some adjacent rows to the next. The first row is as far before the row of the first lane
/// as the polynomial reads.
#[derive(Clone, Debug)]
pub(crate) struct Differences<const SPAN: usize> {
    pub(crate) rises: [f64; SPAN],
    pub(crate) steps: [f64; SPAN],
    /// What to add for the exact steps; not read by Newton's formula in floats.
    pub(crate) rests: [f64; SPAN],
}

impl<const SPAN: usize> Differences<SPAN> {
    /// Level rows one step apart.
    pub(crate) const LEVEL: Self = Self {
        rises: [0.0; SPAN],
        steps: [1.0; SPAN],
        rests: [0.0; SPAN],
    };
}

/// The results of a number of rows.
#[derive(Clone, Debug)]
pub(crate) struct Derivatives<const LANES: usize> {
    pub(crate) values: [f64; LANES],
    /// The absolute sums of the next two Newton terms.
    pub(crate) truncations: [f64; LANES],
    /// The roots of the sums of squared weights, each times the standard deviation of its row if that is given.
    pub(crate) noises: [f64; LANES],
    /// Memory of the recurrence.
    basis: Basis<f64, LANES>,
    long_basis: Basis<DoubleDouble, LANES>,
}

/// The derivatives of Newton's basis, up to the highest order.
type Basis<N, const LANES: usize> = [[N; LANES]; MAX_ORDER + 1];

/// One side of a row.
#[derive(Clone, Copy, PartialEq)]
enum Side {
    Before,
    After,
}

/// The state of the recurrences: the nodes from `before` to `after` have been taken.
struct Newton<'a, N, const LANES: usize, const SPAN: usize, const COUNT: usize> {
    order: usize,
    /// The largest size of a divided difference.
    levels: usize,
    /// The number of rises that a row reads.
    reads: usize,
    differences: &'a Differences<SPAN>,
    /// `table[j]` is the divided difference of `size + 1` rows from row j on.
    table: [N; SPAN],
    /// The same with every minus a plus; in double-doubles, for orders above 1.
    sizes: [f64; SPAN],
    /// The distance between the first and the last of these rows.
    widths: [N; SPAN],
    size: usize,
    /// The index of the row of the first lane.
    origin: usize,
    before: usize,
    after: usize,
    /// The x of the outermost nodes relative to the row: sums of steps of one sign, which do not cancel.
    behind: [N; LANES],
    ahead: [N; LANES],
    /// `basis[n]` is the n-th derivative, over n!, of the product of (x - node) over `factors` nodes, at the row.
    basis: &'a mut Basis<N, LANES>,
    factors: usize,
}

impl<N: Real, const LANES: usize, const SPAN: usize, const COUNT: usize> Newton<'_, N, LANES, SPAN, COUNT> {
    /// Computes the divided differences of one row more.
    #[inline(always)]
    fn next_level(&mut self) {
        self.size += 1;
        // A constant length in a block, so that there is no scalar loop for the rest.
        let count = if LANES == 1 { 1 + self.reads - self.size } else { COUNT };
        let (table, widths) = (&mut self.table, &mut self.widths);
        if self.size > 1 {
            let [steps, rests]: [&[f64; COUNT]; 2] = steps(self.differences, self.size - 1);
            for j in 0..count {
                widths[j] = widths[j].plus(N::of_pair(steps[j], rests[j]));
                table[j] = table[j + 1].minus(table[j]).over(widths[j]);
            }
        } else {
            for j in 0..count {
                table[j] = table[j].over(widths[j]);
            }
        }
        // A slope is the same everywhere on a line only, whose differences are exactly zero.
        if N::ROUNDING > 0.0 && self.order > 1 {
            self.drop_rounding(count);
        }
    }

    /// Sets the divided differences of the current size to zero that are nothing but rounding. A loop of its own: the one
    /// before fills the vector registers.
    #[inline(always)]
    fn drop_rounding(&mut self, count: usize) {
        let (table, sizes, widths) = (&mut self.table, &mut self.sizes, &self.widths);
        if self.size > 1 {
            for j in 0..count {
                sizes[j] = (sizes[j + 1] + sizes[j]) / widths[j].to_float().abs();
                table[j] = table[j].unless_rounding(sizes[j]);
            }
        } else {
            for j in 0..count {
                sizes[j] = table[j].to_float().abs();
            }
        }
    }

    /// The divided differences of the current size that begin this many rows before each row.
    #[inline(always)]
    fn entry(&self, before: usize) -> &[N; LANES] {
        chunk(&self.table, self.origin - before)
    }

    /// Adds the next node outwards, within limits: the row after, then the one before, while both exist.
    #[inline(always)]
    fn grow(&mut self, [before, after]: [usize; 2]) -> Side {
        let side = if self.after < after && (self.before == before || self.after <= self.before) {
            Side::After
        } else {
            Side::Before
        };
        self.take(side);
        side
    }

    /// Adds the next node on one side.
    #[inline(always)]
    fn take(&mut self, side: Side) {
        match side {
            Side::After => {
                let [steps, rests]: [&[f64; LANES]; 2] = steps(self.differences, self.origin + self.after);
                self.after += 1;
                for lane in 0..LANES {
                    self.ahead[lane] = self.ahead[lane].plus(N::of_pair(steps[lane], rests[lane]));
                }
            },
            Side::Before => {
                self.before += 1;
                let [steps, rests]: [&[f64; LANES]; 2] = steps(self.differences, self.origin - self.before);
                for lane in 0..LANES {
                    self.behind[lane] = self.behind[lane].minus(N::of_pair(steps[lane], rests[lane]));
                }
            },
        }
    }

    #[inline(always)]
    fn node(&self, side: Side) -> &[N; LANES] {
        match side {
            Side::After => &self.ahead,
            Side::Before => &self.behind,
        }
    }

    /// The index of the outermost node of the first lane on one side.
    #[inline(always)]
    fn row(&self, side: Side) -> usize {
        match side {
            Side::After => self.origin + self.after,
            Side::Before => self.origin - self.before,
        }
    }

    /// Multiplies the basis by the factor of the outermost node on one side.
    #[inline(always)]
    fn multiply(&mut self, side: Side) {
        self.factors += 1;
        let node = match side {
            Side::After => &self.ahead,
            Side::Before => &self.behind,
        };
        // What does not reach the order of the derivative within the levels left is never read.
        let first = (self.order + self.factors).saturating_sub(self.levels).max(1);
        for n in (first..=self.order.min(self.factors)).rev() {
            let (lower, this) = self.basis.split_at_mut(n);
            let (lower, this) = (&lower[n - 1], &mut this[0]);
            for lane in 0..LANES {
                this[lane] = lower[lane].minus(node[lane].times(this[lane]));
            }
        }
    }

    /// Adds a term of the sum, if the basis has as many factors as the derivative has orders.
    #[inline(always)]
    fn add(&self, sum: &mut [N; LANES], entry: &[N; LANES]) {
        if self.size >= self.order {
            let basis = &self.basis[self.order];
            for lane in 0..LANES {
                sum[lane] = sum[lane].plus(entry[lane].times(basis[lane]));
            }
        }
    }

    /// The mean of the divided differences that begin `before` rows before each row and one row later.
    #[inline(always)]
    fn mean_entry(&self, before: usize) -> [N; LANES] {
        let (left, right) = (self.entry(before), self.entry(before - 1));
        std::array::from_fn(|lane| left[lane].plus(right[lane]).half())
    }
}

/// Weights of the values of y, for the standard error only: sums of terms that cancel. The results are made of rises.
struct ValueWeights<const LANES: usize> {
    nodes: [[f64; LANES]; MAX_NODES + 1],
    /// The coefficient of each value in the divided difference of all nodes so far.
    coefficients: [[f64; LANES]; MAX_NODES + 1],
    sums: [[f64; LANES]; MAX_NODES + 1],
    /// The index of each node of the first lane among the rows.
    rows: [usize; MAX_NODES + 1],
    count: usize,
}

impl<const LANES: usize> ValueWeights<LANES> {
    /// The row itself.
    #[inline(always)]
    fn new(row: usize) -> Self {
        let mut coefficients = [[0.0; LANES]; MAX_NODES + 1];
        coefficients[0] = [1.0; LANES];
        Self {
            nodes: [[0.0; LANES]; MAX_NODES + 1],
            coefficients,
            sums: [[0.0; LANES]; MAX_NODES + 1],
            rows: [row; MAX_NODES + 1],
            count: 1,
        }
    }

    #[inline(always)]
    fn take(&mut self, node: &[f64; LANES], row: usize) {
        let mut own = [1.0; LANES];
        for index in 0..self.count {
            for lane in 0..LANES {
                let inverse = 1.0 / (self.nodes[index][lane] - node[lane]);
                self.coefficients[index][lane] *= inverse;
                own[lane] *= -inverse;
            }
        }
        self.nodes[self.count] = *node;
        self.coefficients[self.count] = own;
        self.rows[self.count] = row;
        self.count += 1;
    }

    #[inline(always)]
    fn add(&mut self, basis: &[f64; LANES]) {
        for index in 0..self.count {
            for lane in 0..LANES {
                self.sums[index][lane] += basis[lane] * self.coefficients[index][lane];
            }
        }
    }

    /// The last term of the mean of two polynomials, one with each node.
    #[inline(always)]
    fn add_pair(&mut self, basis: &[f64; LANES], pair: [&[f64; LANES]; 2], rows: [usize; 2]) {
        let shared = self.count;
        for (own, node) in pair.into_iter().enumerate() {
            let mut coefficient = [1.0; LANES];
            for index in 0..shared {
                for lane in 0..LANES {
                    let inverse = 1.0 / (self.nodes[index][lane] - node[lane]);
                    let half = 0.5 * basis[lane];
                    self.sums[index][lane] += half * (self.coefficients[index][lane] * inverse);
                    coefficient[lane] *= -inverse;
                }
            }
            for lane in 0..LANES {
                self.sums[shared + own][lane] = 0.5 * basis[lane] * coefficient[lane];
            }
        }
        self.rows[shared..shared + 2].copy_from_slice(&rows);
        self.count += 2;
    }

    /// The root of the sum of squares of the weights, or of the weights times the deviations.
    #[inline(always)]
    fn norm<const SPAN: usize>(&self, deviations: Option<&[f64; SPAN]>) -> [f64; LANES] {
        let mut sum = [0.0; LANES];
        for (weights, &row) in self.sums[..self.count].iter().zip(&self.rows) {
            add_squares(&mut sum, weights, deviations.map(|deviations| chunk(deviations, row)));
        }
        sum.map(f64::sqrt)
    }
}

/// Adds squares of weights, or of weights times deviations.
#[inline(always)]
fn add_squares<const LANES: usize>(sum: &mut [f64; LANES], weights: &[f64; LANES], deviations: Option<&[f64; LANES]>) {
    for lane in 0..LANES {
        let term = deviations.map_or(weights[lane], |deviations| weights[lane] * deviations[lane]);
        sum[lane] += term * term;
    }
}

/// `N` values from an index on.
#[inline(always)]
fn chunk<T, const N: usize>(values: &[T], first: usize) -> &[T; N] {
    values[first..].first_chunk().expect("the span has room for it")
}

/// The derivatives at adjacent rows, and the next two Newton terms of each if there is a wider polynomial; both over n!.
#[inline(always)]
fn evaluate<N: Real, const LANES: usize, const SPAN: usize, const COUNT: usize>(
    polynomial: Polynomial,
    differences: &Differences<SPAN>,
    basis: &mut Basis<N, LANES>,
    mut weights: Option<&mut ValueWeights<LANES>>,
) -> [[N; LANES]; 2] {
    let Polynomial {
        order,
        before,
        after,
        paired,
        wider,
    } = polynomial;
    let mut newton = Newton::<N, LANES, SPAN, COUNT> {
        order,
        levels: polynomial.levels(),
        reads: polynomial.reads().iter().sum(),
        differences,
        table: N::of_floats(&differences.rises),
        sizes: [0.0; SPAN],
        widths: N::of_pairs(&differences.steps, &differences.rests),
        size: 0,
        origin: polynomial.reads()[0],
        before: 0,
        after: 0,
        behind: [N::ZERO; LANES],
        ahead: [N::ZERO; LANES],
        basis,
        factors: 1,
    };
    newton.basis[..=order].fill([N::ZERO; LANES]);
    newton.basis[1] = [N::ONE; LANES];
    let mut sum = [N::ZERO; LANES];
    let mut rest = [N::ZERO; LANES];
    // The side of the node whose factor the basis does not have yet.
    let mut last = None;
    // A pair of polynomials has all but two of its nodes in common.
    let shared = [before, after].map(|rows| rows - usize::from(paired));
    while newton.before + newton.after < shared[0] + shared[1] {
        newton.next_level();
        if let Some(side) = last {
            newton.multiply(side);
        }
        let side = newton.grow(shared);
        newton.add(&mut sum, newton.entry(newton.before));
        if let Some(weights) = &mut weights {
            weights.take(&floats(newton.node(side)), newton.row(side));
            if newton.size >= order {
                weights.add(&floats(&newton.basis[order]));
            }
        }
        last = Some(side);
    }
    if paired {
        newton.next_level();
        if let Some(side) = last {
            newton.multiply(side);
        }
        newton.take(Side::Before);
        newton.take(Side::After);
        newton.add(&mut sum, &newton.mean_entry(newton.before));
        if let Some(weights) = &mut weights {
            let rows = [Side::Before, Side::After].map(|side| newton.row(side));
            let pair = [&floats(&newton.behind), &floats(&newton.ahead)];
            weights.add_pair(&floats(&newton.basis[order]), pair, rows);
        }
        if wider.is_some() {
            // Each polynomial takes the node that only the other one has: the divided difference is the same.
            newton.next_level();
            let entry = newton.entry(newton.before);
            let (lower, this) = (&newton.basis[order - 1], &newton.basis[order]);
            for lane in 0..LANES {
                let node = newton.behind[lane].plus(newton.ahead[lane]).half();
                let factor = lower[lane].minus(node.times(this[lane]));
                rest[lane] = rest[lane].plus(entry[lane].times(factor));
            }
            newton.next_level();
            newton.multiply(Side::After);
            newton.multiply(Side::Before);
            newton.add(&mut rest, &newton.mean_entry(newton.before + 1));
        }
    } else if let Some(limits) = wider {
        while newton.size < newton.levels {
            newton.next_level();
            if let Some(side) = last {
                newton.multiply(side);
            }
            last = Some(newton.grow(limits));
            newton.add(&mut rest, newton.entry(newton.before));
        }
    }
    [sum, rest]
}

/// Some steps from an index on, and what to add to them.
#[inline(always)]
fn steps<const N: usize, const SPAN: usize>(differences: &Differences<SPAN>, first: usize) -> [&[f64; N]; 2] {
    [chunk(&differences.steps, first), chunk(&differences.rests, first)]
}

/// The numbers of a recurrence, rounded to floats.
#[inline(always)]
fn floats<N: Real, const LANES: usize>(numbers: &[N; LANES]) -> [f64; LANES] {
    let mut floats = [0.0; LANES];
    for (float, number) in floats.iter_mut().zip(numbers) {
        *float = number.to_float();
    }
    floats
}

/// The differences for which no intermediate result leaves the range of a float, nor loses digits below it.
///
/// The bounds hold for any mixture of steps and rises within them, so they are far from the largest and smallest floats.
/// Other rows are computed with steps and rises multiplied by powers of two.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Usual {
    smallest_step: f64,
    largest_step: f64,
}

/// The smallest rise that is usual, besides zero: 2^-100.
const SMALLEST_RISE: f64 = 7.888_609_052_210_118e-31;
/// The largest rise that is usual: 2^100.
const LARGEST_RISE: f64 = 1.267_650_600_228_229_4e30;

impl Usual {
    /// For polynomials through at most this many rows.
    pub(crate) fn new(rows: usize) -> Self {
        // With steps from 2^-a to 2^a and rises from 2^-r to 2^r, a result is a sum of r - 1 terms of at least
        // 2^-(r + (2a + 4)(rows - 1)), and the error of an intermediate result below the range of floats grows to at most
        // 2^(r + (2a + 5)(rows - 1) - 1075).
        let exponent = (821 / (rows - 1)).saturating_sub(9) / 4;
        let largest_step = power_of_two(exponent.min(60) as i32);
        Self {
            smallest_step: largest_step.recip(),
            largest_step,
        }
    }

    /// The factor of integer steps, which are at least 1.
    pub(crate) fn integer_step(self) -> f64 {
        self.smallest_step
    }

    #[inline(always)]
    fn is_rising(self, step: f64) -> bool {
        (step >= self.smallest_step) & (step <= self.largest_step)
    }

    #[inline(always)]
    fn is_usual_rise(rise: f64) -> bool {
        // NaN is usual: it makes every result NaN.
        let size = rise.abs();
        !((size > LARGEST_RISE) | ((size < SMALLEST_RISE) & (size != 0.0)))
    }

    /// Whether all of these are usual.
    fn holds(self, rises: &[f64], steps: &[f64]) -> bool {
        let monotonic =
            steps.iter().all(|&step| self.is_rising(step)) || steps.iter().all(|&step| self.is_rising(-step));
        monotonic && rises.iter().all(|&rise| Self::is_usual_rise(rise))
    }
}

/// Whether the square of a weight times a standard deviation stays in the range of a float: those of usual steps are from
/// 2^-240 to 2^240. NaN, of a row that has none, is usual.
#[inline(always)]
fn is_usual_deviation(deviation: f64) -> bool {
    const SMALLEST: f64 = 6.223_015_277_861_142e-61; // 2^-200
    const LARGEST: f64 = 1.606_938_044_258_990_3e60; // 2^200
    deviation.is_nan() | (SMALLEST..=LARGEST).contains(&deviation)
}

/// Mask of the rows of a block each of whose `rows` deviations is usual.
fn usual_deviations(deviations: &[f64; BLOCK_SPAN], rows: usize) -> u64 {
    let are_usual = |deviations: &[f64]| deviations.iter().all(|&deviation| is_usual_deviation(deviation));
    if are_usual(deviations) {
        return u64::MAX;
    }
    (0..ROWS).fold(0, |mask, row| {
        mask | u64::from(are_usual(&deviations[row..row + rows])) << row
    })
}

/// `2^exponent`, for a normal float.
fn power_of_two(exponent: i32) -> f64 {
    f64::from_bits(u64::from((exponent + 1_023).cast_unsigned()) << 52)
}

/// `value * 2^exponent`, without leaving the range of a float on the way.
fn scaled(mut value: f64, mut exponent: i32) -> f64 {
    while exponent != 0 {
        let part = exponent.clamp(-1_000, 1_000);
        value *= power_of_two(part);
        exponent -= part;
    }
    value
}

/// The power of two that scales the largest of some numbers to about 1, as its exponent; 0 if there is none.
fn exponent_to_one(values: &[f64]) -> i32 {
    let largest = values.iter().fold(0.0, |largest: f64, value| largest.max(value.abs()));
    if largest == 0.0 || !largest.is_finite() {
        return 0;
    }
    // Subnormal numbers count as the smallest normal one.
    let exponent = (largest.to_bits() >> 52) as i32 - 1_023;
    (-exponent).min(1_000)
}

/// The derivative of a polynomial, at 64 rows or at one.
#[derive(Clone, Debug)]
pub(crate) struct Derivation {
    pub(crate) polynomial: Polynomial,
    pub(crate) usual: Usual,
    /// Multiplies steps, and is a power of two.
    pub(crate) step_factor: f64,
    /// On even spacing, where each step is 1.
    pub(crate) even: Option<EvenWeights>,
    /// Whether the noise is wanted.
    pub(crate) with_noise: bool,
    pub(crate) formula: Formula,
}

impl Derivation {
    /// The derivative at one row, from the rises and steps of the rows that the polynomial reads, what to add for the exact
    /// steps, and their standard deviations if there are any. Steps must be monotonic.
    pub(crate) fn at_row(
        &self,
        rises: &[f64],
        [steps, rests]: [&[f64]; 2],
        deviations: Option<&[f64]>,
    ) -> Derivatives<1> {
        let mut differences = Differences::<ROW_SPAN>::LEVEL;
        let count = rises.len();
        let own_rises = &mut differences.rises[..count];
        let own_steps = &mut differences.steps[..count];
        let own_rests = &mut differences.rests[..count];
        own_rises.copy_from_slice(rises);
        for (own, step) in own_steps.iter_mut().zip(steps) {
            *own = step * self.step_factor;
        }
        for (own, rest) in own_rests.iter_mut().zip(rests) {
            *own = rest * self.step_factor;
        }
        let is_usual = self.usual.holds(own_rises, own_steps);
        let (mut step_exponent, mut rise_exponent) = (0, 0);
        if !is_usual {
            own_steps.copy_from_slice(steps);
            step_exponent = exponent_to_one(steps);
            rise_exponent = exponent_to_one(rises);
            own_rests.copy_from_slice(rests);
            for step in own_steps.iter_mut().chain(own_rests) {
                *step = scaled(*step, step_exponent);
            }
            for rise in own_rises.iter_mut() {
                *rise = scaled(*rise, rise_exponent);
            }
        }
        let mut deviation_exponent = 0;
        let deviations = deviations.map(|deviations| {
            if !deviations.iter().all(|&deviation| is_usual_deviation(deviation)) {
                deviation_exponent = exponent_to_one(deviations);
            }
            let mut own = [1.0; ROW_SPAN];
            for (own, &deviation) in own.iter_mut().zip(deviations) {
                *own = scaled(deviation, deviation_exponent);
            }
            own
        });
        let mut results = Derivatives::zero();
        let deviations = deviations.as_ref();
        let formula = match self.formula {
            Formula::FiveRows if !is_usual && !self.usual.holds(own_rises, own_steps) => Formula::DoubleDoubles,
            formula => formula,
        };
        self.with(formula).row(&differences, deviations, &mut results);
        // Steps over hundreds of decades may leave the range of a float on the way.
        if formula == Formula::DoubleDoubles && !is_usual && !results.values[0].is_finite() {
            self.with(Formula::Floats).row(&differences, deviations, &mut results);
        }
        if is_usual {
            results.multiply(self.result_factor());
        } else {
            let steps = self.polynomial.order as i32 * step_exponent;
            results.values = results.values.map(|value| scaled(value, steps - rise_exponent));
            results.truncations = results.truncations.map(|value| scaled(value, steps - rise_exponent));
            results.noises = results.noises.map(|value| scaled(value, steps));
        }
        results.noises = results.noises.map(|value| scaled(value, -deviation_exponent));
        results
    }

    /// The derivatives at 64 rows. Returns a mask of the rows whose differences and deviations are usual; the results of
    /// others are unspecified.
    pub(crate) fn at_block(
        &self,
        differences: &Differences<BLOCK_SPAN>,
        deviations: Option<&[f64; BLOCK_SPAN]>,
        results: &mut Derivatives<ROWS>,
    ) -> u64 {
        let [before, after] = self.polynomial.reads();
        let usual = deviations.map_or(u64::MAX, |deviations| usual_deviations(deviations, before + 1 + after));
        let derivation = self;
        if self.formula == Formula::DoubleDoubles {
            usual
                & dispatch(Block::<true> {
                    derivation,
                    differences,
                    deviations,
                    results,
                })
        } else {
            usual
                & dispatch(Block::<false> {
                    derivation,
                    differences,
                    deviations,
                    results,
                })
        }
    }

    /// The same with another formula.
    fn with(&self, formula: Formula) -> Cow<'_, Self> {
        if formula == self.formula {
            Cow::Borrowed(self)
        } else {
            Cow::Owned(Self {
                formula,
                ..self.clone()
            })
        }
    }

    /// The derivatives at one row whose steps and rises have been scaled.
    fn row(
        &self,
        differences: &Differences<ROW_SPAN>,
        deviations: Option<&[f64; ROW_SPAN]>,
        results: &mut Derivatives<1>,
    ) {
        let derivation = self;
        if self.formula == Formula::DoubleDoubles {
            dispatch(Row::<true> {
                derivation,
                differences,
                deviations,
                results,
            });
        } else {
            dispatch(Row::<false> {
                derivation,
                differences,
                deviations,
                results,
            });
        }
    }

    /// Undoes the factor of the steps.
    fn result_factor(&self) -> f64 {
        (0..self.polynomial.order).fold(1.0, |factor, _| factor * self.step_factor)
    }

    /// The derivatives at adjacent rows, Newton's formula in double-doubles if `LONG`.
    #[inline(always)]
    fn evaluate<const LONG: bool, const LANES: usize, const SPAN: usize, const COUNT: usize>(
        &self,
        differences: &Differences<SPAN>,
        deviations: Option<&[f64; SPAN]>,
        results: &mut Derivatives<LANES>,
    ) {
        let of_five = self.formula == Formula::FiveRows && self.even.is_none();
        let needs_noise = self.with_noise && self.even.is_none();
        let has_other_formula = of_five || self.even.is_some();
        if !has_other_formula || needs_noise || self.polynomial.wider.is_some() {
            let Derivatives {
                values,
                truncations,
                noises,
                basis,
                long_basis,
            } = results;
            let columns = [values, truncations, noises];
            if LONG {
                self.newton::<DoubleDouble, LANES, SPAN, COUNT>(differences, deviations, long_basis, columns);
            } else {
                self.newton::<f64, LANES, SPAN, COUNT>(differences, deviations, basis, columns);
            }
        }
        if let Some(even) = &self.even {
            let first = self.polynomial.reads()[0] - self.polynomial.before;
            even.evaluate(&differences.rises[first..], &mut results.values);
            results.noises = match deviations {
                Some(deviations) => even.noise_of(&deviations[first..]),
                None => [even.noise; LANES],
            };
        }
        if of_five {
            let first = self.polynomial.reads()[0] - self.polynomial.before;
            five_rows::evaluate(self.polynomial.order, differences, first, &mut results.values);
        }
    }

    /// Newton's formula.
    #[inline(always)]
    fn newton<N: Real, const LANES: usize, const SPAN: usize, const COUNT: usize>(
        &self,
        differences: &Differences<SPAN>,
        deviations: Option<&[f64; SPAN]>,
        basis: &mut Basis<N, LANES>,
        [values, truncations, noises]: [&mut [f64; LANES]; 3],
    ) {
        let polynomial = self.polynomial;
        let with_noise = self.with_noise && self.even.is_none();
        let mut weights = with_noise.then(|| ValueWeights::new(polynomial.reads()[0]));
        let [sum, rest] = evaluate::<N, LANES, SPAN, COUNT>(polynomial, differences, basis, weights.as_mut());
        let factorial = (1..=polynomial.order).product::<usize>() as f64;
        for lane in 0..LANES {
            values[lane] = sum[lane].times(N::of(factorial)).to_float();
        }
        if polynomial.wider.is_some() {
            for lane in 0..LANES {
                truncations[lane] = rest[lane].times(N::of(factorial)).to_float().abs();
            }
        }
        if let Some(weights) = weights {
            *noises = weights.norm(deviations).map(|norm| norm * factorial);
        }
    }
}

impl<const LANES: usize> Derivatives<LANES> {
    pub(crate) fn zero() -> Self {
        Self {
            values: [0.0; LANES],
            truncations: [0.0; LANES],
            noises: [0.0; LANES],
            basis: [[0.0; LANES]; MAX_ORDER + 1],
            long_basis: [[DoubleDouble::ZERO; LANES]; MAX_ORDER + 1],
        }
    }

    #[inline(always)]
    fn multiply(&mut self, factor: f64) {
        for column in [&mut self.values, &mut self.truncations, &mut self.noises] {
            for value in column {
                *value *= factor;
            }
        }
    }
}

/// The loops over a block of rows.
struct Block<'a, const LONG: bool> {
    derivation: &'a Derivation,
    differences: &'a Differences<BLOCK_SPAN>,
    deviations: Option<&'a [f64; BLOCK_SPAN]>,
    results: &'a mut Derivatives<ROWS>,
}

impl<const LONG: bool> Kernel for Block<'_, LONG> {
    type Output = u64;

    #[inline(always)]
    fn run(self) -> u64 {
        let Self {
            derivation,
            differences,
            deviations,
            results,
        } = self;
        derivation.evaluate::<LONG, ROWS, BLOCK_SPAN, BLOCK_COUNT>(differences, deviations, results);
        let factor = derivation.result_factor();
        if factor != 1.0 {
            results.multiply(factor);
        }
        let [before, after] = derivation.polynomial.reads();
        derivation.usual.rows(differences, before + after)
    }
}

/// One row.
struct Row<'a, const LONG: bool> {
    derivation: &'a Derivation,
    differences: &'a Differences<ROW_SPAN>,
    deviations: Option<&'a [f64; ROW_SPAN]>,
    results: &'a mut Derivatives<1>,
}

impl<const LONG: bool> Kernel for Row<'_, LONG> {
    type Output = ();

    // One number fills no vector register.
    const WIDEST: bool = false;

    #[inline(always)]
    fn run(self) {
        let Self {
            derivation,
            differences,
            deviations,
            results,
        } = self;
        derivation.evaluate::<LONG, 1, ROW_SPAN, ROW_COUNT>(differences, deviations, results);
    }
}

impl Usual {
    /// Mask of the rows of a block whose `reads` differences are usual. The differences after the last one of the block
    /// must be copies of it.
    #[inline(always)]
    fn rows(self, differences: &Differences<BLOCK_SPAN>, reads: usize) -> u64 {
        let (mut rising, mut falling, mut usual) = (true, true, true);
        for (&rise, &step) in differences.rises.iter().zip(&differences.steps) {
            rising &= self.is_rising(step);
            falling &= self.is_rising(-step);
            usual &= Self::is_usual_rise(rise);
        }
        if usual & (rising | falling) {
            return u64::MAX;
        }
        let mut masks = [0_u128; 2];
        for (mask, sign) in masks.iter_mut().zip([1.0, -1.0]) {
            let is_usual = |index: usize| {
                let (rise, step) = (differences.rises[index], sign * differences.steps[index]);
                u8::from(self.is_rising(step) & Self::is_usual_rise(rise))
            };
            let (low, high): ([u8; ROWS], [u8; ROWS]) = (
                std::array::from_fn(is_usual),
                std::array::from_fn(|index| {
                    if ROWS + index < BLOCK_SPAN {
                        is_usual(ROWS + index)
                    } else {
                        0
                    }
                }),
            );
            *mask = u128::from(movemask(&low)) | u128::from(movemask(&high)) << ROWS;
        }
        let windows = masks.map(|mask| (0..reads).fold(u128::MAX, |rows, index| rows & mask >> index));
        (windows[0] | windows[1]) as u64
    }
}

/// The weights of rises on even spacing: whole numbers over a common denominator.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct EvenWeights {
    /// Of each rise; of a centred stencil, of the rises from the row on, outwards.
    weights: Vec<f64>,
    denominator: f64,
    /// For a centred stencil: whether a rise has the weight of its mirror image, or the opposite one.
    pairs: Option<f64>,
    /// The weights of values, and the root of the sum of their squares.
    of_values: Vec<f64>,
    noise: f64,
}

impl EvenWeights {
    pub(crate) fn new(polynomial: Polynomial) -> Self {
        let Polynomial {
            order,
            before,
            after,
            paired,
            ..
        } = polynomial;
        let mut weights = vec![0; before + after];
        let count = before + after - usize::from(paired);
        for first in 0..=usize::from(paired) {
            let own = weights[first..].iter_mut().zip(of_rises(order, before - first, count));
            own.for_each(|(weight, own)| *weight += own);
        }
        let denominator = (1..=count as i64).product::<i64>() * if paired { 2 } else { 1 };
        let divisor = weights
            .iter()
            .fold(denominator, |divisor, &weight| gcd(divisor, weight));
        let of_values = (0..=weights.len()).map(|value| {
            let weight = |index: Option<usize>| index.and_then(|index| weights.get(index)).map_or(0, |&weight| weight);
            (weight(value.checked_sub(1)) - weight(Some(value))) as f64 / denominator as f64
        });
        let of_values: Vec<_> = of_values.collect();
        let noise = of_values.iter().map(|weight| weight * weight).sum::<f64>().sqrt();
        let is_centered = before == after;
        let outwards = if is_centered { before } else { 0 };
        Self {
            weights: weights[outwards..]
                .iter()
                .map(|&weight| (weight / divisor) as f64)
                .collect(),
            denominator: (denominator / divisor) as f64,
            pairs: is_centered.then(|| if order % 2 == 1 { 1.0 } else { -1.0 }),
            of_values,
            noise,
        }
    }

    /// The noise at adjacent rows, given the deviations from the first that the first row reads.
    #[inline(always)]
    fn noise_of<const LANES: usize>(&self, deviations: &[f64]) -> [f64; LANES] {
        let mut sum = [0.0; LANES];
        for (row, &weight) in self.of_values.iter().enumerate() {
            add_squares(&mut sum, &[weight; LANES], Some(chunk(deviations, row)));
        }
        sum.map(f64::sqrt)
    }

    /// The derivatives at adjacent rows, given the rises from the first that the first row reads.
    #[inline(always)]
    fn evaluate<const LANES: usize>(&self, rises: &[f64], values: &mut [f64; LANES]) {
        let mut sum = [0.0; LANES];
        for (index, &weight) in self.weights.iter().enumerate() {
            if let Some(sign) = self.pairs {
                let row = self.weights.len();
                let (right, left): (&[f64; LANES], &[f64; LANES]) =
                    (chunk(rises, row + index), chunk(rises, row - 1 - index));
                for lane in 0..LANES {
                    sum[lane] += weight * (right[lane] + sign * left[lane]);
                }
            } else {
                let rises: &[f64; LANES] = chunk(rises, index);
                for lane in 0..LANES {
                    sum[lane] += weight * rises[lane];
                }
            }
        }
        for lane in 0..LANES {
            values[lane] = sum[lane] / self.denominator;
        }
    }
}

/// The weights of `count` rises over `count!`: of the derivative at the row that has `before` of them before it.
fn of_rises(order: usize, before: usize, count: usize) -> impl Iterator<Item = i64> {
    // The polynomial is a sum over k of (x choose k) times the k-th forward difference. `basis[n]` is the n-th derivative,
    // over n!, of x (x - 1) ... (x - k + 1).
    let mut basis = vec![0_i64; order + 1];
    basis[0] = 1;
    let mut weights = vec![0; count];
    let factorial: i64 = (1..=order as i64).product();
    for k in 1..=count {
        let node = before as i64 - (k as i64 - 1);
        for n in (0..=order).rev() {
            basis[n] = node * basis[n] + if n > 0 { basis[n - 1] } else { 0 };
        }
        let over_k: i64 = (k as i64 + 1..=count as i64).product();
        let mut binomial = 1;
        for j in (0..k).rev() {
            // (-1)^(k-1-j) (k-1 choose j)
            weights[j] += factorial * basis[order] * over_k * binomial;
            binomial = -binomial * j as i64 / (k - j) as i64;
        }
    }
    weights.into_iter()
}

fn gcd(a: i64, b: i64) -> i64 {
    if b == 0 { a.abs() } else { gcd(b, a % b) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn polynomials() -> impl Iterator<Item = Polynomial> {
        let orders = (1..=8).flat_map(|order| (1..=8).map(move |accuracy| (order, accuracy)));
        orders
            .filter(|(order, accuracy)| order + accuracy <= 12)
            .flat_map(|(order, accuracy)| {
                let rows = order + accuracy;
                let half = rows / 2;
                let narrow = [[half, half], [rows - 1, 0], [0, rows - 1]];
                let wide = [[half + 1, half + 1], [rows + 1, 0], [0, rows + 1]];
                narrow.into_iter().zip(wide).flat_map(move |([before, after], wide)| {
                    [None, Some(wide)].map(|wider| Polynomial {
                        order,
                        before,
                        after,
                        paired: rows.is_multiple_of(2) && before == after,
                        wider,
                    })
                })
            })
    }

    fn derivation(polynomial: Polynomial, is_even: bool) -> Derivation {
        let [before, after] = polynomial.reads();
        Derivation {
            polynomial,
            usual: Usual::new(before + after + 1),
            step_factor: 1.0,
            even: is_even.then(|| EvenWeights::new(polynomial)),
            with_noise: true,
            formula: polynomial.formula(),
        }
    }

    #[test]
    fn a_row_has_the_same_bits_in_a_block_and_alone() {
        for polynomial in polynomials() {
            for is_even in [false, true] {
                let derivation = derivation(polynomial, is_even);
                let [before, after] = polynomial.reads();
                let count = before + after + ROWS - 1;
                let mut differences = Differences::<BLOCK_SPAN>::LEVEL;
                for index in 0..BLOCK_SPAN {
                    let index_in_block = index.min(count - 1) as f64;
                    differences.rises[index] = (index_in_block * 1.7).sin();
                    if !is_even {
                        differences.steps[index] = 1.1 + (index_in_block * 0.9).cos();
                        differences.rests[index] = 1e-17 * (index_in_block * 1.1).cos();
                    }
                }
                differences.rises[40] = 1e-40;
                let mut deviations = [1.0; BLOCK_SPAN];
                for (index, deviation) in deviations.iter_mut().enumerate() {
                    *deviation = 2.0 + (index as f64 * 0.7).sin();
                }
                let mut block = Derivatives::zero();
                let usual = derivation.at_block(&differences, Some(&deviations), &mut block);
                for row in 0..ROWS {
                    let reads = row..row + before + after;
                    assert_eq!(usual >> row & 1 == 0, reads.contains(&40), "{polynomial:?} at {row}");
                    if usual >> row & 1 != 0 {
                        let alone = derivation.at_row(
                            &differences.rises[reads.clone()],
                            [&differences.steps, &differences.rests].map(|steps| &steps[reads.clone()]),
                            Some(&deviations[reads.start..=reads.end]),
                        );
                        assert_eq!(
                            alone.values[0].to_bits(),
                            block.values[row].to_bits(),
                            "{polynomial:?} at {row}"
                        );
                        assert_eq!(alone.truncations[0].to_bits(), block.truncations[row].to_bits());
                        assert_eq!(alone.noises[0].to_bits(), block.noises[row].to_bits());
                    }
                }
            }
        }
    }

    #[test]
    fn weights_on_even_spacing_are_those_of_the_polynomial() {
        for polynomial in polynomials().filter(|polynomial| polynomial.wider.is_none()) {
            let (even, any) = (derivation(polynomial, true), derivation(polynomial, false));
            let count = polynomial.before + polynomial.after;
            let rises: Vec<_> = (0..count).map(|index| (index as f64 * 1.3 + 0.2).sin()).collect();
            let [even, any] =
                [even, any].map(|derivation| derivation.at_row(&rises, [&vec![1.0; count], &vec![0.0; count]], None));
            let size = even.noises[0];
            assert!((even.values[0] - any.values[0]).abs() < 1e-13 * size, "{polynomial:?}");
            assert!((even.noises[0] / any.noises[0] - 1.0).abs() < 1e-12, "{polynomial:?}");
        }
    }

    #[test]
    fn the_formula_of_five_rows_is_newtons() {
        for (order, paired) in [(1, false), (2, true)] {
            let five = derivation(
                Polynomial {
                    order,
                    before: 2,
                    after: 2,
                    paired,
                    wider: None,
                },
                false,
            );
            assert_eq!(five.formula, Formula::FiveRows);
            for start in 0..100 {
                let angle = |index: u32, factor: f64| f64::from(start + index) * factor;
                let rises = [0, 1, 2, 3].map(|index| angle(index, 1.3).sin());
                let steps = [0, 1, 2, 3].map(|index| 1.01 + angle(index, 1.9).cos());
                let rests = [0, 1, 2, 3].map(|index| 1e-17 * angle(index, 0.7).cos());
                let newton = five.with(Formula::DoubleDoubles);
                let [five, newton] =
                    [&five, &*newton].map(|derivation| derivation.at_row(&rises, [&steps, &rests], None));
                assert!(
                    (five.values[0] - newton.values[0]).abs() < 2e-15 * newton.noises[0],
                    "{order} {start}"
                );
            }
        }
    }

    #[test]
    fn textbook_weights_are_exact() {
        let of = |order, half, paired| {
            let even = EvenWeights::new(Polynomial {
                order,
                before: half,
                after: half,
                paired,
                wider: None,
            });
            (even.weights, even.denominator, even.pairs)
        };
        // (y[-2] - 8 y[-1] + 8 y[1] - y[2]) / 12
        assert_eq!(of(1, 2, false), (vec![7.0, -1.0], 12.0, Some(1.0)));
        // y[-1] - 2 y[0] + y[1]
        assert_eq!(of(2, 2, true), (vec![1.0, 0.0], 1.0, Some(-1.0)));
        // (-y[-2] + 16 y[-1] - 30 y[0] + 16 y[1] - y[2]) / 12
        assert_eq!(of(2, 2, false), (vec![15.0, -1.0], 12.0, Some(-1.0)));
    }

    #[test]
    fn differences_of_extreme_size_give_the_results_of_usual_ones() {
        for polynomial in polynomials() {
            let derivation = derivation(polynomial, false);
            let [before, after] = polynomial.reads();
            let rises: Vec<_> = (0..before + after).map(|index| (index as f64 * 1.3).sin()).collect();
            let steps: Vec<_> = (0..before + after)
                .map(|index| 2.0 + (index as f64 * 1.9).sin())
                .collect();
            let rests = vec![0.0; steps.len()];
            let expected = derivation.at_row(&rises, [&steps, &rests], None);
            let order = polynomial.order as i32;
            for (step_exponent, rise_exponent) in [(-60, -120), (70, 130), (-500, 0), (500, 500), (0, -900)] {
                let value = scaled(expected.values[0], rise_exponent - order * step_exponent);
                if !value.is_normal() {
                    continue;
                }
                let rises: Vec<_> = rises.iter().map(|&rise| scaled(rise, rise_exponent)).collect();
                let steps: Vec<_> = steps.iter().map(|&step| scaled(step, step_exponent)).collect();
                assert_eq!(
                    derivation.at_row(&rises, [&steps, &rests], None).values[0],
                    value,
                    "{polynomial:?}"
                );
            }
        }
    }
}
