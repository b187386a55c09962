//! Whether an operator takes the columns and the arguments of the domain.

use super::SigmaUnit;
use crate::domain::{Domain, Duplicates, Length};
use crate::kernel::Scale;
use crate::operators::{Operator, Takes};
use crate::units::{ColumnInfo, PlanError, Ratio, Step, Unit, Units, power_of_ten, refuse, shown};

pub(super) fn y_unit(operator: &Operator, y: ColumnInfo) -> Result<Unit, PlanError> {
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
            "`{operator}` takes {allowed}, but column `{}` is {}; {}",
            y.name,
            y.dtype,
            y.remedy(takes == Takes::Differences)
        ),
    }
}

pub(super) fn x_unit(operator: &Operator, x: ColumnInfo) -> Result<Unit, PlanError> {
    match x.unit {
        Some(unit) => Ok(unit),
        None => refuse!(
            "`{}` takes a numeric or temporal x, but column `{}` is {}; {}",
            operator.name(),
            x.name,
            x.dtype,
            x.remedy(true)
        ),
    }
}

/// The axis of the domain, counted from the outside.
pub(super) fn axis<C>(y: ColumnInfo, x: Option<ColumnInfo>, domain: &Domain<C>) -> Result<usize, PlanError> {
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
        refuse!(
            "`spacing` must be positive for `{}`, got {}; reverse the rows",
            operator.name(),
            spacing.map_or_else(String::new, shown)
        );
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

/// What a column of standard deviations counts.
pub(super) fn sigma_unit(
    operator: &Operator,
    sigma: ColumnInfo,
    units: &Units,
    axis: usize,
) -> Result<SigmaUnit, PlanError> {
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

/// The period of y, in its numbers.
pub(super) fn period(operator: &Operator, period: Option<Length>, units: &Units) -> Result<Option<f64>, PlanError> {
    if period.is_some() && !operator.describe().takes_y_period() {
        refuse!(
            "`{}` takes no `y_period`: a counter that wraps around has a `wrap`",
            operator.name()
        );
    }
    period.map(|period| units.of_y("y_period", period)).transpose()
}

/// The mean of integers is none.
pub(super) fn check_mean(operator: &Operator, y: ColumnInfo, duplicates: Duplicates) -> Result<(), PlanError> {
    if duplicates == Duplicates::Mean && !y.is_float {
        refuse!(
            "`duplicates` \"mean\" gives a fraction, which the {} of y column `{}`, which is {}, cannot be; use \"first\" or \
            \"last\", or cast y to Float64",
            operator.name(),
            y.name,
            y.dtype
        );
    }
    Ok(())
}
