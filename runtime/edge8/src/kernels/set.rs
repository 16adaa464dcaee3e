//! The kernel sets of a build, and which of them the processor runs.

use super::arithmetic::{Kernels, Scalar};
#[cfg(arm_dsp)]
use super::dsp::Dsp;
#[cfg(all(target_arch = "aarch64", target_feature = "neon", target_endian = "little"))]
use super::neon::{Neon, NeonDot};
#[cfg(target_feature = "simd128")]
use super::wasm::Simd128;
#[cfg(target_arch = "x86_64")]
use super::x86::{Avx2, Avx512Vnni};
#[cfg(arm_dsp)]
use crate::operator::Kinds;
use core::fmt;

/// A kernel set that this processor runs: there is no value for one that it does not.
///
/// ```
/// use edge8::KernelSet;
///
/// println!("the fastest is {}", KernelSet::best().name());
/// assert_eq!(KernelSet::named("scalar"), Ok(KernelSet::SCALAR));
/// assert!(KernelSet::named("abacus").is_err());
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct KernelSet(Set);

/// The sets, each with its token.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Set {
    /// Plain Rust, on every processor.
    Scalar,
    /// x86-64 with AVX-512 VNNI.
    #[cfg(target_arch = "x86_64")]
    Avx512Vnni(Avx512Vnni),
    /// x86-64 with AVX2.
    #[cfg(target_arch = "x86_64")]
    Avx2(Avx2),
    /// AArch64 with the dot product instructions.
    #[cfg(all(target_arch = "aarch64", target_feature = "neon", target_endian = "little"))]
    NeonDot(NeonDot),
    /// AArch64.
    #[cfg(all(target_arch = "aarch64", target_feature = "neon", target_endian = "little"))]
    Neon(Neon),
    /// WebAssembly with 128-bit vectors.
    #[cfg(target_feature = "simd128")]
    Simd128(Simd128),
    /// Cortex-M with the DSP instructions.
    #[cfg(arm_dsp)]
    Dsp,
}

/// Looks for a set; [`None`] where the processor does not run it.
type Detect = fn() -> Option<Set>;

/// Name and detection of each set of this build, the fastest first.
const ALL: &[(&str, Detect)] = &[
    #[cfg(target_arch = "x86_64")]
    ("avx512-vnni", || Avx512Vnni::detect().map(Set::Avx512Vnni)),
    #[cfg(target_arch = "x86_64")]
    ("avx2", || Avx2::detect().map(Set::Avx2)),
    #[cfg(all(target_arch = "aarch64", target_feature = "neon", target_endian = "little"))]
    ("neon-dot", || NeonDot::detect().map(Set::NeonDot)),
    #[cfg(all(target_arch = "aarch64", target_feature = "neon", target_endian = "little"))]
    ("neon", || Neon::detect().map(Set::Neon)),
    #[cfg(target_feature = "simd128")]
    ("simd128", || Some(Set::Simd128(Simd128))),
    #[cfg(arm_dsp)]
    ("dsp", || Some(Set::Dsp)),
    ("scalar", || Some(Set::Scalar)),
];

/// Why there is no kernel set of a name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[non_exhaustive]
pub enum NotHere {
    /// This build has none of that name.
    Unknown,
    /// This processor does not run it.
    Processor,
}

impl fmt::Display for NotHere {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unknown => f.write_str("this build has no kernel set of that name, but")?,
            Self::Processor => f.write_str("this processor does not run that kernel set, but")?,
        }
        KernelSet::available().try_for_each(|set| write!(f, " {}", set.name()))
    }
}

impl core::error::Error for NotHere {}

impl KernelSet {
    /// Plain Rust, on every processor.
    pub const SCALAR: Self = Self(Set::Scalar);

    /// The names of all sets of this build, the fastest first, whether this processor runs them or not.
    pub fn names() -> impl Iterator<Item = &'static str> {
        ALL.iter().map(|&(name, _)| name)
    }

    /// The sets that this processor runs, the fastest first.
    pub fn available() -> impl Iterator<Item = Self> {
        ALL.iter().filter_map(|(_, detect)| detect().map(Self))
    }

    /// The set of this name.
    ///
    /// # Errors
    /// If this build has none of that name, or this processor does not run it.
    pub fn named(name: &str) -> Result<Self, NotHere> {
        let (_, detect) = ALL.iter().find(|(other, _)| *other == name).ok_or(NotHere::Unknown)?;
        detect().map(Self).ok_or(NotHere::Processor)
    }

    /// The fastest set that this processor runs; on bare metal a constant, for the compiler too.
    #[inline]
    pub fn best() -> Self {
        #[cfg(any(target_arch = "x86_64", target_arch = "aarch64", target_arch = "wasm32"))]
        return Self::available().next().unwrap_or(Self::SCALAR);
        #[cfg(arm_dsp)]
        return Self(Set::Dsp);
        #[cfg(not(any(target_arch = "x86_64", target_arch = "aarch64", target_arch = "wasm32", arm_dsp)))]
        return Self::SCALAR;
    }

    /// The set's name, as the benchmark reports it.
    pub const fn name(self) -> &'static str {
        match self.0 {
            Set::Scalar => "scalar",
            #[cfg(target_arch = "x86_64")]
            Set::Avx512Vnni(_) => "avx512-vnni",
            #[cfg(target_arch = "x86_64")]
            Set::Avx2(_) => "avx2",
            #[cfg(all(target_arch = "aarch64", target_feature = "neon", target_endian = "little"))]
            Set::NeonDot(_) => "neon-dot",
            #[cfg(all(target_arch = "aarch64", target_feature = "neon", target_endian = "little"))]
            Set::Neon(_) => "neon",
            #[cfg(target_feature = "simd128")]
            Set::Simd128(_) => "simd128",
            #[cfg(arm_dsp)]
            Set::Dsp => "dsp",
        }
    }

    /// The set with its token.
    #[inline]
    pub(crate) const fn set(self) -> Set {
        self.0
    }
}

