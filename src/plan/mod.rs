//! The type, the unit and the scale of a result, from the types of the columns, the domain and the operator.

mod checks;
#[cfg(any(feature = "polars", feature = "arrow"))]
mod ring;
#[cfg(all(test, any(feature = "polars", feature = "arrow")))]
mod tests;
#[cfg(any(feature = "polars", feature = "arrow"))]
mod ticks;

use checks::{axis, check_mean, check_per, period, sigma_unit, step, x_unit, y_unit};

use crate::domain::{Domain, Duplicates, Nulls};
use crate::inputs::Inputs;
use crate::kernel::{Limit, Scale};
use crate::operators::{Extent, Measure, Operator, SigmaUse};
use crate::segments::BreakRules;
#[cfg(any(feature = "polars", feature = "arrow"))]
use crate::segments::Ring;
use crate::units::{
    ColumnInfo, Kind, PlanError, ResultUnits, Step, Unit, Units, limit, parts, power_of_ten, refuse, scale,
};

#[cfg(any(feature = "polars", feature = "arrow"))]
pub(crate) use self::ticks::{all_ticks, ticks};

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
        let mean_digits = match domain.duplicates {
            Duplicates::Mean => y.spare_bits,
            _ => 0,
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
                narrowed: [false; 2],
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

/// What y per `x^order` counts.
fn kind(y: ColumnInfo, y_unit: Unit, x_unit: Unit, order: i32) -> Result<Kind, PlanError> {
    match y_unit {
        Unit::Time { .. } if order > 1 && !x_unit.is_time() => refuse!(
            "a temporal y over a number has no derivative of order {order}, but y column `{}` is {}; \
            cast it to an integer",
            y.name,
            y.dtype
        ),
        Unit::Time { .. } if order > 0 && x_unit.is_time() => Ok(Kind::Number),
        // A Duration has no unit of days. Microseconds are what Polars' `diff` gives.
        Unit::DAY => Ok(Kind::Duration { nanoseconds: 1_000 }),
        Unit::Time { nanoseconds } => Ok(Kind::Duration { nanoseconds }),
        Unit::Number { .. } => Ok(Kind::Number),
    }
}

/// What a place on x counts, and its scale.
fn place(x: Option<ColumnInfo>, step: Step) -> (Kind, Scale) {
    let mut scale = Scale::ONE;
    match (x, step.unit) {
        (Some(_), Unit::Number { decimals }) => {
            scale.denominator = power_of_ten(decimals);
            (Kind::OfX, scale)
        },
        (Some(_), Unit::Time { .. }) => (Kind::OfX, scale),
        (None, Unit::Number { .. }) => {
            scale.numerator = step.steps;
            (Kind::Float64, scale)
        },
        (None, Unit::Time { nanoseconds }) => {
            scale.numerator = nanoseconds as f64;
            (Kind::Duration { nanoseconds: 1 }, scale)
        },
    }
}
