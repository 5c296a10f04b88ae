//! The functions that a formula may call: the methods of `Real`.

/// Functions of one argument.
pub(crate) const UNARY: &[&str] = &[
    "abs",
    "sign",
    "exp",
    "exp2",
    "expm1",
    "ln",
    "ln_1p",
    "log2",
    "log10",
    "sqrt",
    "rsqrt",
    "square",
    "reciprocal",
    "sin",
    "cos",
    "tan",
    "asin",
    "acos",
    "atan",
    "sinh",
    "cosh",
    "tanh",
    "asinh",
    "acosh",
    "atanh",
    "erf",
    "erfc",
    "sigmoid",
    "softplus",
    "relu",
    "floor",
    "ceil",
    "round",
    "trunc",
];

/// Functions of two arguments.
pub(crate) const BINARY: &[&str] = &["powf", "max", "min", "atan2", "hypot", "rem"];

/// How a function is called.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Function {
    /// A method of `Real` whose arguments are all numbers.
    Method { name: &'static str, arguments: usize },
    /// `powi(x, n)`, whose exponent is an integer literal.
    Powi,
    /// `select(condition, a, b)`.
    Select,
}

impl Function {
    /// The function of that name; `log` is another name for `ln`.
    pub(crate) fn named(name: &str) -> Option<Function> {
        let find = |table: &[&'static str]| table.iter().copied().find(|known| *known == name);
        match name {
            "log" => Some(Function::Method { name: "ln", arguments: 1 }),
            "powi" => Some(Function::Powi),
            "select" => Some(Function::Select),
            _ => find(UNARY)
                .map(|name| Function::Method { name, arguments: 1 })
                .or_else(|| find(BINARY).map(|name| Function::Method { name, arguments: 2 })),
        }
    }

    /// How many arguments it takes.
    pub(crate) fn arguments(self) -> usize {
        match self {
            Function::Method { arguments, .. } => arguments,
            Function::Powi => 2,
            Function::Select => 3,
        }
    }

    /// All names, for an error's text.
    pub(crate) fn known() -> String {
        let names: Vec<&str> = UNARY.iter().chain(BINARY).copied().chain(["log", "powi", "select"]).collect();
        names.join(", ")
    }
}
