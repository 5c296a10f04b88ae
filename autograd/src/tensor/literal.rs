//! Tensors written out in the program: the [`tensor!`](crate::tensor!) macro, and nested arrays.
//!
//! ```
//! use wengert_autograd::tensor;
//! use wengert_autograd::tensor::Tensor;
//!
//! let x = tensor![[1.0, 2.0], [3.0, 4.0]];
//! assert_eq!(x.shape(), [2, 2]);
//! let y = Tensor::from([[1_i64, 2, 3], [4, 5, 6]]);
//! assert_eq!(y, tensor![[1, 2, 3], [4, 5, 6]]);
//! ```
//!
//! Rust reads `1.0` as f64 and `1` as i32 where nothing says otherwise; in this framework they mean f32 and i64. The
//! macro therefore looks at its own text: if that consists of literals only, their kind chooses the element type, and
//! the compiler then reads each literal as a number of that type at once, without rounding twice.

use super::{Dims, Element, Fresh, Tensor};

/// A tensor of the elements written: `tensor![1.0, 2.0]`, `tensor![[1, 2], [3, 4]]`, `tensor![true, false]`.
///
/// Literals with a point or an exponent make `f32`, whole numbers `i64`, truth values `bool`; `tensor![f64; …]` asks
/// for a type. Where there are other expressions than literals, their type is the element type. As in `vec!`, the
/// macro's own brackets are the outermost ones; a single number is a scalar, and with a comma behind it a row of one.
/// Rows of different lengths do not compile.
///
/// ```
/// use wengert_autograd::tensor;
/// use wengert_autograd::tensor::Tensor;
///
/// let x: Tensor<f32> = tensor![1.0, -2.5e3];
/// let y: Tensor<i64> = tensor![[1, 2], [3, 4]];
/// let z: Tensor<bool> = tensor![true, false];
/// let w: Tensor<f64> = tensor![f64; 0.1, 0.2];
/// assert_eq!(tensor!(3.0).rank(), 0);
/// assert_eq!(tensor![3.0,].shape(), [1]);
/// assert_eq!(tensor![[1.0, 2.0]].shape(), [1, 2]);
/// let half = 0.5_f64;
/// assert_eq!(tensor![half, 2.0 * half], tensor![f64; 0.5, 1.0]);
/// // Nothing else said, it is f32: the bits are those of the literal read as f32.
/// assert_eq!(tensor![0.1, 0.2].dtype().to_string(), "f32");
/// assert_eq!(tensor![0.1].item().to_bits(), 0.1_f32.to_bits());
/// ```
///
/// ```compile_fail
/// # use wengert_autograd::tensor;
/// tensor![[1.0, 2.0], [3.0]];
/// ```
#[macro_export]
macro_rules! tensor {
    (f32; $($entries:tt)*) => { $crate::__nested_tensor!(f32, $($entries)*) };
    (f64; $($entries:tt)*) => { $crate::__nested_tensor!(f64, $($entries)*) };
    (i64; $($entries:tt)*) => { $crate::__nested_tensor!(i64, $($entries)*) };
    (u8; $($entries:tt)*) => { $crate::__nested_tensor!(u8, $($entries)*) };
    (bool; $($entries:tt)*) => { $crate::__nested_tensor!(bool, $($entries)*) };
    ($($entries:tt)*) => {
        $crate::__nested_tensor!({ $crate::tensor::literal::kind(stringify!($($entries)*)) }, $($entries)*)
    };
}

