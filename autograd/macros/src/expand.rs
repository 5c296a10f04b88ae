//! From definitions to functions of `Variable`s.

use proc_macro2::{Ident, TokenStream};
use quote::quote;
use syn::Result;
use syn::ext::IdentExt;

use crate::grammar::{Definition, Definitions};
use crate::translate::Translator;

/// The functions that `elementwise_impl! { root ; definitions }` stands for.
pub(crate) fn elementwise(input: TokenStream) -> Result<TokenStream> {
    let Definitions { root, definitions } = syn::parse2(input)?;
    let mut functions = TokenStream::new();
    let mut error: Option<syn::Error> = None;
    for definition in &definitions {
        match function(&root, definition) {
            Ok(function) => functions.extend(function),
            Err(next) => match &mut error {
                Some(first) => first.combine(next),
                None => error = Some(next),
            },
        }
    }
    error.map_or(Ok(functions), Err)
}

/// One function, with its formula inside so that the formula's type is nobody else's business.
fn function(root: &TokenStream, definition: &Definition) -> Result<TokenStream> {
    let Definition { attributes, visibility, name, constants, inputs, body } = definition;
    let outputs = Translator::new(root, inputs, constants).outputs(body)?;
    let (bindings, values) = (&outputs.bindings, &outputs.values);

    let formula = Ident::new(&camel_case(&name.unraw().to_string()), name.span());
    let text = name.unraw().to_string();
    let (n, m) = (inputs.len(), values.len());
    let (result, results) = if m == 1 {
        (quote!(#root::Variable<T>), quote!(let [output] = outputs; output))
    } else {
        let types = values.iter().map(|_| quote!(#root::Variable<T>));
        let names: Vec<Ident> = (0..m).map(|i| quote::format_ident!("output_{i}")).collect();
        (quote!((#(#types),*)), quote!(let [#(#names),*] = outputs; (#(#names),*)))
    };
    Ok(quote! {
        #(#attributes)*
        #[track_caller]
        #[allow(clippy::too_many_arguments)]
        #visibility fn #name<T: #root::Float>(#(#inputs: &#root::Variable<T>,)* #(#constants: f64),*) -> #result {
            #[derive(Clone, Copy, Debug)]
            struct #formula { #(#constants: f64),* }

            impl #root::Formula<#n, #m> for #formula {
                fn name(&self) -> &'static str { #text }

                #[inline(always)]
                fn eval<R: #root::Real>(&self, [#(#inputs),*]: [R; #n]) -> [R; #m] {
                    #bindings
                    [#(#values),*]
                }
            }

            let outputs = #root::apply_formula(#formula { #(#constants),* }, [#(#inputs),*]);
            #results
        }
    })
}

/// `lstm_cell` as the name of a type: `LstmCell`.
fn camel_case(name: &str) -> String {
    let words = name.split('_').filter(|word| !word.is_empty());
    let camel: String = words
        .map(|word| {
            let mut letters = word.chars();
            letters.next().map_or(String::new(), |first| first.to_uppercase().chain(letters).collect())
        })
        .collect();
    if camel.starts_with(|c: char| c.is_alphabetic()) { camel } else { format!("Formula{camel}") }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn expand(definitions: &str) -> Result<String> {
        let input = format!("::core_crate ; {definitions}");
        let tokens: TokenStream = input.parse().expect("the test's own definition is made of tokens");
        elementwise(tokens).map(|tokens| tokens.to_string().split_whitespace().collect())
    }

    /// The body of `eval` for a formula of x and y with the constant k, without spaces.
    #[track_caller]
    fn body(expression: &str) -> String {
        let text = expand(&format!("fn f[k: f64](x, y) = {expression}")).expect("expands");
        let (_, rest) =
            text.split_once("->[R;1usize]{").or_else(|| text.split_once("->[R;2usize]{")).expect("eval");
        let (body, _) = rest.split_once("}}letoutputs").expect("the end of eval");
        body.replace("::core_crate::Real", "Real")
    }

    /// The message of the error, and the source text that it points at.
    #[track_caller]
    fn fails_at(definitions: &str) -> (String, String) {
        let error = expand(definitions).expect_err("must be refused");
        (error.to_string(), error.span().source_text().expect("the span lies in the source"))
    }

    #[test]
    fn a_whole_function() {
        let text = expand("/// Swish.\n pub fn swish(x, beta) = x / (1 + exp(-beta * x))").expect("expands");
        let expected = r#"
            #[doc = " Swish."] #[track_caller] #[allow(clippy::too_many_arguments)]
            pub fn swish<T: ::core_crate::Float>(x: &::core_crate::Variable<T>, beta: &::core_crate::Variable<T>,)
                -> ::core_crate::Variable<T> {
                #[derive(Clone, Copy, Debug)] struct Swish {}
                impl ::core_crate::Formula<2usize, 1usize> for Swish {
                    fn name(&self) -> &'static str { "swish" }
                    #[inline(always)]
                    fn eval<R: ::core_crate::Real>(&self, [x, beta]: [R; 2usize]) -> [R; 1usize] {
                        [x / (R::constant(1.0) + ::core_crate::Real::exp(-beta * x))]
                    }
                }
                let outputs = ::core_crate::apply_formula(Swish {}, [x, beta]);
                let [output] = outputs; output
            }"#;
        assert_eq!(text, expected.split_whitespace().collect::<String>());
    }

    #[test]
    fn constants_are_fields_and_arguments() {
        let text = expand("fn clipped[lo: f64, hi: f64](x) = select(x < lo, lo, hi)").expect("expands");
        assert!(text.contains("structClipped{lo:f64,hi:f64}"), "{text}");
        assert!(text.contains("(x:&::core_crate::Variable<T>,lo:f64,hi:f64)"), "{text}");
        assert!(text.contains("apply_formula(Clipped{lo,hi},[x])"), "{text}");
    }

    #[test]
    fn expressions() {
        let cases = [
            ("x + y * k", "[x+y*R::constant(self.k)]"),
            ("(x + y) * -2", "[(x+y)*R::constant(-2.0)]"),
            ("-(x - y)", "[-(x-y)]"),
            ("exp((x))", "[Real::exp(x)]"),
            ("x.log().powf(2)", "[Real::powf(Real::ln(x),R::constant(2.0))]"),
            ("powi(x, -3) + y.powi(2)", "[Real::powi(x,-3)+Real::powi(y,2)]"),
            ("x * std::f64::consts::PI * TAU", "[x*R::constant(std::f64::consts::PI)*R::constant(TAU)]"),
            ("{ let y = x * y; let k = y; y + k }", "lety=x*y;letk=y;[y+k]"),
            ("x + { let z = x; z + y }", "[x+({letz=x;z+y})]"),
            ("{ let z = x + y; (z, z * z) }", "letz=x+y;[z,z*z]"),
            ("(x, k)", "[x,R::constant(self.k)]"),
        ];
        for (source, expected) in cases {
            assert_eq!(body(source), expected, "{source}");
        }
    }

    #[test]
    fn conditions() {
        let cases = [
            ("select(x < y, x, y)", "[<RasReal>::select(Real::lt(x,y),x,y)]"),
            (
                "if x >= k { x } else if x == y { y } else { 1 }",
                "[<RasReal>::select(Real::ge(x,R::constant(self.k)),x,<RasReal>::select(Real::eq(x,y),y,R::constant(1.0)))]",
            ),
            ("select(x != y, x, y)", "[<RasReal>::select(!Real::eq(x,y),x,y)]"),
            (
                "select(x < 0 && (y > 1) | (y <= 0), x, y)",
                "[<RasReal>::select(Real::lt(x,R::constant(0.0))&(Real::gt(y,R::constant(1.0))|Real::le(y,R::constant(0.0))),x,y)]",
            ),
            (
                "select(!(x < y || x > 1), x, y)",
                "[<RasReal>::select(!(Real::lt(x,y)|Real::gt(x,R::constant(1.0))),x,y)]",
            ),
        ];
        for (source, expected) in cases {
            assert_eq!(body(source), expected, "{source}");
        }
    }

    #[test]
    fn errors_point_at_the_token() {
        let cases = [
            ("fn f(x) = foo(x)", "unknown function `foo`; known: abs, sign, exp,", "foo"),
            ("fn f(x) = x.bar()", "unknown function `bar`", "bar"),
            ("fn f(x) = x % 2", "known: + - * /", "%"),
            ("fn f(x) = x + z", "unknown name `z`; in scope: x", "z"),
            ("fn f(x) = powf(x)", "takes 2 arguments, 1 given", "powf"),
            ("fn f(x) = x < 1", "a condition is no number", "<"),
            ("fn f(x) = select(x, x, x)", "expected a condition", "x"),
            ("fn f(x) = if x < 1 { x }", "needs its `else`", "if"),
            ("fn f(x) = powi(x, 2.5)", "integer", "2.5"),
            ("fn f(x) = x * 2f32", "no suffix", "2f32"),
            ("fn f(x) = x * 1e999", "too large", "1e999"),
            ("fn f(x) = x + (x, x)", "several outputs", "(x, x)"),
            ("fn f(x) = { let mut y = x; y }", "only `let name", "let mut y = x;"),
            ("fn f(x) = { let y = x; }", "ends with an expression", "}"),
            ("fn f(x) = |y| y", "not part of a formula", "|y| y"),
            ("fn f(x) = ()", "needs an output", "()"),
            ("fn f() = 1", "at least one input", "f"),
            ("fn f[x: f64](x) = x", "declared twice", "x"),
            ("fn f[k: f32](x) = x", "constants are `f64`", "f32"),
        ];
        for (source, message, token) in cases {
            let (found, at) = fails_at(source);
            assert!(found.contains(message), "{source}: {found}");
            assert_eq!(at, token, "{source}");
        }
    }

    #[test]
    fn names_of_types() {
        assert_eq!(camel_case("lstm_cell"), "LstmCell");
        assert_eq!(camel_case("__x2"), "X2");
        assert_eq!(camel_case("_1"), "Formula1");
    }
}
