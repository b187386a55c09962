//! The factor from the numbers of the columns to those of a result.

use super::{Kind, Unit};
use crate::kernel::Scale;

/// The meaning of a difference of 1 in the canonical numbers of x.
#[derive(Clone, Copy)]
pub(crate) struct Step {
    pub(crate) unit: Unit,
    pub(crate) steps: f64,
}

/// The factor from raw rises per raw steps to the power of `order` to the unit of the result.
pub(crate) fn scale(y: Unit, x: Step, kind: Kind, per: i64, order: i32) -> Scale {
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
pub(crate) fn parts(count: f64) -> Scale {
    let mut scale = Scale::ONE;
    scale.divide(count);
    scale
}

/// A factor between times as a fraction of whole numbers, so that units cancel exactly.
#[derive(Clone, Copy)]
pub(crate) struct Ratio {
    pub(crate) numerator: i128,
    pub(crate) denominator: i128,
}

impl Ratio {
    pub(crate) const ONE: Self = Self {
        numerator: 1,
        denominator: 1,
    };

    pub(crate) fn multiply(&mut self, factor: i64) {
        let factor = i128::from(factor);
        let common = gcd(factor, self.denominator);
        self.denominator /= common;
        self.numerator *= factor / common;
    }

    pub(crate) fn divide(&mut self, divisor: i64) {
        std::mem::swap(&mut self.numerator, &mut self.denominator);
        self.multiply(divisor);
        std::mem::swap(&mut self.numerator, &mut self.denominator);
    }
}

fn gcd(a: i128, b: i128) -> i128 {
    if b == 0 { a.abs() } else { gcd(b, a % b) }
}

pub(crate) fn power_of_ten(decimals: usize) -> f64 {
    10_i128.pow(decimals.min(38) as u32) as f64
}
