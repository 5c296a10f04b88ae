//! Batch, group and instance normalisation: sets of planes by the statistics of the set, each channel then weighted.
//!
//! The input is [samples, channels, plane]. A set is one channel of all samples, or some neighbouring channels of one
//! sample. All three passes go over planes: the moments (or gradients' sums) of each plane; those of the sets, from a
//! number or two for each plane (T. F. Chan, G. H. Golub and R. J. LeVeque, "Algorithms for computing the sample
//! variance", 1983); then a linear function on each plane.

use super::moments;
use crate::{
    kernel::{lanes::sum, reduce::in_chunks, simd::dispatch},
    scalar::Float,
    tensor::{Dims, Fresh, Tensor},
};
use std::mem::MaybeUninit;

/// Which planes share their statistics.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Sets {
    /// A channel of all samples.
    Channels,
    /// So many groups of the channels of each sample.
    Groups(usize),
}

/// Sizes of the input, and how it is divided.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Planes {
    pub(crate) samples: usize,
    pub(crate) channels: usize,
    /// Elements of a plane.
    pub(crate) plane: usize,
    pub(crate) sets: Sets,
    pub(crate) eps: f64,
}

/// Nanoseconds an element.
const COST: f64 = 0.15;

impl Planes {
    fn count(&self) -> usize {
        self.samples * self.channels
    }
    /// How many sets there are.
    fn set_count(&self) -> usize {
        match self.sets {
            Sets::Channels => self.channels,
            Sets::Groups(groups) => self.samples * groups,
        }
    }
    /// The set that a plane belongs to.
    fn set(&self, plane: usize) -> usize {
        match self.sets {
            Sets::Channels => plane % self.channels,
            Sets::Groups(groups) => plane / (self.channels / groups),
        }
    }
    /// Elements of a set.
    pub(crate) fn set_len(&self) -> usize {
        self.count() / self.set_count().max(1) * self.plane
    }
    /// Planes that make a task; depends on the shape only.
    fn in_a_task(&self) -> usize {
        (16_384 / self.plane.max(1)).max(1)
    }
    /// For each set the sum over its planes of a number each.
    fn over_sets(&self, of_plane: impl Fn(usize) -> f64) -> Vec<f64> {
        let mut totals = vec![0.0; self.set_count()];
        for plane in 0..self.count() {
            totals[self.set(plane)] += of_plane(plane);
        }
        totals
    }

    /// Two numbers for each plane.
    fn each_plane<T: Float>(&self, find: impl Fn(usize) -> [T; 2] + Sync) -> Vec<[T; 2]> {
        let mut found = vec![[T::zero(); 2]; self.count()];
        let cost = (self.count() * self.plane) as f64 * COST;
        in_chunks(&mut found, self.in_a_task(), cost, |first, found| {
            for (i, found) in found.iter_mut().enumerate() {
                *found = find(first + i);
            }
        });
        found
    }

    /// Writes each plane of a new tensor.
    fn write_planes<T: Float>(
        &self,
        shape: Dims,
        write: impl Fn(usize, &mut [MaybeUninit<T>]) + Sync,
    ) -> Tensor<T> {
        let mut out = Fresh::new(shape);
        let task = self.in_a_task();
        if shape.count() > 0 {
            let cost = shape.count() as f64 * COST;
            in_chunks(out.as_uninit_slice(), task * self.plane, cost, |first, out| {
                for (i, out) in out.chunks_exact_mut(self.plane).enumerate() {
                    write(first / self.plane + i, out);
                }
            });
        }
        // SAFETY: `write` writes all of its plane: both callers pass `linear`, which does.
        unsafe { out.assume_init() }
    }

    /// The mean and the biased variance of each set, [sets, 2].
    pub(crate) fn statistics<T: Float>(&self, x: &Tensor<T>) -> Tensor<T> {
        let data = packed(x);
        let found = self.each_plane(|plane| {
            let x = &data[plane * self.plane..][..self.plane];
            /// # Safety
            /// None; the signature is that of `dispatch!`.
            #[inline(always)]
            unsafe fn run<const FMA: bool, T: Float>(x: &[T]) -> [T; 2] {
                moments(x)
            }
            dispatch!([T: Float] run::<FMA, T>(x: &[T]) -> [T; 2])
        });
        let planes = (self.set_len() / self.plane.max(1)) as f64;
        let means: Vec<f64> = self.over_sets(|plane| found[plane][0].to_f64() / planes);
        let squares = self.over_sets(|plane| {
            let off = found[plane][0].to_f64() - means[self.set(plane)];
            found[plane][1].to_f64() + self.plane as f64 * off * off
        });
        let mut statistics = Vec::with_capacity(2 * means.len());
        for (mean, squares) in means.iter().zip(squares) {
            statistics.push(T::from_f64(*mean));
            statistics.push(T::from_f64(squares / self.set_len() as f64));
        }
        Tensor::from_vec(statistics, [means.len(), 2]).expect("two for each set")
    }

