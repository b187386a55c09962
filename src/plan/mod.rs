//! The type, the unit and the scale of a result, from the types of the columns, the domain and the operator.

macro_rules! refuse {
    ($($message:tt)*) => { return Err($crate::plan::PlanError(format!($($message)*))) };
}

mod columns;
#[cfg(any(feature = "polars", feature = "arrow"))]
mod ring;
mod scale;
mod units;

#[cfg(any(feature = "polars", feature = "arrow"))]
pub(crate) use columns::spare_bits_of_decimal;
pub(crate) use columns::{ColumnInfo, SPARE_BITS_OF_64, SPARE_BITS_OF_128};
pub(crate) use units::Units;

use columns::{axis, check_mean, sigma_unit, x_unit, y_unit};
use scale::{check_per, kind, parts, place, scale, step};
use units::{limit, period};

use crate::domain::{Domain, Duplicates, Nulls};
use crate::inputs::Inputs;
use crate::kernel::{Limit, Scale};
use crate::operators::{Extent, Measure, Operator, SigmaUse};
use crate::segments::BreakRules;
#[cfg(any(feature = "polars", feature = "arrow"))]
use crate::segments::Ring;

const SECOND: i64 = 1_000_000_000;

/// Everything about a result that does not depend on the values.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Plan {
    /// 0 is down the rows; 1 and further are inside cells.
    #[cfg_attr(not(feature = "polars"), allow(dead_code))] // Only Polars has cells.
    pub(crate) axis: usize,
    pub(crate) outputs: Vec<PlannedOutput>,
    /// The operator, with its lengths in the numbers of the columns.
    pub(crate) operator: Operator,
    pub(crate) units: ResultUnits,
    /// What a column of standard deviations counts, if there is one.
    #[cfg_attr(not(any(feature = "polars", feature = "arrow")), allow(dead_code))] // A live feed has none.
    pub(crate) sigma: Option<SigmaUnit>,
    pub(crate) breaks: BreakRules,
    /// The lengths of x before and after a row that the operator reads, if it reads lengths.
    pub(crate) lengths: Option<[Limit; 2]>,
    /// Whether the last row of a group stands before its first one.
    #[cfg(any(feature = "polars", feature = "arrow"))]
    pub(crate) ring: Option<Ring>,
    pub(crate) duplicates: Duplicates,
    /// The number of binary digits after the point that a mean of integers gets.
    pub(crate) mean_digits: u32,
}

/// How the numbers of the columns become those of the result.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct ResultUnits {
    /// Whether the first output is a word, which has no scale.
    pub(crate) has_words: bool,
    /// One for each output that is a number.
    pub(crate) scales: Vec<Scale>,
    /// That of y per x.
    pub(crate) rate: Scale,
    /// The number of y that means zero.
    pub(crate) zero: i128,
    /// The number of x that means zero, if x is a number: places on a temporal x are distances from the x of the row.
    pub(crate) zero_of_x: Option<i128>,
    /// The period of y, in its numbers.
    pub(crate) period: Option<f64>,
}

/// What the numbers of a column of standard deviations count, and what for.
#[derive(Clone, Copy, Debug, PartialEq)]
#[cfg_attr(not(any(feature = "polars", feature = "arrow")), allow(dead_code))] // A live feed has none.
pub(crate) struct SigmaUnit {
    /// The factor to the numbers of y.
    pub(crate) scale: Scale,
    /// The number that means zero.
    pub(crate) zero: i128,
    pub(crate) used: SigmaUse,
}

/// One column of a result.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct PlannedOutput {
    /// The name of the field; empty where the output is the whole result.
    pub(crate) name: &'static str,
    pub(crate) kind: Kind,
}

/// What a result counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// Numbers: floats of the width of y if y is a float, else 64-bit floats.
    Number,
    /// Numbers: 64-bit floats, whatever y is.
    Float64,
    /// Durations in ticks of this many nanoseconds.
    Duration { nanoseconds: i64 },
    /// The numbers of y, in its dtype.
    OfY,
    /// Places on x: in its dtype if that is temporal or Float32, else 64-bit floats. A temporal one is in ticks from the x
    /// of its row.
    OfX,
    /// Indices of words.
    Word(&'static [&'static str]),
}

impl Kind {
    /// Numbers as 64-bit floats.
    fn or_float64(self) -> Self {
        if self == Self::Number { Self::Float64 } else { self }
    }
}

/// Why an operator has no result for these columns and this domain.
#[derive(Debug)]
pub(crate) struct PlanError(pub(crate) String);

