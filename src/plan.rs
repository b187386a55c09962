//! The type, the unit and the scale of a result, from the types of the columns, the domain and the operator.

use std::fmt::Display;

use crate::domain::{Domain, Length, Nulls};
use crate::kernel::{Limit, Scale};
use crate::operators::Operator;
use crate::segments::BreakRules;
use crate::unit::Unit;

const SECOND: i64 = 1_000_000_000;

/// Everything about a result that does not depend on the values.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Plan {
    /// 0 is down the rows; 1 and further are inside cells.
    #[cfg_attr(not(feature = "polars"), allow(dead_code))] // Only Polars has cells.
    pub(crate) axis: usize,
    pub(crate) outputs: Vec<PlannedOutput>,
    /// One for each output.
    pub(crate) scales: Vec<Scale>,
    pub(crate) breaks: BreakRules,
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
    /// Durations in ticks of this many nanoseconds.
    Duration { nanoseconds: i64 },
}

/// A column as a plan sees it.
#[derive(Clone, Copy)]
pub(crate) struct ColumnInfo<'a> {
    pub(crate) name: &'a str,
    pub(crate) dtype: &'a dyn Display,
    /// `None` where the dtype has no differences.
    pub(crate) unit: Option<Unit>,
    pub(crate) is_bool: bool,
    /// The number of axes inside of a cell.
    pub(crate) axes: usize,
}

/// Why an operator has no result for these columns and this domain.
#[derive(Debug)]
pub(crate) struct PlanError(pub(crate) String);

macro_rules! refuse {
    ($($message:tt)*) => { return Err(PlanError(format!($($message)*))) };
}

impl Plan {
    /// # Errors
    ///
    /// Where y or x has no differences, or an option does not fit.
    pub(crate) fn new<C>(
        operator: &Operator,
        y: ColumnInfo,
        x: Option<ColumnInfo>,
        domain: &Domain<C>,
    ) -> Result<Self, PlanError> {
        let y_unit = y_unit(operator, y)?;
        let x_unit = x.map(|x| x_unit(operator, x)).transpose()?;
        let axis = axis(y, x, domain)?;
        let spacing = spacing(x, domain.spacing)?;
        let step = match (x_unit, spacing) {
            (Some(unit), _) => Step { unit, steps: 1.0 },
            (None, Length::Step(steps)) => Step {
                unit: Unit::NUMBER,
                steps,
            },
            (None, Length::Nanoseconds(nanoseconds)) => Step {
                unit: Unit::Time { nanoseconds },
                steps: 1.0,
            },
        };
        check_per(domain.per, y_unit, x, step.unit.is_time())?;
        let per = domain.per.unwrap_or(SECOND);
        let planned = operator.outputs().into_iter().map(|output| {
            let kind = kind(y, y_unit, step.unit, output.order)?;
            let mut scale = scale(y_unit, step, kind, per, output.order);
            if let Some(sigma) = output.sigma {
                scale.numerator *= standard_deviation(sigma, y, y_unit)?;
            }
            Ok((
                PlannedOutput {
                    name: output.name,
                    kind,
                },
                scale,
            ))
        });
        let (outputs, scales) = planned.collect::<Result<Vec<_>, PlanError>>()?.into_iter().unzip();
        let breaks = BreakRules {
            at_nulls: domain.nulls == Nulls::Split,
            max_gap: domain.max_gap.map(|gap| limit(gap, x.zip(x_unit))).transpose()?,
        };
        Ok(Self {
            axis,
            outputs,
            scales,
            breaks,
        })
    }
}

