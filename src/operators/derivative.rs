//! `derivative`: the n-th derivative at any accuracy on any grid.
//!
//! ```text
//! rows        centred: the order + accuracy rows around the row; for an even number the mean of the two stencils that
//!             have the odd row on the left and on the right
//!             at an end: the order + edge_accuracy rows there
//!             backward, forward: the order + accuracy rows up to the row, or from it on
//! value       the n-th derivative of the polynomial through these rows, from Newton's divided differences
//!             on even spacing, inside a segment: whole numbers times rises, over a common denominator
//! truncation  |value of the stencil with two more rows - value|, the next two of Newton's terms
//! stderr      sqrt(sum of (w * sigma)^2), with the weights w of the values of y; a sigma for all rows, or one for each
//! ```
//!
//! Only differences of adjacent rows are read, so an offset of y or x costs no digits. Weights times values (Fornberg
//! 1988) lose as many digits as the offset has. The formula is in [`kernel::newton`](crate::kernel).
//!
//! Rows inside a segment are evaluated in blocks of 64. The ends of segments and unusual rows (a null, an unsorted x, steps
//! or rises of extreme size) are evaluated one by one.

use std::ops::Range;

use num_traits::AsPrimitive;
#[cfg(feature = "serde")]
use serde::{Deserialize, Serialize};

use super::gradient::{EdgeOrder, Gradient};
use super::stencil::Differences as RowDifferences;
use super::{
    Columns, Describe, Evaluate, Extent, Float, MAX_REACH, Output, Reach, RowError, Rows, SigmaUse, Valid, Values,
};
use crate::bits::{ROWS, high_mask, set_bits};
use crate::domain::Length;
use crate::kernel::newton::{
    BLOCK_SPAN, Derivation, Derivatives, Differences, EvenWeights, Formula, Polynomial, Usual,
};
use crate::kernel::{Sample, periodic_rises};

/// The most lags of an operator.
const MAX_LAGS: usize = 2 * MAX_REACH + 1;

/// The n-th derivative at any accuracy.
///
/// The default, of order 1 and accuracy 2, is [`Gradient`] with [`EdgeOrder::Second`].
///
/// # Examples
///
/// ```
/// use polars_grad::{Derivative, Side};
///
/// let acceleration = Derivative::new(2, 2)?;
/// let causal = Derivative::new(1, 3)?.side(Side::Backward);
/// # Ok::<(), String>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq)]
#[cfg_attr(
    feature = "serde",
    derive(Serialize, Deserialize),
    serde(try_from = "Unchecked", into = "Unchecked")
)]
pub struct Derivative {
    order: usize,
    accuracy: usize,
    edge_accuracy: usize,
    side: Side,
    with_error: bool,
    sigma: Option<Length>,
}

/// Which rows a stencil has.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(Serialize, Deserialize), serde(rename_all = "snake_case"))]
pub enum Side {
    /// Rows on both sides; at the ends of a segment, the rows nearest to the end.
    #[default]
    Center,
    /// The row itself and rows before it only.
    Backward,
    /// The row itself and rows after it only.
    Forward,
}

impl Default for Derivative {
    fn default() -> Self {
        Self {
            order: 1,
            accuracy: 2,
            edge_accuracy: 2,
            side: Side::Center,
            with_error: false,
            sigma: None,
        }
    }
}

impl Derivative {
    /// A centred derivative with the same accuracy at the ends.
    ///
    /// # Errors
    ///
    /// If `order` or `accuracy` is not from 1 to 8, or their sum is above 12.
    pub fn new(order: usize, accuracy: usize) -> Result<Self, String> {
        Self {
            order,
            accuracy,
            edge_accuracy: accuracy,
            ..Self::default()
        }
        .checked()
    }

    /// The order of accuracy at the ends of segments, for [`Side::Center`]. A segment with fewer rows than the sum of it
    /// and `order` is null.
    ///
    /// # Errors
    ///
    /// If it is not from 1 to 8, or too small for the rows next to an end to be among the rows that they read.
    pub fn edge_accuracy(mut self, edge_accuracy: usize) -> Result<Self, String> {
        self.edge_accuracy = edge_accuracy;
        self.checked()
    }

