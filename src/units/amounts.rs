//! Amounts and lengths that are given as options, in the numbers of the columns.

use super::{ColumnInfo, Kind, PlanError, Unit, power_of_ten};
use crate::domain::Length;
use crate::kernel::Limit;

/// The units of the columns, for the options of an operator that are given in them.
pub(crate) struct Units<'a> {
    pub(crate) y: (ColumnInfo<'a>, Unit),
    /// What a y of 1 is in its numbers, besides its unit.
    pub(crate) y_factor: f64,
    pub(crate) x: Option<(ColumnInfo<'a>, Unit)>,
    pub(crate) rate_kind: Kind,
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
    pub(crate) fn reach(&self, length: Length) -> Result<Limit, PlanError> {
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

/// The longest step within a segment, in the canonical numbers of x.
pub(crate) fn limit(name: &str, gap: Length, x: Option<(ColumnInfo, Unit)>) -> Result<Limit, PlanError> {
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

/// `amount * 10^decimals`, where the digits of the amount mean what they say: 1.15 is 115 hundredths.
pub(crate) fn shifted(amount: f64, decimals: usize) -> f64 {
    let exact = format!("{amount}e{decimals}").parse();
    exact.unwrap_or(amount * power_of_ten(decimals))
}

pub(crate) fn positive(name: &str, amount: f64) -> Result<f64, PlanError> {
    if amount > 0.0 && amount.is_finite() {
        Ok(amount)
    } else {
        refuse!("`{name}` must be finite and positive, got {amount}")
    }
}