/// The three forms of [`tensor!`]: one row, one expression, a list. Its first argument is a type, or a kind of literal.
#[doc(hidden)]
#[macro_export]
macro_rules! __nested_tensor {
    ({ $kind:expr }, [$($row:tt)*] $(,)?) => { $crate::tensor::literal::Kind::<{ $kind }>::tensor([[$($row)*]]) };
    ({ $kind:expr }, $entry:expr) => { $crate::tensor::literal::Kind::<{ $kind }>::tensor($entry) };
    ({ $kind:expr }, $($entry:expr),* $(,)?) => { $crate::tensor::literal::Kind::<{ $kind }>::tensor([$($entry),*]) };
    ($type:ty,) => { $crate::tensor::literal::tensor::<$type, [$type; 0]>([]) };
    ($type:ty, [$($row:tt)*] $(,)?) => { $crate::tensor::literal::tensor::<$type, _>([[$($row)*]]) };
    ($type:ty, $entry:expr) => { $crate::tensor::literal::tensor::<$type, _>($entry) };
    ($type:ty, $($entry:expr),* $(,)?) => { $crate::tensor::literal::tensor::<$type, _>([$($entry),*]) };
}

/// An element, or an array of elements, or an array of such arrays, and so on.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is neither a tensor element nor a nested array of them",
    note = "elements are f32, f64, i64, u8 and bool; convert others with `as`"
)]
pub trait Nested<E: Element> {
    /// Puts the sizes of the arrays, the outermost first, behind those given.
    fn sizes(shape: Dims) -> Dims;
    /// Calls `put` with each element in order.
    fn each(&self, put: &mut impl FnMut(E));
}

impl<E: Element> Nested<E> for E {
    fn sizes(shape: Dims) -> Dims {
        shape
    }

    fn each(&self, put: &mut impl FnMut(E)) {
        put(*self);
    }
}

impl<E: Element, T: Nested<E>, const N: usize> Nested<E> for [T; N] {
    fn sizes(shape: Dims) -> Dims {
        T::sizes(shape.with_pushed(N))
    }

    fn each(&self, put: &mut impl FnMut(E)) {
        self.iter().for_each(|entry| entry.each(put));
    }
}

/// The tensor of a nested array.
#[track_caller]
pub fn tensor<E: Element, T: Nested<E>>(entries: T) -> Tensor<E> {
    let mut fresh = Fresh::new(T::sizes(Dims::default()));
    let mut places = fresh.as_uninit_slice().iter_mut();
    entries.each(&mut |element| {
        if let Some(place) = places.next() {
            place.write(element);
        }
    });
    let full = places.next().is_none();
    assert!(full, "a nested array has as many elements as its sizes say");
    // SAFETY: no place was left over, so every element was written.
    unsafe { fresh.assume_init() }
}

impl<E: Element, T: Nested<E>, const N: usize> From<[T; N]> for Tensor<E> {
    fn from(entries: [T; N]) -> Tensor<E> {
        tensor(entries)
    }
}

impl<E: Element> From<E> for Tensor<E> {
    fn from(value: E) -> Tensor<E> {
        Tensor::scalar(value)
    }
}

/// What the text of a [`tensor!`](crate::tensor!) says about its element type; chooses the constructor.
#[doc(hidden)]
pub struct Kind<const KIND: u8>;

const OPEN: u8 = 0;
const FLOAT: u8 = 1;
const INTEGER: u8 = 2;
const BOOL: u8 = 3;

impl Kind<OPEN> {
    /// Some entry is not a literal: its type decides.
    #[track_caller]
    pub fn tensor<E: Element, T: Nested<E>>(entries: T) -> Tensor<E> {
        tensor(entries)
    }
}

impl Kind<FLOAT> {
    /// Only numbers, some with a point.
    #[track_caller]
    pub fn tensor<T: Nested<f32>>(entries: T) -> Tensor<f32> {
        tensor(entries)
    }
}

impl Kind<INTEGER> {
    /// Only whole numbers.
    #[track_caller]
    pub fn tensor<T: Nested<i64>>(entries: T) -> Tensor<i64> {
        tensor(entries)
    }
}

impl Kind<BOOL> {
    /// Only truth values.
    #[track_caller]
    pub fn tensor<T: Nested<bool>>(entries: T) -> Tensor<bool> {
        tensor(entries)
    }
}