    /// Which rows a stencil has.
    #[must_use]
    pub fn side(mut self, side: Side) -> Self {
        self.side = side;
        self
    }

    /// Gives a struct of the derivative and its errors.
    ///
    /// - `value`: the derivative.
    /// - `truncation`: how far the derivative is from that of the polynomial through two more rows, an estimate of the
    ///   error that the finite step makes. Null where these rows do not exist.
    /// - `stderr`: the standard error that noise in y makes. Null without a [`sigma`](Self::sigma), of all rows or of
    ///   each.
    #[must_use]
    pub fn with_error(mut self) -> Self {
        self.with_error = true;
        self
    }

    /// The standard deviation of the noise in y: a number in the unit of y, or a `Duration` for a temporal y. It implies
    /// [`with_error`](Self::with_error). For one in each row see [`Domain::sigma`](crate::Domain::sigma).
    ///
    /// # Errors
    ///
    /// If it is not finite and positive.
    pub fn sigma(mut self, sigma: impl Into<Length>) -> Result<Self, String> {
        self.sigma = Some(sigma.into());
        self.with_error = true;
        self.checked()
    }

    fn checked(self) -> Result<Self, String> {
        let Self {
            order,
            accuracy,
            edge_accuracy,
            ..
        } = self;
        for (name, number) in [
            ("order", order),
            ("accuracy", accuracy),
            ("edge_accuracy", edge_accuracy),
        ] {
            if !(1..=8).contains(&number) {
                return Err(format!("`{name}` must be from 1 to 8, got {number}"));
            }
        }
        if order + accuracy > 12 {
            return Err(format!(
                "the sum of `order` and `accuracy` must be at most 12, got {order} and {accuracy}"
            ));
        }
        let least = self.half().saturating_sub(order).max(1);
        if edge_accuracy < least {
            return Err(format!(
                "`edge_accuracy` must be at least {least} for `order` {order} and `accuracy` {accuracy}, got {edge_accuracy}"
            ));
        }
        match self.sigma {
            Some(_) if !self.with_error => Err("`sigma` is for the standard error: set `with_error` too".to_owned()),
            Some(Length::Step(sigma)) if !(sigma > 0.0 && sigma.is_finite()) => {
                Err(format!("`sigma` must be finite and positive, got {sigma}"))
            },
            Some(Length::Nanoseconds(sigma)) if sigma <= 0 => Err(format!("`sigma` must be positive, got {sigma} ns")),
            _ => Ok(self),
        }
    }

    /// The number of rows of a stencil, except at ends.
    fn rows(self) -> usize {
        self.order + self.accuracy
    }

    /// The number of rows of a stencil at an end.
    fn edge_rows(self) -> usize {
        self.order + self.edge_accuracy
    }

    /// The number of rows that a centred stencil reads on each side.
    fn half(self) -> usize {
        self.rows() / 2
    }
}

/// The options as they are stored.
#[cfg(feature = "serde")]
#[derive(Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct Unchecked {
    order: usize,
    accuracy: usize,
    /// `accuracy` by default.
    edge_accuracy: Option<usize>,
    side: Side,
    with_error: bool,
    sigma: Option<Length>,
}

#[cfg(feature = "serde")]
impl Default for Unchecked {
    fn default() -> Self {
        let Derivative {
            order,
            accuracy,
            side,
            with_error,
            sigma,
            ..
        } = Derivative::default();
        Self {
            order,
            accuracy,
            edge_accuracy: None,
            side,
            with_error,
            sigma,
        }
    }
}

#[cfg(feature = "serde")]
impl TryFrom<Unchecked> for Derivative {
    type Error = String;

    fn try_from(options: Unchecked) -> Result<Self, String> {
        let derivative = Self {
            order: options.order,
            accuracy: options.accuracy,
            edge_accuracy: options.edge_accuracy.unwrap_or(options.accuracy),
            side: options.side,
            with_error: options.with_error,
            sigma: options.sigma,
        };
        derivative.checked()
    }
}

