//! [`Formula`]: an elementwise operation, written once.
//!
//! `N` inputs, `M` outputs, constants as fields. The library reads the one body as the vectorised forward loop, as the
//! fused derivative loop (on [`Dual`] numbers), as the list of what the derivative reads (so what a node must keep), and
//! as recorded operations (hence any higher order).
//!
//! ```
//! use wengert_autograd::scalar::{Formula, Real};
//!
//! #[derive(Clone, Copy)]
//! struct Clamp { low: f64, high: f64 }
//!
//! impl Formula<1> for Clamp {
//!     fn name(&self) -> &'static str { "clamp" }
//!     #[inline(always)] // so that the loop around it vectorises
//!     fn eval<R: Real>(&self, [x]: [R; 1]) -> [R; 1] {
//!         let (low, high) = (R::constant(self.low), R::constant(self.high));
//!         let raised = R::select(x.lt(low), low, x);
//!         [R::select(high.lt(raised), high, raised)]
//!     }
//! }
//! assert_eq!(Clamp { low: -1.0, high: 1.0 }.eval([3.0_f32]), [1.0]);
//! ```
//!
//! The elementary functions of the [table](super::table) are formulas too, the only ones whose derivative may read the
//! output instead of computing it again.

use super::{
    Dual, Real, Slope,
    table::{c, unary_functions},
};

/// An elementwise operation with `N` inputs and `M` outputs; see the [module](self).
pub trait Formula<const N: usize, const M: usize = 1>: Copy + Send + Sync + 'static {
    /// The operation's name in messages and graphs.
    fn name(&self) -> &'static str;

    /// The outputs from the inputs. Mark it `#[inline(always)]`: the loop around it vectorises only then.
    fn eval<R: Real>(&self, x: [R; N]) -> [R; M];

    /// The cotangents of the inputs from inputs, outputs and cotangents of the outputs.
    ///
    /// By dual numbers, from `x` alone; only the table's own functions do it otherwise.
    #[doc(hidden)]
    #[inline(always)]
    fn pullback<R: Real>(&self, x: [R; N], y: [R; M], g: [R; M]) -> [Slope<R>; N] {
        let _ = y;
        let mut seeded = [Dual::<R, N>::seed(x[0], 0); N];
        let mut i = 0;
        while i < N {
            seeded[i] = Dual::<R, N>::seed(x[i], i);
            i += 1;
        }
        let outputs = self.eval(seeded);
        let mut cotangents = [Slope::Zero; N];
        let mut i = 0;
        while i < N {
            let mut j = 0;
            while j < M {
                cotangents[i] = cotangents[i].plus(outputs[j].slopes[i].times(g[j]));
                j += 1;
            }
            i += 1;
        }
        cotangents
    }
}

/// The elementary steps as formulas: a zero-sized type each, under the name that [`Real`] gives it.
#[allow(non_camel_case_types)]
pub(crate) mod elementary {
    use super::*;

    macro_rules! unary_slope {
        ($g:ident, zero) => {
            Slope::Zero
        };
        ($g:ident, $slope:expr) => {
            Slope::Is($slope).times($g)
        };
    }
    macro_rules! unary_structs {
        () => {};
        ($name:ident($x:ident, $y:ident) => zero; $($rest:tt)*) => {
            unary_structs! { @one $name $x $y g zero }
            unary_structs! { $($rest)* }
        };
        ($name:ident($x:ident, $y:ident) => $slope:expr; $($rest:tt)*) => {
            unary_structs! { @one $name $x $y g ($slope) }
            unary_structs! { $($rest)* }
        };
        (@one $name:ident $x:ident $y:ident $g:ident $slope:tt) => {
            #[derive(Clone, Copy)]
            pub(crate) struct $name;
            impl Formula<1> for $name {
                fn name(&self) -> &'static str {
                    stringify!($name)
                }
                #[inline(always)]
                fn eval<R: Real>(&self, [x]: [R; 1]) -> [R; 1] {
                    [x.$name()]
                }
                #[inline(always)]
                #[allow(unused_variables)]
                fn pullback<R: Real>(&self, [$x]: [R; 1], [$y]: [R; 1], [$g]: [R; 1]) -> [Slope<R>; 1] {
                    [unary_slope!($g, $slope)]
                }
            }
        };
    }
    unary_functions!(unary_structs);

    macro_rules! formulas {
        ($($name:ident: [$($x:ident),*] $text:literal => $value:expr;)*) => {$(
            #[derive(Clone, Copy)]
            pub(crate) struct $name;
            impl Formula<{ [$(stringify!($x)),*].len() }> for $name {
                fn name(&self) -> &'static str {
                    $text
                }
                #[inline(always)]
                fn eval<R: Real>(&self, [$($x),*]: [R; { [$(stringify!($x)),*].len() }]) -> [R; 1] {
                    [$value]
                }
            }
        )*};
    }
    formulas! {
        add: [a, b] "add" => a + b;
        sub: [a, b] "sub" => a - b;
        mul: [a, b] "mul" => a * b;
        div: [a, b] "div" => a / b;
        neg: [a] "neg" => -a;
        powf: [a, b] "pow" => a.powf(b);
        atan2: [a, b] "atan2" => a.atan2(b);
        hypot: [a, b] "hypot" => a.hypot(b);
        rem: [a, b] "fmod" => a.rem(b);
        max: [a, b] "maximum" => a.max(b);
        min: [a, b] "minimum" => a.min(b);
        // Masks are numbers here, 1 and 0: what a recorded derivative computes with.
        lt: [a, b] "lt" => R::select(a.lt(b), c(1.0), c(0.0));
        le: [a, b] "le" => R::select(a.le(b), c(1.0), c(0.0));
        eq: [a, b] "eq" => R::select(a.eq(b), c(1.0), c(0.0));
        select: [mask, yes, no] "where" => R::select(mask.eq(c(0.0)), no, yes);
    }
}
