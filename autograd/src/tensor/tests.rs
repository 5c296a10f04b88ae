//! Tensors as a whole: memory, views against plain copies, errors.

use proptest::prelude::*;

use super::*;

#[test]
fn scalars_and_empty_tensors() {
    let scalar = Tensor::scalar(2.5_f64);
    assert_eq!((scalar.rank(), scalar.len(), scalar.item()), (0, 1, 2.5));
    let empty = Tensor::<f32>::zeros([3, 0, 2]);
    assert!(empty.is_empty() && empty.is_contiguous());
    assert!(empty.to_vec().is_empty());
    assert_eq!(empty.transpose(0, 2).contiguous().shape(), [2, 0, 3]);
    assert_eq!(empty.iter().count(), 0);
    assert_eq!(empty.reshape([0, 7]).as_slice(), Some(&[][..]));
}

#[test]
fn writing_leaves_clones_alone() {
    let mut x = Tensor::<i64>::arange(0, 4, 1);
    assert!(x.is_unique() && x.as_mut_slice().is_some());
    let y = x.clone();
    assert!(x.as_mut_slice().is_none());
    x.set(&[3], 9);
    assert_eq!((x.to_vec(), y.to_vec()), (vec![0, 1, 2, 9], vec![0, 1, 2, 3]));
}

#[test]
fn tensors_go_between_threads() {
    fn check<T: Send + Sync>() {}
    check::<Tensor<f32>>();
    check::<Iter<'_, bool>>();
    let x = Tensor::<f64>::arange(0.0, 10.0, 1.0);
    let y = x.clone();
    assert_eq!(std::thread::spawn(move || y.iter().sum::<f64>()).join().unwrap(), 45.0);
    assert_eq!(x.iter().sum::<f64>(), 45.0);
}

#[test]
fn layouts_of_ones_own_stay_within() {
    let x = Tensor::<i64>::arange(0, 6, 1).narrow(0, 1, 4);
    let windows = x.with_layout(Dims::new(&[3, 2]), Dims::new(&[1, 1]), 0);
    assert_eq!(windows.to_vec(), [1, 2, 2, 3, 3, 4]);
    let beyond = std::panic::catch_unwind(|| x.with_layout(Dims::new(&[2]), Dims::new(&[1]), 3));
    assert!(beyond.is_err());
}

#[test]
fn overlap_is_seen() {
    let x = Tensor::<f32>::zeros([4, 3]);
    assert!(
        !x.is_view_overlapping()
            && !x.t().is_view_overlapping()
            && !x.slice_axis(0, 0, 4, 2).is_view_overlapping()
    );
    assert!(!x.diagonal(0, 0, 1).is_view_overlapping());
    assert!(x.unsqueeze(0).expand([2, 4, 3]).is_view_overlapping());
    assert!(x.unfold(0, 2, 1).is_view_overlapping() && !x.unfold(0, 2, 2).is_view_overlapping());
    assert!(!Tensor::<f32>::zeros([1]).expand([0]).is_view_overlapping());
}

#[test]
fn errors_name_method_shape_and_axis() {
    fn text(action: impl FnOnce() + std::panic::UnwindSafe) -> String {
        let panic = std::panic::catch_unwind(action).unwrap_err();
        panic.downcast_ref::<String>().cloned().unwrap()
    }
    let x = || Tensor::<f32>::zeros([2, 3]);
    let cases: [(String, &str); 12] = [
        (
            text(|| _ = x().transpose(0, 2)),
            "transpose: axis 2 is out of range for shape [2, 3], whose axes are 0 to 1 (or -2 to -1)",
        ),
        (text(|| _ = x().select(1, -4)), "select: index -4 is out of range for axis 1 of shape [2, 3]"),
        (text(|| _ = x().narrow(0, 1, 2)), "narrow: axis 0 has no 2 indices from 1 on (shape [2, 3])"),
        (
            text(|| _ = x().expand([2, 4])),
            "expand: shapes [2, 3] and [2, 4] do not broadcast: 3 against 4 on axis -1",
        ),
        (text(|| _ = x().reshape([4, -1])), "reshape: shape [2, 3] (6 elements) cannot become [4, -1]"),
        (text(|| _ = x().permute(&[1, 1])), "permute: [1, 1] names axis 1 twice (shape [2, 3])"),
        (
            text(|| _ = x().select(0, 0).t()),
            "t: a matrix has two axes; transpose(a, b) takes any (shape [3])",
        ),
        (text(|| _ = x().item()), "item: one element wanted, there are 6 (shape [2, 3])"),
        (
            text(|| _ = x().unfold(1, 4, 1)),
            "unfold: no windows of 4 in steps of 1 along axis 1 (shape [2, 3])",
        ),
        (
            text(|| _ = Tensor::cat(&[x(), x().t()], 0)),
            "cat: it does not fit [2, 3] but along axis 0 (shape [3, 2])",
        ),
        (
            text(|| _ = Tensor::<u8>::zeros([usize::MAX, 2])),
            "shape [18446744073709551615, 2] has more elements than memory can address",
        ),
        (text(|| _ = Tensor::<i64>::arange(0, 3, -1)), "arange: no step of -1 leads from 0 to 3 (shape [])"),
    ];
    for (is, expected) in cases {
        assert_eq!(is, expected);
    }
}