#[cfg(feature = "serde")]
impl From<Derivative> for Unchecked {
    fn from(derivative: Derivative) -> Self {
        Self {
            order: derivative.order,
            accuracy: derivative.accuracy,
            edge_accuracy: Some(derivative.edge_accuracy),
            side: derivative.side,
            with_error: derivative.with_error,
            sigma: derivative.sigma,
        }
    }
}

impl Describe for Derivative {
    fn extent(&self) -> Extent {
        let Reach { before, after } = self.reads_at_most();
        Extent::rows(before, after)
    }

    fn outputs(&self) -> Vec<Output> {
        let output = Output::per_x(self.order as i32);
        if !self.with_error {
            return vec![output];
        }
        let field = |name, sigma| Output { name, sigma, ..output };
        vec![
            field("value", None),
            field("truncation", None),
            field("stderr", self.sigma),
        ]
    }

    fn takes_x_period(&self) -> bool {
        true
    }

    fn uses_sigma(&self) -> Result<SigmaUse, &'static str> {
        match self.sigma {
            Some(_) => Err("has a `sigma` for all rows"),
            None if !self.with_error => Err("takes `sigma` for its standard error only, without `with_error`"),
            None => Ok(SigmaUse::Errors),
        }
    }
}

impl Evaluate for Derivative {
    fn evaluate_rows<Y: Sample, X: Sample, O: Float>(
        &self,
        rows: &Rows<'_, '_, Y, X>,
        results: &mut Columns<O>,
    ) -> Result<(), RowError>
    where
        f64: AsPrimitive<O>,
    {
        let Some(gradient) = self.as_gradient() else {
            return self.evaluate_blocks(rows, results);
        };
        if !self.with_error {
            return gradient.evaluate_rows(rows, results);
        }
        // The same bits with and without the errors.
        let start = results.first().len();
        self.evaluate_blocks(rows, results)?;
        let mut values = Columns::with_capacity(1, rows.len());
        let reach = gradient.reads_at_most();
        let of_gradient = Rows {
            lags: &rows.lags[reach.within(rows.reach)],
            reach,
            ..*rows
        };
        gradient.evaluate_rows(&of_gradient, &mut values)?;
        results.first().values_mut()[start..].copy_from_slice(values.first().values_mut());
        Ok(())
    }
}

impl Derivative {
    /// The same polynomials, if they are those of `gradient`.
    fn as_gradient(self) -> Option<Gradient> {
        let edge_order = match (self.order, self.accuracy, self.edge_accuracy, self.side) {
            (1, 2, 1, Side::Center) => EdgeOrder::First,
            (1, 2, 2, Side::Center) => EdgeOrder::Second,
            _ => return None,
        };
        Some(Gradient::new().edge_order(edge_order))
    }

    /// The rows that are read at a row, given the `available` rows around it. `None` if these are too few.
    fn reads(self, available: Reach) -> Option<Reach> {
        let others = self.rows() - 1;
        let reads = match self.side {
            Side::Center => {
                // As if the row were at an end: null in all rows of a segment that is too short for its ends.
                if available.before + available.after + 1 < self.edge_rows() {
                    return None;
                }
                let half = self.half();
                if available.before >= half && available.after >= half {
                    return Some(self.inside());
                }
                let others = self.edge_rows() - 1;
                // The nearer end, on a tie the first.
                if available.before <= available.after {
                    let before = available.before;
                    Reach {
                        before,
                        after: others.checked_sub(before)?,
                    }
                } else {
                    let after = available.after;
                    Reach {
                        before: others.checked_sub(after)?,
                        after,
                    }
                }
            },
            Side::Backward => Reach {
                before: others,
                after: 0,
            },
            Side::Forward => Reach {
                before: 0,
                after: others,
            },
        };
        fits(reads, available).then_some(reads)
    }

    /// The rows before and after its own that a row may read.
    fn reads_at_most(self) -> Reach {
        let more = if self.with_error { 2 } else { 0 };
        let others = self.rows() - 1 + more;
        let (before, after) = match self.side {
            Side::Center => {
                let reach = (self.half() + more / 2).max(self.edge_rows() - 1 + more);
                (reach, reach)
            },
            Side::Backward => (others, 0),
            Side::Forward => (0, others),
        };
        Reach { before, after }
    }

