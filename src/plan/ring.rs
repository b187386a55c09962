//! The period of x, and how far an operator reads beyond it.

use crate::domain::Length;
use crate::kernel::Limit;
use crate::operators::{Extent, Operator};
use crate::segments::{Across, Period, Ring};
use crate::units::{PlanError, Step, Unit, Units, limit, positive, refuse, shifted, shown};

/// The period of x, and how far an operator reads beyond it.
///
/// # Errors
///
/// One that is not positive or not of the kind of x, that no whole number of steps fills, or that a window does not fit
/// in; an operator whose results depend on where a group begins.
pub(super) fn ring(
    operator: &Operator,
    length: Length,
    units: &Units,
    spacing: Option<Step>,
) -> Result<Ring, PlanError> {
    const NAME: &str = "x_period";
    if !operator.describe().takes_x_period() {
        refuse!("`{}` takes no `{NAME}`; drop it", operator.name());
    }
    let period = match spacing {
        Some(step) => period_in_rows(length, step)?,
        None if units.x.is_none() => refuse!(
            "`{NAME}` is a length of x, but there is no `x`; give the coordinate column, or `spacing`, a constant step"
        ),
        None => period_of_x(NAME, length, units)?,
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
                refuse!(
                    "`{NAME}` must be at least as long as `window_size`, which otherwise reads rows twice, got {}",
                    shown(length)
                );
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
fn period_in_rows(period: Length, step: Step) -> Result<Period, PlanError> {
    /// A step such as 360 / 7 is rounded.
    const ROUNDING: f64 = 1e-9;
    let rows = match (period, step.unit) {
        (Length::Step(period), Unit::Number { .. }) => positive("x_period", period)? / step.steps.abs(),
        (Length::Nanoseconds(period), Unit::Time { nanoseconds }) => {
            positive("x_period", period as f64)? / nanoseconds.unsigned_abs() as f64
        },
        (Length::Step(_), Unit::Time { .. }) => refuse!(
            "`x_period` must be a duration as `spacing` is, got a number, {}",
            shown(period)
        ),
        (Length::Nanoseconds(_), Unit::Number { .. }) => {
            refuse!(
                "`x_period` must be a number as `spacing` is, got a duration, {}",
                shown(period)
            )
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
            "`{name}` must be a whole number of the steps of x, but x column `{}` is {}, got {}; cast x to a finer dtype",
            x.name,
            x.dtype,
            shown(period)
        );
    }
    Ok(Period { float, integer })
}
