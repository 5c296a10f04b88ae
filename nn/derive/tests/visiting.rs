//! The derived implementations compile and visit what they should, on a stand-in for the trait.

use std::marker::PhantomData;

/// The part of `wengert_nn` that the expansion names.
mod layers {
    pub(crate) trait Module<T> {
        fn visit(&self, visitor: &mut Visitor<'_, T>);
        fn visit_mut(&mut self, visitor: &mut VisitorMut<'_, T>);
    }

    pub(crate) struct Visitor<'a, T> {
        pub(crate) prefix: String,
        pub(crate) found: &'a mut Vec<(String, T)>,
    }

    pub(crate) struct VisitorMut<'a, T> {
        pub(crate) change: &'a mut dyn FnMut(&mut T),
    }

    impl<T> Visitor<'_, T> {
        pub(crate) fn field<M: Module<T>>(&mut self, name: &str, field: &M) {
            let prefix =
                if self.prefix.is_empty() { name.to_string() } else { format!("{}.{name}", self.prefix) };
            field.visit(&mut Visitor { prefix, found: self.found });
        }
    }

    impl<T> VisitorMut<'_, T> {
        pub(crate) fn field<M: Module<T>>(&mut self, _name: &str, field: &mut M) {
            field.visit_mut(self);
        }
    }

    /// A parameter of one number.
    pub(crate) struct Weight<T>(pub(crate) T);

    impl<T: Copy> Module<T> for Weight<T> {
        fn visit(&self, visitor: &mut Visitor<'_, T>) {
            visitor.found.push((visitor.prefix.clone(), self.0));
        }
        fn visit_mut(&mut self, visitor: &mut VisitorMut<'_, T>) {
            (visitor.change)(&mut self.0);
        }
    }

    impl<T, M: Module<T>> Module<T> for Option<Box<M>> {
        fn visit(&self, visitor: &mut Visitor<'_, T>) {
            if let Some(inner) = self {
                inner.visit(visitor);
            }
        }
        fn visit_mut(&mut self, visitor: &mut VisitorMut<'_, T>) {
            if let Some(inner) = self {
                inner.visit_mut(visitor);
            }
        }
    }
}

use layers::{Module as _, Visitor, VisitorMut, Weight};
use wengert_nn_derive::{FacadeModule, Module};

trait Float: Copy {}
impl Float for f32 {}
impl Float for f64 {}

fn names<T, M: layers::Module<T>>(module: &M) -> Vec<String> {
    let mut found = Vec::new();
    module.visit(&mut Visitor { prefix: String::new(), found: &mut found });
    found.into_iter().map(|(name, _)| name).collect()
}

#[derive(Module)]
#[module(crate = crate::layers)]
struct Pair<T: Float> {
    r#in: Weight<T>,
    #[module(rename = "result")]
    out: Weight<T>,
    #[module(skip)]
    _width: usize,
}

fn pair<T: Float>(a: T, b: T) -> Pair<T> {
    Pair { r#in: Weight(a), out: Weight(b), _width: 3 }
}

#[derive(Module)]
#[module(crate = crate::layers)]
struct Tuple(Weight<f32>, Pair<f32>, PhantomData<u8>);

#[derive(Module)]
#[module(crate = crate::layers, scalar = f64)]
struct Empty;

#[derive(FacadeModule)]
#[module(crate = crate::layers)]
struct Wrapped<'a, L, const N: usize>
where
    L: Clone,
{
    inner: L,
    #[module(skip)]
    _names: [&'a str; N],
}

#[derive(Module)]
#[module(crate = crate::layers)]
enum Head<L> {
    Linear(Weight<f32>),
    Deep {
        first: L,
        #[module(rename = "last")]
        second: Weight<f32>,
        #[module(skip)]
        _size: usize,
    },
    None,
}

#[derive(Module)]
#[module(crate = crate::layers)]
enum Never {}

#[derive(Module)]
#[module(crate = crate::layers)]
struct Chain<L> {
    layer: L,
    next: Option<Box<Chain<L>>>,
}

macro_rules! declare {
    ($name:ident, $ty:ty) => {
        #[derive(Module)]
        #[module(crate = crate::layers)]
        struct $name {
            given: $ty,
            own: Weight<f32>,
        }
    };
}
declare!(Declared, Tuple);

#[test]
fn structures() {
    assert_eq!(names(&pair(1.0f32, 2.0)), ["in", "result"]);
    assert_eq!(names(&pair(1.0f64, 2.0)), ["in", "result"]);
    let tuple = Tuple(Weight(0.0), pair(1.0, 2.0), PhantomData);
    assert_eq!(names(&tuple), ["0", "1.in", "1.result"]);
    assert_eq!(names::<f64, _>(&Empty), [""; 0]);
    assert_eq!(
        names(&Declared { given: tuple, own: Weight(1.0) }),
        ["given.0", "given.1.in", "given.1.result", "own"]
    );
}

#[test]
fn generic_and_recursive_types() {
    #[derive(Clone, Module)]
    #[module(crate = crate::layers)]
    struct Nothing;
    let wrapped = Wrapped { inner: Nothing, _names: ["a", "b"] };
    assert_eq!(names(&wrapped), [""; 0]);
    let chain =
        Chain { layer: Weight(1.0f32), next: Some(Box::new(Chain { layer: Weight(2.0), next: None })) };
    assert_eq!(names(&chain), ["layer", "next.layer"]);
}

#[test]
fn enumerations_visit_the_variant_they_hold() {
    assert_eq!(names(&Head::<Pair<f32>>::Linear(Weight(1.0))), ["0"]);
    let deep = Head::Deep { first: pair(1.0, 2.0), second: Weight(3.0), _size: 1 };
    assert_eq!(names(&deep), ["first.in", "first.result", "last"]);
    assert_eq!(names(&Head::<Pair<f32>>::None), [""; 0]);
    assert_eq!(names(&None::<Box<Never>>), [""; 0]);
}

#[test]
fn visit_mut_reaches_every_field() {
    let mut deep = Head::Deep { first: pair(1.0, 2.0), second: Weight(3.0), _size: 1 };
    deep.visit_mut(&mut VisitorMut { change: &mut |w: &mut f32| *w *= 10.0 });
    let mut found = Vec::new();
    deep.visit(&mut Visitor { prefix: String::new(), found: &mut found });
    let values: Vec<f32> = found.into_iter().map(|(_, value)| value).collect();
    assert_eq!(values, [10.0, 20.0, 30.0]);
}