    /// The rows that are read at a row inside a segment.
    fn inside(self) -> Reach {
        let others = self.rows() - 1;
        let [before, after] = match self.side {
            Side::Center => [self.half(); 2],
            Side::Backward => [others, 0],
            Side::Forward => [0, others],
        };
        Reach { before, after }
    }

    /// Mask of rows whose segment has as many rows as a stencil at an end, given the lags of the stencil inside.
    fn has_ends(self, in_segment: &[u64; MAX_LAGS], inside: &Range<usize>) -> u64 {
        let rows = self.edge_rows();
        if self.side != Side::Center || rows <= inside.len() {
            return u64::MAX;
        }
        // Runs of so many lags that contain those of the stencil.
        let runs = (inside.end - rows..=inside.start).map(|first| &in_segment[first..first + rows]);
        runs.fold(0, |any, run| any | run.iter().fold(u64::MAX, |all, lag| all & lag))
    }

    /// The rows of the stencil with two more rows, given those of a stencil and the `available` rows.
    fn wider(self, reads: Reach, available: Reach) -> Reach {
        let Reach { before, after } = reads;
        let [before, after] = match self.side {
            Side::Center if reads == self.inside() => [before + 1, after + 1],
            // At the first end, as in `reads`.
            Side::Center if available.before <= available.after => [before, after + 2],
            Side::Center | Side::Backward => [before + 2, after],
            Side::Forward => [before, after + 2],
        };
        Reach { before, after }
    }

    /// The derivative at a row that reads these rows; its truncation error only if `wider` is given.
    fn derivation(self, x: Coordinates, reads: Reach, wider: Option<Reach>, with_noise: bool) -> Derivation {
        let is_inside = reads == self.inside();
        let polynomial = Polynomial {
            order: self.order,
            before: reads.before,
            after: reads.after,
            paired: is_inside && self.side == Side::Center && self.rows().is_multiple_of(2),
            wider: wider.map(|wider| [wider.before, wider.after]),
        };
        let most = self.rows().max(self.edge_rows()) + if self.with_error { 2 } else { 0 };
        let usual = Usual::new(most);
        Derivation {
            polynomial,
            usual,
            step_factor: match x {
                Coordinates::Integers => usual.integer_step(),
                Coordinates::Even | Coordinates::Floats => 1.0,
            },
            even: (x == Coordinates::Even && is_inside).then(|| EvenWeights::new(polynomial)),
            with_noise,
            // A polynomial in seconds has no exact differences per tick, but its highest derivative is constant.
            formula: if x == Coordinates::Integers && self.order > 1 {
                Formula::DoubleDoubles
            } else {
                polynomial.formula()
            },
        }
    }

