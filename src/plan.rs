//! What a gradient will be, known from the columns' types alone: its dtype and the scale of its slopes.

use std::fmt::Display;

use crate::kernel::{Limit, Scale};
use crate::neighbours::Apart;
use crate::options::{GradientOptions, Nulls, Spacing};
use crate::unit::Unit;

const SECOND: i64 = 1_000_000_000;

/// Everything about a gradient that does not depend on the values.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Plan {
    /// The axis differentiated along: 0 down the rows, from 1 on inside their cells.
    #[cfg_attr(not(feature = "polars"), allow(dead_code))] // Only Polars has cells.
    pub(crate) axis: usize,
    pub(crate) slope: Slope,
    pub(crate) scale: Scale,
    pub(crate) apart: Apart,
}

/// What the slopes are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Slope {
    /// Numbers: a float of the width of y, if that is one.
    Number,
    /// Durations, counted in steps of so many nanoseconds.
    Duration { nanoseconds: i64 },
}

/// A column as far as a plan is concerned.
#[derive(Clone, Copy)]
pub(crate) struct Described<'a> {
    pub(crate) name: &'a str,
    pub(crate) dtype: &'a dyn Display,
    /// `None` where the dtype has no differences.
    pub(crate) unit: Option<Unit>,
    pub(crate) is_bool: bool,
    /// How many axes there are inside of a cell.
    pub(crate) axes: usize,
}

/// Why there is no gradient of such columns, or by such options.
#[derive(Debug)]
pub(crate) struct Refused(pub(crate) String);

macro_rules! refuse {
    ($($message:tt)*) => { return Err(Refused(format!($($message)*))) };
}

impl Plan {
    /// # Errors
    ///
    /// Where y or x has no differences, or an option does not fit.
    pub(crate) fn new<C>(y: Described, x: Option<Described>, options: &GradientOptions<C>) -> Result<Self, Refused> {
        let y_unit = differentiable(y)?;
        let x_unit = x.map(coordinate).transpose()?;
        let axis = axis(y, x, options)?;
        let spacing = spacing(x, options.spacing)?;
        let x_is_time = match x_unit {
            Some(unit) => unit.is_time(),
            None => matches!(spacing, Spacing::Nanoseconds(_)),
        };
        check_per(options.per, y_unit, x, x_is_time)?;

        let slope = match y_unit {
            // A Duration does not count in days: in microseconds then, as Polars' own `diff`.
            Unit::DAY if !x_is_time => Slope::Duration { nanoseconds: 1_000 },
            Unit::Time { nanoseconds } if !x_is_time => Slope::Duration { nanoseconds },
            _ => Slope::Number,
        };
        let step = match (x_unit, spacing) {
            (Some(unit), _) => Step { unit, steps: 1.0 },
            (None, Spacing::Step(steps)) => Step {
                unit: Unit::NUMBER,
                steps,
            },
            (None, Spacing::Nanoseconds(nanoseconds)) => Step {
                unit: Unit::Time { nanoseconds },
                steps: 1.0,
            },
        };
        let scale = scale(y_unit, step, slope, options.per.unwrap_or(SECOND));
        let apart = Apart {
            at_nulls: options.nulls == Nulls::Split,
            max_gap: options.max_gap.map(|gap| limit(gap, x.zip(x_unit))).transpose()?,
        };
        Ok(Self {
            axis,
            slope,
            scale,
            apart,
        })
    }
}

