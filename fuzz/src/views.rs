//! Any sequence of view operations equals the same on a plain copy, in values and in gradients.
//!
//! The plain side is this file's own: a list that says for each element which element of the original it is. It shares
//! nothing with the library, neither strides nor rules.

use super::choices::Choices;
use wengert::{
    Tensor, Variable, grad,
    tensor::{AxisIndex, MAX_RANK},
};

/// Takes a tensor through the views that the bytes ask for.
pub fn run(bytes: &[u8]) {
    let mut choices = Choices::new(bytes);
    let mut plain = Plain::new(
        [&[2, 3, 4][..], &[24], &[1, 5, 1, 3], &[0, 4], &[], &[3, 3, 2, 2]][choices.below(6)].to_vec(),
    );
    let count = plain.from.len();
    let leaf = Variable::parameter(plain.tensor());
    let mut variable = leaf.clone();
    let mut tensor = leaf.value();
    for _ in 0..12 {
        if !choices.any() {
            break;
        }
        let Some(view) = View::choose(&mut choices, &plain.shape) else { continue };
        let from_copy = view.of_tensor(&plain.tensor());
        (variable, tensor, plain) =
            (view.of_variable(&variable), view.of_tensor(&tensor), view.of_plain(&plain));
        for found in [&from_copy, &tensor, &variable.value()] {
            assert_eq!(found.shape(), plain.shape, "{view:?}");
            assert_eq!(found.to_vec(), plain.tensor().to_vec(), "{view:?}");
        }
        if plain.from.len() > 4096 {
            break;
        }
    }
    if !variable.needs_grad() {
        return;
    }
    let weight = |at: usize| ((at * 7 + 3) % 11) as f64 - 5.0;
    let weights: Vec<f64> = (0..plain.from.len()).map(weight).collect();
    let mut expected = vec![0.0; count];
    plain.from.iter().zip(&weights).for_each(|(&from, weight)| expected[from] += weight);
    let cotangent = Variable::new(Tensor::from_vec(weights, variable.shape()).expect("as many as elements"));
    let gradient = grad(&[&variable]).grad_outputs(&[&cotangent]).wrt_allowing_unused(&[&leaf]).remove(0);
    let found = gradient.map_or_else(|| vec![0.0; count], |gradient| gradient.value().to_vec());
    assert_eq!(found, expected, "the gradient");
}

/// A shape and, for each element in row-major order, which element of the original it is.
struct Plain {
    shape: Vec<usize>,
    from: Vec<usize>,
}

impl Plain {
    fn new(shape: Vec<usize>) -> Self {
        let count = shape.iter().product();
        Plain { shape, from: (0..count).collect() }
    }

    /// Another shape, whose element at an index is this one's at `source(index)`.
    fn gather(&self, shape: Vec<usize>, source: impl Fn(&[usize]) -> Vec<usize>) -> Plain {
        let count = shape.iter().product();
        let element = |mut at: usize| {
            let mut index = vec![0; shape.len()];
            for axis in (0..shape.len()).rev() {
                (index[axis], at) = (at % shape[axis], at / shape[axis]);
            }
            let source = source(&index);
            assert_eq!(source.len(), self.shape.len());
            self.from[source.iter().zip(&self.shape).fold(0, |at, (index, size)| at * size + index)]
        };
        let from = (0..count).map(element).collect();
        Plain { shape, from }
    }

    fn tensor(&self) -> Tensor<f64> {
        let elements = self.from.iter().map(|&from| from as f64).collect();
        Tensor::from_vec(elements, &self.shape).expect("as many as the shape has")
    }
}

/// A view operation with its arguments.
#[derive(Debug)]
enum View {
    Transpose(usize, usize),
    Permute(Vec<isize>),
    Movedim(usize, usize),
    Narrow { axis: usize, start: usize, len: usize },
    Select { axis: usize, index: isize },
    Slice { axis: usize, start: isize, stop: isize, step: isize },
    Unsqueeze(usize),
    Squeeze(usize),
    BroadcastTo(Vec<usize>),
    Reshape(Vec<usize>),
    Flatten(usize, usize),
    Flip(usize),
    Diagonal { offset: isize, first: usize, second: usize },
    Unfold { axis: usize, size: usize, step: usize },
}

