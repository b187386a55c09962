//! What the numbers of a result count, and the factor to them.

use super::{ColumnInfo, Kind, PlanError};
use crate::domain::Length;
use crate::kernel::Scale;
use crate::operators::Operator;
use crate::unit::Unit;

/// The meaning of a difference of 1 in the canonical numbers of x.
#[derive(Clone, Copy)]
pub(super) struct Step {
    pub(super) unit: Unit,
    pub(super) steps: f64,
}

/// The step from row to row.
pub(super) fn step(
    operator: &Operator,
    x: Option<(ColumnInfo, Unit)>,
    spacing: Option<Length>,
) -> Result<Step, PlanError> {
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

pub(super) fn check_per(per: Option<i64>, y: Unit, x: Option<ColumnInfo>, x_is_time: bool) -> Result<(), PlanError> {
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

/// What y per `x^order` counts.
pub(super) fn kind(y: ColumnInfo, y_unit: Unit, x_unit: Unit, order: i32) -> Result<Kind, PlanError> {
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
pub(super) fn place(x: Option<ColumnInfo>, step: Step) -> (Kind, Scale) {
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

/// The factor from raw rises per raw steps to the power of `order` to the unit of the result.
pub(super) fn scale(y: Unit, x: Step, kind: Kind, per: i64, order: i32) -> Scale {
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

/// The scale of numbers that are that many parts of a whole one.
pub(super) fn parts(count: f64) -> Scale {
    let mut scale = Scale::ONE;
    scale.divide(count);
    scale
}

/// A factor between times as a fraction of whole numbers, so that units cancel exactly.
#[derive(Clone, Copy)]
pub(super) struct Ratio {
    pub(super) numerator: i128,
    pub(super) denominator: i128,
}

impl Ratio {
    pub(super) const ONE: Self = Self {
        numerator: 1,
        denominator: 1,
    };

    pub(super) fn multiply(&mut self, factor: i64) {
        let factor = i128::from(factor);
        let common = gcd(factor, self.denominator);
        self.denominator /= common;
        self.numerator *= factor / common;
    }

    pub(super) fn divide(&mut self, divisor: i64) {
        std::mem::swap(&mut self.numerator, &mut self.denominator);
        self.multiply(divisor);
        std::mem::swap(&mut self.numerator, &mut self.denominator);
    }
}

fn gcd(a: i128, b: i128) -> i128 {
    if b == 0 { a.abs() } else { gcd(b, a % b) }
}

pub(super) fn power_of_ten(decimals: usize) -> f64 {
    10_i128.pow(decimals.min(38) as u32) as f64
}
