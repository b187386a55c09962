//! Loops compiled for several families of processors. Which one it is, is asked where they run.

/// A loop, with all that it reads.
pub(crate) trait Work {
    type Answer;

    /// Whether what AVX-512 has beyond AVX2 is worth one more copy of the loop.
    const WIDEST: bool = true;

    /// To be inlined whatever its size: only so it is compiled for the processor that the function around it is for.
    fn run(self) -> Self::Answer;
}

/// Does some work with the widest registers that the processor has.
#[inline(always)]
pub(crate) fn vectorized<W: Work>(work: W) -> W::Answer {
    #[cfg(target_arch = "x86_64")]
    {
        use std::arch::is_x86_feature_detected as has;
        if has!("avx2") && has!("fma") {
            if W::WIDEST && has!("avx512f") && has!("avx512bw") && has!("avx512dq") && has!("avx512vl") {
                // SAFETY: the processor has just been asked for these features.
                return unsafe { with_avx512(work) };
            }
            // SAFETY: the processor has just been asked for both features.
            return unsafe { with_avx2(work) };
        }
    }
    work.run()
}

#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx2,fma")]
fn with_avx2<W: Work>(work: W) -> W::Answer {
    work.run()
}

#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx2,fma,avx512f,avx512bw,avx512dq,avx512vl")]
fn with_avx512<W: Work>(work: W) -> W::Answer {
    work.run()
}