/// The same call on a tensor and on a variable.
macro_rules! view {
    ($view:expr, $x:expr) => {
        match $view {
            View::Transpose(a, b) => $x.transpose(*a as isize, *b as isize),
            View::Permute(order) => $x.permute(order),
            View::Movedim(from, to) => $x.movedim(*from as isize, *to as isize),
            View::Narrow { axis, start, len } => $x.narrow(*axis as isize, *start, *len),
            View::Select { axis, index } => $x.select(*axis as isize, *index),
            View::Slice { axis, start, stop, step } => {
                let whole = AxisIndex::Span { start: None, stop: None, step: 1 };
                let mut indices = vec![whole; *axis];
                indices.push(AxisIndex::Span { start: Some(*start), stop: Some(*stop), step: *step });
                $x.slice(indices)
            }
            View::Unsqueeze(axis) => $x.unsqueeze(*axis as isize),
            View::Squeeze(axis) => $x.squeeze(*axis as isize),
            View::BroadcastTo(shape) => $x.broadcast_to(shape),
            View::Reshape(shape) => $x.reshape(shape),
            View::Flatten(start, end) => $x.flatten(*start as isize, *end as isize),
            View::Flip(axis) => $x.flip(&[*axis as isize][..]),
            View::Diagonal { offset, first, second } => {
                $x.diagonal(*offset, *first as isize, *second as isize)
            }
            View::Unfold { axis, size, step } => $x.unfold(*axis as isize, *size, *step),
        }
    };
}

impl View {
    /// A view that this shape has.
    fn choose(choices: &mut Choices<'_>, shape: &[usize]) -> Option<View> {
        let rank = shape.len();
        let kind = choices.byte() % 14;
        let axis = choices.below(rank);
        let size = shape.get(axis).copied().unwrap_or(0);
        let full = rank == MAX_RANK;
        Some(match kind {
            6 if !full => View::Unsqueeze(choices.below(rank + 1)),
            8 if !full => {
                let mut wide: Vec<usize> =
                    shape.iter().map(|&size| if size == 1 { choices.below(4) } else { size }).collect();
                if choices.byte() & 1 == 1 {
                    wide.insert(0, choices.below(3));
                }
                View::BroadcastTo(wide)
            }
            9 => {
                let mut rest: usize = shape.iter().product();
                let mut parts = Vec::new();
                for part in [2, 3, 4, 5, 7] {
                    if rest > 0 && rest.is_multiple_of(part) && choices.byte() & 1 == 1 {
                        parts.push(part);
                        rest /= part;
                    }
                }
                parts.insert(choices.below(parts.len() + 1), rest);
                View::Reshape(parts)
            }
            _ if rank == 0 => return None,
            0 => View::Transpose(axis, choices.below(rank)),
            1 => {
                let mut left: Vec<isize> = (0..rank as isize).collect();
                View::Permute((0..rank).map(|_| left.remove(choices.below(left.len()))).collect())
            }
            2 => View::Movedim(axis, choices.below(rank)),
            3 => {
                let start = choices.below(size + 1);
                View::Narrow { axis, start, len: choices.below(size - start + 1) }
            }
            4 if size > 0 => View::Select { axis, index: choices.below(2 * size) as isize - size as isize },
            5 => View::Slice {
                axis,
                start: choices.within(9),
                stop: choices.within(9),
                step: 1 + choices.below(3) as isize,
            },
            7 if size == 1 => View::Squeeze(axis),
            10 => View::Flatten(axis, axis + choices.below(rank - axis)),
            11 => View::Flip(axis),
            12 if rank >= 2 => {
                let second = (axis + 1 + choices.below(rank - 1)) % rank;
                View::Diagonal { offset: choices.within(5), first: axis, second }
            }
            13 if size > 0 && !full => {
                View::Unfold { axis, size: 1 + choices.below(size), step: 1 + choices.below(3) }
            }
            _ => return None,
        })
    }

    fn of_tensor(&self, x: &Tensor<f64>) -> Tensor<f64> {
        view!(self, x)
    }

    fn of_variable(&self, x: &Variable<f64>) -> Variable<f64> {
        view!(self, x)
    }

