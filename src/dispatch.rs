//! CPU dispatch: loops compiled for several sets of vector registers, one of which is chosen at run time.

/// A loop with its inputs.
pub(crate) trait Kernel {
    type Output;

    /// Whether the loop gains from AVX-512; otherwise its copy for AVX2 runs there too.
    const WIDEST: bool = true;

    /// Must be `#[inline(always)]`, so that it is compiled with the target features of its caller.
    fn run(self) -> Self::Output;
}

/// The sets of vector registers that loops are compiled for, the widest last.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Registers {
    /// Those that every processor of the target has.
    Baseline,
    #[cfg(target_arch = "x86_64")]
    Avx2,
    #[cfg(target_arch = "x86_64")]
    Avx512,
}

/// The widest vector registers of the processor.
#[inline(always)]
pub(crate) fn widest() -> Registers {
    #[cfg(target_arch = "x86_64")]
    {
        use std::arch::is_x86_feature_detected as has;
        if has!("avx2") && has!("fma") && has!("bmi1") && has!("bmi2") && has!("popcnt") {
            if has!("avx512f") && has!("avx512bw") && has!("avx512dq") && has!("avx512vl") {
                return Registers::Avx512;
            }
            return Registers::Avx2;
        }
    }
    Registers::Baseline
}

/// Runs the copy of a loop for the widest vector registers of the processor.
#[inline(always)]
pub(crate) fn dispatch<K: Kernel>(kernel: K) -> K::Output {
    match widest() {
        // SAFETY: the processor has just been asked for these features.
        #[cfg(target_arch = "x86_64")]
        Registers::Avx512 if K::WIDEST => unsafe { with_avx512(kernel) },
        // SAFETY: the processor has just been asked for these features.
        #[cfg(target_arch = "x86_64")]
        Registers::Avx512 | Registers::Avx2 => unsafe { with_avx2(kernel) },
        Registers::Baseline => kernel.run(),
    }
}

#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx2,fma,bmi1,bmi2,popcnt")]
fn with_avx2<K: Kernel>(kernel: K) -> K::Output {
    kernel.run()
}

#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx2,fma,bmi1,bmi2,popcnt,avx512f,avx512bw,avx512dq,avx512vl")]
fn with_avx512<K: Kernel>(kernel: K) -> K::Output {
    kernel.run()
}
