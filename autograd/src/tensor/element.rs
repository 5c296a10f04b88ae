//! What a tensor can hold: `f32`, `f64`, `i64`, `u8`, `bool`.
//!
//! ```
//! use wengert_autograd::tensor::{DType, Element};
//!
//! assert_eq!(f32::DTYPE, DType::F32);
//! assert_eq!(DType::I64.to_string(), "i64");
//! assert_eq!(DType::F64.size(), 8);
//! ```
//!
//! The set is closed, so that every loop is compiled for each of the five types inside this crate: a program's own
//! debug build then still runs them optimised.

use std::fmt::{self, Debug, Display};
use std::mem::MaybeUninit;

use serde::Serialize;
use serde::de::DeserializeOwned;

/// The type of a tensor's elements, as a value.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, serde::Deserialize)]
#[serde(rename_all = "lowercase")]
#[non_exhaustive]
pub enum DType {
    /// 32-bit floating point, the default of the framework.
    F32,
    /// 64-bit floating point.
    F64,
    /// 64-bit signed integer: indices, labels, counts.
    I64,
    /// 8-bit unsigned integer: raw image data.
    U8,
    /// Truth values: masks.
    Bool,
}

impl DType {
    /// Bytes an element.
    pub const fn size(self) -> usize {
        match self {
            DType::F32 => 4,
            DType::F64 | DType::I64 => 8,
            DType::U8 | DType::Bool => 1,
        }
    }

    /// The name of the type in Rust.
    pub const fn name(self) -> &'static str {
        match self {
            DType::F32 => "f32",
            DType::F64 => "f64",
            DType::I64 => "i64",
            DType::U8 => "u8",
            DType::Bool => "bool",
        }
    }
}

impl Display for DType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

/// A type that a [`Tensor`](super::Tensor) can hold: `f32`, `f64`, `i64`, `u8`, `bool`. Sealed.
pub trait Element:
    Copy
    + Default
    + PartialEq
    + PartialOrd
    + Debug
    + Display
    + Send
    + Sync
    + Serialize
    + DeserializeOwned
    + sealed::Convert
    + 'static
{
    /// The type as a value.
    const DTYPE: DType;
}

/// An element that can be counted and added: every [`Element`] but `bool`. Sealed.
pub trait Number:
    Element
    + std::ops::Add<Output = Self>
    + std::ops::Sub<Output = Self>
    + std::ops::Mul<Output = Self>
    + std::ops::Div<Output = Self>
    + std::ops::Rem<Output = Self>
{
    /// 0.
    const ZERO: Self;
    /// 1.
    const ONE: Self;
}

pub(crate) mod sealed {
    use std::mem::MaybeUninit;

    use super::super::{compare::Relation, order::Ranked};

    /// Conversions between all elements, and what distinguishes floating-point numbers from the others.
    pub trait Convert: Sized {
        fn into_f32(self) -> f32;
        fn into_f64(self) -> f64;
        fn into_i64(self) -> i64;
        fn into_u8(self) -> u8;
        fn into_bool(self) -> bool;
        fn from_element<S: Convert>(source: S) -> Self;
        /// Whether the value is not a number; false for types that have none.
        fn not_a_number(self) -> bool;

        // Loops over whole rows: concrete functions here, so that they are compiled with this crate's optimisation and
        // not again in a program's debug build.
        fn fill(self, to: &mut [MaybeUninit<Self>]);
        fn compare(relation: Relation, a: &[Self], b: &[Self], to: &mut [MaybeUninit<bool>]);
        fn ranks(lane: &[Self], ranked: &mut Vec<Ranked>);
        fn few_of_lane(lane: &[Self], count: usize, descending: bool, held: &mut Vec<Ranked>);
        fn extreme_of_lane(lane: &[Self], greatest: bool) -> i64;
    }
}
use super::{compare, order};
use compare::Relation;
use sealed::Convert;

macro_rules! element {
    ($type:ty, $dtype:ident, $from:ident, |$x:ident| $nan:expr, $into_bool:expr, $rank:expr) => {
        element!($type, $dtype, $from, |$x| $nan, $into_bool, $rank, {});
        impl Number for $type {
            const ZERO: $type = 0 as $type;
            const ONE: $type = 1 as $type;
        }
    };
    ($type:ty, $dtype:ident, $from:ident, |$x:ident| $nan:expr, $into_bool:expr, $rank:expr, $($widen:ty)? {}) => {
        impl Element for $type {
            const DTYPE: DType = DType::$dtype;
        }
        impl Convert for $type {
            #[inline(always)]
            fn into_f32(self) -> f32 {
                self $(as $widen)? as f32
            }
            #[inline(always)]
            fn into_f64(self) -> f64 {
                self $(as $widen)? as f64
            }
            #[inline(always)]
            fn into_i64(self) -> i64 {
                self as i64
            }
            #[inline(always)]
            fn into_u8(self) -> u8 {
                self as u8
            }
            #[inline(always)]
            fn into_bool(self) -> bool {
                let $x = self;
                $into_bool
            }
            #[inline(always)]
            fn from_element<S: Convert>(source: S) -> $type {
                source.$from()
            }
            #[inline(always)]
            #[allow(unused_variables)] // integers are never asked for their value
            fn not_a_number(self) -> bool {
                let $x = self;
                $nan
            }
            fn fill(self, to: &mut [MaybeUninit<$type>]) {
                to.fill(MaybeUninit::new(self));
            }
            fn compare(relation: Relation, a: &[$type], b: &[$type], to: &mut [MaybeUninit<bool>]) {
                compare::compare_rows(relation, a, b, to);
            }
            fn ranks(lane: &[$type], ranked: &mut Vec<order::Ranked>) {
                let rank = |$x: $type| $rank;
                ranked.extend(lane.iter().zip(0..).map(|(&element, index)| (rank(element), index)));
            }
            fn few_of_lane(lane: &[$type], count: usize, descending: bool, held: &mut Vec<order::Ranked>) {
                order::few_of_lane(lane, count, descending, held);
            }
            fn extreme_of_lane(lane: &[$type], greatest: bool) -> i64 {
                order::extreme_of_lane(lane, greatest)
            }
        }
    };
}
element!(f32, F32, into_f32, |x| x.is_nan(), x != 0.0, order::rank_of_real(x as f64));
element!(f64, F64, into_f64, |x| x.is_nan(), x != 0.0, order::rank_of_real(x));
element!(i64, I64, into_i64, |x| false, x != 0, order::rank_of_integer(x));
element!(u8, U8, into_u8, |x| false, x != 0, x as u64);
element!(bool, Bool, into_bool, |x| false, x, x as u64, u8 {});
