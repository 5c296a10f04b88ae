//! Collections of modules are modules; plain values are modules without parameters.

use super::{Module, Visitor, VisitorMut};
use std::{collections::BTreeMap, fmt::Display, marker::PhantomData};
use wengert_autograd::{
    Float, Tensor,
    tensor::{Dims, Element, Generator},
};

/// Nothing when there is nothing; else the module under the field's own name.
impl<T: Float, M: Module<T>> Module<T> for Option<M> {
    fn visit(&self, visitor: &mut Visitor<'_, T>) {
        if let Some(module) = self {
            module.visit(visitor);
        }
    }
    fn visit_mut(&mut self, visitor: &mut VisitorMut<'_, T>) {
        if let Some(module) = self {
            module.visit_mut(visitor);
        }
    }
    fn kind(&self) -> &'static str {
        self.as_ref().map_or("None", M::kind)
    }
}

impl<T: Float, M: Module<T> + ?Sized> Module<T> for Box<M> {
    fn visit(&self, visitor: &mut Visitor<'_, T>) {
        (**self).visit(visitor);
    }
    fn visit_mut(&mut self, visitor: &mut VisitorMut<'_, T>) {
        (**self).visit_mut(visitor);
    }
    fn kind(&self) -> &'static str {
        (**self).kind()
    }
}

impl<T: Float, M: Module<T>> Module<T> for [M] {
    fn visit(&self, visitor: &mut Visitor<'_, T>) {
        for (i, module) in self.iter().enumerate() {
            visitor.field(&i.to_string(), module);
        }
    }
    fn visit_mut(&mut self, visitor: &mut VisitorMut<'_, T>) {
        for (i, module) in self.iter_mut().enumerate() {
            visitor.field(&i.to_string(), module);
        }
    }
}

impl<T: Float, M: Module<T>> Module<T> for Vec<M> {
    fn visit(&self, visitor: &mut Visitor<'_, T>) {
        self.as_slice().visit(visitor);
    }
    fn visit_mut(&mut self, visitor: &mut VisitorMut<'_, T>) {
        self.as_mut_slice().visit_mut(visitor);
    }
}

impl<T: Float, M: Module<T>, const N: usize> Module<T> for [M; N] {
    fn visit(&self, visitor: &mut Visitor<'_, T>) {
        self.as_slice().visit(visitor);
    }
    fn visit_mut(&mut self, visitor: &mut VisitorMut<'_, T>) {
        self.as_mut_slice().visit_mut(visitor);
    }
}

/// The keys are the names.
impl<T: Float, K: Display, M: Module<T>> Module<T> for BTreeMap<K, M> {
    fn visit(&self, visitor: &mut Visitor<'_, T>) {
        for (key, module) in self {
            visitor.field(&key.to_string(), module);
        }
    }
    fn visit_mut(&mut self, visitor: &mut VisitorMut<'_, T>) {
        for (key, module) in self {
            visitor.field(&key.to_string(), module);
        }
    }
}

macro_rules! tuples {
    ($(($($module:ident $index:tt),+))*) => {$(
        impl<T: Float, $($module: Module<T>),+> Module<T> for ($($module,)+) {
            fn visit(&self, visitor: &mut Visitor<'_, T>) {
                $(visitor.field(stringify!($index), &self.$index);)+
            }
            fn visit_mut(&mut self, visitor: &mut VisitorMut<'_, T>) {
                $(visitor.field(stringify!($index), &mut self.$index);)+
            }
        }
    )*};
}
tuples! {
    (A 0)
    (A 0, B 1)
    (A 0, B 1, C 2)
    (A 0, B 1, C 2, D 3)
    (A 0, B 1, C 2, D 3, E 4)
    (A 0, B 1, C 2, D 3, E 4, F 5)
    (A 0, B 1, C 2, D 3, E 4, F 5, G 6)
    (A 0, B 1, C 2, D 3, E 4, F 5, G 6, H 7)
    (A 0, B 1, C 2, D 3, E 4, F 5, G 6, H 7, I 8)
    (A 0, B 1, C 2, D 3, E 4, F 5, G 6, H 7, I 8, J 9)
    (A 0, B 1, C 2, D 3, E 4, F 5, G 6, H 7, I 8, J 9, K 10)
    (A 0, B 1, C 2, D 3, E 4, F 5, G 6, H 7, I 8, J 9, K 10, L 11)
}

macro_rules! without_parameters {
    ($($(@[$($generics:tt)*])? $type:ty;)*) => {$(
        impl<T: Float $(, $($generics)*)?> Module<T> for $type {
            fn visit(&self, _: &mut Visitor<'_, T>) {}
            fn visit_mut(&mut self, _: &mut VisitorMut<'_, T>) {}
        }
    )*};
}
without_parameters! {
    bool; char; f32; f64; i8; i16; i32; i64; isize; u8; u16; u32; u64; usize; ();
    String; &'static str; Dims; Generator;
    @[A: ?Sized] PhantomData<A>;
    @[E: Element] Tensor<E>;
    @[R] fn() -> R;
    @[A, R] fn(&A) -> R;
    @[A, B, R] fn(&A, &B) -> R;
}
