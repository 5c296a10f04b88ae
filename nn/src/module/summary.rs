//! A table of a model's parts.

use super::{Member, Module, each};
use std::{collections::HashMap, fmt};
use wengert_autograd::{Float, Variable, enable_grad, inspect};

/// The parts of a model that have parameters: what each puts out, and how many numbers it learns; prints as a table.
///
/// ```
/// use wengert_nn::{Linear, Module, ReLU, Sequential};
///
/// let net = Sequential::new((Linear::new(784, 128), ReLU, Linear::new(128, 10)));
/// let summary = net.summary(&[32, 784]);
/// assert_eq!(summary.total(), 101_770);
/// assert_eq!(
///     summary.to_string(),
///     "part  kind    output     shapes            parameters\n\
///      0     Linear  [32, 128]  [128, 784] [128]      100480\n\
///      2     Linear  [32, 10]   [10, 128] [10]          1290\n\
///      101770 parameters, 0 of them frozen"
/// );
/// ```
///
/// The outputs are read off the graph of a forward pass: a part's is the result of the last operation that one of its
/// parameters goes into. So a part that is used twice shows its last use, and parts without parameters have no row.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Summary {
    rows: Vec<Row>,
    total: usize,
    frozen: usize,
}

#[derive(Clone, Debug, PartialEq, Eq)]
struct Row {
    name: String,
    kind: &'static str,
    output: String,
    shapes: Vec<String>,
    parameters: usize,
}

impl Row {
    fn new(name: &str, kind: &'static str) -> Row {
        Row { name: name.to_string(), kind, output: String::new(), shapes: Vec::new(), parameters: 0 }
    }
}

impl Summary {
    pub(super) fn of<T: Float, M: Module<T>>(module: &M, forward: impl FnOnce(&M) -> Variable<T>) -> Summary {
        let parameters = module.named_parameters();
        let frozen: Vec<&Variable<T>> =
            parameters.iter().map(|(_, p)| p).filter(|p| !p.needs_grad()).collect();
        let frozen_elements = frozen.iter().map(|p| p.len()).sum();
        let outputs = {
            let _as_before = AsBefore::of(module, frozen);
            outputs(module, &enable_grad(|| forward(module)))
        };
        let mut rows = vec![Row::new("", module.kind())];
        each(module, |path, member| match member {
            Member::Enter(kind) => rows.push(Row::new(path, kind)),
            Member::Parameter(parameter) => {
                // A parameter that is a field of its own is counted with the part that has the field.
                if rows.last().is_some_and(|row| row.name == path && rows.len() > 1) {
                    rows.pop();
                }
                if let Some(row) = rows.iter_mut().rfind(|row| row.name == owner(path)) {
                    row.shapes.push(format!("{:?}", parameter.shape()));
                    row.parameters += parameter.len();
                }
            }
            Member::Buffer(_) | Member::Training(_) => {}
        });
        rows.retain(|row| row.parameters > 0);
        for row in &mut rows {
            row.output = outputs.get(&row.name).cloned().unwrap_or_default();
        }
        Summary { rows, total: parameters.elements(), frozen: frozen_elements }
    }

    /// The number of learned numbers in the whole model; what is tied counts once.
    pub fn total(&self) -> usize {
        self.total
    }
}

impl fmt::Display for Summary {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let cells = |row: &Row| {
            let shapes = row.shapes.join(" ");
            [row.name.clone(), row.kind.to_string(), row.output.clone(), shapes, row.parameters.to_string()]
        };
        let mut table = vec![["part", "kind", "output", "shapes", "parameters"].map(String::from)];
        table.extend(self.rows.iter().map(cells));
        let width = |column: usize| table.iter().map(|row| row[column].chars().count()).max().unwrap_or(0);
        let [a, b, c, d, e] = [width(0), width(1), width(2), width(3), width(4)];
        for [name, kind, output, shapes, parameters] in &table {
            writeln!(f, "{name:a$}  {kind:b$}  {output:c$}  {shapes:d$}  {parameters:>e$}")?;
        }
        write!(f, "{} parameters, {} of them frozen", self.total, self.frozen)
    }
}

/// The part that has the parameter of this name.
fn owner(path: &str) -> &str {
    path.rsplit_once('.').map_or("", |(owner, _)| owner)
}

/// For each part of a model the shape of the result of the last operation that one of its parameters goes into.
fn outputs<T: Float, M: Module<T>>(module: &M, result: &Variable<T>) -> HashMap<String, String> {
    let graph = inspect::graph(result).with_names(&module.named_parameters());
    let mut found = HashMap::new();
    // Whose result a node is, as far as that is known.
    let mut owners: Vec<Option<String>> = Vec::with_capacity(graph.nodes.len());
    for node in &graph.nodes {
        let mut of = None;
        if node.kind == inspect::Kind::Operation {
            let parameter = node.inputs.iter().find_map(|place| {
                let input = &graph.nodes[place.node];
                (input.kind == inspect::Kind::Parameter).then(|| graph.at(*place).name.as_deref()).flatten()
            });
            // Where results of one part are joined, such as both directions of a recurrent layer, the whole is its result.
            let mut parts =
                node.inputs.iter().filter(|place| graph.nodes[place.node].kind == inspect::Kind::Operation);
            let first = parts.next().and_then(|place| owners[place.node].as_deref());
            let joined = node.inputs.len() > 1 && parts.clone().count() > 0;
            let joined = joined && parts.all(|place| owners[place.node].as_deref() == first);
            of = parameter.map(owner).or(first.filter(|_| joined)).map(String::from);
            if let (Some(owner), Some(shape)) = (&of, node.outputs.first().and_then(|data| data.shape)) {
                found.insert(owner.clone(), format!("{shape:?}"));
            }
        }
        owners.push(of);
    }
    found
}

/// Puts a model into evaluation with nothing frozen, and back as it was when it is dropped: looking changes nothing.
struct AsBefore<'a, T: Float, M: Module<T>> {
    module: &'a M,
    frozen: Vec<&'a Variable<T>>,
    training: Vec<bool>,
}

impl<'a, T: Float, M: Module<T>> AsBefore<'a, T, M> {
    fn of(module: &'a M, frozen: Vec<&'a Variable<T>>) -> Self {
        let mut training = Vec::new();
        each(module, |_, member| {
            if let Member::Training(flag) = member {
                training.push(flag.is_on());
                flag.set(false);
            }
        });
        frozen.iter().for_each(|parameter| parameter.set_requires_grad(true));
        AsBefore { module, frozen, training }
    }
}

impl<T: Float, M: Module<T>> Drop for AsBefore<'_, T, M> {
    fn drop(&mut self) {
        let mut training = self.training.iter();
        each(self.module, |_, member| {
            if let Member::Training(flag) = member {
                flag.set(*training.next().expect("as many flags as before"));
            }
        });
        self.frozen.iter().for_each(|parameter| parameter.set_requires_grad(false));
    }
}

/// A type's name without its path and its own parameters.
pub(super) fn short_name(name: &'static str) -> &'static str {
    let end = name.find('<').unwrap_or(name.len());
    let start = name[..end].rfind("::").map_or(0, |at| at + 2);
    &name[start..end]
}
