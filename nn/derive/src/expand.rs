//! From the declaration of a type to its implementation of `Module`.

use std::collections::HashSet;

use proc_macro2::{Ident, Span, TokenStream, TokenTree};
use quote::{ToTokens, format_ident, quote, quote_spanned};
use syn::ext::IdentExt;
use syn::spanned::Spanned;
use syn::{
    Data, DeriveInput, Error, Fields, Path, Result, Type, TypeParamBound, WherePredicate, parse_quote,
};

use crate::options::{FieldOptions, TypeOptions, refuse};

/// One field that the module visits.
struct Visited<'a> {
    /// Its place among the fields of the structure or variant.
    position: usize,
    name: String,
    ident: Option<&'a Ident>,
    ty: &'a Type,
}

/// The implementation of `root::Module` for the type that `input` declares.
pub(crate) fn module(input: &DeriveInput, default_root: Path) -> Result<TokenStream> {
    let options = TypeOptions::read(&input.attrs)?;
    let root = options.root.as_ref().unwrap_or(&default_root);
    let float = float_parameter(input, options.scalar.is_some())?;
    let scalar = match (&options.scalar, float) {
        (Some(scalar), _) => scalar.clone(),
        (None, Some(parameter)) => parse_quote!(#parameter),
        (None, None) => parse_quote!(f32),
    };

    let (by_ref, by_mut, visited) = match &input.data {
        Data::Struct(data) => {
            let fields = visited_fields(&data.fields)?;
            (struct_calls(&fields, quote!(&)), struct_calls(&fields, quote!(&mut)), fields)
        }
        Data::Enum(data) => {
            let mut arms = TokenStream::new();
            let mut all = Vec::new();
            for variant in &data.variants {
                refuse(&variant.attrs)?;
                let fields = visited_fields(&variant.fields)?;
                arms.extend(variant_arm(&variant.ident, &fields));
                all.extend(fields);
            }
            // A reference to an enumeration without variants is not itself empty, so the match reads through it.
            let body =
                if data.variants.is_empty() { quote!(match *self {}) } else { quote!(match self { #arms }) };
            (body.clone(), body, all)
        }
        Data::Union(data) => {
            let message = "Module cannot be derived for a union: which field is alive is not known";
            return Err(Error::new_spanned(data.union_token, message));
        }
    };

    let mut generics = input.generics.clone();
    let bounds = field_bounds(input, &scalar, root, &visited);
    if !bounds.is_empty() {
        generics.make_where_clause().predicates.extend(bounds);
    }
    let (impl_generics, _, where_clause) = generics.split_for_impl();
    let (_, type_generics, _) = input.generics.split_for_impl();
    let ident = &input.ident;
    let visitor = if visited.is_empty() { format_ident!("_visitor") } else { format_ident!("visitor") };
    Ok(quote! {
        #[automatically_derived]
        impl #impl_generics #root::Module<#scalar> for #ident #type_generics #where_clause {
            fn visit(&self, #visitor: &mut #root::Visitor<'_, #scalar>) { #by_ref }
            fn visit_mut(&mut self, #visitor: &mut #root::VisitorMut<'_, #scalar>) { #by_mut }
        }
    })
}

/// The fields that are not skipped, with their names; every bad option among them is reported at once.
fn visited_fields(fields: &Fields) -> Result<Vec<Visited<'_>>> {
    let mut visited = Vec::new();
    let mut names = HashSet::new();
    let mut error: Option<Error> = None;
    for (position, field) in fields.iter().enumerate() {
        let outcome = FieldOptions::read(&field.attrs).and_then(|options| {
            if options.skip || is_phantom(&field.ty) {
                return Ok(());
            }
            let name = match (&options.rename, &field.ident) {
                (Some(rename), _) => rename.value(),
                (None, Some(ident)) => ident.unraw().to_string(),
                (None, None) => position.to_string(),
            };
            if !names.insert(name.clone()) {
                return Err(Error::new_spanned(
                    field,
                    format!("two fields are visited under the name \"{name}\""),
                ));
            }
            visited.push(Visited { position, name, ident: field.ident.as_ref(), ty: &field.ty });
            Ok(())
        });
        if let Err(next) = outcome {
            match &mut error {
                Some(first) => first.combine(next),
                None => error = Some(next),
            }
        }
    }
    error.map_or(Ok(visited), Err)
}

/// The place of a field's type, with names resolved as in the macro: the type may come out of a `macro_rules!`,
/// whose `self` and `visitor` are not ours.
fn at(field: &Visited<'_>) -> Span {
    field.ty.span().resolved_at(Span::call_site())
}

/// `visitor.field("hidden", &self.hidden);` for every field of a structure.
fn struct_calls(fields: &[Visited<'_>], borrow: TokenStream) -> TokenStream {
    let calls = fields.iter().map(|field| {
        let name = &field.name;
        let member = match field.ident {
            Some(ident) => ident.to_token_stream(),
            None => syn::Index::from(field.position).to_token_stream(),
        };
        quote_spanned!(at(field)=> visitor.field(#name, #borrow self.#member);)
    });
    quote!(#(#calls)*)
}

/// `Self::Deep { first: field_0, .. } => { visitor.field("first", field_0); }`; matching on `self` borrows as `self` does,
/// so that one arm serves both methods.
fn variant_arm(variant: &Ident, fields: &[Visited<'_>]) -> TokenStream {
    let bindings = fields.iter().map(|field| {
        let binding = format_ident!("field_{}", field.position);
        match field.ident {
            Some(ident) => quote!(#ident: #binding),
            None => {
                let index = syn::Index::from(field.position);
                quote!(#index: #binding)
            }
        }
    });
    let calls = fields.iter().map(|field| {
        let (name, binding) = (&field.name, format_ident!("field_{}", field.position));
        quote_spanned!(at(field)=> visitor.field(#name, #binding);)
    });
    quote!(Self::#variant { #(#bindings,)* .. } => { #(#calls)* })
}

/// The type parameter that is bounded by a trait named `Float`. Two of them are an error unless `scalar` chose already.
fn float_parameter(input: &DeriveInput, chosen: bool) -> Result<Option<&Ident>> {
    let is_float = |bound: &TypeParamBound| match bound {
        TypeParamBound::Trait(bound) => bound.path.segments.last().is_some_and(|s| s.ident == "Float"),
        _ => false,
    };
    let bounded_in_where = |ident: &Ident| {
        input.generics.where_clause.iter().flat_map(|clause| &clause.predicates).any(|predicate| match predicate {
            WherePredicate::Type(p) => {
                matches!(&p.bounded_ty, Type::Path(path) if path.qself.is_none() && path.path.is_ident(ident))
                    && p.bounds.iter().any(is_float)
            }
            _ => false,
        })
    };
    let mut found = None;
    for parameter in input.generics.type_params() {
        if !(parameter.bounds.iter().any(is_float) || bounded_in_where(&parameter.ident)) {
            continue;
        }
        if found.is_some() && !chosen {
            let message = "two parameters are bounded by Float; say which one is the number type of the module: \
                           #[module(scalar = T)]";
            return Err(Error::new_spanned(&parameter.ident, message));
        }
        found = found.or(Some(&parameter.ident));
    }
    Ok(found)
}

/// `FieldType: Module<Scalar>` for the fields whose type only the user of a generic type knows.
///
/// A type that mentions the scalar alone (`Linear<T>`) needs no bound, since its implementation is known here; one that
/// mentions the type being declared must have none, since a bound that asks for itself never resolves.
fn field_bounds(
    input: &DeriveInput,
    scalar: &Type,
    root: &Path,
    visited: &[Visited<'_>],
) -> Vec<WherePredicate> {
    let is_scalar = |ident: &Ident| matches!(scalar, Type::Path(path) if path.path.is_ident(ident));
    let open: Vec<&Ident> =
        input.generics.type_params().map(|p| &p.ident).filter(|p| !is_scalar(p)).collect();
    let mut seen = HashSet::new();
    visited
        .iter()
        .filter(|field| open.iter().any(|parameter| mentions(field.ty.to_token_stream(), parameter)))
        .filter(|field| !mentions(field.ty.to_token_stream(), &input.ident))
        .filter(|field| seen.insert(field.ty.to_token_stream().to_string()))
        .map(|field| {
            let ty = field.ty;
            parse_quote!(#ty: #root::Module<#scalar>)
        })
        .collect()
}

/// Whether `ident` occurs anywhere in `tokens`.
fn mentions(tokens: TokenStream, ident: &Ident) -> bool {
    tokens.into_iter().any(|token| match token {
        TokenTree::Ident(found) => found == *ident,
        TokenTree::Group(group) => mentions(group.stream(), ident),
        _ => false,
    })
}

/// A marker holds nothing to visit.
fn is_phantom(ty: &Type) -> bool {
    matches!(ty, Type::Path(path) if path.path.segments.last().is_some_and(|s| s.ident == "PhantomData"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn expand(source: &str) -> Result<String> {
        let input: DeriveInput = syn::parse_str(source).expect("the test's own declaration parses");
        module(&input, parse_quote!(::wengert_nn)).map(|tokens| tokens.to_string())
    }

    #[track_caller]
    fn expands_to(source: &str, expected: &str) {
        // Printed tokens differ in their spaces, depending on how they were made.
        let squeeze = |text: &str| text.split_whitespace().collect::<String>();
        assert_eq!(squeeze(&expand(source).expect("expands")), squeeze(expected));
    }

    /// The message of the first error, and the source text that it points at.
    #[track_caller]
    fn fails_at(source: &str) -> (String, String) {
        let error = expand(source).expect_err("must be refused");
        (error.to_string(), error.span().source_text().expect("the span lies in the source"))
    }

    #[test]
    fn fields_are_visited_in_order() {
        expands_to(
            "struct Net { hidden: Linear, #[module(rename = \"head\")] out: Linear, #[module(skip)] seed: u64 }",
            "#[automatically_derived] impl ::wengert_nn::Module<f32> for Net {
                 fn visit(&self, visitor: &mut ::wengert_nn::Visitor<'_, f32>) {
                     visitor.field(\"hidden\", &self.hidden); visitor.field(\"head\", &self.out);
                 }
                 fn visit_mut(&mut self, visitor: &mut ::wengert_nn::VisitorMut<'_, f32>) {
                     visitor.field(\"hidden\", &mut self.hidden); visitor.field(\"head\", &mut self.out);
                 }
             }",
        );
    }

    #[test]
    fn bounds_only_what_is_open() {
        expands_to(
            "struct Block<T: Float, L, const N: usize> where L: Clone { a: Linear<T>, b: [L; N], c: Vec<Block<T, L, N>>, m: PhantomData<L> }",
            "#[automatically_derived] impl<T: Float, L, const N: usize> ::wengert_nn::Module<T> for Block<T, L, N>
                 where L: Clone, [L; N]: ::wengert_nn::Module<T> {
                 fn visit(&self, visitor: &mut ::wengert_nn::Visitor<'_, T>) {
                     visitor.field(\"a\", &self.a); visitor.field(\"b\", &self.b); visitor.field(\"c\", &self.c);
                 }
                 fn visit_mut(&mut self, visitor: &mut ::wengert_nn::VisitorMut<'_, T>) {
                     visitor.field(\"a\", &mut self.a); visitor.field(\"b\", &mut self.b); visitor.field(\"c\", &mut self.c);
                 }
             }",
        );
    }

    #[test]
    fn the_scalar_is_found_or_chosen() {
        let scalar = |source: &str| {
            let text = expand(source).expect("expands");
            text.split("Module < ")
                .nth(1)
                .and_then(|rest| rest.split(" >").next())
                .expect("a scalar")
                .to_string()
        };
        assert_eq!(scalar("struct A;"), "f32");
        assert_eq!(scalar("#[module(scalar = f64)] struct A;"), "f64");
        assert_eq!(scalar("struct A<S: wengert::Float>(Linear<S>);"), "S");
        assert_eq!(scalar("struct A<S>(Linear<S>) where S: Copy + Float;"), "S");
        assert_eq!(
            scalar("#[module(scalar = B)] struct A<B: Float, C: Float>(Linear<B>, PhantomData<C>);"),
            "B"
        );
    }

    #[test]
    fn the_path_of_the_crate_can_be_given() {
        let text = expand("#[module(crate = crate::layers)] struct A;").expect("expands");
        assert!(text.contains("impl crate :: layers :: Module < f32 > for A"), "{text}");
    }

    #[test]
    fn errors_point_at_the_token() {
        let cases = [
            ("struct A { #[module(skipp)] b: B }", "unknown option; on a field", "skipp"),
            ("struct A { #[module(scalar = f32)] b: B }", "belongs on the type", "scalar"),
            ("#[module(skip)] struct A { b: B }", "belongs on a field", "skip"),
            ("#[module(dtype = f64)] struct A { b: B }", "unknown option; on a type", "dtype"),
            ("#[module(scalar = f64, scalar = f32)] struct A;", "given twice", "scalar"),
            ("union A { b: u32, c: f32 }", "union", "union"),
            (
                "struct A<S: Float, U: Float>(Linear<S>, Linear<U>);",
                "two parameters are bounded by Float",
                "U",
            ),
            ("struct A { #[module(rename = \"a.b\")] b: B }", "dot", "\"a.b\""),
            ("struct A { b: B, #[module(rename = \"b\")] c: B }", "two fields are visited", "#"),
            ("struct A { #[module(skip, rename = \"b\")] c: B }", "has no name", "\"b\""),
            ("enum A { #[module(skip)] B(C) }", "put them on its fields", "#"),
        ];
        for (source, message, token) in cases {
            let (found, at) = fails_at(source);
            assert!(found.contains(message), "{source}: {found}");
            assert!(at.starts_with(token), "{source}: points at {at}");
        }
    }

    /// The source text at which the compiler reports that a field is no module: where the call that needs it comes from.
    fn places_of_calls(tokens: TokenStream, found: &mut Vec<String>) {
        for token in tokens {
            match token {
                TokenTree::Group(group) => places_of_calls(group.stream(), found),
                TokenTree::Ident(ident) if ident == "field" => found.extend(ident.span().source_text()),
                _ => {}
            }
        }
    }

    #[test]
    fn a_field_that_is_no_module_is_reported_at_its_type() {
        for source in ["struct A { b: Linear, c: Duration }", "enum A { B { b: Linear }, C(Duration) }"] {
            let input: DeriveInput = syn::parse_str(source).expect("the test's own declaration parses");
            let tokens = module(&input, parse_quote!(::wengert_nn)).expect("expands");
            let mut places = Vec::new();
            places_of_calls(tokens, &mut places);
            assert_eq!(places, ["Linear", "Duration", "Linear", "Duration"], "{source}");
        }
    }

    #[test]
    fn every_bad_field_is_reported() {
        let error = expand("struct A { #[module(x)] b: B, #[module(y)] c: C }").expect_err("two bad options");
        assert_eq!(error.into_iter().count(), 2);
    }
}