/// The axis asked for, counted from the outside.
fn axis<C>(y: Described, x: Option<Described>, options: &GradientOptions<C>) -> Result<usize, Refused> {
    let (name, dtype, axes) = (y.name, y.dtype, y.axes);
    let axis = match usize::try_from(options.axis) {
        Ok(axis) => Some(axis).filter(|&axis| axis <= axes),
        Err(_) => (axes + 1).checked_add_signed(options.axis).filter(|&axis| axis > 0),
    };
    let Some(axis) = axis else {
        let given = options.axis;
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
    if axis > 0 && !options.by.is_empty() {
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
fn spacing(x: Option<Described>, spacing: Option<Spacing>) -> Result<Spacing, Refused> {
    match spacing {
        Some(_) if x.is_some() => refuse!("`x` and `spacing` exclude each other, got both; drop one of them"),
        Some(Spacing::Step(step)) if step == 0.0 || !step.is_finite() => {
            refuse!("`spacing` must be finite and not zero, got {step}")
        },
        Some(Spacing::Nanoseconds(0)) => refuse!("`spacing` must not be zero, got 0 ns"),
        spacing => Ok(spacing.unwrap_or(Spacing::Step(1.0))),
    }
}

/// The whole number nearest to a slope that is a duration, if there is one.
#[cfg(any(feature = "polars", feature = "arrow"))]
pub(crate) fn whole(slope: f64) -> Option<i64> {
    let nearest = slope.round_ties_even();
    let fits = nearest >= i64::MIN as f64 && nearest < i64::MAX as f64;
    fits.then_some(nearest as i64)
}

/// What one canonical difference of x stands for.
#[derive(Clone, Copy)]
struct Step {
    unit: Unit,
    steps: f64,
}

/// The factor from raw differences to slopes in the units of the result.
fn scale(y: Unit, x: Step, slope: Slope, per: i64) -> Scale {
    let mut times = Ratio::ONE;
    let mut scale = Scale::ONE;
    match y {
        Unit::Number { decimals } => scale.denominator *= power_of_ten(decimals),
        Unit::Time { nanoseconds } => times.multiply(nanoseconds),
    }
    match x.unit {
        Unit::Number { decimals } => scale.numerator *= power_of_ten(decimals),
        Unit::Time { nanoseconds } => times.divide(nanoseconds),
    }
    match slope {
        Slope::Duration { nanoseconds } => times.divide(nanoseconds),
        Slope::Number if x.unit.is_time() && !y.is_time() => times.multiply(per),
        Slope::Number => {},
    }
    scale.numerator *= times.numerator as f64;
    scale.denominator *= times.denominator as f64 * x.steps;
    scale
}

/// The longest step within a segment, in the canonical numbers of x.
fn limit(gap: Spacing, x: Option<(Described, Unit)>) -> Result<Limit, Refused> {
    let Some((x, unit)) = x else {
        refuse!("`max_gap` is a distance in x, but there is no `x`; give the coordinate column");
    };
    match (gap, unit) {
        (Spacing::Step(gap), Unit::Number { decimals }) if gap > 0.0 && gap.is_finite() => Ok(Limit {
            float: gap,
            integer: whole_steps(gap, decimals),
        }),
        (Spacing::Nanoseconds(gap), Unit::Time { nanoseconds }) if gap > 0 => {
            let steps = gap / nanoseconds;
            Ok(Limit {
                float: steps as f64,
                integer: steps.unsigned_abs().into(),
            })
        },
        (Spacing::Step(_), Unit::Time { .. }) => refuse!(
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
        (Spacing::Nanoseconds(_), Unit::Number { .. }) => refuse!(
            "`max_gap` must be a number where x is one, but x column `{}` is {}; \
            give a number, or cast x to Datetime or Duration",
            x.name,
            x.dtype
        ),
        (Spacing::Step(gap), _) => refuse!("`max_gap` must be finite and positive, got {gap}"),
        (Spacing::Nanoseconds(gap), _) => refuse!("`max_gap` must be positive, got {gap} ns"),
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

fn differentiable(y: Described) -> Result<Unit, Refused> {
    if y.is_bool {
        refuse!(
            "`gradient` has no meaning for booleans, but y column `{}` is {}; \
            cast it to an integer to count its changes",
            y.name,
            y.dtype
        );
    }
    match y.unit {
        Some(unit) => Ok(unit),
        None => refuse!(
            "`gradient` takes a numeric or temporal y, but column `{}` is {}; cast it first",
            y.name,
            y.dtype
        ),
    }
}

fn coordinate(x: Described) -> Result<Unit, Refused> {
    match x.unit {
        Some(unit) => Ok(unit),
        None => refuse!(
            "`gradient` takes a numeric or temporal x, but column `{}` is {}; cast it first",
            x.name,
            x.dtype
        ),
    }
}

fn check_per(per: Option<i64>, y: Unit, x: Option<Described>, x_is_time: bool) -> Result<(), Refused> {
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