    fn of_plain(&self, x: &Plain) -> Plain {
        let shape = &x.shape;
        let with = |axis: usize, size: usize| {
            let mut shape = shape.clone();
            shape[axis] = size;
            shape
        };
        let moved = |index: &[usize], axis: usize, to: &dyn Fn(usize) -> usize| {
            let mut index = index.to_vec();
            index[axis] = to(index[axis]);
            index
        };
        match self {
            View::Transpose(a, b) => {
                let mut order: Vec<usize> = (0..shape.len()).collect();
                order.swap(*a, *b);
                permuted(x, &order)
            }
            View::Permute(order) => {
                permuted(x, &order.iter().map(|&axis| axis as usize).collect::<Vec<usize>>())
            }
            View::Movedim(from, to) => {
                let mut order: Vec<usize> = (0..shape.len()).collect();
                let axis = order.remove(*from);
                order.insert(*to, axis);
                permuted(x, &order)
            }
            View::Narrow { axis, start, len } => {
                x.gather(with(*axis, *len), |index| moved(index, *axis, &|i| i + start))
            }
            View::Select { axis, index: chosen } => {
                let chosen = if *chosen < 0 { chosen + shape[*axis] as isize } else { *chosen } as usize;
                let mut rest = shape.clone();
                rest.remove(*axis);
                x.gather(rest, |index| {
                    let mut index = index.to_vec();
                    index.insert(*axis, chosen);
                    index
                })
            }
            View::Slice { axis, start, stop, step } => {
                let size = shape[*axis] as isize;
                let bound = |bound: isize| (if bound < 0 { bound + size } else { bound }).clamp(0, size);
                let indices: Vec<usize> =
                    (bound(*start)..bound(*stop)).step_by(*step as usize).map(|i| i as usize).collect();
                x.gather(with(*axis, indices.len()), |index| moved(index, *axis, &|i| indices[i]))
            }
            View::Unsqueeze(axis) => {
                let mut wide = shape.clone();
                wide.insert(*axis, 1);
                Plain { shape: wide, from: x.from.clone() }
            }
            View::Squeeze(axis) => {
                let mut narrow = shape.clone();
                narrow.remove(*axis);
                Plain { shape: narrow, from: x.from.clone() }
            }
            View::BroadcastTo(wide) => x.gather(wide.clone(), |index| {
                let kept = &index[index.len() - shape.len()..];
                kept.iter().zip(shape).map(|(&i, &size)| if size == 1 { 0 } else { i }).collect()
            }),
            View::Reshape(to) => Plain { shape: to.clone(), from: x.from.clone() },
            View::Flatten(start, end) => {
                let mut flat = shape[..*start].to_vec();
                flat.push(shape[*start..=*end].iter().product());
                flat.extend(&shape[end + 1..]);
                Plain { shape: flat, from: x.from.clone() }
            }
            View::Flip(axis) => {
                let size = shape[*axis];
                x.gather(shape.clone(), |index| moved(index, *axis, &|i| size - 1 - i))
            }
            View::Diagonal { offset, first, second } => {
                let (down, right) = ((-offset).max(0) as usize, (*offset).max(0) as usize);
                let len = shape[*first].saturating_sub(down).min(shape[*second].saturating_sub(right));
                let mut rest: Vec<usize> = Vec::new();
                rest.extend(
                    (0..shape.len()).filter(|axis| axis != first && axis != second).map(|axis| shape[axis]),
                );
                rest.push(len);
                x.gather(rest, |index| {
                    let (along, mut others) = (index[index.len() - 1], index.iter());
                    (0..shape.len())
                        .map(|axis| match axis {
                            _ if axis == *first => along + down,
                            _ if axis == *second => along + right,
                            _ => *others.next().expect("an index for every other axis"),
                        })
                        .collect()
                })
            }
            View::Unfold { axis, size, step } => {
                let mut windows = with(*axis, (shape[*axis] - size) / step + 1);
                windows.push(*size);
                x.gather(windows, |index| {
                    let (last, rest) = index.split_last().expect("the axis of the window");
                    moved(rest, *axis, &|window| window * step + last)
                })
            }
        }
    }
}

fn permuted(x: &Plain, order: &[usize]) -> Plain {
    let shape = order.iter().map(|&axis| x.shape[axis]).collect();
    x.gather(shape, |index| {
        let mut source = vec![0; index.len()];
        order.iter().zip(index).for_each(|(&axis, &i)| source[axis] = i);
        source
    })
}
