//! What a convolution is told besides its tensors, and the sizes that follow from it.

use crate::{
    kernel::{conv::Geometry, window::Window},
    tensor::{Dims, IntoShape, TensorError},
};

/// Builder methods that take sizes: one number for all spatial axes, or one for each.
macro_rules! size_setters {
    ($options:ident { $($(#[$doc:meta])* $option:ident;)* }) => {
        impl $options {$(
            $(#[$doc])*
            #[must_use]
            pub fn $option(mut self, $option: impl IntoShape) -> Self {
                self.$option = $option.into_shape();
                self
            }
        )*}
    };
}
pub(crate) use size_setters;

/// The padding of a convolution.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ConvPadding {
    /// So many zeros on both sides of each spatial axis; one number is for all of them.
    Both(Dims),
    /// As many zeros as it takes for the output to have the input's sizes, at stride 1. Where their number is odd, the odd one
    /// goes behind.
    Same,
    /// None.
    Valid,
}

impl<S: IntoShape> From<S> for ConvPadding {
    fn from(sizes: S) -> Self {
        ConvPadding::Both(sizes.into_shape())
    }
}

/// Stride, padding, dilation and groups of a convolution. A single number stands for all spatial axes.
///
/// ```
/// use wengert_autograd::{ConvOptions, ConvPadding};
///
/// let strided = ConvOptions::new().stride(2).padding([1, 1]);
/// let depthwise = ConvOptions::new().padding(ConvPadding::Same).groups(32);
/// assert_ne!(strided, depthwise);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ConvOptions {
    stride: Dims,
    padding: ConvPadding,
    dilation: Dims,
    groups: usize,
}

impl Default for ConvOptions {
    fn default() -> Self {
        ConvOptions::new()
    }
}

impl ConvOptions {
    /// Stride 1, no padding, dilation 1, one group.
    pub fn new() -> Self {
        let one = Dims::new(&[1]);
        ConvOptions { stride: one, padding: ConvPadding::Valid, dilation: one, groups: 1 }
    }
    /// Zeros around the input: a number, one for each axis, or [`ConvPadding::Same`].
    #[must_use]
    pub fn padding(mut self, padding: impl Into<ConvPadding>) -> Self {
        self.padding = padding.into();
        self
    }
    /// Into how many groups the channels fall; each output channel sees the input channels of its group.
    #[must_use]
    pub fn groups(mut self, groups: usize) -> Self {
        self.groups = groups;
        self
    }

    /// The sizes of the convolution of `x` with `weight`.
    pub(super) fn geometry(
        &self,
        name: &'static str,
        rank: usize,
        x: Dims,
        weight: Dims,
    ) -> Result<Geometry, TensorError> {
        let groups = self.groups;
        check_shapes(name, rank, x, weight, "[out, in / groups, kernel…]")?;
        let wrong = |problem: String| TensorError::argument(name, &x, problem);
        if groups == 0 || !weight[0].is_multiple_of(groups) {
            return Err(wrong(format!(
                "the {} outputs of the weight do not fall into {groups} groups",
                weight[0]
            )));
        }
        if x[1] != weight[1] * groups {
            let of = if groups == 1 { String::new() } else { format!(" in each of {groups} groups") };
            return Err(wrong(format!(
                "the weight {weight:?} takes {} channels{of}, and the input has {}",
                weight[1], x[1]
            )));
        }
        let stride = spatial(name, "stride", &self.stride, rank, 1, 1)?;
        let dilation = spatial(name, "dilation", &self.dilation, rank, 1, 1)?;
        let both = match self.padding {
            ConvPadding::Both(sizes) => spatial(name, "padding", &sizes, rank, 0, 0)?,
            _ => [0; 3],
        };
        let (input, kernel) = (promote(&x[2..]), promote(&weight[2..]));
        let (mut before, mut output) = (both, [1; 3]);
        for axis in 3 - rank..3 {
            let span = span(kernel[axis], dilation[axis]);
            let mut after = both[axis];
            if self.padding == ConvPadding::Same {
                if stride[axis] != 1 {
                    return Err(wrong(format!("padding Same needs stride 1, not {stride:?}")));
                }
                before[axis] = (span - 1) / 2;
                after = span - 1 - before[axis];
            }
            let padded = input[axis] + before[axis] + after;
            if padded < span {
                return Err(wrong(format!(
                    "a kernel of {} with dilation {} spans {span} elements of axis {}, which has {padded} with its padding",
                    kernel[axis],
                    dilation[axis],
                    axis + rank - 1
                )));
            }
            output[axis] = (padded - span) / stride[axis] + 1;
        }
        let window = Window { input, kernel, output, stride, dilation, before };
        Ok(with_windows(x[0], groups, weight, window))
    }
}

size_setters! {
    ConvOptions {
        /// The distance between neighbouring windows.
        stride;
        /// The distance between neighbouring elements of a window.
        dilation;
    }
}

/// Stride, padding, output padding, dilation and groups of a transposed convolution. A single number stands for all
/// spatial axes.
///
/// ```
/// use wengert_autograd::{ConvTransposeOptions, Variable};
///
/// let (x, weight) = (Variable::ones([1, 3, 4, 4]), Variable::ones([3, 2, 3, 3]));
/// let doubling = ConvTransposeOptions::new().stride(2).padding(1).output_padding(1);
/// assert_eq!(x.conv_transpose2d(&weight, None, doubling).shape(), [1, 2, 8, 8]);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ConvTransposeOptions {
    stride: Dims,
    padding: Dims,
    output_padding: Dims,
    dilation: Dims,
    groups: usize,
}

impl Default for ConvTransposeOptions {
    fn default() -> Self {
        ConvTransposeOptions::new()
    }
}

impl ConvTransposeOptions {
    /// Stride 1, no padding, dilation 1, one group.
    pub fn new() -> Self {
        let (zero, one) = (Dims::new(&[0]), Dims::new(&[1]));
        ConvTransposeOptions { stride: one, padding: zero, output_padding: zero, dilation: one, groups: 1 }
    }
    /// Into how many groups the channels fall; each output channel sees the input channels of its group.
    #[must_use]
    pub fn groups(mut self, groups: usize) -> Self {
        self.groups = groups;
        self
    }

    /// The sizes of the convolution whose adjoint this is: its output has the shape of `x`.
    pub(super) fn geometry(
        &self,
        name: &'static str,
        rank: usize,
        x: Dims,
        weight: Dims,
    ) -> Result<Geometry, TensorError> {
        let groups = self.groups;
        check_shapes(name, rank, x, weight, "[in, out / groups, kernel…]")?;
        let wrong = |problem: String| TensorError::argument(name, &x, problem);
        if groups == 0 || !x[1].is_multiple_of(groups) || x[1] != weight[0] {
            return Err(wrong(format!(
                "the weight {weight:?} takes {} channels in {groups} groups, which must divide them, and the input has {}",
                weight[0], x[1]
            )));
        }
        let stride = spatial(name, "stride", &self.stride, rank, 1, 1)?;
        let dilation = spatial(name, "dilation", &self.dilation, rank, 1, 1)?;
        let before = spatial(name, "padding", &self.padding, rank, 0, 0)?;
        let more = spatial(name, "output_padding", &self.output_padding, rank, 0, 0)?;
        let (output, kernel) = (promote(&x[2..]), promote(&weight[2..]));
        let mut input = [1; 3];
        for axis in 3 - rank..3 {
            if more[axis] >= stride[axis].max(dilation[axis]) && more[axis] > 0 {
                return Err(wrong(format!(
                    "output_padding {} must be less than the stride {} or the dilation {}",
                    more[axis], stride[axis], dilation[axis]
                )));
            }
            let whole = (output[axis] - 1) * stride[axis] + span(kernel[axis], dilation[axis]) + more[axis];
            if whole <= 2 * before[axis] {
                return Err(wrong(format!(
                    "padding {} on both sides leaves nothing of the {whole} elements of axis {}",
                    before[axis],
                    axis + rank - 1
                )));
            }
            input[axis] = whole - 2 * before[axis];
        }
        let window = Window { input, kernel, output, stride, dilation, before };
        Ok(with_windows(x[0], groups, weight, window))
    }
}

size_setters! {
    ConvTransposeOptions {
        /// The distance in the result between what neighbouring elements of the input are spread to.
        stride;
        /// How much is cut off on both sides of the result: the padding of the convolution that this one is the adjoint of.
        padding;
        /// How much larger the result is at the end of each axis. Several sizes have the same size after a strided
        /// convolution; this says which of them is meant. Less than the stride or the dilation.
        output_padding;
        /// The distance between neighbouring elements of a window.
        dilation;
    }
}

/// The sizes of a convolution from `batch` inputs with these windows.
fn with_windows(batch: usize, groups: usize, weight: Dims, window: Window) -> Geometry {
    let (channels_in, channels_out) = (weight[1], weight[0] / groups);
    Geometry { batch, groups, channels_in, channels_out, rank: weight.len() - 2, window }
}

/// Elements that a kernel of `size` stretches over.
pub(crate) fn span(size: usize, dilation: usize) -> usize {
    (size - 1).saturating_mul(dilation).saturating_add(1)
}

/// Spatial sizes as those of three axes.
pub(crate) fn promote(sizes: &[usize]) -> [usize; 3] {
    let mut three = [1; 3];
    three[3 - sizes.len()..].copy_from_slice(sizes);
    three
}

/// An option's numbers for three axes: `filler` for the axes that are not there, `least` the smallest allowed.
pub(crate) fn spatial(
    name: &'static str,
    option: &'static str,
    sizes: &Dims,
    rank: usize,
    filler: usize,
    least: usize,
) -> Result<[usize; 3], TensorError> {
    let limit = isize::MAX as usize / 4;
    if (sizes.len() != 1 && sizes.len() != rank) || sizes.iter().any(|&size| size < least || size > limit) {
        let problem = format!(
            "{option} must be one number or one for each of {rank} spatial axes, each at least {least}"
        );
        return Err(TensorError::argument(name, sizes, problem));
    }
    let mut three = [filler; 3];
    for (axis, place) in three[3 - rank..].iter_mut().enumerate() {
        *place = if sizes.len() == 1 { sizes[0] } else { sizes[axis] };
    }
    Ok(three)
}

/// The axes of x and weight, before their sizes are compared.
fn check_shapes(
    name: &'static str,
    rank: usize,
    x: Dims,
    weight: Dims,
    form: &str,
) -> Result<(), TensorError> {
    if x.len() != rank + 2 || x[1..].contains(&0) {
        let problem = format!(
            "the input must be [batch, channels, {rank} spatial axes], with or without the batch, and no other axis empty"
        );
        return Err(TensorError::argument(name, &x, problem));
    }
    if weight.len() != rank + 2 || weight.contains(&0) {
        let problem = format!("the weight must be {form} with {rank} spatial axes, none of them empty");
        return Err(TensorError::argument(name, &weight, problem));
    }
    Ok(())
}
