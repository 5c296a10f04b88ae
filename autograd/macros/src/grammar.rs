//! The form of a definition: `pub fn name[constant: f64](input, input) = expression`.

use proc_macro2::{Ident, TokenStream};
use syn::parse::{Parse, ParseStream};
use syn::punctuated::Punctuated;
use syn::{Attribute, Error, Expr, Result, Token, Visibility, bracketed, parenthesized, token};

/// What the macro is given: the path of the crate that holds `Formula`, then the definitions.
pub(crate) struct Definitions {
    pub(crate) root: TokenStream,
    pub(crate) definitions: Vec<Definition>,
}

/// One formula.
pub(crate) struct Definition {
    pub(crate) attributes: Vec<Attribute>,
    pub(crate) visibility: Visibility,
    pub(crate) name: Ident,
    pub(crate) constants: Vec<Ident>,
    pub(crate) inputs: Vec<Ident>,
    pub(crate) body: Expr,
}

impl Parse for Definitions {
    fn parse(input: ParseStream<'_>) -> Result<Definitions> {
        // The path is copied token by token: `$crate` is no path to a parser.
        let mut root = TokenStream::new();
        while !input.peek(Token![;]) {
            root.extend([input.parse::<proc_macro2::TokenTree>()?]);
        }
        input.parse::<Token![;]>()?;
        let mut definitions = Vec::new();
        while !input.is_empty() {
            definitions.push(input.parse()?);
        }
        Ok(Definitions { root, definitions })
    }
}

/// `name: f64`.
struct Constant(Ident);

impl Parse for Constant {
    fn parse(input: ParseStream<'_>) -> Result<Constant> {
        let name = input.parse()?;
        input.parse::<Token![:]>()?;
        let ty: Ident = input.parse()?;
        if ty == "f64" { Ok(Constant(name)) } else { Err(Error::new_spanned(&ty, "constants are `f64`")) }
    }
}

impl Parse for Definition {
    fn parse(input: ParseStream<'_>) -> Result<Definition> {
        let attributes = input.call(Attribute::parse_outer)?;
        let visibility = input.parse()?;
        input.parse::<Token![fn]>()?;
        let name: Ident = input.parse()?;
        let mut constants = Vec::new();
        if input.peek(token::Bracket) {
            let list;
            bracketed!(list in input);
            let list = Punctuated::<Constant, Token![,]>::parse_terminated(&list)?;
            constants.extend(list.into_iter().map(|constant| constant.0));
        }
        let list;
        parenthesized!(list in input);
        let inputs: Vec<Ident> =
            Punctuated::<Ident, Token![,]>::parse_terminated(&list)?.into_iter().collect();
        input.parse::<Token![=]>()?;
        let body = input.parse()?;
        input.parse::<Option<Token![;]>>()?;

        if inputs.is_empty() {
            return Err(Error::new_spanned(&name, "a formula needs at least one input"));
        }
        let mut seen: Vec<&Ident> = Vec::new();
        for name in inputs.iter().chain(&constants) {
            if seen.contains(&name) {
                return Err(Error::new_spanned(name, format!("`{name}` is declared twice")));
            }
            seen.push(name);
        }
        Ok(Definition { attributes, visibility, name, constants, inputs, body })
    }
}
