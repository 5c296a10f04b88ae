//! Sequences of different lengths as one rectangular tensor.

use wengert_autograd::tensor::Tensor;

/// The beginning or the end of a sequence.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Side {
    /// Its beginning.
    #[default]
    Pre,
    /// Its end.
    Post,
}

/// How [`pad_sequences`] brings sequences to one length; the default is that of Keras.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Pad {
    /// The length; that of the longest sequence if `None`.
    pub maxlen: Option<usize>,
    /// Where a short sequence is filled up.
    pub padding: Side,
    /// Where a long sequence is cut.
    pub truncating: Side,
    /// What short sequences are filled up with.
    pub value: i64,
}

/// The sequences as rows of a tensor, \[sequences, length\]: short ones filled up, long ones cut.
///
/// ```
/// use wengert_datasets::text::{Pad, Side, pad_sequences};
///
/// let sequences = [vec![1, 2, 3], vec![4]];
/// assert_eq!(pad_sequences(&sequences, &Pad::default()).to_vec(), [1, 2, 3, 0, 0, 4]);
/// let end = Pad { maxlen: Some(2), padding: Side::Post, truncating: Side::Post, value: -1 };
/// assert_eq!(pad_sequences(&sequences, &end).to_vec(), [1, 2, 4, -1]);
/// ```
pub fn pad_sequences(sequences: &[Vec<i64>], pad: &Pad) -> Tensor<i64> {
    let length = pad.maxlen.unwrap_or_else(|| sequences.iter().map(Vec::len).max().unwrap_or(0));
    let mut padded = Tensor::full([sequences.len(), length], pad.value);
    for (row, sequence) in padded.make_mut().chunks_exact_mut(length.max(1)).zip(sequences) {
        let kept = sequence.len().min(length);
        let tokens = match pad.truncating {
            Side::Pre => &sequence[sequence.len() - kept..],
            Side::Post => &sequence[..kept],
        };
        let start = match pad.padding {
            Side::Pre => length - kept,
            Side::Post => 0,
        };
        row[start..start + kept].copy_from_slice(tokens);
    }
    padded
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_side_pads_and_cuts() {
        let sequences = [vec![1, 2, 3, 4], vec![5], vec![]];
        let padded = |padding, truncating| {
            pad_sequences(&sequences, &Pad { maxlen: Some(2), padding, truncating, value: 9 }).to_vec()
        };
        assert_eq!(padded(Side::Pre, Side::Pre), [3, 4, 9, 5, 9, 9]);
        assert_eq!(padded(Side::Pre, Side::Post), [1, 2, 9, 5, 9, 9]);
        assert_eq!(padded(Side::Post, Side::Pre), [3, 4, 5, 9, 9, 9]);
        assert_eq!(padded(Side::Post, Side::Post), [1, 2, 5, 9, 9, 9]);
    }

    #[test]
    fn nothing_to_pad() {
        assert_eq!(pad_sequences(&[], &Pad::default()).shape(), [0, 0]);
        assert_eq!(
            pad_sequences(&[vec![1], vec![]], &Pad { maxlen: Some(0), ..Pad::default() }).shape(),
            [2, 0]
        );
    }
}
