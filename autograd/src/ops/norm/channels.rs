//! Batch, group and instance normalisation: statistics over planes, a weight for each channel.

use super::rows::wanted;
use crate::{
    graph::{Context, Cotangents, Grads, Keep, Variable, mode::line, op::Line, variable::Value},
    kernel::norm::planes::{Planes, Sets},
    ops::{
        fused::{Fused, record_fused},
        registry::samples,
    },
    scalar::{Float, float::compiled},
    tensor::{Dims, Tensor, TensorError, valid},
};
use smallvec::SmallVec;
use std::borrow::Cow;

/// Inputs x and, where they are there, weight and bias.
struct ChannelNorm {
    name: &'static str,
    planes: Planes,
    weighted: bool,
    biased: bool,
}

impl<T: Float> Fused<T> for ChannelNorm {
    fn name(&self) -> &'static str {
        self.name
    }

    fn rule(&self) -> Cow<'static, str> {
        super::written(self.weighted, self.biased, true)
    }

    fn backward(&self, cx: &Context<'_, T>, mut g: Cotangents<T>) -> Grads<T> {
        let g = g.take(0).expect("the statistics have no cotangent, so the result has one");
        let weight = self.weighted.then(|| cx.input_tensor(1));
        let x = cx.input_tensor(0).contiguous();
        let [dx, for_weight, for_bias] = self.planes.backward(&x, cx.output_tensor(1), weight, &g.read());
        let parameters = [(self.weighted, for_weight), (self.biased, for_bias)];
        let parameters =
            parameters.into_iter().filter(|(there, _)| *there).map(|(_, gradient)| Some(gradient));
        wanted(cx, std::iter::once(Some(dx)).chain(parameters))
    }

    fn define(&self, inputs: &[Variable<T>]) -> Vec<Variable<T>> {
        let Planes { samples, channels, plane, sets, eps } = self.planes;
        let shape = inputs[0].shape();
        let normal = match sets {
            Sets::Channels => normalised(&inputs[0].reshape([samples, channels, plane]), &[0, 2], eps),
            Sets::Groups(groups) => {
                normalised(&inputs[0].reshape([samples, groups, channels / groups.max(1) * plane]), &[2], eps)
            }
        };
        let mut y = normal.reshape([samples, channels, plane]);
        let mut rest = inputs[1..].iter().map(|parameter| parameter.reshape([channels, 1]));
        if self.weighted {
            y *= rest.next().expect("a weight");
        }
        if self.biased {
            y += rest.next().expect("a bias");
        }
        vec![y.reshape(shape)]
    }
}

/// Mean 0 and variance 1 over some axes.
fn normalised<T: Float>(x: &Variable<T>, axes: &[isize], eps: f64) -> Variable<T> {
    let centred = x - x.mean_axes(axes, true);
    let variance = centred.square().mean_axes(axes, true);
    &centred * (variance + eps).rsqrt()
}

