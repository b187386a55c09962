//! `derivative`: the n-th derivative at any accuracy on any grid, from Newton's divided differences.
//!
//! ```text
//! rows      centred: the order + accuracy rows around the row; for an even number the mean of the two stencils that
//!           have the odd row on the left and on the right
//!           at an end: the order + edge_accuracy rows there
//!           backward, forward: the order + accuracy rows up to the row, or from it on
//! table     f[j]     = rise[j] / step[j]                              divided differences of adjacent rows,
//!           f[j..=k] = (f[j+1..=k] - f[j..k]) / (x[k] - x[j])         of more of them
//! nodes     the row itself, then outwards: next, previous, second next, ...; each prefix of them is adjacent rows
//! result    n! * sum over k of f[first k+1 nodes] * b[k][n]
//!           b[k+1][n] = b[k][n-1] - (node[k] - row) * b[k][n]         Newton's basis, its n-th derivative over n!
//! ```
//!
//! Only differences of adjacent rows are read, so an offset of y or x costs no digits. Weights times values (Fornberg
//! 1988) lose as many digits as the offset has.

use num_traits::AsPrimitive;
#[cfg(feature = "serde")]
use serde::{Deserialize, Serialize};

use super::gradient::{EdgeOrder, Gradient};
use super::{
    Columns, Describe, Evaluate, Extent, Float, MAX_REACH, Output, Reach, RowError, Rows, Stencil, Values, Window,
    row_by_row, value,
};
use crate::kernel::{Sample, stencil::inverse_power_of_two};

/// The most rows of a stencil.
const MAX_ROWS: usize = MAX_REACH + 1;

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
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
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
            side: Side::Center,
        }
        .checked()
    }

    /// The order of accuracy at the ends of segments, for [`Side::Center`].
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
        Ok(self)
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

    /// The rows before and after its own that a row may read.
    fn reads_at_most(self) -> Reach {
        let others = self.rows() - 1;
        let (before, after) = match self.side {
            Side::Center => {
                let reach = self.half().max(self.edge_rows() - 1);
                (reach, reach)
            },
            Side::Backward => (others, 0),
            Side::Forward => (0, others),
        };
        Reach { before, after }
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
}

#[cfg(feature = "serde")]
impl Default for Unchecked {
    fn default() -> Self {
        let Derivative {
            order, accuracy, side, ..
        } = Derivative::default();
        Self {
            order,
            accuracy,
            edge_accuracy: None,
            side,
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
        }
    }
}

impl Describe for Derivative {
    fn extent(&self) -> Extent {
        let Reach { before, after } = self.reads_at_most();
        Extent::rows(before, after)
    }

    fn outputs(&self) -> Vec<Output> {
        vec![Output::per_x(self.order as i32)]
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
        let edge_order = match (self.order, self.accuracy, self.edge_accuracy, self.side) {
            (1, 2, 1, Side::Center) => EdgeOrder::First,
            (1, 2, 2, Side::Center) => EdgeOrder::Second,
            _ => return row_by_row(&Newton(*self), rows, results),
        };
        Gradient::new().edge_order(edge_order).evaluate_rows(rows, results)
    }
}

/// A derivative that is evaluated row by row.
struct Newton(Derivative);

impl Describe for Newton {
    fn extent(&self) -> Extent {
        self.0.extent()
    }

    fn outputs(&self) -> Vec<Output> {
        self.0.outputs()
    }
}