    /// (x − mean) / √(variance + ε) · weight + bias, with the mean and variance of the set and the weight of the channel.
    pub(crate) fn forward<T: Float>(
        &self,
        x: &Tensor<T>,
        statistics: &Tensor<T>,
        weight: Option<&Tensor<T>>,
        bias: Option<&Tensor<T>>,
    ) -> Tensor<T> {
        let (data, statistics) = (packed(x), packed(statistics));
        let (weight, bias) = (weight.map(Tensor::contiguous), bias.map(Tensor::contiguous));
        let (weight, bias) = (weight.as_ref().map(packed), bias.as_ref().map(packed));
        self.write_planes(x.dims(), |plane, out| {
            let (set, channel) = (self.set(plane), plane % self.channels);
            let scale =
                self.scale(statistics[2 * set + 1]) * weight.map_or(T::one(), |weight| weight[channel]);
            let coefficients = [T::zero(), scale, bias.map_or(T::zero(), |bias| bias[channel])];
            let x = &data[plane * self.plane..][..self.plane];
            linear(x, x, statistics[2 * set], coefficients, out);
        })
    }

    /// x̄, w̄ and b̄.
    ///
    /// With h = ȳ·w, x̂ the normalised input and r = 1/√(variance + ε): x̄ = r·(h − mean(h) − x̂·mean(h·x̂)), the means over
    /// the set.
    pub(crate) fn backward<T: Float>(
        &self,
        x: &Tensor<T>,
        statistics: &Tensor<T>,
        weight: Option<&Tensor<T>>,
        g: &Tensor<T>,
    ) -> [Tensor<T>; 3] {
        let g = g.contiguous();
        let (data, g_data, statistics) = (packed(x), packed(&g), packed(statistics));
        let weight = weight.map(Tensor::contiguous);
        let weight = weight.as_ref().map(packed);
        let weight = |plane: usize| weight.map_or(T::one(), |weight| weight[plane % self.channels]);
        let at = |plane: usize| plane * self.plane..(plane + 1) * self.plane;
        // Σ ȳ and Σ ȳ·x̂ of each plane.
        let found = self.each_plane(|plane| {
            let [mean, variance] = [0, 1].map(|k| statistics[2 * self.set(plane) + k]);
            let (x, g) = (&data[at(plane)], &g_data[at(plane)]);
            /// # Safety
            /// None; the signature is that of `dispatch!`.
            #[inline(always)]
            unsafe fn run<const FMA: bool, T: Float>(x: &[T], g: &[T], mean: T) -> [T; 2] {
                [sum!([g] | g | g), sum!([g, x] | g, x | g * (x - mean))]
            }
            let [plain, along] = dispatch!([T: Float] run::<FMA, T>(x: &[T], g: &[T], mean: T) -> [T; 2]);
            [plain, along * self.scale(variance)]
        });
        let count = self.set_len() as f64;
        let plain = self.over_sets(|plane| (found[plane][0] * weight(plane)).to_f64() / count);
        let along = self.over_sets(|plane| (found[plane][1] * weight(plane)).to_f64() / count);
        let dx = self.write_planes(x.dims(), |plane, out| {
            let set = self.set(plane);
            let (mean, r) = (statistics[2 * set], self.scale(statistics[2 * set + 1]));
            let (plain, along) = (T::from_f64(plain[set]), T::from_f64(along[set]));
            let coefficients = [r * weight(plane), -(r * r * along), -(r * plain)];
            linear(&g_data[at(plane)], &data[at(plane)], mean, coefficients, out);
        });
        let channel_sums = |k: usize| {
            let mut totals = vec![0.0; self.channels];
            for (plane, found) in found.iter().enumerate() {
                totals[plane % self.channels] += found[k].to_f64();
            }
            let totals = totals.into_iter().map(T::from_f64).collect();
            Tensor::from_vec(totals, [self.channels]).expect("one for each channel")
        };
        [dx, channel_sums(1), channel_sums(0)]
    }

    /// 1/√(variance + ε).
    fn scale<T: Float>(&self, variance: T) -> T {
        T::one() / num_traits::Float::sqrt(variance + T::from_f64(self.eps))
    }
}

/// out = a·g + b·(x − mean) + c; where a is 0, as always in the forward pass, g is not read.
fn linear<T: Float>(g: &[T], x: &[T], mean: T, coefficients: [T; 3], out: &mut [MaybeUninit<T>]) {
    /// # Safety
    /// None; the signature is that of `dispatch!`.
    #[inline(always)]
    unsafe fn run<const FMA: bool, T: Float>(
        g: &[T],
        x: &[T],
        mean: T,
        [a, b, c]: [T; 3],
        out: &mut [MaybeUninit<T>],
    ) {
        let (g, x) = (&g[..out.len()], &x[..out.len()]);
        if a == T::zero() {
            for i in 0..out.len() {
                out[i].write(b * (x[i] - mean) + c);
            }
        } else {
            for i in 0..out.len() {
                out[i].write(a * g[i] + b * (x[i] - mean) + c);
            }
        }
    }
    dispatch!([T: Float] run::<FMA, T>(
        g: &[T],
        x: &[T],
        mean: T,
        coefficients: [T; 3],
        out: &mut [MaybeUninit<T>],
    ));
}

fn packed<T: Float>(x: &Tensor<T>) -> &[T] {
    x.as_slice().expect("made contiguous by the caller")
}