    /// Evaluates rows in blocks of 64, and one by one those at the ends of segments and unusual ones.
    fn evaluate_blocks<Y: Sample, X: Sample, O: Float>(
        self,
        rows: &Rows<'_, '_, Y, X>,
        results: &mut Columns<O>,
    ) -> Result<(), RowError>
    where
        f64: AsPrimitive<O>,
    {
        let length = rows.len();
        let this = rows.reach.before;
        let narrow = self.inside();
        let wide = self.with_error.then(|| self.wider(narrow, rows.reach));
        let with_noise = self.sigma.is_some() || rows.sigma.is_some();
        let derivations = [None, wide].map(|wider| self.derivation(Coordinates::of(rows), narrow, wider, with_noise));
        let of_block = &derivations[usize::from(self.with_error)];
        let lags = wide.unwrap_or(narrow).within(rows.reach);
        let y: Vec<_> = rows.lags[lags.clone()].iter().map(|lag| lag.y.values).collect();
        let x = rows.lags[lags.clone()].iter().filter_map(|lag| lag.x);
        let x: Vec<_> = x.map(|x| x.values).collect();
        let around = this - lags.start;
        let only_rows = rows.rules.only_starts(rows.lags) && !rows.rules.has_starts();
        let mut valid: Vec<_> = results.fields.iter().map(|_| Valid::new(length)).collect();
        let mut derivatives = Derivatives::zero();
        let mut differences = Differences::<BLOCK_SPAN>::LEVEL;
        for first in (0..length).step_by(ROWS) {
            let count = ROWS.min(length - first);
            let in_block = first..first + count;
            let mut in_segment = [u64::MAX; MAX_LAGS];
            let mut usual = if count < ROWS { !high_mask(count) } else { u64::MAX };
            if !only_rows {
                in_segment = rows.rules.in_segment(rows.lags, this, first);
                for lag in lags.clone() {
                    usual &= in_segment[lag] & rows.lags[lag].valid(first);
                }
                usual &= self.has_ends(&in_segment, &narrow.within(rows.reach));
            }
            if usual != 0 {
                let rises = Minus {
                    period: rows.units.period,
                    factor: 1.0,
                };
                rises.between(&y, around, in_block.clone(), &mut differences.rises, None);
                if !x.is_empty() {
                    let steps = Minus {
                        period: None,
                        factor: of_block.step_factor,
                    };
                    let rests = of_block.formula.reads_rests().then_some(&mut differences.rests);
                    steps.between(&x, around, in_block, &mut differences.steps, rests);
                }
                let deviations = rows.sigma.map(|sigma| {
                    let read = &sigma[first + lags.start..first + count + lags.end - 1];
                    let mut deviations = [1.0; BLOCK_SPAN];
                    deviations[..read.len()].copy_from_slice(read);
                    deviations
                });
                usual &= of_block.at_block(&differences, deviations.as_ref(), &mut derivatives);
                let columns = [
                    &mut derivatives.values,
                    &mut derivatives.truncations,
                    &mut derivatives.noises,
                ];
                for ((values, scale), field) in columns.into_iter().zip(&rows.units.scales).zip(&mut results.fields) {
                    usual &= scale.apply_all(values);
                    field.values.extend(values[..count].iter().map(|value| value.as_()));
                }
                if deviations.is_some() {
                    let unknown = (0..count).filter(|place| derivatives.noises[*place].is_nan());
                    unknown.for_each(|place| valid[2].set(first + place, false));
                }
            } else {
                for field in &mut results.fields {
                    field.values.resize(field.values.len() + count, 0.0.as_());
                }
            }
            for place in set_bits(!usual, count) {
                let has = |lag: usize| in_segment[lag] >> place & 1 != 0;
                let values = self.at_row(rows, &derivations[0], first + place, has)?;
                for (output, field) in results.fields.iter_mut().enumerate() {
                    let value = values[output].map(|value| rows.units.scales[output].apply(value));
                    if value.is_none() || output == 2 {
                        valid[output].set(first + place, value.is_some());
                    }
                    let index = field.values.len() - count + place;
                    field.values[index] = value.unwrap_or_default().as_();
                }
            }
            if self.with_error && !with_noise {
                (first..first + count).for_each(|row| valid[2].set(row, false));
            }
        }
        for (field, valid) in results.fields.iter_mut().zip(valid) {
            field.extend_validity(&valid);
        }
        Ok(())
    }

    /// The results at one row.
    fn at_row<Y: Sample, X: Sample>(
        self,
        rows: &Rows<'_, '_, Y, X>,
        inside: &Derivation,
        row: usize,
        in_segment: impl Fn(usize) -> bool,
    ) -> Result<Values, RowError> {
        let mut results = Values::default();
        let this = rows.reach.before;
        if !in_segment(this) {
            return Ok(results);
        }
        let available = Reach {
            before: (0..this).rev().take_while(|&lag| in_segment(lag)).count(),
            after: (this + 1..rows.lags.len()).take_while(|&lag| in_segment(lag)).count(),
        };
        let Some(reads) = self.reads(available) else {
            return Ok(results);
        };
        let Some(differences) = RowDifferences::new(rows, row, reads.within(rows.reach))? else {
            return Ok(results);
        };
        let window = differences.window();
        let lags = reads.within(rows.reach);
        let deviations = rows.sigma.map(|sigma| &sigma[row + lags.start..row + lags.end]);
        let at_edge;
        let derivation = if reads == self.inside() {
            inside
        } else {
            at_edge = self.derivation(Coordinates::of(rows), reads, None, inside.with_noise);
            &at_edge
        };
        let derivatives = derivation.at_row(window.rises, [window.steps, differences.rests()], deviations);
        results[0] = Some(derivatives.values[0] + differences.nan);
        // Of a row without a deviation it is NaN.
        let is_known = inside.with_noise && !(deviations.is_some() && derivatives.noises[0].is_nan());
        results[2] = is_known.then_some(derivatives.noises[0]);
        let wider = self.wider(reads, available);
        if self.with_error && fits(wider, available) {
            let lenient = Rows { strict: false, ..*rows };
            if let Some(differences) = RowDifferences::new(&lenient, row, wider.within(rows.reach))? {
                let window = differences.window();
                let derivation = self.derivation(Coordinates::of(rows), reads, Some(wider), false);
                let derivatives = derivation.at_row(window.rises, [window.steps, differences.rests()], None);
                results[1] = Some(derivatives.truncations[0] + differences.nan);
            }
        }
        Ok(results)
    }
}