/// What y per `x^order` counts.
fn kind(y: ColumnInfo, y_unit: Unit, x_unit: Unit, order: u32) -> Result<Kind, PlanError> {
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

/// A standard deviation of y, in differences of its canonical numbers.
fn standard_deviation(sigma: Length, y: ColumnInfo, unit: Unit) -> Result<f64, PlanError> {
    match (sigma, unit) {
        (Length::Step(sigma), Unit::Number { decimals }) => Ok(sigma * power_of_ten(decimals)),
        (Length::Nanoseconds(sigma), Unit::Time { nanoseconds }) => Ok(sigma as f64 / nanoseconds as f64),
        (Length::Step(_), Unit::Time { .. }) => refuse!(
            "`sigma` must be a duration where y is temporal, but y column `{}` is {}; give {}",
            y.name,
            y.dtype,
            if cfg!(feature = "python") {
                "a timedelta"
            } else {
                "a `Duration`"
            }
        ),
        (Length::Nanoseconds(_), Unit::Number { .. }) => refuse!(
            "`sigma` must be a number where y is one, but y column `{}` is {}",
            y.name,
            y.dtype
        ),
    }
}

/// The axis of the domain, counted from the outside.
fn axis<C>(y: ColumnInfo, x: Option<ColumnInfo>, domain: &Domain<C>) -> Result<usize, PlanError> {
    let (name, dtype, axes) = (y.name, y.dtype, y.axes);
    let axis = match usize::try_from(domain.axis) {
        Ok(axis) => Some(axis).filter(|&axis| axis <= axes),
        Err(_) => (axes + 1).checked_add_signed(domain.axis).filter(|&axis| axis > 0),
    };
    let Some(axis) = axis else {
        let given = domain.axis;
        if axes == 0 {
            refuse!(
                "`axis` must be 0, down the rows, as y column `{name}` is {dtype} with no axis inside, got {given}"
            );
        }
        refuse!(
            "`axis` must be 0, down the rows, or inside of y column `{name}`, which is {dtype}, \
            from 1 to {axes} or from -{axes} to -1, got {given}"
        );
    };
    if axis > 0 && !domain.by.is_empty() {
        refuse!("`by` groups rows, but `axis` {axis} stays inside of each; drop one of them");
    }
    match x {
        Some(x) if !(x.axes == axis.min(1) || x.axes == axes) => refuse!(
            "`x` must have the shape of y column `{name}`, which is {dtype}, or be {}, but column `{}` is {}",
            if axis == 0 {
                "one coordinate a row"
            } else {
                "a list or an array of the coordinates along the axis"
            },
            x.name,
            x.dtype
        ),
        _ => Ok(axis),
    }
}

/// The step from row to row where there is no x.
fn spacing(x: Option<ColumnInfo>, spacing: Option<Length>) -> Result<Length, PlanError> {
    match spacing {
        Some(_) if x.is_some() => refuse!("`x` and `spacing` exclude each other, got both; drop one of them"),
        Some(Length::Step(step)) if step == 0.0 || !step.is_finite() => {
            refuse!("`spacing` must be finite and not zero, got {step}")
        },
        Some(Length::Nanoseconds(0)) => refuse!("`spacing` must not be zero, got 0 ns"),
        spacing => Ok(spacing.unwrap_or(Length::Step(1.0))),
    }
}

/// The nearest whole number of ticks of a duration, if 64 bits hold it.
#[cfg(any(feature = "polars", feature = "arrow"))]
pub(crate) fn ticks(value: f64) -> Option<i64> {
    let nearest = value.round_ties_even();
    let fits = nearest >= i64::MIN as f64 && nearest < i64::MAX as f64;
    fits.then_some(nearest as i64)
}

/// The meaning of a difference of 1 in the canonical numbers of x.
#[derive(Clone, Copy)]
struct Step {
    unit: Unit,
    steps: f64,
}

/// The factor from raw rises per raw steps to the power of `order` to the unit of the result.
fn scale(y: Unit, x: Step, kind: Kind, per: i64, order: u32) -> Scale {
    let mut times = Ratio::ONE;
    let mut scale = Scale::ONE;
    match y {
        Unit::Number { decimals } => scale.denominator *= power_of_ten(decimals),
        Unit::Time { nanoseconds } => times.multiply(nanoseconds),
    }
    if let Kind::Duration { nanoseconds } = kind {
        times.divide(nanoseconds);
    }
    let is_ratio = y.is_time() && kind == Kind::Number;
    for power in 0..order {
        match x.unit {
            Unit::Number { decimals } => scale.numerator *= power_of_ten(decimals),
            Unit::Time { nanoseconds } => {
                times.divide(nanoseconds);
                // A time over a time is a pure ratio.
                if power > 0 || !is_ratio {
                    times.multiply(per);
                }
            },
        }
        scale.divide(x.steps);
        // Whole numbers while they fit into 128 bits.
        if order > 1 {
            scale.numerator *= times.numerator as f64;
            scale.denominator *= times.denominator as f64;
            times = Ratio::ONE;
        }
    }
    scale.numerator *= times.numerator as f64;
    scale.denominator *= times.denominator as f64;
    scale
}

/// The longest step within a segment, in the canonical numbers of x.
fn limit(gap: Length, x: Option<(ColumnInfo, Unit)>) -> Result<Limit, PlanError> {
    let Some((x, unit)) = x else {
        refuse!("`max_gap` is a distance in x, but there is no `x`; give the coordinate column");
    };
    match (gap, unit) {
        (Length::Step(gap), Unit::Number { decimals }) if gap > 0.0 && gap.is_finite() => Ok(Limit {
            float: gap,
            integer: whole_steps(gap, decimals),
        }),
        (Length::Nanoseconds(gap), Unit::Time { nanoseconds }) if gap > 0 => {
            let steps = gap / nanoseconds;
            Ok(Limit {
                float: steps as f64,
                integer: steps.unsigned_abs().into(),
            })
        },
        (Length::Step(_), Unit::Time { .. }) => refuse!(
            "`max_gap` must be a duration where x is temporal, but x column `{}` is {}; \
            give {}",
            x.name,
            x.dtype,
            if cfg!(feature = "python") {
                "a timedelta or a duration string such as \"90m\""
            } else {
                "a `Duration`"
            }
        ),
        (Length::Nanoseconds(_), Unit::Number { .. }) => refuse!(
            "`max_gap` must be a number where x is one, but x column `{}` is {}; \
            give a number, or cast x to Datetime or Duration",
            x.name,
            x.dtype
        ),
        (Length::Step(gap), _) => refuse!("`max_gap` must be finite and positive, got {gap}"),
        (Length::Nanoseconds(gap), _) => refuse!("`max_gap` must be positive, got {gap} ns"),
    }
}

/// How many steps of `10^-decimals` fit into a length; a fraction by its shortest digits: 0.3 means three tenths.
#[expect(clippy::cast_sign_loss, reason = "a gap is positive")]
fn whole_steps(length: f64, decimals: usize) -> u128 {
    if length.fract() == 0.0 {
        return (length as u128).saturating_mul(10_u128.pow(decimals.min(38) as u32));
    }
    let digits = length.to_string();
    let (whole, fraction) = digits.split_once('.').unwrap_or((&digits, ""));
    format!("{whole}{fraction:0<decimals$.decimals$}")
        .parse()
        .unwrap_or(u128::MAX)
}

fn y_unit(operator: &Operator, y: ColumnInfo) -> Result<Unit, PlanError> {
    let operator = operator.name();
    if y.is_bool {
        refuse!(
            "`{operator}` has no meaning for booleans, but y column `{}` is {}; \
            cast it to an integer to count its changes",
            y.name,
            y.dtype
        );
    }
    match y.unit {
        Some(unit) => Ok(unit),
        None => refuse!(
            "`{operator}` takes a numeric or temporal y, but column `{}` is {}; cast it first",
            y.name,
            y.dtype
        ),
    }
}

fn x_unit(operator: &Operator, x: ColumnInfo) -> Result<Unit, PlanError> {
    match x.unit {
        Some(unit) => Ok(unit),
        None => refuse!(
            "`{}` takes a numeric or temporal x, but column `{}` is {}; cast it first",
            operator.name(),
            x.name,
            x.dtype
        ),
    }
}

fn check_per(per: Option<i64>, y: Unit, x: Option<ColumnInfo>, x_is_time: bool) -> Result<(), PlanError> {
    let Some(per) = per else { return Ok(()) };
    if per <= 0 {
        refuse!("`per` must be positive, got {per} ns");
    }
    if !x_is_time {
        match x {
            Some(x) => refuse!(
                "`per` is the unit of a temporal x, but x column `{}` is {}; \
                drop `per`, or cast x to Datetime or Duration",
                x.name,
                x.dtype
            ),
            None => refuse!(
                "`per` is the unit of a temporal x, but rows are a number apart; \
                drop `per`, or give `spacing` as a duration"
            ),
        }
    }
    if y.is_time() {
        refuse!("`per` is the unit of a temporal x, but a time over a time is a pure ratio; drop `per`");
    }
    Ok(())
}

/// A factor between times as a fraction of whole numbers, so that units cancel exactly.
#[derive(Clone, Copy)]
struct Ratio {
    numerator: i128,
    denominator: i128,
}

impl Ratio {
    const ONE: Self = Self {
        numerator: 1,
        denominator: 1,
    };

    fn multiply(&mut self, factor: i64) {
        let factor = i128::from(factor);
        let common = gcd(factor, self.denominator);
        self.denominator /= common;
        self.numerator *= factor / common;
    }

    fn divide(&mut self, divisor: i64) {
        std::mem::swap(&mut self.numerator, &mut self.denominator);
        self.multiply(divisor);
        std::mem::swap(&mut self.numerator, &mut self.denominator);
    }
}

fn gcd(a: i128, b: i128) -> i128 {
    if b == 0 { a.abs() } else { gcd(b, a % b) }
}

fn power_of_ten(decimals: usize) -> f64 {
    10_i128.pow(decimals.min(38) as u32) as f64
}
