//! Any chain of views has the same elements as the same chain on plain copies.
#![no_main]

use libfuzzer_sys::fuzz_target;
use wengert::Tensor;

fuzz_target!(|steps: &[u8]| {
    let mut view = Tensor::<f32>::arange(0.0, 24.0, 1.0).reshape([2, 3, 4]);
    let mut copy = view.clone();
    for step in steps.chunks_exact(3).take(12) {
        let rank = view.rank();
        if rank == 0 || view.is_empty() {
            break;
        }
        let axis = usize::from(step[1]) % rank;
        let size = view.shape()[axis];
        let apply = |x: &Tensor<f32>| match step[0] % 5 {
            0 => x.transpose(axis as isize, (usize::from(step[2]) % rank) as isize),
            1 => x.narrow(axis as isize, usize::from(step[2]) % size, 1 + (size - 1 - usize::from(step[2]) % size) / 2),
            2 => x.select(axis as isize, (usize::from(step[2]) % size) as isize),
            3 if rank < 7 => x.unsqueeze(axis as isize),
            _ => x.reshape([x.len()]),
        };
        view = apply(&view);
        copy = Tensor::from_vec(apply(&copy).to_vec(), view.dims()).expect("as many elements");
        assert_eq!(view.to_vec(), copy.to_vec());
    }
});
