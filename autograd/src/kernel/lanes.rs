//! Sums and maxima of rows, in running results side by side.
//!
//! One running sum adds a number every four cycles, since each addition waits for the one before. 32 running sums are two
//! vectors. They stay in registers only where the compiler sees loops of a fixed length over arrays: with iterators, or with
//! a bounds check in the loop, every step goes through memory. So that loop is written once, here.
//!
//! What a result consists of, and in which order, follows from the length of the row alone.

/// Running results.
pub(super) const LANES: usize = 32;

/// Folds `term`, a formula in one element of each of some slices, over their length, which is that of the first slice:
/// `fold!(([x, y] |a, b| a * b), T::zero(), |left, right| left + right)`. Elements are copied.
macro_rules! fold {
    (([$first:expr $(, $more:expr)*] |$x:ident $(, $y:ident)*| $term:expr), $identity:expr,
        |$left:ident, $right:ident| $join:expr) => {{
        const LANES: usize = $crate::kernel::lanes::LANES;
        #[allow(clippy::redundant_locals)] // the name is that of the formula, which may be the slice's own
        let $x = $first;
        $(let $y = &$more[..$x.len()];)*
        let ($x, rest) = $x.as_chunks::<LANES>();
        let chunks = $x.len();
        $(let $y = $y.as_chunks::<LANES>();)*
        $(let $y = (&$y.0[..chunks], $y.1);)*
        if chunks == 0 {
            let mut folded = $identity;
            for i in 0..rest.len() {
                let ($x, $($y),*) = (rest[i], $($y.1[i]),*);
                let ($left, $right) = (folded, $term);
                folded = $join;
            }
            folded
        } else {
            let mut running = [$identity; LANES];
            for chunk in 0..chunks {
                let ($x, $($y),*) = (&$x[chunk], $(&$y.0[chunk]),*);
                for lane in 0..LANES {
                    let ($x, $($y),*) = ($x[lane], $($y[lane]),*);
                    let ($left, $right) = (running[lane], $term);
                    running[lane] = $join;
                }
            }
            for lane in 0..rest.len() {
                let ($x, $($y),*) = (rest[lane], $($y.1[lane]),*);
                let ($left, $right) = (running[lane], $term);
                running[lane] = $join;
            }
            let mut width = LANES / 2;
            while width > 0 {
                for lane in 0..width {
                    let ($left, $right) = (running[lane], running[lane + width]);
                    running[lane] = $join;
                }
                width /= 2;
            }
            running[0]
        }
    }};
}
pub(super) use fold;

/// Σ of a formula in one element of each of some slices: `sum!([x, y] |a, b| a * b)`.
macro_rules! sum {
    ([$($slice:expr),+] |$($x:ident),+| $term:expr) => {
        $crate::kernel::lanes::fold!(([$($slice),+] |$($x),+| $term), T::zero(), |left, right| left + right)
    };
}
pub(super) use sum;

#[cfg(test)]
mod tests {
    use num_traits::Zero;

    #[test]
    fn every_element_counts_once() {
        type T = f64;
        for len in 0..200_u32 {
            let x: Vec<T> = (0..len).map(|i| f64::from(i * i % 17)).collect();
            let y: Vec<T> = (0..len + 3).map(f64::from).collect();
            let expected: T = x.iter().zip(&y).map(|(a, b)| a * (b + 1.0)).sum();
            assert_eq!(sum!([x.as_slice(), y] | a, b | a * (b + 1.0)), expected, "{len} elements");
            let largest = fold!(([x.as_slice()] | a | a), -1.0, |a, b| if b > a { b } else { a });
            assert_eq!(largest, x.iter().copied().fold(-1.0, f64::max), "{len} elements");
        }
    }
}