/// The result, and the statistics of the sets.
fn channel_norm<T: Float>(
    x: &Variable<T>,
    weight: Option<&Variable<T>>,
    bias: Option<&Variable<T>>,
    planes: Planes,
    name: &'static str,
    line: Line,
) -> (Variable<T>, Tensor<T>) {
    let inputs: SmallVec<[&Variable<T>; 3]> = [Some(x), weight, bias].into_iter().flatten().collect();
    let values: SmallVec<[Value<'_, T>; 3]> = inputs.iter().map(|input| input.read()).collect();
    let values: SmallVec<[&Tensor<T>; 3]> = values.iter().map(|value| &**value).collect();
    let mut parameters = values[1..].iter().copied();
    let weight_value = weight.and_then(|_| parameters.next());
    let bias_value = bias.and_then(|_| parameters.next());
    let packed = values[0].contiguous();
    let statistics = planes.statistics(&packed);
    let y = planes.forward(&packed, &statistics, weight_value, bias_value);
    let op = ChannelNorm { name, planes, weighted: weight.is_some(), biased: bias.is_some() };
    let outputs = [y, statistics.clone()];
    let [y, _] = record_fused(op, &inputs, &values, outputs, Keep::outputs([1]), line);
    (y, statistics)
}

/// Batch and channels must be the first axes, weight and bias as long as there are channels, and the sets not empty.
fn check<T: Float>(
    name: &'static str,
    x: Dims,
    parameters: [Option<&Variable<T>>; 2],
    sets: Sets,
    eps: f64,
) -> Result<Planes, TensorError> {
    if x.len() < 2 {
        return Err(TensorError::argument(name, &x, "the input must be [batch, channels, …]"));
    }
    let (samples, channels) = (x[0], x[1]);
    let sets = match sets {
        // Instance normalisation: each channel is a group.
        Sets::Groups(0) if name == "instance_norm" => Sets::Groups(channels),
        Sets::Groups(groups) if groups == 0 || channels % groups != 0 => {
            let problem = format!("{channels} channels do not fall into {groups} groups");
            return Err(TensorError::argument(name, &x, problem));
        }
        other => other,
    };
    check_channels(name, channels, parameters)?;
    let planes = Planes { samples, channels, plane: x[2..].iter().product(), sets, eps };
    let needed = if sets == Sets::Channels { 2 } else { 1 };
    if channels > 0 && samples > 0 && planes.set_len() < needed || sets == Sets::Channels && x.contains(&0) {
        let problem = format!("statistics of {} elements; at least {needed} are needed", planes.set_len());
        return Err(TensorError::argument(name, &x, problem));
    }
    Ok(planes)
}

fn check_channels<T: Float>(
    name: &'static str,
    channels: usize,
    parameters: [Option<&Variable<T>>; 2],
) -> Result<(), TensorError> {
    for parameter in parameters.into_iter().flatten() {
        if parameter.shape() != [channels] {
            let problem =
                format!("weight and bias must have the shape [{channels}], a number for each channel");
            return Err(TensorError::argument(name, &parameter.shape(), problem));
        }
    }
    Ok(())
}

/// The statistics of a batch, as [`Variable::batch_norm`] found them.
#[derive(Clone)]
pub struct BatchMoments<T: Float = f32> {
    /// The mean of each channel, `[C]`.
    pub mean: Tensor<T>,
    /// The biased variance of each channel, `[C]`: divided by the number of elements.
    pub variance: Tensor<T>,
    /// How many elements of each channel there were.
    pub count: usize,
}

impl<T: Float> BatchMoments<T> {
    /// The running mean and variance after this batch: (1 − momentum) · old + momentum · new. The new variance is the
    /// unbiased one, divided by one less than the count.
    ///
    /// ```
    /// use wengert_autograd::{Tensor, Variable};
    /// let (_, moments) = Variable::from([[1.0_f32], [3.0]]).batch_norm(None, None, 1e-5);
    /// let (mean, variance) = moments.blended_into(&Tensor::zeros([1]), &Tensor::ones([1]), 0.5);
    /// assert_eq!((mean.to_vec(), variance.to_vec()), (vec![1.0], vec![1.5]));
    /// ```
    ///
    /// # Panics
    /// If the running statistics have not one number for each channel.
    #[track_caller]
    pub fn blended_into(
        &self,
        mean: &Tensor<T>,
        variance: &Tensor<T>,
        momentum: f64,
    ) -> (Tensor<T>, Tensor<T>) {
        for running in [mean, variance] {
            if running.shape() != self.mean.shape() {
                let problem = format!("running statistics must have the shape {:?}", self.mean.shape());
                TensorError::argument("batch_norm", running.shape(), problem).raise();
            }
        }
        let unbiased = self.count as f64 / (self.count as f64 - 1.0);
        let blend = |old: &Tensor<T>, new: &Tensor<T>, factor: f64| {
            let both = old.iter().zip(new.iter());
            let values = both.map(|(old, new)| {
                T::from_f64((1.0 - momentum) * old.to_f64() + momentum * factor * new.to_f64())
            });
            Tensor::from_vec(values.collect(), old.dims()).expect("one for each channel")
        };
        (blend(mean, &self.mean, 1.0), blend(variance, &self.variance, unbiased))
    }
}

impl<T: Float> Variable<T> {
    /// Batch normalisation by the statistics of this batch, as in training: `[N, C, …]` keeps its shape, and each channel
    /// becomes y = (x − mean) / √(variance + eps) · weight + bias, with mean and biased variance over all its elements
    /// (S. Ioffe and C. Szegedy, "Batch normalization", 2015). `weight` and `bias` are `[C]`.
    ///
    /// The moments of the batch come with the result; a model keeps [running ones](BatchMoments::blended_into) of them, for
    /// [`batch_norm_with`](Self::batch_norm_with) to use when it is evaluated.
    ///
    /// ```
    /// let x = wengert_autograd::Variable::from([[1.0_f32], [3.0]]);
    /// let (y, moments) = x.batch_norm(None, None, 0.0);
    /// assert_eq!(y.value().to_vec(), [-1.0, 1.0]);
    /// assert_eq!((moments.mean.item(), moments.variance.item(), moments.count), (2.0, 1.0, 2));
    /// ```
    ///
    /// # Panics
    /// If there are fewer than two axes or two elements of a channel, or weight or bias are not `[C]`.
    #[track_caller]
    pub fn batch_norm(
        &self,
        weight: Option<&Variable<T>>,
        bias: Option<&Variable<T>>,
        eps: f64,
    ) -> (Variable<T>, BatchMoments<T>) {
        let name = "batch_norm";
        let planes = valid(check(name, self.shape(), [weight, bias], Sets::Channels, eps));
        let (x, line) = (self, line());
        let (y, statistics) = compiled!(channel_norm(
            x: &Variable<T>,
            weight: Option<&Variable<T>>,
            bias: Option<&Variable<T>>,
            planes: Planes,
            name: &'static str,
            line: Line
        ) -> (Variable<T>, Tensor<T>));
        let [mean, variance] = [0, 1].map(|k| statistics.select(1, k).contiguous());
        (y, BatchMoments { mean, variance, count: planes.set_len() })
    }

    /// Batch normalisation by given statistics, as in evaluation: `[N, C, …]` keeps its shape,
    /// y = (x − mean) / √(variance + eps) · weight + bias, channel by channel. Mean and variance are constants.
    ///
    /// ```
    /// use wengert_autograd::{Tensor, Variable};
    /// let y = Variable::ones([2, 3, 4]).batch_norm_with(&Tensor::zeros([3]), &Tensor::full([3], 4.0), None, None, 0.0);
    /// assert_eq!(y.value().to_vec(), [0.5; 24]);
    /// ```
    ///
    /// # Panics
    /// If there are fewer than two axes, or the others are not `[C]`.
    #[track_caller]
    pub fn batch_norm_with(
        &self,
        mean: &Tensor<T>,
        variance: &Tensor<T>,
        weight: Option<&Variable<T>>,
        bias: Option<&Variable<T>>,
        eps: f64,
    ) -> Variable<T> {
        let shape = self.shape();
        if shape.len() < 2 {
            TensorError::argument("batch_norm", &shape, "the input must be [batch, channels, …]").raise();
        }
        valid(check_channels("batch_norm", shape[1], [weight, bias]));
        let (mean, variance) = (Variable::new(mean.clone()), Variable::new(variance.clone()));
        valid(check_channels("batch_norm", shape[1], [Some(&mean), Some(&variance)]));
        let mut scale = (variance + eps).rsqrt();
        if let Some(weight) = weight {
            scale *= weight;
        }
        let column = Dims::filled(shape.len() - 1, 1).with(0, shape[1]);
        let y = (self - mean.reshape(column)) * scale.reshape(column);
        match bias {
            Some(bias) => y + bias.reshape(column),
            None => y,
        }
    }

    /// Group normalisation: the channels of each sample fall into `groups` of neighbours, and each group becomes
    /// y = (x − mean) / √(variance + eps) · weight + bias, with its own mean and biased variance; `weight` and `bias` have a
    /// number for each channel (Y. Wu and K. He, "Group normalization", 2018). `[N, C, …]` keeps its shape.
    ///
    /// ```
    /// let x = wengert_autograd::Variable::from([[[1.0_f32], [3.0], [10.0], [30.0]]]);
    /// assert_eq!(x.group_norm(2, None, None, 0.0).value().to_vec(), [-1.0, 1.0, -1.0, 1.0]);
    /// ```
    ///
    /// # Panics
    /// If there are fewer than two axes, the groups do not divide the channels, or weight or bias are not `[C]`.
    #[track_caller]
    pub fn group_norm(
        &self,
        groups: usize,
        weight: Option<&Variable<T>>,
        bias: Option<&Variable<T>>,
        eps: f64,
    ) -> Variable<T> {
        self.grouped("group_norm", groups, weight, bias, eps, line())
    }

    /// Instance normalisation: each channel of each sample by its own mean and variance, otherwise as
    /// [`group_norm`](Self::group_norm) (D. Ulyanov, A. Vedaldi and V. Lempitsky, "Instance normalization", 2016).
    ///
    /// ```
    /// let x = wengert_autograd::Variable::from([[[1.0_f32, 3.0], [10.0, 30.0]]]);
    /// assert_eq!(x.instance_norm(None, None, 0.0).value().to_vec(), [-1.0, 1.0, -1.0, 1.0]);
    /// ```
    ///
    /// # Panics
    /// If there are fewer than two axes, or weight or bias are not `[C]`.
    #[track_caller]
    pub fn instance_norm(
        &self,
        weight: Option<&Variable<T>>,
        bias: Option<&Variable<T>>,
        eps: f64,
    ) -> Variable<T> {
        self.grouped("instance_norm", 0, weight, bias, eps, line())
    }

    #[track_caller]
    fn grouped(
        &self,
        name: &'static str,
        groups: usize,
        weight: Option<&Variable<T>>,
        bias: Option<&Variable<T>>,
        eps: f64,
        line: Line,
    ) -> Variable<T> {
        let planes = valid(check(name, self.shape(), [weight, bias], Sets::Groups(groups), eps));
        let x = self;
        let (y, _) = compiled!(channel_norm(
            x: &Variable<T>,
            weight: Option<&Variable<T>>,
            bias: Option<&Variable<T>>,
            planes: Planes,
            name: &'static str,
            line: Line
        ) -> (Variable<T>, Tensor<T>));
        y
    }
}

samples! {
    batch_norm {
        "planes" (x: normal([3, 2, 2, 3]), w: normal([2]), b: normal([2])) => x.batch_norm(Some(w), Some(b), 1e-5).0;
        "features" (x: normal([5, 3]), w: normal([3])) => x.batch_norm(Some(w), None, 1e-3).0;
        "without parameters" (x: normal([2, 2, 3])) => x.batch_norm(None, None, 0.1).0;
        "one element" (x: normal([1, 2])) => x.batch_norm(None, None, 1e-5).0, panics("at least 2 are needed");
        "another weight" (x: normal([2, 3]), w: normal([2])) => x.batch_norm(Some(w), None, 1e-5).0,
            panics("weight and bias must have the shape [3]");
    }
    batch_norm_with {
        "planes" (x: normal([2, 2, 3]), m: normal([2]).constant(), v: positive([2]).constant(), w: normal([2]), b: normal([2])) =>
            x.batch_norm_with(&m.value(), &v.value(), Some(w), Some(b), 1e-5);
        "features, plainly" (x: normal([4, 3]), m: normal([3]).constant(), v: positive([3]).constant()) =>
            x.batch_norm_with(&m.value(), &v.value(), None, None, 1e-5);
    }
    group_norm {
        "two groups" (x: normal([2, 4, 3]), w: normal([4]), b: normal([4])) => x.group_norm(2, Some(w), Some(b), 1e-5);
        "one group" (x: normal([2, 3, 2, 2]), b: normal([3])) => x.group_norm(1, None, Some(b), 1e-3);
        "an empty batch" (x: normal([0, 4, 3]), w: normal([4])) => x.group_norm(2, Some(w), None, 1e-5);
        "groups that do not divide" (x: normal([2, 4, 3])) => x.group_norm(3, None, None, 1e-5),
            panics("4 channels do not fall into 3 groups");
    }
    instance_norm {
        "planes" (x: normal([2, 2, 2, 3]), w: normal([2]), b: normal([2])) => x.instance_norm(Some(w), Some(b), 1e-5);
    }
}
