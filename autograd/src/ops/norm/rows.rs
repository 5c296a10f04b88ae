//! Layer normalisation and root-mean-square normalisation, over the last axes.

use crate::{
    graph::{Context, Cotangents, Gradient, Grads, Keep, Variable, mode::line, op::Line, variable::Value},
    kernel::norm::rows::Rows,
    ops::{
        fused::{Fused, record_fused},
        registry::samples,
    },
    scalar::{Float, float::compiled},
    tensor::{Dims, IntoShape, Tensor, TensorError, valid},
};
use smallvec::SmallVec;
use std::borrow::Cow;

/// Inputs x and, where they are there, weight and bias.
struct RowNorm {
    rows: Rows,
    /// How many of the last axes are a row.
    axes: usize,
    weighted: bool,
    biased: bool,
}

impl<T: Float> Fused<T> for RowNorm {
    fn name(&self) -> &'static str {
        if self.rows.centred { "layer_norm" } else { "rms_norm" }
    }

    fn rule(&self) -> Cow<'static, str> {
        super::written(self.weighted, self.biased, self.rows.centred)
    }

    fn backward(&self, cx: &Context<'_, T>, mut g: Cotangents<T>) -> Grads<T> {
        let g = g.take(0).expect("the statistics have no cotangent, so the result has one");
        let x = cx.input_tensor(0);
        let weight = self.weighted.then(|| cx.input_tensor(1));
        let shape = Dims::new(&x.shape()[x.rank() - self.axes..]);
        let parameters = (1..cx.input_count()).any(|i| cx.wants(i));
        let (dx, parameters) = self.rows.backward(x, weight, cx.output_tensor(1), &g.read(), parameters);
        let mut gradients: SmallVec<[Option<Tensor<T>>; 3]> = SmallVec::new();
        gradients.push(Some(dx));
        let [for_weight, for_bias] =
            parameters.map_or([None, None], |found| found.map(|row| Some(row.reshape(shape))));
        if self.weighted {
            gradients.push(for_weight);
        }
        if self.biased {
            gradients.push(for_bias);
        }
        wanted(cx, gradients)
    }

    fn define(&self, inputs: &[Variable<T>]) -> Vec<Variable<T>> {
        let x = &inputs[0];
        let axes: Vec<isize> = (1..=self.axes as isize).map(|axis| -axis).collect();
        let centred = if self.rows.centred { x - x.mean_axes(axes.as_slice(), true) } else { x.clone() };
        let variance = centred.square().mean_axes(axes.as_slice(), true);
        let mut y = &centred * (variance + self.rows.eps).rsqrt();
        let mut rest = inputs[1..].iter();
        if self.weighted {
            y *= rest.next().expect("a weight");
        }
        if self.biased {
            y += rest.next().expect("a bias");
        }
        vec![y]
    }
}

/// The gradients that are asked for.
pub(super) fn wanted<T: Float>(
    cx: &Context<'_, T>,
    found: impl IntoIterator<Item = Option<Tensor<T>>>,
) -> Grads<T> {
    let gradients = found.into_iter().enumerate();
    Grads::of(gradients.map(|(i, gradient)| match gradient {
        Some(gradient) if cx.wants(i) => Gradient::Whole(Variable::new(gradient)),
        _ => Gradient::None,
    }))
}

/// What a row norm is told besides its tensors.
#[derive(Clone, Copy)]
struct Request {
    shape: Dims,
    eps: f64,
    centred: bool,
}

