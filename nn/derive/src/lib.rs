//! `#[derive(Module)]`: a structure of layers becomes a module whose parameters have dotted names.
//!
//! ```ignore
//! #[derive(Module)]
//! struct Net {
//!     hidden: Linear,
//!     out: Linear,
//!     #[module(skip)]
//!     dropout: f64,
//! }
//! // its parameters are hidden.weight, hidden.bias, out.weight, out.bias
//! ```
//!
//! The expansion is one call a field, in the order of declaration, and nothing else:
//!
//! ```ignore
//! impl ::wengert_nn::Module<f32> for Net {
//!     fn visit(&self, visitor: &mut ::wengert_nn::Visitor<'_, f32>) {
//!         visitor.field("hidden", &self.hidden);
//!         visitor.field("out", &self.out);
//!     }
//!     fn visit_mut(&mut self, visitor: &mut ::wengert_nn::VisitorMut<'_, f32>) { /* the same with &mut */ }
//! }
//! ```
//!
//! Everything that a module can do (listing and copying parameters, loading state, switching between training
//! and evaluation) is a visitor in `wengert-nn`; the macro knows none of it, so it stays short. Each call carries
//! the place of its field's type, hence "the trait `Module` is not implemented" points at that field.
//!
//! # Options
//!
//! | on | option | meaning |
//! |---|---|---|
//! | field | `#[module(skip)]` | not part of the module |
//! | field | `#[module(rename = "name")]` | the name under which it is visited |
//! | type | `#[module(scalar = f64)]` | the number type of its parameters |
//! | type | `#[module(crate = path)]` | where `Module`, `Visitor` and `VisitorMut` live |
//!
//! The number type is, in this order: the `scalar` option, the type parameter that is bounded by `Float`, `f32`.
//! Fields of a tuple structure are named by position (`"0"`, `"1"`), `PhantomData` is left out by itself, and an
//! enumeration visits the fields of the variant that it holds.

#![forbid(unsafe_code)]

mod expand;
mod options;

use proc_macro::TokenStream;
use syn::{DeriveInput, parse_macro_input, parse_quote};

/// Derives `wengert_nn::Module`; the options are listed in the crate's documentation.
#[proc_macro_derive(Module, attributes(module))]
pub fn derive_module(item: TokenStream) -> TokenStream {
    let input = parse_macro_input!(item as DeriveInput);
    expand::module(&input, parse_quote!(::wengert_nn)).unwrap_or_else(syn::Error::into_compile_error).into()
}

/// The same derive for users of the facade, whose only dependency is `wengert`: it names `wengert::nn::Module`.
///
/// A derive macro cannot see through which crate it was reached, so the two need two entry points; the facade
/// re-exports this one under the name `Module`.
#[proc_macro_derive(FacadeModule, attributes(module))]
pub fn derive_facade_module(item: TokenStream) -> TokenStream {
    let input = parse_macro_input!(item as DeriveInput);
    expand::module(&input, parse_quote!(::wengert::nn)).unwrap_or_else(syn::Error::into_compile_error).into()
}
