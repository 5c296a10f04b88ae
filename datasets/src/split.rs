//! Splits: which items to learn from, and which to be judged by.
//!
//! ```
//! use wengert_datasets::split;
//!
//! let labels = ["a", "a", "a", "a", "b", "b", "b", "b"];
//! for fold in split::stratified_k_fold(&labels, 4, 0) {
//!     let held_out: Vec<&str> = fold.test.iter().map(|&index| labels[index]).collect();
//!     assert_eq!(held_out, ["a", "b"]);
//!     assert_eq!(fold.train.len(), 6);
//! }
//! ```
//!
//! A split is two lists of indices, in ascending order, for [`Dataset::subset`](crate::Dataset::subset) or the rows of a
//! table. Every item is in exactly one of the two, and over k folds it is held out exactly once.

use std::collections::HashMap;
use std::hash::Hash;

use wengert_autograd::tensor::Generator;

/// The indices of the items to learn from and of those held out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Split {
    /// To learn from.
    pub train: Vec<usize>,
    /// Held out.
    pub test: Vec<usize>,
}

impl Split {
    /// The split that holds out the items for which `held_out` is true.
    fn by(count: usize, held_out: impl Fn(usize) -> bool) -> Split {
        let (test, train) = (0..count).partition(|&index| held_out(index));
        Split { train, test }
    }
}

#[track_caller]
fn check_fraction(fraction: f64) {
    assert!(
        (0.0..=1.0).contains(&fraction),
        "split: the fraction to hold out is {fraction}, expected 0 to 1"
    );
}

#[track_caller]
fn check_folds(folds: usize, count: usize, what: &str) {
    assert!(folds >= 2 && folds <= count, "split: {folds} folds of {count} {what}, expected 2 to {count}");
}

/// Holds out a fraction of the items, chosen at random: round(fraction · count) of them.
///
/// # Panics
/// If the fraction is not between 0 and 1.
#[track_caller]
pub fn train_test_split(count: usize, test_fraction: f64, seed: u64) -> Split {
    check_fraction(test_fraction);
    let order = Generator::new(seed).permutation(count);
    let mut held_out = vec![false; count];
    order[..(test_fraction * count as f64).round() as usize].iter().for_each(|&index| held_out[index] = true);
    Split::by(count, |index| held_out[index])
}

/// Holds out a fraction of every class, so that both parts have the proportions of the whole; as many items in all as
/// [`train_test_split`] (the largest remainders are rounded up).
///
/// # Panics
/// If the fraction is not between 0 and 1.
#[track_caller]
pub fn stratified_split<L: Eq + Hash>(labels: &[L], test_fraction: f64, seed: u64) -> Split {
    check_fraction(test_fraction);
    let mut classes = shuffled_groups(labels, seed);
    let total = (test_fraction * labels.len() as f64).round() as usize;
    let mut quotas: Vec<usize> =
        classes.iter().map(|class| (test_fraction * class.len() as f64) as usize).collect();
    let missing = total - quotas.iter().sum::<usize>().min(total);
    let mut by_remainder: Vec<usize> = (0..classes.len()).collect();
    let remainder = |class: usize| (test_fraction * classes[class].len() as f64).fract();
    by_remainder.sort_by(|&a, &b| remainder(b).total_cmp(&remainder(a))); // stable: ties in order of appearance
    by_remainder.into_iter().take(missing).for_each(|class| quotas[class] += 1);

    let mut held_out = vec![false; labels.len()];
    for (class, quota) in classes.iter_mut().zip(quotas) {
        class.iter().take(quota).for_each(|&index| held_out[index] = true);
    }
    Split::by(labels.len(), |index| held_out[index])
}

/// k splits, each of which holds out another part; the parts are random and differ in size by at most one.
///
/// # Panics
/// If there are fewer than 2 folds, or fewer items than folds.
#[track_caller]
pub fn k_fold(count: usize, folds: usize, seed: u64) -> Vec<Split> {
    check_folds(folds, count, "items");
    let mut fold_of = vec![0; count];
    for (place, index) in Generator::new(seed).permutation(count).into_iter().enumerate() {
        fold_of[index] = place % folds;
    }
    folds_by(&fold_of, folds)
}

/// As [`k_fold`], with every class spread evenly over the parts.
///
/// # Panics
/// If there are fewer than 2 folds, or fewer items than folds.
#[track_caller]
pub fn stratified_k_fold<L: Eq + Hash>(labels: &[L], folds: usize, seed: u64) -> Vec<Split> {
    check_folds(folds, labels.len(), "items");
    let mut fold_of = vec![0; labels.len()];
    // Dealt like cards, one class after the other without starting anew, so that the parts' sizes stay even too.
    for (place, index) in shuffled_groups(labels, seed).into_iter().flatten().enumerate() {
        fold_of[index] = place % folds;
    }
    folds_by(&fold_of, folds)
}