/// What x is, as far as the formula depends on it.
#[derive(Clone, Copy, PartialEq)]
enum Coordinates {
    /// Rows are one step apart.
    Even,
    Integers,
    Floats,
}

impl Coordinates {
    fn of<Y, X: Sample>(rows: &Rows<'_, '_, Y, X>) -> Self {
        match rows.lags[0].x {
            None => Self::Even,
            Some(_) if X::INTEGER => Self::Integers,
            Some(_) => Self::Floats,
        }
    }
}

fn fits(reads: Reach, available: Reach) -> bool {
    reads.before <= available.before && reads.after <= available.after
}

/// How two adjacent values are subtracted.
#[derive(Clone, Copy)]
struct Minus {
    /// To the nearest multiple of it.
    period: Option<f64>,
    /// What a difference is multiplied by.
    factor: f64,
}

impl Minus {
    /// The differences of adjacent rows, from the first that the first of some rows reads to the last that the last one
    /// reads; copies of the last difference follow. The rows themselves are the lag `this`. The rests are what to add for the
    /// exact differences, without a period.
    ///
    /// A row that is read by several rows of a segment is the same in the lags of all.
    #[inline(never)]
    fn between<T: Sample>(
        self,
        lags: &[&[T]],
        this: usize,
        rows: Range<usize>,
        differences: &mut [f64; BLOCK_SPAN],
        rests: Option<&mut [f64; BLOCK_SPAN]>,
    ) {
        let these = &lags[this][rows.clone()];
        let mut values = [these[0]; BLOCK_SPAN];
        for (value, lag) in values.iter_mut().zip(&lags[..this]) {
            *value = lag[rows.start];
        }
        values[this..this + these.len()].copy_from_slice(these);
        let after = values[this + these.len()..].iter_mut();
        for (value, lag) in after.zip(&lags[this + 1..]) {
            *value = lag[rows.end - 1];
        }
        let count = lags.len() + these.len() - 2;
        let (earlier, later) = (&values[..count], &values[1..=count]);
        if let Some(period) = self.period {
            periodic_rises(later, earlier, period, &mut differences[..count]);
        } else if let Some(rests) = rests {
            let pairs = later.iter().zip(earlier);
            for ((difference, rest), (later, earlier)) in differences.iter_mut().zip(&mut *rests).zip(pairs) {
                (*difference, *rest) = later.split_minus(*earlier, self.factor);
            }
            let last = rests[count - 1];
            rests[count..].fill(last);
        } else {
            for (difference, (later, earlier)) in differences.iter_mut().zip(later.iter().zip(earlier)) {
                *difference = later.minus(*earlier) * self.factor;
            }
        }
        let last = differences[count - 1];
        differences[count..].fill(last);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The results at one of some rows.
    fn results_at(
        derivative: Derivative,
        y: impl Fn(f64) -> f64,
        x: &[f64],
        row: usize,
    ) -> Option<(Derivatives<1>, bool)> {
        let reach = derivative.reads_at_most();
        let available = Reach {
            before: row.min(reach.before),
            after: (x.len() - 1 - row).min(reach.after),
        };
        let reads = derivative.reads(available)?;
        let wider =
            Some(derivative.wider(reads, available)).filter(|&wider| derivative.with_error && fits(wider, available));
        let all = wider.unwrap_or(reads);
        let x = &x[row - all.before..=row + all.after];
        let differences = |values: Vec<f64>| values.windows(2).map(|pair| pair[1] - pair[0]).collect::<Vec<_>>();
        let derivation = derivative.derivation(Coordinates::Floats, reads, wider, derivative.sigma.is_some());
        let rises = differences(x.iter().map(|&x| y(x)).collect());
        Some((
            derivation.at_row(&rises, [&differences(x.to_vec()), &vec![0.0; rises.len()]], None),
            wider.is_some(),
        ))
    }

    /// The derivative at one of some rows.
    fn at(derivative: Derivative, y: impl Fn(f64) -> f64, x: &[f64], row: usize) -> Option<f64> {
        results_at(derivative, y, x, row).map(|(results, _)| results.values[0])
    }

    fn derivatives() -> impl Iterator<Item = Derivative> {
        let orders = (1..=8).flat_map(|order| (1..=8).map(move |accuracy| (order, accuracy)));
        orders.filter_map(|(order, accuracy)| Derivative::new(order, accuracy).ok())
    }

    const GRID: [f64; 24] = [
        -7.0, -4.0, -3.5, -3.0, -1.0, -0.5, 0.0, 0.25, 1.0, 2.0, 2.5, 4.0, 4.5, 6.0, 9.0, 9.5, 10.0, 12.0, 15.0, 15.5,
        17.0, 18.0, 20.0, 21.0,
    ];

    #[test]
    fn a_polynomial_of_a_degree_below_the_number_of_rows_has_its_derivative() {
        for derivative in derivatives() {
            let degree = derivative.rows() - 1;
            for (row, &x) in GRID.iter().enumerate() {
                // The n-th derivative of (x - 3)^degree.
                let order = derivative.order;
                let factor = (degree + 1 - order..=degree)
                    .map(|factor| factor as f64)
                    .product::<f64>();
                let expected = factor * (x - 3.0).powi((degree - order) as i32);
                let result = at(derivative, |x| (x - 3.0).powi(degree as i32), &GRID, row).expect("enough rows");
                let size = 18.0_f64.powi((degree - order) as i32) * factor;
                assert!(
                    (result - expected).abs() <= 1e-9 * size,
                    "{derivative:?} at {x}: {result} for {expected}"
                );
            }
        }
    }

    #[test]
    fn lower_degrees_vanish_exactly_on_exact_grids() {
        let second = Derivative::new(2, 2).expect("allowed");
        for row in 0..GRID.len() {
            assert_eq!(at(second, |x| 3.0 * x + 1e9, &GRID, row), Some(0.0), "row {row}");
            assert_eq!(at(second, |x| x * x, &GRID, row), Some(2.0), "row {row}");
        }
    }

    #[test]
    fn an_even_number_of_rows_is_the_textbook_formula_on_an_even_grid() {
        let grid: Vec<_> = (0..9).map(f64::from).collect();
        let second = Derivative::new(2, 2).expect("allowed");
        let y = |x: f64| (x * 0.7).sin();
        let expected = y(3.0) - 2.0 * y(4.0) + y(5.0);
        let result = at(second, y, &grid, 4).expect("enough rows");
        assert!((result - expected).abs() < 4.0 * f64::EPSILON);
    }

    #[test]
    fn one_sided_stencils_read_one_side() {
        let y = |x: f64| x * x;
        let backward = Derivative::new(1, 2).expect("allowed").side(Side::Backward);
        assert_eq!(at(backward, y, &GRID, 1), None);
        assert_eq!(
            at(backward, |x| if x > 1.0 { f64::NAN } else { x * x }, &GRID, 8),
            Some(2.0)
        );
        let forward = backward.side(Side::Forward);
        assert_eq!(
            at(forward, |x| if x < 1.0 { f64::NAN } else { x * x }, &GRID, 8),
            Some(2.0)
        );
        assert_eq!(at(forward, y, &GRID, GRID.len() - 2), None);
    }

    #[test]
    fn steps_of_any_size_stay_in_range() {
        for size in [1e-150, 1e150] {
            let grid = GRID.map(|x| x * size);
            let second = Derivative::new(2, 2).expect("allowed");
            let result = at(second, |x| x / size * (x / size) * size, &grid, 9).expect("enough rows");
            let expected = 2.0 / size;
            assert!((result / expected - 1.0).abs() < 1e-14, "{result:e} for {expected:e}");
        }
    }

    #[test]
    fn the_truncation_is_the_difference_from_two_more_rows() {
        let y = |x: f64| (0.3 * x).sin();
        for derivative in derivatives().filter(|derivative| derivative.rows() <= 10) {
            let Ok(wider) = Derivative::new(derivative.order, derivative.accuracy + 2) else {
                continue;
            };
            for side in [Side::Center, Side::Backward, Side::Forward] {
                for row in 0..GRID.len() {
                    let results = results_at(derivative.side(side).with_error(), y, &GRID, row);
                    let Some((results, true)) = results else {
                        continue;
                    };
                    let wide = at(wider.side(side), y, &GRID, row).expect("enough rows");
                    let expected = (wide - results.values[0]).abs();
                    assert_eq!(
                        results.values[0],
                        at(derivative.side(side), y, &GRID, row).expect("enough rows")
                    );
                    assert!(
                        (results.truncations[0] - expected).abs() <= 1e-9 * (expected + 1.0),
                        "{derivative:?} {side:?} at {row}: {} for {expected}",
                        results.truncations[0]
                    );
                }
            }
        }
    }

    #[test]
    fn both_ends_have_a_truncation_where_two_more_rows_exist() {
        for derivative in derivatives() {
            for edge_accuracy in 1..=8 {
                let Ok(derivative) = derivative.edge_accuracy(edge_accuracy) else {
                    continue;
                };
                let rows = derivative.edge_rows() + 2;
                let is_at_end = |row: &usize| (*row).min(rows - 1 - row) < derivative.half();
                for row in (0..rows).filter(is_at_end) {
                    let results = results_at(derivative.with_error(), |x| (0.3 * x).sin(), &GRID[..rows], row);
                    let (_, has_truncation) = results.expect("enough rows");
                    assert!(has_truncation, "{derivative:?} at {row}");
                }
            }
        }
    }

    #[test]
    fn a_segment_too_short_for_its_ends_is_null() {
        let derivative = Derivative::new(1, 2).and_then(|derivative| derivative.edge_accuracy(5));
        let derivative = derivative.expect("allowed");
        let results = |rows: usize| (0..rows).map(move |row| at(derivative, |x| 3.0 * x, &GRID[..rows], row));
        assert!(results(5).all(|result| result.is_none()));
        assert!(results(6).all(|result| result == Some(3.0)));
    }

    #[test]
    fn the_noise_is_the_norm_of_the_weights() {
        for derivative in derivatives() {
            let derivative = derivative.sigma(1.0).expect("positive");
            for row in 0..GRID.len() {
                // Each value by itself has its weight as the derivative.
                let weight = |index: usize| {
                    let y = |x: f64| f64::from(u8::from(x == GRID[index]));
                    at(derivative, y, &GRID, row).expect("enough rows")
                };
                let expected = (0..GRID.len()).map(|index| weight(index).powi(2)).sum::<f64>().sqrt();
                let (results, _) = results_at(derivative, |x| x, &GRID, row).expect("enough rows");
                let noise = results.noises[0];
                assert!(
                    (noise / expected - 1.0).abs() < 1e-9,
                    "{derivative:?} at {row}: {noise} for {expected}"
                );
            }
        }
    }

    #[test]
    fn what_is_not_allowed_is_an_error() {
        for (order, accuracy) in [(0, 2), (9, 1), (1, 9), (5, 8)] {
            assert!(Derivative::new(order, accuracy).is_err(), "{order} and {accuracy}");
        }
        let error = Derivative::new(1, 8).and_then(|derivative| derivative.edge_accuracy(2));
        assert!(error.is_err_and(|error| error.contains("at least 3")));
        for sigma in [0.0, -1.0, f64::NAN, f64::INFINITY] {
            assert!(Derivative::default().sigma(sigma).is_err(), "{sigma}");
        }
    }
}
