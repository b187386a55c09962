//! Half-precision floats. Both conversions are free of branches, so that the compiler vectorises loops over them.

use bytemuck::{Pod, Zeroable};

use super::column::Convert;
use crate::dispatch::{Kernel, dispatch};

/// The bits of a half-precision float: a sign, 5 bits of exponent, 10 of mantissa.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Pod, Zeroable)]
#[repr(transparent)]
pub(crate) struct Half(u16);

impl Half {
    const SIGN: u16 = 1 << 15;
    const INFINITY: u16 = 0x7c00;
    const NAN: u16 = 0x7e00;

    /// The same number as a wider float.
    #[inline(always)]
    fn to_f32(self) -> f32 {
        // What the bias of the exponent lacks to that of a wider float.
        const BIAS: u32 = (127 - 15) << 23;
        const SMALLEST_NORMAL: f32 = f32::from_bits(BIAS + (1 << 23));
        const SIGN: u32 = Half::SIGN as u32;
        const INFINITY: u32 = (Half::INFINITY as u32) << 13;
        let half = u32::from(self.0);
        let bits = (half & !SIGN) << 13;
        let float = if bits >= INFINITY {
            f32::from_bits(bits + 2 * BIAS)
        } else if bits < 1 << 23 {
            // Without the implicit bit of a normal number.
            f32::from_bits(bits + BIAS + (1 << 23)) - SMALLEST_NORMAL
        } else {
            f32::from_bits(bits + BIAS)
        };
        f32::from_bits(float.to_bits() | (half & SIGN) << 16)
    }

    /// The nearest half, ties to even. Rounded once: from `f64` over `f32` may be another one.
    #[inline(always)]
    fn nearest(value: f64) -> Self {
        const MANTISSA: u64 = (1 << 52) - 1;
        // The powers of two below which halves are subnormal, and above which they are infinite.
        const SMALLEST_NORMAL: f64 = 6.103_515_625e-5; // 2^-14
        const TOO_LARGE: f64 = 65_536.0; // 2^16
        let size = value.abs().min(TOO_LARGE);
        let exponent = size.max(SMALLEST_NORMAL).to_bits() & !MANTISSA;
        // The last bit of the sum with 2^42 times that power of two is the last one of the half.
        let last_bit = f64::from_bits(exponent + (42 << 52));
        let mantissa = (size + last_bit).to_bits() - last_bit.to_bits();
        // With its implicit bit, or a carry, it adds to the exponent.
        let magnitude = (exponent >> 42) - ((1023 - 14) << 10) + mantissa;
        let magnitude = if value.is_nan() { Self::NAN } else { magnitude as u16 };
        Self(magnitude | (value.to_bits() >> 48) as u16 & Self::SIGN)
    }
}

impl Convert<f64> for Half {
    const COMPUTES: bool = true;

    #[inline(always)]
    fn convert(self) -> f64 {
        f64::from(self.to_f32())
    }
}

/// The halves that are nearest to some floats, as any type of their bits.
pub(crate) fn halves<T: Pod>(values: &[f64]) -> Vec<T> {
    let mut halves = Vec::with_capacity(values.len());
    dispatch(Nearest {
        values,
        halves: &mut halves,
    });
    halves
}

struct Nearest<'a, T> {
    values: &'a [f64],
    halves: &'a mut Vec<T>,
}

impl<T: Pod> Kernel for Nearest<'_, T> {
    type Output = ();

    #[inline(always)]
    fn run(self) {
        let nearest = self.values.iter().map(|value| Half::nearest(*value));
        self.halves.extend(nearest.map(bytemuck::cast::<Half, T>));
    }
}

#[cfg(test)]
mod tests {
    use half::f16;

    use super::*;

    /// All halves, by their bits.
    fn all() -> impl Iterator<Item = Half> {
        (0..=u16::MAX).map(Half)
    }

    fn nearest(values: &[f64]) -> Vec<Half> {
        halves(values)
    }

    #[test]
    fn every_half_is_the_same_number_as_a_wider_float() {
        for half in all() {
            let (got, expected) = (half.convert(), f16::from_bits(half.0).to_f64_const());
            let same = got.to_bits() == expected.to_bits() || got.is_nan() && expected.is_nan();
            assert!(same, "{:#06x}: {got:e} for {expected:e}", half.0);
        }
    }

    #[test]
    fn every_half_comes_back() {
        let values: Vec<_> = all().map(Half::convert).collect();
        for (half, back) in all().zip(nearest(&values)) {
            if half.convert().is_nan() {
                assert!(back.convert().is_nan(), "{:#06x}: {:#06x}", half.0, back.0);
            } else {
                assert_eq!(half, back);
            }
        }
    }

    /// Between adjacent halves all floats below the middle are the lower one, those above it the upper one, and the middle
    /// is the even one. Above the largest half the next would be 2^16, in whose place there is infinity.
    #[test]
    fn every_float_is_the_nearest_half() {
        for lower in 0..Half::INFINITY {
            let upper = lower + 1;
            let number = |half: u16| {
                if half == Half::INFINITY {
                    65_536.0
                } else {
                    Half(half).convert()
                }
            };
            let middle = f64::midpoint(number(lower), number(upper));
            let even = if lower % 2 == 0 { lower } else { upper };
            let cases = [
                (number(lower), lower),
                (number(lower).next_up(), lower),
                (middle.next_down(), lower),
                // An `f32` rounds these to the middle.
                (middle * (1.0 - f64::EPSILON * 64.0), lower),
                (middle, even),
                (middle * (1.0 + f64::EPSILON * 64.0), upper),
                (middle.next_up(), upper),
                (number(upper).next_down(), upper),
            ];
            for (value, expected) in cases {
                let [plus, minus] = nearest(&[value, -value])[..] else {
                    panic!("two values")
                };
                assert_eq!(plus.0, expected, "{value:e}");
                assert_eq!(minus.0, expected | Half::SIGN, "{:e}", -value);
            }
        }
    }

    #[test]
    fn floats_beyond_all_halves_are_infinite_or_zero() {
        let large = [65_520.0, 65_536.0, 1e5, 1e300, f64::MAX, f64::INFINITY];
        assert!(nearest(&large).into_iter().all(|half| half == Half(Half::INFINITY)));
        let small = [0.0, f64::from_bits(1), f64::MIN_POSITIVE, 1e-300, 2.0_f64.powi(-25)];
        assert!(nearest(&small).into_iter().all(|half| half == Half(0)));
        assert_eq!(nearest(&[-1e-300, -1e300]), [Half(Half::SIGN), Half(0xfc00)]);
        for nan in [f64::NAN, -f64::NAN, f64::from_bits(0x7ff0_0000_0000_0001)] {
            assert!(nearest(&[nan])[0].convert().is_nan());
        }
    }
}