/// As [`k_fold`], with the items of a group always in the same part: rows that repeat one mixture, one patient, one
/// author tell nothing new about it, and would make a test too easy. Each group goes to the part that is smallest so far,
/// large groups first.
///
/// # Panics
/// If there are fewer than 2 folds, or fewer groups than folds.
#[track_caller]
pub fn group_k_fold<G: Eq + Hash>(groups: &[G], folds: usize, seed: u64) -> Vec<Split> {
    let mut members = shuffled_groups(groups, seed);
    check_folds(folds, members.len(), "groups");
    Generator::new(seed).shuffle(&mut members);
    members.sort_by_key(|group| std::cmp::Reverse(group.len()));
    let (mut sizes, mut fold_of) = (vec![0; folds], vec![0; groups.len()]);
    for group in members {
        let smallest = (0..folds).min_by_key(|&fold| sizes[fold]).expect("there are folds");
        sizes[smallest] += group.len();
        group.into_iter().for_each(|index| fold_of[index] = smallest);
    }
    folds_by(&fold_of, folds)
}

fn folds_by(fold_of: &[usize], folds: usize) -> Vec<Split> {
    (0..folds).map(|fold| Split::by(fold_of.len(), |index| fold_of[index] == fold)).collect()
}

/// The indices of each label's items in random order, the labels in order of appearance.
fn shuffled_groups<L: Eq + Hash>(labels: &[L], seed: u64) -> Vec<Vec<usize>> {
    let mut number = HashMap::new();
    let mut groups: Vec<Vec<usize>> = Vec::new();
    for (index, label) in labels.iter().enumerate() {
        let group = *number.entry(label).or_insert_with(|| {
            groups.push(Vec::new());
            groups.len() - 1
        });
        groups[group].push(index);
    }
    let mut generator = Generator::new(seed);
    groups.iter_mut().for_each(|group| generator.shuffle(group));
    groups
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn each_held_out_once(folds: &[Split], count: usize) {
        let mut times = vec![0; count];
        for fold in folds {
            let mut all = [fold.train.clone(), fold.test.clone()].concat();
            assert!(fold.train.is_sorted() && fold.test.is_sorted());
            all.sort_unstable();
            assert!(all.into_iter().eq(0..count));
            fold.test.iter().for_each(|&index| times[index] += 1);
        }
        assert!(times.iter().all(|&times| times == 1));
    }

    #[test]
    fn folds_cover_everything_evenly() {
        let folds = k_fold(23, 5, 1);
        each_held_out_once(&folds, 23);
        assert!(folds.iter().all(|fold| (4..=5).contains(&fold.test.len())));
        assert_ne!(folds, k_fold(23, 5, 2));
        assert_eq!(folds, k_fold(23, 5, 1));
    }

    #[test]
    fn strata_keep_their_proportions() {
        let labels: Vec<u8> =
            (0..100).map(|i| if i % 10 < 7 { 0 } else { 1 + (i % 10 == 9) as u8 }).collect(); // 70 20 10
        let counts =
            |part: &[usize]| [0, 1, 2].map(|class| part.iter().filter(|&&i| labels[i] == class).count());
        let folds = stratified_k_fold(&labels, 5, 3);
        each_held_out_once(&folds, 100);
        assert!(folds.iter().all(|fold| counts(&fold.test) == [14, 4, 2]));
        let split = stratified_split(&labels, 0.25, 3);
        assert_eq!((split.train.len(), split.test.len()), (75, 25));
        let [a, b, c] = counts(&split.test);
        assert!((17..=18).contains(&a) && b == 5 && (2..=3).contains(&c), "{a} {b} {c}");
    }

    #[test]
    fn groups_stay_together() {
        let groups: Vec<usize> = (0..60).map(|i| (i * i) % 11).collect();
        let folds = group_k_fold(&groups, 3, 5);
        each_held_out_once(&folds, 60);
        for fold in &folds {
            assert!(fold.test.iter().all(|&i| !fold.train.iter().any(|&j| groups[i] == groups[j])));
            assert!((15..=25).contains(&fold.test.len()), "{}", fold.test.len());
        }
    }

    #[test]
    fn a_fraction_is_rounded() {
        for (count, fraction, held_out) in [(10, 0.25, 3), (10, 0.0, 0), (10, 1.0, 10), (0, 0.5, 0)] {
            let split = train_test_split(count, fraction, 7);
            assert_eq!((split.test.len(), split.train.len()), (held_out, count - held_out));
        }
    }

    #[test]
    #[should_panic = "split: 5 folds of 3 groups, expected 2 to 3"]
    fn more_folds_than_groups() {
        group_k_fold(&[1, 2, 3, 1, 2, 3], 5, 0);
    }

    #[test]
    #[should_panic = "the fraction to hold out is NaN"]
    fn a_fraction_is_a_number() {
        train_test_split(10, f64::NAN, 0);
    }
}