#[test]
fn panics_point_at_the_callers_line() {
    std::thread_local!(static LINE: std::cell::Cell<u32> = const { std::cell::Cell::new(0) });
    let former = std::panic::take_hook();
    std::panic::set_hook(Box::new(|info| LINE.set(info.location().map_or(0, |place| place.line()))));
    let x = Tensor::<f32>::zeros([2, 3]);
    let first = line!() + 2;
    let actions: [&(dyn Fn() + std::panic::RefUnwindSafe); 6] = [
        &|| _ = x.select(5, 0),
        &|| _ = x.reshape([5]),
        &|| _ = x.expand([5]),
        &|| _ = Tensor::<f32>::zeros([1; 8]),
        &|| _ = Tensor::stack(&[x.clone(), x.t()], 0),
        &|| _ = x.chunk(0, 0),
    ];
    let lines: Vec<u32> = actions
        .iter()
        .map(|action| std::panic::catch_unwind(action).map_or_else(|_| LINE.get(), |()| 0))
        .collect();
    std::panic::set_hook(former);
    assert_eq!(lines, (first..first + 6).collect::<Vec<_>>());
}

/// A view made by plain index arithmetic: the model that strided views are compared with.
#[derive(Clone, Debug)]
struct Plain {
    shape: Vec<usize>,
    data: Vec<i64>,
}

impl Plain {
    /// The array of this shape whose element at each index is this one's at `source(index)`.
    fn gather(&self, shape: Vec<usize>, source: impl Fn(&[usize]) -> Vec<usize>) -> Plain {
        let count: usize = shape.iter().product();
        let data = (0..count)
            .map(|mut flat| {
                let mut index = vec![0; shape.len()];
                for axis in (0..shape.len()).rev() {
                    index[axis] = flat % shape[axis];
                    flat /= shape[axis];
                }
                let from = source(&index);
                assert_eq!(from.len(), self.shape.len());
                self.data[from.iter().zip(&self.shape).fold(0, |at, (i, size)| at * size + i)]
            })
            .collect();
        Plain { shape, data }
    }
}