/// The kind of literals in a text; `OPEN` if there is anything else in it but arithmetic and brackets.
#[doc(hidden)]
pub const fn kind(text: &str) -> u8 {
    let text = text.as_bytes();
    let (mut kind, mut at) = (OPEN, 0);
    while at < text.len() {
        let start = at;
        match text[at] {
            b'0'..=b'9' => {
                let mut float = false;
                let radix =
                    text[at] == b'0' && at + 1 < text.len() && matches!(text[at + 1], b'x' | b'b' | b'o');
                if radix {
                    at += 2;
                }
                while at < text.len() {
                    match text[at] {
                        b'0'..=b'9' | b'_' => at += 1,
                        b'a'..=b'f' | b'A'..=b'F' if radix => at += 1,
                        b'.' => {
                            float = true;
                            at += 1;
                        }
                        b'e' | b'E' => {
                            float = true;
                            at += 1;
                            if at < text.len() && matches!(text[at], b'+' | b'-') {
                                at += 1;
                            }
                        }
                        // A suffix names the type itself; a method call may have any.
                        b'a'..=b'z' | b'A'..=b'Z' => return OPEN,
                        _ => break,
                    }
                }
                if kind == OPEN || float && kind == INTEGER {
                    kind = if float { FLOAT } else { INTEGER };
                } else if kind == BOOL {
                    return OPEN;
                }
            }
            b't' | b'f' => {
                while at < text.len() && (text[at].is_ascii_alphanumeric() || text[at] == b'_') {
                    at += 1;
                }
                let word = text.split_at(at).0.split_at(start).1;
                if !matches!(word, b"true" | b"false") || !matches!(kind, OPEN | BOOL) {
                    return OPEN;
                }
                kind = BOOL;
            }
            b' ' | b'\n' | b'\t' | b'\r' | b',' | b'[' | b']' | b'(' | b')' | b'+' | b'-' | b'*' | b'/' => {
                at += 1
            }
            _ => return OPEN,
        }
    }
    kind
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_text_tells_the_kind() {
        for (text, expected) in [
            ("1.0, 2.0", FLOAT),
            ("[1., -2e3], [1.5E-7, 0.0]", FLOAT),
            ("1.0 / 3.0", FLOAT),
            ("1e5", FLOAT),
            ("1, -2, 0xff, 1_000", INTEGER),
            ("[true, false]", BOOL),
            ("1.0f32", OPEN),
            ("1u8", OPEN),
            ("x, 1.0", OPEN),
            ("f(1.0)", OPEN),
            ("true_value", OPEN),
            ("[0.0; 3]", OPEN),
            ("1.0.sqrt()", OPEN),
            ("", OPEN),
        ] {
            assert_eq!(kind(text), expected, "{text}");
        }
    }

    #[test]
    fn all_forms() {
        let third: Tensor = tensor![1.0 / 3.0];
        assert_eq!(third.item(), 1.0_f32 / 3.0);
        assert_eq!(tensor![[[1], [2]]].shape(), [1, 2, 1]);
        assert_eq!(tensor![300_000_000_000,].to_vec(), [300_000_000_000_i64]);
        assert_eq!(tensor![f64; [1.0, 2.0], [3.0, 4.0]].shape(), [2, 2]);
        assert_eq!(tensor![f64; [1.0, 2.0]].shape(), [1, 2]);
        assert_eq!(tensor![u8; 1, 2].to_vec(), [1_u8, 2]);
        assert_eq!(tensor![f32;].shape(), [0]);
        let rows = [[1.0_f64, 2.0], [3.0, 4.0]];
        assert_eq!(tensor![rows], Tensor::from(rows));
        assert_eq!(tensor![1_u8, 2].dtype().name(), "u8");
        assert_eq!(tensor![1.5_f64, 2.0].dtype().name(), "f64");
        let inferred: Tensor<f64> = tensor![std::f64::consts::PI];
        assert_eq!(inferred.rank(), 0);
    }
}
