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
                "`{name}` must be a duration where y is temporal, but y column `{}` is {}, got {}",
                y.name,
                y.dtype,
                shown(amount)
            ),
            (Length::Nanoseconds(_), Unit::Number { .. }) => refuse!(
                "`{name}` must be a number where y is one, but y column `{}` is {}, got {}",
                y.name,
                y.dtype,
                shown(amount)
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
                "`{name}` must be a whole number of steps of y, but y column `{}` is {}, got {}",
                y.name,
                y.dtype,
                shown(amount)
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
                "`{name}` must be a duration where the rate is one, but y column `{}` is {}, got {}",
                y.name,
                y.dtype,
                shown(rate)
            ),
            (Length::Step(rate), _) => positive(name, rate),
            (Length::Nanoseconds(_), _) => refuse!(
                "`{name}` must be a number where the rate is one, but y column `{}` is {}, got {}",
                y.name,
                y.dtype,
                shown(rate)
            ),
        }
    }
}

/// The longest step within a segment, in the canonical numbers of x.
pub(crate) fn limit(name: &str, gap: Length, x: Option<(ColumnInfo, Unit)>) -> Result<Limit, PlanError> {
    let Some((x, unit)) = x else {
        refuse!("`{name}` is a distance in x, but there is no `x`; give the coordinate column");
    };
    let or_rows = match name {
        "window_size" if cfg!(feature = "python") => ", or an int for rows",
        _ => "",
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
            "`{name}` must be a duration where x is temporal, but x column `{}` is {}, got {}; \
            give {}{or_rows}",
            x.name,
            x.dtype,
            shown(gap),
            if cfg!(feature = "python") {
                "a timedelta or a duration string such as \"90m\""
            } else {
                "a `Duration`"
            }
        ),
        (Length::Nanoseconds(_), Unit::Number { .. }) => refuse!(
            "`{name}` must be a number where x is one, but x column `{}` is {}, got {}; \
            give a number{or_rows}, or cast x to Datetime or Duration",
            x.name,
            x.dtype,
            shown(gap)
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

/// A length as users write it: a number, or a duration such as "1h30m".
pub(crate) fn shown(length: Length) -> String {
    const UNITS: [(&str, u64); 7] = [
        ("d", 86_400_000_000_000),
        ("h", 3_600_000_000_000),
        ("m", 60_000_000_000),
        ("s", 1_000_000_000),
        ("ms", 1_000_000),
        ("us", 1_000),
        ("ns", 1),
    ];
    let mut rest = match length {
        Length::Step(number) => return number.to_string(),
        Length::Nanoseconds(0) => return "0s".into(),
        Length::Nanoseconds(nanoseconds) => nanoseconds.unsigned_abs(),
    };
    let parts = UNITS.into_iter().filter_map(|(unit, size)| {
        let count = rest / size;
        rest %= size;
        (count > 0).then(|| format!("{count}{unit}"))
    });
    let parts: String = parts.collect();
    let sign = if matches!(length, Length::Nanoseconds(..0)) {
        "-"
    } else {
        ""
    };
    format!("{sign}{parts}")
}

pub(crate) fn positive(name: &str, amount: f64) -> Result<f64, PlanError> {
    if amount > 0.0 && amount.is_finite() {
        Ok(amount)
    } else {
        refuse!("`{name}` must be finite and positive, got {amount}")
    }
}

#[cfg(test)]
mod tests {
    use super::shown;
    use crate::domain::Length;

    #[test]
    fn lengths_are_shown_as_users_write_them() {
        let of = |nanoseconds| shown(Length::Nanoseconds(nanoseconds));
        assert_eq!(of(5_400_000_000_000), "1h30m");
        assert_eq!(of(-90_000_000_000), "-1m30s");
        assert_eq!(of(86_401_002_003_004), "1d1s2ms3us4ns");
        assert_eq!([of(0), of(1)], ["0s", "1ns"]);
        assert_eq!(of(i64::MIN), "-106751d23h47m16s854ms775us808ns");
        assert_eq!(
            [20.5, 24.0, -1.0].map(|step| shown(Length::Step(step))),
            ["20.5", "24", "-1"]
        );
    }
}
