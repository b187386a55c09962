//! What the columns are, and whether an operator takes them.

use std::fmt::Display;

use super::scale::{Ratio, power_of_ten};
use super::units::Units;
use super::{PlanError, SigmaUnit};
use crate::domain::{Domain, Duplicates};
use crate::kernel::Scale;
use crate::operators::{Operator, Takes};
use crate::unit::Unit;

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
            "`{operator}` takes {allowed}, but column `{}` is {}; cast it first",
            y.name,
            y.dtype
        ),
    }
}

pub(super) fn x_unit(operator: &Operator, x: ColumnInfo) -> Result<Unit, PlanError> {
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

/// The mean of integers is none.
pub(super) fn check_mean(operator: &Operator, y: ColumnInfo, duplicates: Duplicates) -> Result<(), PlanError> {
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
