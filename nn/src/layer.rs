//! [`Layer`]: a module that is a function of one input; [`Sequential`]: layers one after the other.
//!
//! ```
//! use wengert_autograd::Variable;
//! use wengert_nn::{Flatten, Layer, Linear, ReLU, Sequential};
//!
//! let net = Sequential::new((Flatten::default(), Linear::new(784, 128), ReLU, Linear::new(128, 10)));
//! let logits = net.forward(&Variable::zeros([32, 28, 28]));
//! assert_eq!(logits.shape(), [32, 10]);
//! ```
//!
//! The type of the input is a parameter, so that an embedding, which takes whole numbers, is a layer as well; and the
//! type of the output is the layer's own. A tuple of layers is a layer when each takes what the one before it gives,
//! which the compiler checks. A list of boxed layers is put together at run time.

use crate::{Module, Visitor, VisitorMut};
use wengert_autograd::{Float, Variable};

/// A function with parameters: from an `I`, borrowed, to an [`Output`](Layer::Output).
///
/// `forward` takes `&self`: a model can be shared by threads that use it at the same time.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a layer that takes `&{I}`",
    label = "no `forward(&{I})`",
    note = "in a sequence each layer takes the output of the one before it"
)]
pub trait Layer<I: ?Sized = Variable> {
    /// What comes out.
    type Output;

    /// The output for this input.
    #[track_caller]
    fn forward(&self, input: &I) -> Self::Output;
}

impl<I: ?Sized, L: Layer<I> + ?Sized> Layer<I> for Box<L> {
    type Output = L::Output;
    #[track_caller]
    fn forward(&self, input: &I) -> L::Output {
        (**self).forward(input)
    }
}

/// Nothing in place of a layer passes its input on.
impl<I: Clone, L: Layer<I, Output = I>> Layer<I> for Option<L> {
    type Output = I;
    #[track_caller]
    fn forward(&self, input: &I) -> I {
        match self {
            Some(layer) => layer.forward(input),
            None => input.clone(),
        }
    }
}

/// One after the other; an empty list passes its input on.
impl<I: Clone, L: Layer<I, Output = I>> Layer<I> for Vec<L> {
    type Output = I;
    #[track_caller]
    fn forward(&self, input: &I) -> I {
        let mut layers = self.iter();
        let Some(first) = layers.next() else { return input.clone() };
        let mut output = first.forward(input);
        for layer in layers {
            output = layer.forward(&output);
        }
        output
    }
}

macro_rules! tuples {
    ($(($first:ident $last:ident; $($layer:ident $index:tt takes $before:ident),*))*) => {$(
        /// One after the other.
        impl<Input: ?Sized, $first, $($layer),*> Layer<Input> for ($first, $($layer,)*)
        where
            $first: Layer<Input>,
            $($layer: Layer<$before::Output>,)*
        {
            type Output = $last::Output;
            #[track_caller]
            fn forward(&self, input: &Input) -> Self::Output {
                let output = self.0.forward(input);
                $(let output = self.$index.forward(&output);)*
                output
            }
        }
    )*};
}
tuples! {
    (A A;)
    (A B; B 1 takes A)
    (A C; B 1 takes A, C 2 takes B)
    (A D; B 1 takes A, C 2 takes B, D 3 takes C)
    (A E; B 1 takes A, C 2 takes B, D 3 takes C, E 4 takes D)
    (A F; B 1 takes A, C 2 takes B, D 3 takes C, E 4 takes D, F 5 takes E)
    (A G; B 1 takes A, C 2 takes B, D 3 takes C, E 4 takes D, F 5 takes E, G 6 takes F)
    (A H; B 1 takes A, C 2 takes B, D 3 takes C, E 4 takes D, F 5 takes E, G 6 takes F, H 7 takes G)
    (A I; B 1 takes A, C 2 takes B, D 3 takes C, E 4 takes D, F 5 takes E, G 6 takes F, H 7 takes G, I 8 takes H)
    (A J; B 1 takes A, C 2 takes B, D 3 takes C, E 4 takes D, F 5 takes E, G 6 takes F, H 7 takes G, I 8 takes H, J 9 takes I)
    (A K; B 1 takes A, C 2 takes B, D 3 takes C, E 4 takes D, F 5 takes E, G 6 takes F, H 7 takes G, I 8 takes H, J 9 takes I, K 10 takes J)
    (A L; B 1 takes A, C 2 takes B, D 3 takes C, E 4 takes D, F 5 takes E, G 6 takes F, H 7 takes G, I 8 takes H, J 9 takes I, K 10 takes J, L 11 takes K)
}

