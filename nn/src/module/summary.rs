//! A table of a model's parts.

use super::{Member, Module, each};
use std::fmt;
use wengert_autograd::Float;

/// The parts of a model that have parameters, and how many; prints as a table.
///
/// ```
/// use wengert_nn::{Linear, Module, ReLU, Sequential};
///
/// let net = Sequential::new((Linear::new(784, 128), ReLU, Linear::new(128, 10)));
/// let summary = net.summary();
/// assert_eq!(summary.total(), 101_770);
/// println!("{summary}");
/// ```
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
    shapes: Vec<String>,
    parameters: usize,
}

impl Summary {
    pub(super) fn of<T: Float, M: Module<T> + ?Sized>(module: &M) -> Self {
        let mut rows = vec![Row { name: String::new(), kind: module.kind(), shapes: vec![], parameters: 0 }];
        each(module, |path, member| match member {
            Member::Enter(kind) => {
                rows.push(Row { name: path.to_string(), kind, shapes: vec![], parameters: 0 });
            }
            Member::Parameter(parameter) => {
                // A parameter that is a field of its own is counted with the part that has the field.
                if rows.last().is_some_and(|row| row.name == path && rows.len() > 1) {
                    rows.pop();
                }
                let owner = path.rsplit_once('.').map_or("", |(owner, _)| owner);
                if let Some(row) = rows.iter_mut().rfind(|row| row.name == owner) {
                    row.shapes.push(format!("{:?}", parameter.shape()));
                    row.parameters += parameter.len();
                }
            }
            Member::Buffer(_) | Member::Training(_) => {}
        });
        rows.retain(|row| row.parameters > 0);
        let parameters = module.named_parameters();
        let frozen = parameters.iter().filter(|(_, p)| !p.needs_grad()).map(|(_, p)| p.len()).sum();
        Summary { rows, total: parameters.elements(), frozen }
    }

    /// The number of learned numbers in the whole model; what is tied counts once.
    pub fn total(&self) -> usize {
        self.total
    }
}

impl fmt::Display for Summary {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let cells = |row: &Row| {
            [row.name.clone(), row.kind.to_string(), row.shapes.join(" "), row.parameters.to_string()]
        };
        let mut table = vec![["part", "kind", "shapes", "parameters"].map(String::from)];
        table.extend(self.rows.iter().map(cells));
        let width = |column: usize| table.iter().map(|row| row[column].chars().count()).max().unwrap_or(0);
        let [a, b, c, d] = [width(0), width(1), width(2), width(3)];
        for [name, kind, shapes, parameters] in &table {
            writeln!(f, "{name:a$}  {kind:b$}  {shapes:c$}  {parameters:>d$}")?;
        }
        write!(f, "{} parameters, {} of them frozen", self.total, self.frozen)
    }
}

/// A type's name without its path and its own parameters.
pub(super) fn short_name(name: &'static str) -> &'static str {
    let end = name.find('<').unwrap_or(name.len());
    let start = name[..end].rfind("::").map_or(0, |at| at + 2);
    &name[start..end]
}