impl Plan {
    /// # Errors
    ///
    /// Where a column is none that the operator takes, or an option does not fit.
    pub(crate) fn new<C>(
        operator: &Operator,
        columns: Inputs<ColumnInfo>,
        domain: &Domain<C>,
    ) -> Result<Self, PlanError> {
        if domain.sphere.is_some() {
            refuse!("`sphere` is for the coordinates of a grid, such as those of `partials`; drop it");
        }
        let Inputs { y, x, sigma } = columns;
        let y_unit = y_unit(operator, y)?;
        let x_unit = x.map(|x| x_unit(operator, x)).transpose()?;
        let axis = axis(y, x, domain)?;
        let step = step(operator, x.zip(x_unit), domain.spacing)?;
        check_per(domain.per, y_unit, x, step.unit.is_time())?;
        let per = domain.per.unwrap_or(SECOND);
        let mean_digits = if domain.duplicates == Duplicates::Mean {
            y.spare_bits
        } else {
            0
        };
        let y_factor = 2_f64.powi(mean_digits as i32);
        let scale = |kind, order| {
            let mut scale = scale(y_unit, step, kind, per, order);
            scale.divide(y_factor);
            scale
        };
        let rate_kind = kind(y, y_unit, step.unit, 1)?;
        let units = Units {
            y: (y, y_unit),
            y_factor,
            x: x.zip(x_unit),
            rate_kind,
        };
        let planned = operator.describe().outputs().into_iter().map(|output| {
            let (kind, mut scale) = match output.measure {
                Measure::Value if y_unit.is_time() => (Kind::OfY, parts(y_factor)),
                Measure::PerX(_) | Measure::Value => {
                    let order = output.measure.power();
                    let kind = kind(y, y_unit, step.unit, order)?;
                    (kind, scale(kind, order))
                },
                Measure::Rise => {
                    check_mean(operator, y, domain.duplicates)?;
                    (Kind::OfY, Scale::ONE)
                },
                Measure::Level => {
                    let kind = kind(y, y_unit, step.unit, 0)?.or_float64();
                    (kind, scale(kind, 0))
                },
                Measure::Place => place(x, step),
                Measure::Word(words) => {
                    let (name, kind) = (output.name, Kind::Word(words));
                    return Ok((PlannedOutput { name, kind }, None));
                },
            };
            if let Some(sigma) = output.sigma {
                scale.numerator *= units.of_y("sigma", sigma)?;
            }
            let name = output.name;
            Ok((PlannedOutput { name, kind }, Some(scale)))
        });
        let planned = planned.collect::<Result<Vec<_>, PlanError>>()?;
        let (outputs, scales): (Vec<_>, Vec<_>) = planned.into_iter().unzip();
        let period = period(operator, domain.y_period, &units)?;
        let sigma = match sigma {
            None if domain.sigma.is_some() => refuse!(
                "`sigma` cannot be a column here; give `{}` one for all rows, or drop it",
                operator.name()
            ),
            sigma => sigma
                .map(|sigma| sigma_unit(operator, sigma, &units, axis))
                .transpose()?,
        };
        Ok(Self {
            axis,
            outputs,
            #[cfg(any(feature = "polars", feature = "arrow"))]
            ring: domain
                .x_period
                .map(|period| ring::ring(operator, period, &units, domain.spacing.is_some().then_some(step)))
                .transpose()?,
            operator: operator.resolved(&units)?,
            units: ResultUnits {
                has_words: scales.iter().any(Option::is_none),
                scales: scales.into_iter().flatten().collect(),
                rate: scale(rate_kind, 1),
                zero: y.zero << mean_digits,
                zero_of_x: x.filter(|_| !step.unit.is_time()).map(|x| x.zero),
                period,
            },
            sigma,
            breaks: BreakRules {
                at_nulls: domain.nulls == Nulls::Split,
                max_gap: domain
                    .max_gap
                    .map(|gap| limit("max_gap", gap, x.zip(x_unit)))
                    .transpose()?,
            },
            lengths: match operator.extent() {
                Extent::Lengths { before, after } => Some([units.reach(before)?, units.reach(after)?]),
                _ => None,
            },
            duplicates: domain.duplicates,
            mean_digits,
        })
    }
}

impl Plan {
    /// Whether a group must be evaluated in one piece.
    pub(crate) fn is_sequential(&self) -> bool {
        matches!(self.operator.extent(), Extent::Before | Extent::Segment)
    }
}

/// The nearest whole number of ticks of a duration, if 64 bits hold it.
#[cfg(any(feature = "polars", feature = "arrow"))]
pub(crate) fn ticks(value: f64) -> Option<i64> {
    let nearest = value.round_ties_even();
    let fits = nearest >= i64::MIN as f64 && nearest < i64::MAX as f64;
    fits.then_some(nearest as i64)
}
