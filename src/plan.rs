//! The type, the unit and the scale of a result, from the types of the columns, the domain and the operator.

use std::fmt::Display;

use crate::domain::{Domain, Duplicates, Length, Nulls};
use crate::inputs::Inputs;
use crate::kernel::{Limit, Scale};
use crate::operators::{Extent, Measure, Operator, SigmaUse, Takes};
use crate::segments::BreakRules;
#[cfg(any(feature = "polars", feature = "arrow"))]
use crate::segments::{Across, Period, Ring};
use crate::unit::Unit;

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

/// A column as a plan sees it.
#[derive(Clone, Copy)]
pub(crate) struct ColumnInfo<'a> {
    pub(crate) name: &'a str,
    pub(crate) dtype: &'a dyn Display,
    /// `None` where the dtype has no differences.
    pub(crate) unit: Option<Unit>,
    pub(crate) is_bool: bool,
    /// Whether it is a point in time, not an amount.
    pub(crate) is_instant: bool,
    pub(crate) is_float: bool,
    /// The canonical number that means zero.
    pub(crate) zero: i128,
    /// The number of bits that 128 have left for a fraction, if the canonical numbers are integers; else 0.
    pub(crate) spare_bits: u32,
    /// The number of axes inside of a cell.
    pub(crate) axes: usize,
}

/// The bits that a number of at most 64 bits leaves for a fraction, where it has 128.
pub(crate) const SPARE_BITS_OF_64: u32 = 62;

/// The bits for a fraction of a number that may have 128 bits: larger ones than the rest holds have no mean.
pub(crate) const SPARE_BITS_OF_128: u32 = 58;