/// One view operation, chosen by three arbitrary numbers, on both.
fn step(x: &Tensor<i64>, plain: &Plain, [kind, a, b]: [usize; 3]) -> (Tensor<i64>, Plain) {
    let rank = x.rank();
    let shape = plain.shape.clone();
    let set = |axis: usize, size: usize| {
        let mut shape = shape.clone();
        shape[axis] = size;
        shape
    };
    let shifted = |axis: usize, by: usize, times: usize| {
        move |index: &[usize]| {
            let mut index = index.to_vec();
            index[axis] = index[axis] * times + by;
            index
        }
    };
    if rank == 0 || kind % 12 == 0 {
        if rank == MAX_RANK {
            return (x.clone(), plain.clone());
        }
        let axis = a % (rank + 1);
        let mut wider = shape;
        wider.insert(axis, 1);
        return (x.unsqueeze(axis as isize), Plain { shape: wider, data: plain.data.clone() });
    }
    let axis = a % rank;
    let other = b % rank;
    let size = shape[axis];
    // The same axis, counted from the end.
    let back = axis as isize - rank as isize;
    match kind % 12 {
        1 => {
            let mut swapped = shape.clone();
            swapped.swap(axis, other);
            let plain = plain.gather(swapped, |index| {
                let mut index = index.to_vec();
                index.swap(axis, other);
                index
            });
            (x.transpose(back, other as isize), plain)
        }
        2 => {
            let start = b % (size + 1);
            let len = (size - start) / (1 + b % 2);
            (x.narrow(back, start, len), plain.gather(set(axis, len), shifted(axis, start, 1)))
        }
        3 if size > 0 => {
            let at = b % size;
            let mut fewer = shape.clone();
            fewer.remove(axis);
            let plain = plain.gather(fewer, |index| {
                let mut index = index.to_vec();
                index.insert(axis, at);
                index
            });
            (x.select(back, at as isize - size as isize), plain)
        }
        4 => {
            let (start, times) = (b % (size + 2), 1 + b % 3);
            let len = size.saturating_sub(start).div_ceil(times);
            let view = x.slice_axis(back, start as isize, isize::MAX, times);
            (view, plain.gather(set(axis, len), shifted(axis, start, times)))
        }
        5 if size == 1 => {
            let wide = b % 4;
            let mut target = shape.clone();
            target[axis] = wide;
            (x.expand(target), plain.gather(set(axis, wide), shifted(axis, 0, 0)))
        }
        6 => {
            let mut rest: Vec<usize> = shape.clone();
            let moved = rest.remove(axis);
            rest.insert(other, moved);
            let plain = plain.gather(rest, |index| {
                let mut index = index.to_vec();
                let moved = index.remove(other);
                index.insert(axis, moved);
                index
            });
            (x.movedim(back, other as isize), plain)
        }
        7 if axis != other => {
            let offset = b as isize % 3 - 1;
            let (down, right) = ((-offset).max(0) as usize, offset.max(0) as usize);
            let len = shape[axis].saturating_sub(down).min(shape[other].saturating_sub(right));
            let mut target = shape.clone();
            target.remove(axis.max(other));
            target.remove(axis.min(other));
            target.push(len);
            let plain = plain.gather(target, |index| {
                let mut index = index.to_vec();
                let along = index.pop().unwrap();
                let (first, second) = (along + down, along + right);
                let (low, high) = if axis < other { (first, second) } else { (second, first) };
                index.insert(axis.min(other), low);
                index.insert(axis.max(other), high);
                index
            });
            (x.diagonal(offset, back, other as isize), plain)
        }
        8 if rank < MAX_RANK && size > 0 => {
            let (window, hop) = (1 + b % size, 1 + b % 2);
            let mut target = set(axis, (size - window) / hop + 1);
            target.push(window);
            let plain = plain.gather(target, |index| {
                let mut index = index.to_vec();
                let within = index.pop().unwrap();
                index[axis] = index[axis] * hop + within;
                index
            });
            (x.unfold(back, window, hop), plain)
        }
        9 => {
            let flat: usize = shape.iter().product();
            let target = if flat > 0 && flat.is_multiple_of(2) { vec![2, flat / 2] } else { vec![flat] };
            (x.reshape(&target), Plain { shape: target, data: plain.data.clone() })
        }
        10 => {
            let mut target = shape.clone();
            for _ in axis.min(other)..axis.max(other) {
                let removed = target.remove(axis.min(other) + 1);
                target[axis.min(other)] *= removed;
            }
            let view = x.flatten(axis.min(other) as isize, axis.max(other) as isize);
            (view, Plain { shape: target, data: plain.data.clone() })
        }
        11 if size == 1 => {
            let mut fewer = shape.clone();
            fewer.remove(axis);
            (x.squeeze(back), Plain { shape: fewer, data: plain.data.clone() })
        }
        _ => (x.clone(), plain.clone()),
    }
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(800) })]

    #[test]
    fn any_chain_of_views_equals_the_same_on_a_plain_copy(
        shape in prop::collection::vec(0_usize..6, 0..5),
        steps in prop::collection::vec(prop::array::uniform3(0_usize..1000), 0..10),
    ) {
        let len: usize = shape.iter().product();
        let mut plain = Plain { data: (0..len as i64).collect(), shape: shape.clone() };
        let mut x = Tensor::from_slice(&plain.data, &shape).unwrap();
        for choice in steps {
            (x, plain) = step(&x, &plain, choice);
            if x.len() > 4000 {
                break;
            }
            prop_assert_eq!(x.shape(), &plain.shape[..]);
            prop_assert_eq!(&x.to_vec(), &plain.data);
            prop_assert_eq!(&x.iter().collect::<Vec<_>>(), &plain.data);
            prop_assert_eq!(x.iter().len(), plain.data.len());
            let packed = x.contiguous();
            prop_assert_eq!(packed.as_slice().unwrap(), &plain.data[..]);
            // The other widths, and the elements one by one.
            prop_assert_eq!(x.cast::<u8>().to_vec(), plain.data.iter().map(|&e| e as u8).collect::<Vec<_>>());
            let narrow = Tensor::from_slice(&plain.data, &plain.shape).unwrap().cast::<f32>();
            prop_assert_eq!(x.cast::<f32>().to_vec(), narrow.to_vec());
            let last: Vec<usize> = plain.shape.iter().map(|size| size.saturating_sub(1)).collect();
            prop_assert_eq!(x.get(&last), plain.data.last().copied());
            prop_assert_eq!(x.get(&plain.shape), if plain.shape.is_empty() { Some(plain.data[0]) } else { None });
            if !x.is_view_overlapping() {
                let mut seen: Vec<*const i64> = Vec::new();
                visit(&x, &mut seen);
                seen.sort_unstable();
                seen.dedup();
                prop_assert_eq!(seen.len(), x.len());
            }
        }
    }

    #[test]
    fn every_kind_of_copy_moves_each_element_to_its_place(
        shape in prop::collection::vec(1_usize..40, 1..4),
        order in prop::array::uniform4(0_usize..4),
        steps in prop::array::uniform2(1_usize..3),
    ) {
        let x = Tensor::from_fn(&shape, |i| i.iter().fold(0_i64, |at, &i| at * 64 + i as i64));
        let mut view = x;
        for (axis, &with) in order.iter().enumerate() {
            view = view.transpose((axis % shape.len()) as isize, (with % shape.len()) as isize);
        }
        view = view.slice_axis(0, 0, isize::MAX, steps[0]).slice_axis(-1, 0, isize::MAX, steps[1]);
        let expected: Vec<i64> = view.iter().collect();
        prop_assert_eq!(&view.to_vec(), &expected);
        let floats = view.map(|x| x as f32);
        prop_assert_eq!(floats.to_vec(), expected.iter().map(|&x| x as f32).collect::<Vec<_>>());
    }
}