/// What a list that is put together at run time holds: any layer from a variable to a variable.
///
/// Implemented for every type that can be it; a box of one is `Box<dyn AnyLayer>`.
pub trait AnyLayer<T: Float = f32>:
    Module<T> + Layer<Variable<T>, Output = Variable<T>> + Send + Sync
{
    /// The same layer in another box, sharing its parameters.
    fn boxed(&self) -> Box<dyn AnyLayer<T>>;
}

impl<T, L> AnyLayer<T> for L
where
    T: Float,
    L: Module<T> + Layer<Variable<T>, Output = Variable<T>> + Clone + Send + Sync + 'static,
{
    fn boxed(&self) -> Box<dyn AnyLayer<T>> {
        Box::new(self.clone())
    }
}

impl<T: Float> Clone for Box<dyn AnyLayer<T>> {
    fn clone(&self) -> Self {
        (**self).boxed()
    }
}

/// Layers one after the other: a tuple of any types, or a list that is put together at run time.
///
/// ```
/// use wengert_autograd::Variable;
/// use wengert_nn::{Layer, Linear, Module, Sequential, Tanh};
///
/// let mut net = Sequential::list();
/// for width in [8, 4, 2] {
///     net = net.then(Linear::new(2 * width, width)).then(Tanh);
/// }
/// assert_eq!(net.forward(&Variable::zeros([5, 16])).shape(), [5, 2]);
/// assert_eq!(net.named_parameters().names().nth(2), Some("2.weight"));
/// ```
///
/// The names of the parts are their positions, as in PyTorch.
#[derive(Clone, Debug, Default)]
pub struct Sequential<L>(pub L);

impl<L> Sequential<L> {
    /// The layers of a tuple (or list), in order.
    pub fn new(layers: L) -> Self {
        Sequential(layers)
    }
}

impl<T: Float> Sequential<Vec<Box<dyn AnyLayer<T>>>> {
    /// An empty list, to be continued with [`then`](Self::then).
    pub fn list() -> Self {
        Sequential(Vec::new())
    }

    /// Adds a layer at the end.
    #[must_use]
    pub fn then(mut self, layer: impl AnyLayer<T> + 'static) -> Self {
        self.0.push(Box::new(layer));
        self
    }
}

impl<I: ?Sized, L: Layer<I>> Layer<I> for Sequential<L> {
    type Output = L::Output;
    #[track_caller]
    fn forward(&self, input: &I) -> L::Output {
        self.0.forward(input)
    }
}

/// The names of the parts are not preceded by a name for the tuple.
impl<T: Float, L: Module<T>> Module<T> for Sequential<L> {
    fn visit(&self, visitor: &mut Visitor<'_, T>) {
        self.0.visit(visitor);
    }
    fn visit_mut(&mut self, visitor: &mut VisitorMut<'_, T>) {
        self.0.visit_mut(visitor);
    }
}

/// A function as a layer, between others in a sequence.
///
/// ```
/// use wengert_autograd::Variable;
/// use wengert_nn::{Lambda, Layer, Linear, Sequential};
///
/// let net = Sequential::new((Linear::new(4, 4), Lambda(|x: &Variable| x.sin() * 2.0)));
/// assert_eq!(net.forward(&Variable::zeros([1, 4])).shape(), [1, 4]);
/// ```
#[derive(Clone, Copy, Debug)]
pub struct Lambda<F>(pub F);

impl<I: ?Sized, O, F: Fn(&I) -> O> Layer<I> for Lambda<F> {
    type Output = O;
    fn forward(&self, input: &I) -> O {
        (self.0)(input)
    }
}

impl<T: Float, F> Module<T> for Lambda<F> {
    fn visit(&self, _: &mut Visitor<'_, T>) {}
    fn visit_mut(&mut self, _: &mut VisitorMut<'_, T>) {}
}
