//! What a stencil reads: numbers whose differences are exact.

/// A number that can be subtracted without losing what the data says.
///
/// Floats subtract as floats. Integers subtract as integers, so that neither the sign of an unsigned column nor the
/// last nanosecond of an epoch is lost on the way: only the difference becomes a float, rounded once.
pub trait Sample: Copy {
    /// Whether the differences are integers, to be brought to their unit by a [`Scale`].
    const INTEGER: bool;

    /// `self - earlier`, rounded once.
    fn minus(self, earlier: Self) -> f64;

    /// Whether the distance to another number exceeds a limit: exactly, whatever rounding makes of it.
    ///
    /// Nothing is beyond a limit from what is not finite.
    fn is_beyond(self, other: Self, limit: Limit) -> bool;

    /// Zero for a finite number, NaN otherwise: what a stencil adds that must see a value but gives it no weight.
    fn taint(self) -> f64;
}

macro_rules! float_sample {
    ($($float:ty),*) => {$(
        impl Sample for $float {
            const INTEGER: bool = false;

            #[inline(always)]
            fn minus(self, earlier: Self) -> f64 {
                f64::from(self) - f64::from(earlier)
            }

            #[inline(always)]
            fn is_beyond(self, other: Self, limit: Limit) -> bool {
                let [a, b] = [self.max(other), self.min(other)].map(f64::from);
                let distance = a - b;
                // What rounding took from the distance (Knuth's two-sum).
                let b_seen = a - distance;
                let rest = (a - (distance + b_seen)) + (b_seen - b);
                let finite = a.is_finite() & b.is_finite();
                finite & ((distance > limit.float) | ((distance == limit.float) & (rest > 0.0)))
            }

            #[inline(always)]
            fn taint(self) -> f64 {
                f64::from(self) * 0.0
            }
        }
    )*};
}

macro_rules! integer_sample {
    ($($integer:ty),*) => {$(
        impl Sample for $integer {
            const INTEGER: bool = true;

            #[inline(always)]
            fn minus(self, earlier: Self) -> f64 {
                // The distance between the two extremes only fits the unsigned type.
                let distance = self.abs_diff(earlier) as f64;
                if self < earlier { -distance } else { distance }
            }

            #[inline(always)]
            fn is_beyond(self, other: Self, limit: Limit) -> bool {
                u128::from(self.abs_diff(other)) > limit.integer
            }

            #[inline(always)]
            fn taint(self) -> f64 {
                0.0
            }
        }
    )*};
}

float_sample!(f32, f64);
integer_sample!(i64, i128);

/// The longest distance between neighbours, for numbers of either kind.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Limit {
    /// Of floats.
    pub float: f64,
    /// Of integers.
    pub integer: u128,
}

/// The unit of the slope: raw differences `dy / dx` are `dy * numerator / (dx * denominator)` in the units asked for.
///
/// Both are whole numbers wherever the units are, so that scaling is as exact as the data.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Scale {
    /// Multiplies differences of y.
    pub numerator: f64,
    /// Multiplies differences of x.
    pub denominator: f64,
}

/// A rise of y in the unit of the slope: a rounded product and what rounding left of it.
///
/// A difference of nanoseconds or of large integers, brought to another unit, may need more digits than a float has.
/// With the rest kept, a line in time still has exactly its slope.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Rise {
    /// The rise, rounded.
    pub value: f64,
    /// What to add for the exact rise.
    pub rest: f64,
}

impl Rise {
    /// A difference that is in its unit already.
    #[inline(always)]
    #[must_use]
    pub fn exact(value: f64) -> Self {
        // Adding a negative zero changes nothing, so that the compiler leaves the addition out.
        Self { value, rest: -0.0 }
    }

    /// `difference * factor`, exactly.
    #[inline(always)]
    #[must_use]
    pub fn scaled(difference: f64, factor: f64) -> Self {
        let value = difference * factor;
        Self {
            value,
            rest: difference.mul_add(factor, -value),
        }
    }

    /// What a slope over a step leaves of the rise.
    #[inline(always)]
    pub(super) fn left_by(self, slope: f64, step: f64) -> f64 {
        (-slope).mul_add(step, self.value) + self.rest
    }
}

impl Scale {
    /// Slopes in the data's own units.
    pub const ONE: Self = Self {
        numerator: 1.0,
        denominator: 1.0,
    };
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn integer_differences_round_once_and_never_wrap() {
        assert_eq!(i64::MAX.minus(i64::MIN), 18_446_744_073_709_551_615.0);
        assert_eq!(i64::MIN.minus(i64::MAX), -18_446_744_073_709_551_615.0);
        assert_eq!(
            i128::MIN.minus(i128::MAX),
            -340_282_366_920_938_463_463_374_607_431_768_211_455.0
        );
        let epoch = 1_700_000_000_000_000_000_i64;
        assert_eq!((epoch + 100).minus(epoch), 100.0);
    }

    #[test]
    fn only_what_is_not_finite_taints() {
        assert_eq!(3.5_f64.taint(), 0.0);
        assert_eq!(i64::MAX.taint(), 0.0);
        assert!(f64::NAN.taint().is_nan() && f32::INFINITY.taint().is_nan());
    }
}