/// The bits that a decimal of so many digits leaves for a fraction.
#[cfg(any(feature = "polars", feature = "arrow"))]
pub(crate) fn spare_bits_of_decimal(digits: usize) -> u32 {
    let largest = 10_u128.saturating_pow(digits as u32);
    let spare = largest.leading_zeros().saturating_sub(2);
    spare.clamp(SPARE_BITS_OF_128, SPARE_BITS_OF_64)
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
                .map(|period| ring(operator, period, &units, domain.spacing.is_some().then_some(step)))
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

/// The units of the columns, for the options of an operator that are given in them.
pub(crate) struct Units<'a> {
    y: (ColumnInfo<'a>, Unit),
    /// What a y of 1 is in its numbers, besides its unit.
    y_factor: f64,
    x: Option<(ColumnInfo<'a>, Unit)>,
    rate_kind: Kind,
}

impl Units<'_> {
    /// Whether there is an x: without one rows are a constant step apart.
    pub(crate) fn has_x(&self) -> bool {
        self.x.is_some()
    }

    /// An amount of y, in its numbers.
    ///
    /// # Errors
    ///
    /// One that is not positive, or is of another kind than y.
    pub(crate) fn of_y(&self, name: &str, amount: Length) -> Result<f64, PlanError> {
        let (y, unit) = self.y;
        match (amount, unit) {
            (Length::Step(amount), Unit::Number { decimals }) => {
                positive(name, amount)?;
                Ok(shifted(amount, decimals) * self.y_factor)
            },
            (Length::Nanoseconds(amount), Unit::Time { nanoseconds }) => {
                positive(name, amount as f64)?;
                Ok(amount as f64 / nanoseconds as f64 * self.y_factor)
            },
            (Length::Step(_), Unit::Time { .. }) => refuse!(
                "`{name}` must be a duration where y is temporal, but y column `{}` is {}",
                y.name,
                y.dtype
            ),
            (Length::Nanoseconds(_), Unit::Number { .. }) => refuse!(
                "`{name}` must be a number where y is one, but y column `{}` is {}",
                y.name,
                y.dtype
            ),
        }
    }

    /// A positive amount of y that its numbers hold: a whole one, if these are whole.
    ///
    /// # Errors
    ///
    /// One that is a fraction of the unit of y, is not positive, or is of another kind than y.
    pub(crate) fn whole_of_y(&self, name: &str, amount: Length) -> Result<f64, PlanError> {
        let whole = self.of_y(name, amount)?;
        let (y, _) = self.y;
        if !y.is_float && whole.fract() != 0.0 {
            refuse!(
                "`{name}` must be a whole number of steps of y, but y column `{}` is {}",
                y.name,
                y.dtype
            );
        }
        Ok(whole)
    }

    /// A length of x, for floats and for integers, in the numbers of x.
    ///
    /// # Errors
    ///
    /// One that is not positive, or is of another kind than x; no x.
    pub(crate) fn of_x(&self, name: &str, length: Length) -> Result<Limit, PlanError> {
        limit(name, length, self.x)
    }

    /// A length of x that a window reaches, which may be zero.
    fn reach(&self, length: Length) -> Result<Limit, PlanError> {
        match length {
            Length::Step(0.0) | Length::Nanoseconds(0) => Ok(Limit { float: 0.0, integer: 0 }),
            length => self.of_x("window_size", length),
        }
    }

    /// An amount of y per x, in the numbers of the rate.
    ///
    /// # Errors
    ///
    /// One that is not positive, or is of another kind than the rate.
    pub(crate) fn of_rate(&self, name: &str, rate: Length) -> Result<f64, PlanError> {
        let (y, _) = self.y;
        match (rate, self.rate_kind) {
            (Length::Nanoseconds(rate), Kind::Duration { nanoseconds }) => {
                Ok(positive(name, rate as f64)? / nanoseconds as f64)
            },
            (Length::Step(_), Kind::Duration { .. }) => refuse!(
                "`{name}` must be a duration where the rate is one, but y column `{}` is {}",
                y.name,
                y.dtype
            ),
            (Length::Step(rate), _) => positive(name, rate),
            (Length::Nanoseconds(_), _) => refuse!(
                "`{name}` must be a number where the rate is one, but y column `{}` is {}",
                y.name,
                y.dtype
            ),
        }
    }
}

/// `amount * 10^decimals`, where the digits of the amount mean what they say: 1.15 is 115 hundredths.
fn shifted(amount: f64, decimals: usize) -> f64 {
    let exact = format!("{amount}e{decimals}").parse();
    exact.unwrap_or(amount * power_of_ten(decimals))
}

fn positive(name: &str, amount: f64) -> Result<f64, PlanError> {
    if amount > 0.0 && amount.is_finite() {
        Ok(amount)
    } else {
        refuse!("`{name}` must be finite and positive, got {amount}")
    }
}

/// What a column of standard deviations counts.
fn sigma_unit(operator: &Operator, sigma: ColumnInfo, units: &Units, axis: usize) -> Result<SigmaUnit, PlanError> {
    let (y, y_unit) = units.y;
    let (name, dtype) = (sigma.name, sigma.dtype);
    let used = match operator.describe().uses_sigma() {
        Ok(used) => used,
        Err(reason) => refuse!("`{}` {reason}, but column `{name}` is given; drop it", operator.name()),
    };
    let is_amount = !sigma.is_bool && !sigma.is_instant;
    let mut scale = Scale::ONE;
    match (y_unit, sigma.unit.filter(|_| is_amount)) {
        (Unit::Number { decimals }, Some(Unit::Number { decimals: own })) => {
            scale.numerator = power_of_ten(decimals);
            scale.denominator = power_of_ten(own);
        },
        (Unit::Time { nanoseconds }, Some(Unit::Time { nanoseconds: own })) => {
            let mut ratio = Ratio::ONE;
            ratio.multiply(own);
            ratio.divide(nanoseconds);
            scale.numerator = ratio.numerator as f64;
            scale.denominator = ratio.denominator as f64;
        },
        (Unit::Number { .. }, _) => refuse!(
            "`sigma` must be numbers where y is, but column `{name}` is {dtype} and y column `{}` is {}",
            y.name,
            y.dtype
        ),
        (Unit::Time { .. }, _) => refuse!(
            "`sigma` must be durations where y is temporal, but column `{name}` is {dtype} and y column `{}` is {}",
            y.name,
            y.dtype
        ),
    }
    scale.numerator *= units.y_factor;
    if sigma.axes != y.axes && (axis > 0 || sigma.axes > 0) {
        refuse!(
            "`sigma` must have the shape of y column `{}`, which is {}, but column `{name}` is {dtype}",
            y.name,
            y.dtype
        );
    }
    Ok(SigmaUnit {
        scale,
        zero: sigma.zero,
        used,
    })
}

/// The mean of integers is none.
fn check_mean(operator: &Operator, y: ColumnInfo, duplicates: Duplicates) -> Result<(), PlanError> {
    if duplicates == Duplicates::Mean && !y.is_float {
        refuse!(
            "`duplicates` \"mean\" gives a fraction, which the {} of y column `{}`, a {}, cannot be; use \"first\" or \
            \"last\", or cast y to Float64",
            operator.name(),
            y.name,
            y.dtype
        );
    }
    Ok(())
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

impl Kind {
    /// Numbers as 64-bit floats.
    fn or_float64(self) -> Self {
        if self == Self::Number { Self::Float64 } else { self }
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

/// The step from row to row.
fn step(operator: &Operator, x: Option<(ColumnInfo, Unit)>, spacing: Option<Length>) -> Result<Step, PlanError> {
    let of_x = |unit| Step { unit, steps: 1.0 };
    let step = match (x, spacing) {
        (Some(_), Some(_)) => refuse!("`x` and `spacing` exclude each other, got both; drop one of them"),
        (None, Some(Length::Step(step))) if step == 0.0 || !step.is_finite() => {
            refuse!("`spacing` must be finite and not zero, got {step}")
        },
        (None, Some(Length::Nanoseconds(0))) => refuse!("`spacing` must not be zero, got 0 ns"),
        (None, None) if operator.describe().needs_steps() => refuse!(
            "`{}` must know how far rows are apart; give `x`, the coordinate column, or `spacing`, a constant step",
            operator.name()
        ),
        (Some((_, unit)), None) => of_x(unit),
        (None, None) => of_x(Unit::NUMBER),
        (None, Some(Length::Step(steps))) => Step {
            unit: Unit::NUMBER,
            steps,
        },
        (None, Some(Length::Nanoseconds(nanoseconds))) => of_x(Unit::Time { nanoseconds }),
    };
    let falls = step.steps < 0.0 || matches!(step.unit, Unit::Time { nanoseconds } if nanoseconds < 0);
    if falls && operator.describe().needs_rising_x() {
        refuse!("`spacing` must be positive for `{}`; reverse the rows", operator.name());
    }
    Ok(step)
}

/// The period of x, and how far an operator reads beyond it.
///
/// # Errors
///
/// One that is not positive or not of the kind of x, that no whole number of steps fills, or that a window does not fit
/// in; an operator whose results depend on where a group begins.
#[cfg(any(feature = "polars", feature = "arrow"))]
fn ring(operator: &Operator, period: Length, units: &Units, spacing: Option<Step>) -> Result<Ring, PlanError> {
    const NAME: &str = "x_period";
    if !operator.describe().takes_x_period() {
        refuse!("`{}` takes no `{NAME}`; drop it", operator.name());
    }
    let period = match spacing {
        Some(step) => period_in_rows(period, step)?,
        None if units.x.is_none() => refuse!(
            "`{NAME}` is a length of x, but there is no `x`; give the coordinate column, or `spacing`, a constant step"
        ),
        None => period_of_x(NAME, period, units)?,
    };
    let reach = match operator.extent() {
        Extent::Rows(reach) => Across::Rows(reach),
        Extent::Lengths { before, after } => {
            let steps = |length| -> Result<f64, PlanError> {
                let Limit { float, .. } = units.reach(length)?;
                Ok(match (length, units.x) {
                    (Length::Step(length), Some((_, Unit::Number { decimals }))) => shifted(length, decimals),
                    _ => float,
                })
            };
            let (before, after) = (steps(before)?, steps(after)?);
            if before + after > period.float {
                refuse!("`{NAME}` must be at least as long as `window_size`, which otherwise reads rows twice");
            }
            Across::Length(before.max(after))
        },
        Extent::Before | Extent::Segment => {
            refuse!(
                "`{}` reads a segment from its start, which a ring has not; drop `{NAME}`",
                operator.name()
            )
        },
    };
    Ok(Ring { period, reach })
}

/// A period in steps from row to row.
#[cfg(any(feature = "polars", feature = "arrow"))]
fn period_in_rows(period: Length, step: Step) -> Result<Period, PlanError> {
    /// A step such as 360 / 7 is rounded.
    const ROUNDING: f64 = 1e-9;
    let rows = match (period, step.unit) {
        (Length::Step(period), Unit::Number { .. }) => positive("x_period", period)? / step.steps.abs(),
        (Length::Nanoseconds(period), Unit::Time { nanoseconds }) => {
            positive("x_period", period as f64)? / nanoseconds.unsigned_abs() as f64
        },
        (Length::Step(_), Unit::Time { .. }) => refuse!("`x_period` must be a duration as `spacing` is, got a number"),
        (Length::Nanoseconds(_), Unit::Number { .. }) => {
            refuse!("`x_period` must be a number as `spacing` is, got a duration")
        },
    };
    let whole = rows.round();
    if whole < 1.0 || (rows - whole).abs() > whole * ROUNDING {
        refuse!("`x_period` must be a whole number of steps of `spacing`, got {rows} of them; give `x` instead");
    }
    Ok(Period {
        float: whole,
        integer: Some(whole as i128),
    })
}

/// A period in the numbers of x.
#[cfg(any(feature = "polars", feature = "arrow"))]
fn period_of_x(name: &str, period: Length, units: &Units) -> Result<Period, PlanError> {
    let Limit { integer, float } = limit(name, period, units.x)?;
    let (float, is_whole) = match (period, units.x) {
        (Length::Step(period), Some((_, Unit::Number { decimals }))) => {
            let steps = shifted(period, decimals);
            (steps, steps.fract() == 0.0)
        },
        (Length::Nanoseconds(period), Some((_, Unit::Time { nanoseconds }))) => (float, period % nanoseconds == 0),
        _ => (float, false),
    };
    let integer = i128::try_from(integer).ok().filter(|_| is_whole);
    if let (None, Some((x, unit))) = (integer, units.x)
        && unit != Unit::NUMBER
    {
        refuse!(
            "`{name}` must be a whole number of the steps of x, but x column `{}` is {}; cast x to a finer dtype",
            x.name,
            x.dtype
        );
    }
    Ok(Period { float, integer })
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

/// The scale of numbers that are that many parts of a whole one.
fn parts(count: f64) -> Scale {
    let mut scale = Scale::ONE;
    scale.divide(count);
    scale
}

/// The factor from raw rises per raw steps to the power of `order` to the unit of the result.
fn scale(y: Unit, x: Step, kind: Kind, per: i64, order: i32) -> Scale {
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
    for _ in order..0 {
        match x.unit {
            Unit::Number { decimals } => scale.denominator *= power_of_ten(decimals),
            Unit::Time { nanoseconds } => {
                times.multiply(nanoseconds);
                times.divide(per);
            },
        }
        scale.numerator *= x.steps;
    }
    scale.numerator *= times.numerator as f64;
    scale.denominator *= times.denominator as f64;
    scale
}

/// The longest step within a segment, in the canonical numbers of x.
fn limit(name: &str, gap: Length, x: Option<(ColumnInfo, Unit)>) -> Result<Limit, PlanError> {
    let Some((x, unit)) = x else {
        refuse!("`{name}` is a distance in x, but there is no `x`; give the coordinate column");
    };
    match (gap, unit) {
        (Length::Step(gap), Unit::Number { decimals }) if gap > 0.0 && gap.is_finite() => Ok(Limit {
            float: gap,
            integer: whole_steps(gap, decimals),
        }),
        (Length::Nanoseconds(gap), Unit::Time { nanoseconds }) if gap > 0 => {
            let steps = gap / nanoseconds;
            Ok(Limit {
                float: gap as f64 / nanoseconds as f64,
                integer: steps.unsigned_abs().into(),
            })
        },
        (Length::Step(_), Unit::Time { .. }) => refuse!(
            "`{name}` must be a duration where x is temporal, but x column `{}` is {}; \
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
            "`{name}` must be a number where x is one, but x column `{}` is {}; \
            give a number, or cast x to Datetime or Duration",
            x.name,
            x.dtype
        ),
        (Length::Step(gap), _) => refuse!("`{name}` must be finite and positive, got {gap}"),
        (Length::Nanoseconds(gap), _) => refuse!("`{name}` must be positive, got {gap} ns"),
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

/// The period of y, in its numbers.
fn period(operator: &Operator, period: Option<Length>, units: &Units) -> Result<Option<f64>, PlanError> {
    if period.is_some() && !operator.describe().takes_y_period() {
        refuse!(
            "`{}` takes no `y_period`: a counter that wraps around has a `wrap`",
            operator.name()
        );
    }
    period.map(|period| units.of_y("y_period", period)).transpose()
}

fn y_unit(operator: &Operator, y: ColumnInfo) -> Result<Unit, PlanError> {
    let (takes, operator) = (operator.describe().takes(), operator.name());
    if y.is_bool {
        refuse!(
            "`{operator}` has no meaning for booleans, but y column `{}` is {}; \
            cast it to an integer to count its changes",
            y.name,
            y.dtype
        );
    }
    let allowed = match takes {
        Takes::Differences => "a numeric or temporal y",
        Takes::Amounts => "a number or a Duration",
        Takes::Numbers => "a numeric y",
    };
    match y.unit {
        Some(unit) if takes == Takes::Differences => Ok(unit),
        Some(unit) if takes == Takes::Amounts && !y.is_instant => Ok(unit),
        Some(unit) if !unit.is_time() => Ok(unit),
        _ => refuse!(
            "`{operator}` takes {allowed}, but column `{}` is {}; cast it first",
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
