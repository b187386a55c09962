//! CPU dispatch: loops compiled for several sets of vector registers, one of which is chosen at run time.

/// A loop with its inputs.
pub(crate) trait Kernel {
    type Output;

    /// Whether the loop gains from AVX-512; otherwise its copy for AVX2 runs there too.
    const WIDEST: bool = true;

    /// Must be `#[inline(always)]`, so that it is compiled with the target features of its caller.
    fn run(self) -> Self::Output;
}

/// Runs the copy of a loop for the widest vector registers of the processor.
#[inline(always)]
pub(crate) fn dispatch<K: Kernel>(kernel: K) -> K::Output {
    #[cfg(target_arch = "x86_64")]
    {
        use std::arch::is_x86_feature_detected as has;
        if has!("avx2") && has!("fma") {
            if K::WIDEST && has!("avx512f") && has!("avx512bw") && has!("avx512dq") && has!("avx512vl") {
                // SAFETY: the processor has just been asked for these features.
                return unsafe { with_avx512(kernel) };
            }
            // SAFETY: the processor has just been asked for both features.
            return unsafe { with_avx2(kernel) };
        }
    }
    kernel.run()
}

#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx2,fma")]
fn with_avx2<K: Kernel>(kernel: K) -> K::Output {
    kernel.run()
}

#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx2,fma,avx512f,avx512bw,avx512dq,avx512vl")]
fn with_avx512<K: Kernel>(kernel: K) -> K::Output {
    kernel.run()
}