impl Stencil for Newton {
    fn reads(&self, available: Reach) -> Option<Reach> {
        let Self(derivative) = self;
        let one_sided = match derivative.side {
            Side::Center => {
                let half = derivative.half();
                if available.before >= half && available.after >= half {
                    return Some(Reach {
                        before: half,
                        after: half,
                    });
                }
                let others = derivative.edge_rows() - 1;
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
            Side::Backward | Side::Forward => derivative.reads_at_most(),
        };
        let fits = one_sided.before <= available.before && one_sided.after <= available.after;
        fits.then_some(one_sided)
    }

    fn evaluate(&self, window: Window<'_>) -> Values {
        let Self(derivative) = self;
        let (order, half) = (derivative.order, derivative.half());
        let largest = window
            .steps
            .iter()
            .fold(0.0, |largest: f64, step| largest.max(step.abs()));
        let scale = inverse_power_of_two(largest);
        let rows = window.rises.len() + 1;
        let is_centered = derivative.side == Side::Center && window.before == half && rows == 2 * half + 1;
        let mut result = if is_centered && derivative.rows() < rows {
            let left = nth(&window.rises[..rows - 2], &window.steps[..rows - 2], half, order, scale);
            let right = nth(&window.rises[1..], &window.steps[1..], half - 1, order, scale);
            0.5 * left + 0.5 * right
        } else {
            nth(window.rises, window.steps, window.before, order, scale)
        };
        for _ in 0..order {
            result *= scale;
        }
        value(result)
    }
}

/// The derivative at one row of the polynomial through all rows. Steps are multiplied by `scale`, a power of two.
fn nth(rises: &[f64], steps: &[f64], row: usize, order: usize, scale: f64) -> f64 {
    let rows = rises.len() + 1;
    // The x of each row relative to `row`: sums of steps of one sign, which do not cancel.
    let mut nodes = [0.0; MAX_ROWS];
    for next in row + 1..rows {
        nodes[next] = nodes[next - 1] + steps[next - 1] * scale;
    }
    for previous in (0..row).rev() {
        nodes[previous] = nodes[previous + 1] - steps[previous] * scale;
    }
    // `table[j]` is the divided difference of `size + 1` rows from row j on.
    let mut table = [0.0; MAX_ROWS];
    // The distance between the first and the last of these rows.
    let mut widths = [0.0; MAX_ROWS];
    for (j, (rise, step)) in rises.iter().zip(steps).enumerate() {
        widths[j] = step * scale;
        table[j] = rise / widths[j];
    }
    // `basis[n]` is the n-th derivative, over n!, of the product of (x - node) over the nodes taken so far, at the row.
    let mut basis = [0.0; MAX_ROWS];
    basis[0] = 1.0;
    let mut sum = 0.0;
    let (mut first, mut last, mut node) = (row, row, 0.0);
    for size in 1..rows {
        for n in (1..=order).rev() {
            basis[n] = basis[n - 1] - node * basis[n];
        }
        basis[0] *= -node;
        // Outwards: the next row, then the previous one, while both exist.
        let is_next = last + 1 < rows && (first == 0 || last - row <= row - first);
        node = if is_next {
            last += 1;
            nodes[last]
        } else {
            first -= 1;
            nodes[first]
        };
        if size > 1 {
            for j in 0..rows - size {
                widths[j] += steps[j + size - 1] * scale;
                table[j] = (table[j + 1] - table[j]) / widths[j];
            }
        }
        sum += table[first] * basis[order];
    }
    (1..=order).fold(sum, |sum, factor| sum * factor as f64)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The derivative at one of some rows.
    fn at(derivative: Derivative, y: impl Fn(f64) -> f64, x: &[f64], row: usize) -> Option<f64> {
        let newton = Newton(derivative);
        let reach = derivative.reads_at_most();
        let reads = newton.reads(Reach {
            before: row.min(reach.before),
            after: (x.len() - 1 - row).min(reach.after),
        })?;
        let x = &x[row - reads.before..=row + reads.after];
        let differences = |values: Vec<f64>| values.windows(2).map(|pair| pair[1] - pair[0]).collect::<Vec<_>>();
        newton.evaluate(Window {
            rises: &differences(x.iter().map(|&x| y(x)).collect()),
            steps: &differences(x.to_vec()),
            before: reads.before,
        })[0]
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
    fn what_is_not_allowed_is_an_error() {
        for (order, accuracy) in [(0, 2), (9, 1), (1, 9), (5, 8)] {
            assert!(Derivative::new(order, accuracy).is_err(), "{order} and {accuracy}");
        }
        let error = Derivative::new(1, 8).and_then(|derivative| derivative.edge_accuracy(2));
        assert!(error.is_err_and(|error| error.contains("at least 3")));
    }
}