/// The address of every element.
fn visit(x: &Tensor<i64>, seen: &mut Vec<*const i64>) {
    if x.rank() == 0 {
        seen.push(x.data_ptr());
    } else {
        (0..x.shape()[0]).for_each(|i| visit(&x.select(0, i as isize), seen));
    }
}

#[test]
fn copies_put_parts_where_they_belong() {
    let x = Tensor::<i64>::arange(0, 6, 1).reshape([2, 3]);
    assert_eq!(Tensor::cat(&[x.clone(), x.narrow(0, 0, 1)], 0).to_vec(), [0, 1, 2, 3, 4, 5, 0, 1, 2]);
    assert_eq!(Tensor::cat(&[x.clone(), x.narrow(1, 1, 1)], -1).to_vec(), [0, 1, 2, 1, 3, 4, 5, 4]);
    assert_eq!(Tensor::cat(&[x.t(), x.t()], 1).to_vec(), [0, 3, 0, 3, 1, 4, 1, 4, 2, 5, 2, 5]);
    assert_eq!(Tensor::stack(&[x.clone(), x.clone()], -1).shape(), [2, 3, 2]);
    assert_eq!(x.flip(&[0, -1]).to_vec(), [5, 4, 3, 2, 1, 0]);
    assert_eq!(x.flip(&[0]).to_vec(), [3, 4, 5, 0, 1, 2]);
    assert_eq!(x.roll(4, 1).to_vec(), [2, 0, 1, 5, 3, 4]);
    assert_eq!(x.repeat([1, 2]).to_vec(), [0, 1, 2, 0, 1, 2, 3, 4, 5, 3, 4, 5]);
    assert_eq!(x.repeat([2, 1, 1]).shape(), [2, 2, 3]);
    assert_eq!(x.repeat([0, 1]).shape(), [0, 3]);
    let parts = x.split(2, 1);
    assert_eq!(parts.iter().map(|part| part.shape()[1]).collect::<Vec<_>>(), [2, 1]);
    assert_eq!(Tensor::cat(&parts, 1).to_vec(), x.to_vec());
    assert_eq!(x.chunk(5, 1).len(), 3);
    let none = Tensor::<i64>::zeros([2, 0]);
    assert_eq!(Tensor::cat(&[none.clone(), x.narrow(1, 0, 1)], 1).to_vec(), [0, 3]);
    assert_eq!(none.flip(&[1]).shape(), [2, 0]);
    assert_eq!(none.repeat([2, 3]).shape(), [4, 0]);
}
