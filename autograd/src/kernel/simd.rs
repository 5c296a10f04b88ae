//! Which vector instructions this processor has, found out once.
//!
//! A kernel is one `#[inline(always)]` body of scalar code, compiled for the baseline, for AVX2 with FMA and for
//! AVX-512, and chosen at run time: no `target-cpu` is needed for speed. The environment variable `WENGERT_SIMD`
//! (`baseline`, `avx2`, `avx512`) lowers the level, so that the paths of older processors can be tested.
//!
//! Loops over `f64` are compiled for AVX2 at most: gradients are checked in it, models are rarely trained in it, and its loops
//! for AVX-512 would be a tenth of what a build compiles. The tiles of products and convolutions
//! ([`dispatch_vector!`](super::vector)) have both.

use std::sync::OnceLock;

/// The instruction sets that kernels are compiled for, in rising order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Level {
    /// What every processor of the target has.
    Baseline,
    /// AVX2 and FMA: 256-bit vectors.
    Avx2,
    /// AVX-512 F, BW, DQ and VL: 512-bit vectors.
    Avx512,
}

/// The level that kernels run at in this process.
#[inline]
pub(crate) fn level() -> Level {
    static LEVEL: OnceLock<Level> = OnceLock::new();
    *LEVEL.get_or_init(|| {
        #[cfg(test)]
        if emulated() {
            return Level::Avx512;
        }
        let wished = match std::env::var("WENGERT_SIMD").as_deref() {
            Ok("baseline") => Level::Baseline,
            Ok("avx2") => Level::Avx2,
            _ => Level::Avx512,
        };
        detected().min(wished)
    })
}

/// In the tests of this crate: `WENGERT_SIMD=emulated` runs the tiles for 512-bit vectors and 32 registers in plain arrays of as
/// many numbers, so that they are tested on every processor. Loops without tiles run as for AVX2.
#[cfg(test)]
pub(crate) fn emulated() -> bool {
    static EMULATED: OnceLock<bool> = OnceLock::new();
    *EMULATED.get_or_init(|| {
        std::env::var("WENGERT_SIMD").is_ok_and(|level| level == "emulated") && detected() >= Level::Avx2
    })
}

#[cfg(target_arch = "x86_64")]
fn detected() -> Level {
    if !(is_x86_feature_detected!("avx2") && is_x86_feature_detected!("fma")) {
        Level::Baseline
    } else if is_x86_feature_detected!("avx512f")
        && is_x86_feature_detected!("avx512bw")
        && is_x86_feature_detected!("avx512dq")
        && is_x86_feature_detected!("avx512vl")
    {
        Level::Avx512
    } else {
        Level::Avx2
    }
}

#[cfg(not(target_arch = "x86_64"))]
fn detected() -> Level {
    Level::Baseline
}

/// Calls an `#[inline(always)]` function in the version for this processor.
///
/// `dispatch!([generics] function::<const FMA: bool, rest>(arguments: types) -> result)`: the function's first generic
/// argument tells it whether fused multiply-add is an instruction. One of the generics is `T`, the type of the numbers: its size
/// decides about AVX-512, see above.
macro_rules! dispatch {
    ([$($generics:tt)*] $function:ident::<FMA $(, $argument_type:tt)*>($($argument:ident : $type:ty),* $(,)?) $(-> $result:ty)?) => {{
        #[cfg(target_arch = "x86_64")]
        #[target_feature(enable = "avx512f,avx512bw,avx512dq,avx512vl,avx2,fma")]
        unsafe fn avx512<$($generics)*>($($argument: $type),*) $(-> $result)? {
            // SAFETY: the caller of `dispatch!` upholds the function's own contract.
            unsafe { $function::<true $(, $argument_type)*>($($argument),*) }
        }
        #[cfg(target_arch = "x86_64")]
        #[target_feature(enable = "avx2,fma")]
        unsafe fn avx2<$($generics)*>($($argument: $type),*) $(-> $result)? {
            // SAFETY: as above.
            unsafe { $function::<true $(, $argument_type)*>($($argument),*) }
        }
        match $crate::kernel::simd::level() {
            // SAFETY: emulation is for processors that have AVX2, and the caller upholds the function's contract.
            #[cfg(all(test, target_arch = "x86_64"))]
            _ if $crate::kernel::simd::emulated() => unsafe { avx2::<$($argument_type),*>($($argument),*) },
            // SAFETY: the processor has the features, and the caller upholds the function's contract.
            #[cfg(target_arch = "x86_64")]
            $crate::kernel::simd::Level::Avx512 if const { size_of::<T>() == 4 } => unsafe {
                avx512::<$($argument_type),*>($($argument),*)
            },
            // SAFETY: as above; whoever has AVX-512 has AVX2.
            #[cfg(target_arch = "x86_64")]
            $crate::kernel::simd::Level::Avx512 | $crate::kernel::simd::Level::Avx2 => unsafe {
                avx2::<$($argument_type),*>($($argument),*)
            },
            // SAFETY: the caller upholds the function's contract.
            _ => unsafe { $function::<false $(, $argument_type)*>($($argument),*) },
        }
    }};
}
pub(crate) use dispatch;

#[cfg(test)]
mod tests {
    /// The kernels' tests with 512-bit vectors, whatever this processor has.
    #[test]
    fn kernels_hold_with_wider_vectors() {
        if std::env::var_os("WENGERT_SIMD").is_some() {
            return; // the child itself
        }
        let mut child = std::process::Command::new(std::env::current_exe().expect("this program has a path"));
        let output = child.env("WENGERT_SIMD", "emulated").arg("kernel::").output();
        let output = output.expect("this program can be started");
        let text = String::from_utf8_lossy(&output.stdout);
        assert!(output.status.success() && text.contains("kernel::matmul::"), "{text}");
    }
}
