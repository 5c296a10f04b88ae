//! From an expression of the small language to the same expression over any `Real`.

use proc_macro2::{Ident, Literal, TokenStream};
use quote::{ToTokens, quote};
use syn::{BinOp, Block, Error, Expr, ExprIf, ExprPath, Lit, Pat, Result, Stmt, UnOp};

use crate::functions::Function;

/// What a name in scope stands for.
#[derive(Clone, Copy, PartialEq)]
enum Meaning {
    /// An input, or bound by `let`: already a `Real`.
    Number,
    /// A field of the formula, an `f64`.
    Constant,
}

/// Translates the body of one definition; `R` is the `Real` in whose terms it is written.
pub(crate) struct Translator<'a> {
    root: &'a TokenStream,
    scope: Vec<(Ident, Meaning)>,
}

/// A body in its translated form.
pub(crate) struct Outputs {
    /// The `let`s that come before the outputs.
    pub(crate) bindings: TokenStream,
    /// One expression an output.
    pub(crate) values: Vec<TokenStream>,
}

impl<'a> Translator<'a> {
    pub(crate) fn new(root: &'a TokenStream, inputs: &[Ident], constants: &[Ident]) -> Translator<'a> {
        let inputs = inputs.iter().map(|name| (name.clone(), Meaning::Number));
        let constants = constants.iter().map(|name| (name.clone(), Meaning::Constant));
        Translator { root, scope: inputs.chain(constants).collect() }
    }

    /// The whole body: an expression, a tuple, or a block that ends in one of them.
    pub(crate) fn outputs(&mut self, body: &Expr) -> Result<Outputs> {
        match bare(body) {
            Expr::Block(block) => {
                let (bindings, last) = self.bindings(&block.block)?;
                let mut outputs = self.outputs(last)?;
                let inner = outputs.bindings;
                outputs.bindings = quote!(#bindings #inner);
                Ok(outputs)
            }
            Expr::Tuple(tuple) if tuple.elems.is_empty() => {
                Err(Error::new_spanned(tuple, "a formula needs an output"))
            }
            Expr::Tuple(tuple) => {
                let values = tuple.elems.iter().map(|output| self.number(output)).collect::<Result<_>>()?;
                Ok(Outputs { bindings: TokenStream::new(), values })
            }
            single => Ok(Outputs { bindings: TokenStream::new(), values: vec![self.number(single)?] }),
        }
    }

    /// An expression whose value is a number.
    fn number(&mut self, expression: &Expr) -> Result<TokenStream> {
        match bare(expression) {
            Expr::Lit(literal) => number_literal(&literal.lit, false),
            Expr::Path(path) => self.name(path),
            Expr::Unary(unary) => match (&unary.op, bare(&unary.expr)) {
                (UnOp::Neg(_), Expr::Lit(literal)) => number_literal(&literal.lit, true),
                (UnOp::Neg(minus), _) => {
                    let operand = self.operand(&unary.expr)?;
                    Ok(quote!(#minus #operand))
                }
                (UnOp::Not(not), _) => Err(Error::new_spanned(not, CONDITION)),
                (other, _) => {
                    Err(Error::new_spanned(other, "unknown operator; known: + - * /, and - before a value"))
                }
            },
            Expr::Binary(binary) => {
                let op = &binary.op;
                match op {
                    BinOp::Add(_) | BinOp::Sub(_) | BinOp::Mul(_) | BinOp::Div(_) => {
                        let (left, right) = (self.operand(&binary.left)?, self.operand(&binary.right)?);
                        Ok(quote!(#left #op #right))
                    }
                    _ if comparison(op).is_some() || connective(op).is_some() => {
                        Err(Error::new_spanned(op, CONDITION))
                    }
                    _ => Err(Error::new_spanned(op, "unknown operator; known: + - * /")),
                }
            }
            Expr::Call(call) => match bare(&call.func) {
                Expr::Path(path) if path.qself.is_none() => match path.path.get_ident() {
                    Some(name) => self.call(name, &call.args.iter().collect::<Vec<_>>()),
                    None => Err(unknown_function(path)),
                },
                other => Err(unknown_function(other)),
            },
            Expr::MethodCall(call) => {
                if let Some(turbofish) = &call.turbofish {
                    return Err(Error::new_spanned(
                        turbofish,
                        "the functions of a formula have no type arguments",
                    ));
                }
                if call.method == "select" {
                    return Err(Error::new_spanned(&call.method, "write `select(condition, a, b)`"));
                }
                let arguments: Vec<&Expr> = std::iter::once(&*call.receiver).chain(&call.args).collect();
                self.call(&call.method, &arguments)
            }
            Expr::If(choice) => self.choice(choice),
            Expr::Block(block) if block.label.is_none() => self.block(&block.block),
            Expr::Tuple(tuple) => Err(Error::new_spanned(
                tuple,
                "several outputs are possible only as the last expression of a formula",
            )),
            other => {
                let message = "not part of a formula: numbers, names, + - * /, functions, select(condition, a, b), \
                               if/else and blocks with `let` are known";
                Err(Error::new_spanned(other, message))
            }
        }
    }

    /// A number as an operand: what the user put in parentheses stays there, and a block gets some.
    fn operand(&mut self, expression: &Expr) -> Result<TokenStream> {
        let inner = self.number(expression)?;
        let enclosed = matches!(expression, Expr::Paren(_) | Expr::Group(_) | Expr::Block(_));
        let atom = matches!(
            bare(expression),
            Expr::Lit(_) | Expr::Path(_) | Expr::Call(_) | Expr::MethodCall(_) | Expr::If(_)
        );
        Ok(if enclosed && !atom { quote!((#inner)) } else { inner })
    }

    /// A name in scope, or the path of a constant.
    fn name(&self, path: &ExprPath) -> Result<TokenStream> {
        let Some(name) = path.path.get_ident() else {
            return Ok(quote!(R::constant(#path)));
        };
        match self.scope.iter().rev().find(|(known, _)| known == name) {
            Some((_, Meaning::Number)) => Ok(name.to_token_stream()),
            Some((_, Meaning::Constant)) => Ok(quote!(R::constant(self.#name))),
            None if is_screaming(name) => Ok(quote!(R::constant(#name))),
            None => {
                let mut known: Vec<String> = self.scope.iter().map(|(name, _)| name.to_string()).collect();
                known.dedup();
                let message = format!("unknown name `{name}`; in scope: {}", known.join(", "));
                Err(Error::new_spanned(name, message))
            }
        }
    }

    /// A call of one of the known functions.
    fn call(&mut self, name: &Ident, arguments: &[&Expr]) -> Result<TokenStream> {
        let root = self.root;
        let function = Function::named(&name.to_string()).ok_or_else(|| unknown_function(name))?;
        if arguments.len() != function.arguments() {
            let (takes, given) = (function.arguments(), arguments.len());
            let message = format!(
                "`{name}` takes {takes} argument{}, {given} given",
                if takes == 1 { "" } else { "s" }
            );
            return Err(Error::new_spanned(name, message));
        }
        match function {
            Function::Method { name: method, .. } => {
                let method = Ident::new(method, name.span());
                let arguments =
                    arguments.iter().map(|argument| self.number(argument)).collect::<Result<Vec<_>>>()?;
                Ok(quote!(#root::Real::#method(#(#arguments),*)))
            }
            Function::Powi => {
                let base = self.number(arguments[0])?;
                let exponent = integer_literal(arguments[1])?;
                Ok(quote!(#root::Real::#name(#base, #exponent)))
            }
            Function::Select => {
                let condition = self.condition(arguments[0])?;
                let (yes, no) = (self.number(arguments[1])?, self.number(arguments[2])?);
                Ok(quote!(<R as #root::Real>::#name(#condition, #yes, #no)))
            }
        }
    }

    /// `if condition { a } else { b }`, as a selection.
    fn choice(&mut self, choice: &ExprIf) -> Result<TokenStream> {
        let root = self.root;
        let condition = self.condition(&choice.cond)?;
        let yes = self.block(&choice.then_branch)?;
        let Some((_, otherwise)) = &choice.else_branch else {
            return Err(Error::new_spanned(
                choice.if_token,
                "an `if` in a formula needs its `else`: every element has a value",
            ));
        };
        let no = self.number(otherwise)?;
        Ok(quote!(<R as #root::Real>::select(#condition, #yes, #no)))
    }

    /// A block whose value is a number.
    fn block(&mut self, block: &Block) -> Result<TokenStream> {
        let depth = self.scope.len();
        let (bindings, last) = self.bindings(block)?;
        let value = self.number(last)?;
        self.scope.truncate(depth);
        Ok(if bindings.is_empty() { value } else { quote!({ #bindings #value }) })
    }

    /// The `let`s of a block, which stay in scope, and the expression that it ends with.
    fn bindings<'b>(&mut self, block: &'b Block) -> Result<(TokenStream, &'b Expr)> {
        let Some((Stmt::Expr(last, None), lets)) = block.stmts.split_last() else {
            let message = "a block in a formula ends with an expression, its value";
            return Err(Error::new(block.brace_token.span.close(), message));
        };
        let mut bindings = TokenStream::new();
        for statement in lets {
            let refused = || {
                Error::new_spanned(statement, "only `let name = expression;` may come before a block's value")
            };
            let Stmt::Local(local) = statement else { return Err(refused()) };
            let (Pat::Ident(pattern), Some(init)) = (&local.pat, &local.init) else { return Err(refused()) };
            if pattern.by_ref.is_some()
                || pattern.mutability.is_some()
                || pattern.subpat.is_some()
                || init.diverge.is_some()
            {
                return Err(refused());
            }
            let (name, value) = (&pattern.ident, self.number(&init.expr)?);
            bindings.extend(quote!(let #name = #value;));
            self.scope.push((name.clone(), Meaning::Number));
        }
        Ok((bindings, last))
    }

    /// An expression whose value is a condition, a `Mask` of `Real`.
    fn condition(&mut self, expression: &Expr) -> Result<TokenStream> {
        let root = self.root;
        match bare(expression) {
            Expr::Unary(unary) if matches!(unary.op, UnOp::Not(_)) => {
                let (not, operand) = (&unary.op, self.condition_operand(&unary.expr)?);
                Ok(quote!(#not #operand))
            }
            Expr::Binary(binary) => {
                if let Some(comparison) = comparison(&binary.op) {
                    let (left, right) = (self.number(&binary.left)?, self.number(&binary.right)?);
                    return Ok(match comparison {
                        Comparison::Is(name) => {
                            let method = Ident::new(name, proc_macro2::Span::call_site());
                            quote!(#root::Real::#method(#left, #right))
                        }
                        Comparison::Differs => quote!(!#root::Real::eq(#left, #right)),
                    });
                }
                let Some(op) = connective(&binary.op) else {
                    let message = "expected a condition; known operators: < <= > >= == != & | !";
                    return Err(Error::new_spanned(binary.op, message));
                };
                let (left, right) =
                    (self.condition_operand(&binary.left)?, self.condition_operand(&binary.right)?);
                Ok(quote!(#left #op #right))
            }
            other => Err(Error::new_spanned(other, "expected a condition, such as `x < 0`")),
        }
    }

    /// A condition as an operand. `&&` becomes `&`, which binds differently, so connectives always get parentheses.
    fn condition_operand(&mut self, expression: &Expr) -> Result<TokenStream> {
        let inner = self.condition(expression)?;
        let connected = matches!(bare(expression), Expr::Binary(binary) if connective(&binary.op).is_some());
        Ok(if connected { quote!((#inner)) } else { inner })
    }
}

const CONDITION: &str =
    "a condition is no number: use it in `select(condition, a, b)` or `if condition { a } else { b }`";

/// The expression inside any parentheses; the tree already holds the order of evaluation.
fn bare(expression: &Expr) -> &Expr {
    match expression {
        Expr::Paren(paren) => bare(&paren.expr),
        Expr::Group(group) => bare(&group.expr),
        other => other,
    }
}

/// What a comparison becomes.
enum Comparison {
    /// A method of `Real`.
    Is(&'static str),
    /// `!=`: not `eq`, so that it holds for NaN.
    Differs,
}

fn comparison(op: &BinOp) -> Option<Comparison> {
    match op {
        BinOp::Lt(_) => Some(Comparison::Is("lt")),
        BinOp::Le(_) => Some(Comparison::Is("le")),
        BinOp::Gt(_) => Some(Comparison::Is("gt")),
        BinOp::Ge(_) => Some(Comparison::Is("ge")),
        BinOp::Eq(_) => Some(Comparison::Is("eq")),
        BinOp::Ne(_) => Some(Comparison::Differs),
        _ => None,
    }
}

/// How two conditions are joined: masks have no short circuit.
fn connective(op: &BinOp) -> Option<TokenStream> {
    match op {
        BinOp::And(_) | BinOp::BitAnd(_) => Some(quote!(&)),
        BinOp::Or(_) | BinOp::BitOr(_) => Some(quote!(|)),
        _ => None,
    }
}

fn unknown_function(at: impl ToTokens) -> Error {
    let message = format!("unknown function `{}`; known: {}", at.to_token_stream(), Function::known());
    Error::new_spanned(at, message)
}

/// `R::constant(2.0)` for a number of the source.
fn number_literal(literal: &Lit, negative: bool) -> Result<TokenStream> {
    let (suffix, value) = match literal {
        Lit::Int(int) => (int.suffix(), int.base10_parse::<f64>()?),
        Lit::Float(float) => (float.suffix(), float.base10_parse::<f64>()?),
        other => return Err(Error::new_spanned(other, "expected a number")),
    };
    if !matches!(suffix, "" | "f64") {
        return Err(Error::new_spanned(literal, "numbers in a formula are f64 and need no suffix"));
    }
    if !value.is_finite() {
        return Err(Error::new_spanned(literal, "this number is too large for f64"));
    }
    let mut digits = Literal::f64_unsuffixed(value);
    digits.set_span(literal.span());
    Ok(if negative { quote!(R::constant(-#digits)) } else { quote!(R::constant(#digits)) })
}

/// The exponent of `powi`.
fn integer_literal(expression: &Expr) -> Result<TokenStream> {
    let (negative, inner) = match bare(expression) {
        Expr::Unary(unary) if matches!(unary.op, UnOp::Neg(_)) => (true, bare(&unary.expr)),
        other => (false, other),
    };
    match inner {
        Expr::Lit(literal) => match &literal.lit {
            Lit::Int(int) if matches!(int.suffix(), "" | "i32") => {
                let mut digits = Literal::i32_unsuffixed(int.base10_parse()?);
                digits.set_span(int.span());
                Ok(if negative { quote!(-#digits) } else { quote!(#digits) })
            }
            other => {
                Err(Error::new_spanned(other, "the exponent of `powi` is an integer; use `powf` for others"))
            }
        },
        other => Err(Error::new_spanned(
            other,
            "the exponent of `powi` is an integer literal; use `powf` for others",
        )),
    }
}

/// Whether a name is written as Rust writes constants.
fn is_screaming(name: &Ident) -> bool {
    let text = name.to_string();
    text.starts_with(|c: char| c.is_ascii_uppercase()) && !text.contains(|c: char| c.is_ascii_lowercase())
}