fn row_norm<T: Float>(
    x: &Variable<T>,
    weight: Option<&Variable<T>>,
    bias: Option<&Variable<T>>,
    request: Request,
    line: Line,
) -> Variable<T> {
    let Request { shape, eps, centred } = request;
    let rows = Rows { len: shape.count(), centred, eps };
    let inputs: SmallVec<[&Variable<T>; 3]> = [Some(x), weight, bias].into_iter().flatten().collect();
    let values: SmallVec<[Value<'_, T>; 3]> = inputs.iter().map(|input| input.read()).collect();
    let values: SmallVec<[&Tensor<T>; 3]> = values.iter().map(|value| &**value).collect();
    let mut parameters = values[1..].iter().copied();
    let weight_value = weight.and_then(|_| parameters.next());
    let bias_value = bias.and_then(|_| parameters.next());
    let (y, statistics) = rows.forward(values[0], weight_value, bias_value);
    let op = RowNorm { rows, axes: shape.len(), weighted: weight.is_some(), biased: bias.is_some() };
    let [y, _] = record_fused(op, &inputs, &values, [y, statistics], Keep::outputs([1]), line);
    y
}

/// The last axes of x must be `shape`, and so must be weight and bias.
fn check<T: Float>(
    name: &'static str,
    x: Dims,
    shape: Dims,
    parameters: [Option<&Variable<T>>; 2],
) -> Result<(), TensorError> {
    if shape.is_empty() || shape.len() > x.len() || x[x.len() - shape.len()..] != shape[..] {
        let problem = format!("the last axes must be the normalised shape {shape:?}");
        return Err(TensorError::argument(name, &x, problem));
    }
    for parameter in parameters.into_iter().flatten() {
        if parameter.shape() != shape {
            let problem = format!("weight and bias must have the normalised shape {shape:?}");
            return Err(TensorError::argument(name, &parameter.shape(), problem));
        }
    }
    Ok(())
}

impl<T: Float> Variable<T> {
    /// Layer normalisation over the last axes, whose sizes are `normalized_shape`:
    /// y = (x − mean) / √(variance + eps) · weight + bias, with mean and (biased) variance over those axes
    /// (J. L. Ba, J. R. Kiros and G. E. Hinton, "Layer normalization", 2016).
    ///
    /// `weight` and `bias` have that shape; without them they are 1 and 0.
    ///
    /// ```
    /// use wengert_autograd::Variable;
    /// let (weight, bias) = (Variable::full([2], 3.0), Variable::ones([2]));
    /// let x = Variable::from([[0.0_f32, 2.0], [5.0, 5.0]]);
    /// let y = x.layer_norm(2, Some(&weight), Some(&bias), 0.0);
    /// assert_eq!(y.value().narrow(0, 0, 1).to_vec(), [-2.0, 4.0]);
    /// ```
    ///
    /// # Panics
    /// If the last axes, the weight or the bias have not that shape.
    #[track_caller]
    pub fn layer_norm(
        &self,
        normalized_shape: impl IntoShape,
        weight: Option<&Variable<T>>,
        bias: Option<&Variable<T>>,
        eps: f64,
    ) -> Variable<T> {
        let shape = normalized_shape.into_shape();
        valid(check("layer_norm", self.shape(), shape, [weight, bias]));
        let (x, request, line) = (self, Request { shape, eps, centred: true }, line());
        compiled!(row_norm(
            x: &Variable<T>,
            weight: Option<&Variable<T>>,
            bias: Option<&Variable<T>>,
            request: Request,
            line: Line
        ) -> Variable<T>)
    }

    /// Root-mean-square normalisation over the last axes, whose sizes are `normalized_shape`:
    /// y = x / √(mean(x²) + eps) · weight (B. Zhang and R. Sennrich, "Root mean square layer normalization", 2019).
    ///
    /// ```
    /// let x = wengert_autograd::Variable::from([3.0_f32, 3.0, 3.0, -3.0]);
    /// assert_eq!(x.rms_norm(4, None, 0.0).value().to_vec(), [1.0, 1.0, 1.0, -1.0]);
    /// ```
    ///
    /// # Panics
    /// If the last axes or the weight have not that shape.
    #[track_caller]
    pub fn rms_norm(
        &self,
        normalized_shape: impl IntoShape,
        weight: Option<&Variable<T>>,
        eps: f64,
    ) -> Variable<T> {
        let shape = normalized_shape.into_shape();
        valid(check("rms_norm", self.shape(), shape, [weight, None]));
        let (x, bias, request, line) = (self, None, Request { shape, eps, centred: false }, line());
        compiled!(row_norm(
            x: &Variable<T>,
            weight: Option<&Variable<T>>,
            bias: Option<&Variable<T>>,
            request: Request,
            line: Line
        ) -> Variable<T>)
    }
}

samples! {
    layer_norm {
        "a weight and a bias" (x: normal([3, 5]), w: normal([5]), b: normal([5])) =>
            x.layer_norm(5, Some(w), Some(b), 1e-5);
        "two axes" (x: normal([2, 3, 4]), w: normal([3, 4])) => x.layer_norm([3, 4], Some(w), None, 1e-3);
        "a bias alone" (x: normal([2, 4]), b: normal([4])) => x.layer_norm(4, None, Some(b), 0.1);
        "long rows" (x: normal([2, 70])) => x.layer_norm(70, None, None, 1e-5);
        "no rows" (x: normal([0, 4]), w: normal([4])) => x.layer_norm(4, Some(w), None, 1e-5);
        "another shape" (x: normal([2, 4])) => x.layer_norm(3, None, None, 1e-5),
            panics("the last axes must be the normalised shape [3]");
        "another weight" (x: normal([2, 4]), w: normal([3])) => x.layer_norm(4, Some(w), None, 1e-5),
            panics("weight and bias must have the normalised shape [4]");
    }
    rms_norm {
        "a weight" (x: normal([3, 5]), w: normal([5])) => x.rms_norm(5, Some(w), 1e-5);
        "two axes" (x: normal([2, 3, 4])) => x.rms_norm([3, 4], None, 0.1);
        "another shape" (x: normal([2, 4])) => x.rms_norm([2, 5], None, 1e-5), panics("the normalised shape [2, 5]");
    }
}