/// Which of the sets, as a type: a function of kernels is compiled for each, and gets the token at run time.
pub(crate) trait Which {
    /// The set's token.
    type Token: Kernels;

    /// The token, if the set is this one.
    fn token(set: KernelSet) -> Option<Self::Token>;
}

/// The types, named as the sets.
pub(crate) mod which {
    pub(crate) enum Scalar {}
    #[cfg(target_arch = "x86_64")]
    pub(crate) enum Avx512Vnni {}
    #[cfg(target_arch = "x86_64")]
    pub(crate) enum Avx2 {}
    #[cfg(all(target_arch = "aarch64", target_feature = "neon", target_endian = "little"))]
    pub(crate) enum NeonDot {}
    #[cfg(all(target_arch = "aarch64", target_feature = "neon", target_endian = "little"))]
    pub(crate) enum Neon {}
    #[cfg(target_feature = "simd128")]
    pub(crate) enum Simd128 {}
    #[cfg(arm_dsp)]
    pub(crate) enum Dsp<const KINDS: super::Kinds> {}
}

impl Which for which::Scalar {
    type Token = Scalar;

    #[inline]
    fn token(_: KernelSet) -> Option<Scalar> {
        Some(Scalar)
    }
}

#[cfg(arm_dsp)]
impl<const KINDS: Kinds> Which for which::Dsp<KINDS> {
    type Token = Dsp<KINDS>;

    #[inline]
    fn token(set: KernelSet) -> Option<Dsp<KINDS>> {
        matches!(set.set(), Set::Dsp).then_some(Dsp)
    }
}

/// [`Which`] of a set that detection found, or did not.
#[cfg(any(
    target_arch = "x86_64",
    all(target_arch = "aarch64", target_feature = "neon", target_endian = "little"),
    target_feature = "simd128"
))]
macro_rules! detected {
    ($name:ident) => {
        impl Which for which::$name {
            type Token = $name;

            fn token(set: KernelSet) -> Option<$name> {
                match set.set() {
                    Set::$name(token) => Some(token),
                    _ => None,
                }
            }
        }
    };
}

#[cfg(target_arch = "x86_64")]
detected!(Avx512Vnni);
#[cfg(target_arch = "x86_64")]
detected!(Avx2);
#[cfg(all(target_arch = "aarch64", target_feature = "neon", target_endian = "little"))]
detected!(NeonDot);
#[cfg(all(target_arch = "aarch64", target_feature = "neon", target_endian = "little"))]
detected!(Neon);
#[cfg(target_feature = "simd128")]
detected!(Simd128);

/// A function of kernels for the implementation of a kernel set, in a program that has code for some kinds of operators.
macro_rules! of_set {
    ($set:expr, $function:ident, $kinds:expr) => {
        match $set.set() {
            $crate::kernels::set::Set::Scalar => $function::<$crate::kernels::which::Scalar, { $kinds }>,
            #[cfg(target_arch = "x86_64")]
            $crate::kernels::set::Set::Avx512Vnni(_) => {
                $function::<$crate::kernels::which::Avx512Vnni, { $kinds }>
            }
            #[cfg(target_arch = "x86_64")]
            $crate::kernels::set::Set::Avx2(_) => $function::<$crate::kernels::which::Avx2, { $kinds }>,
            #[cfg(all(target_arch = "aarch64", target_feature = "neon", target_endian = "little"))]
            $crate::kernels::set::Set::NeonDot(_) => $function::<$crate::kernels::which::NeonDot, { $kinds }>,
            #[cfg(all(target_arch = "aarch64", target_feature = "neon", target_endian = "little"))]
            $crate::kernels::set::Set::Neon(_) => $function::<$crate::kernels::which::Neon, { $kinds }>,
            #[cfg(target_feature = "simd128")]
            $crate::kernels::set::Set::Simd128(_) => $function::<$crate::kernels::which::Simd128, { $kinds }>,
            #[cfg(arm_dsp)]
            $crate::kernels::set::Set::Dsp => $function::<$crate::kernels::which::Dsp<$kinds>, { $kinds }>,
        }
    };
}
pub(crate) use of_set;
