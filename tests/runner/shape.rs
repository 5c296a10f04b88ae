//! The operations of the group `shape`.

use super::{Case, Output};
use serde_json::Value;
use wengert_autograd::{Float, Padding, Variable, tensor::AxisIndex};

pub fn apply<T: Float>(op: &str, case: &Case<T>) -> Option<Vec<Output<T>>> {
    let x = || case.x();
    let axis = |name: &str, default: isize| case.maybe_axis(name).unwrap_or(default);
    let dim = || case.axis("dim");
    let (index, src) = (|| case.index("index"), || case.var("src"));
    let output = match op {
        "reshape" => x().reshape(case.sizes("shape")?.as_slice()),
        "flatten" => x().flatten(axis("start_dim", 0), axis("end_dim", -1)),
        "transpose" => x().transpose(case.axis("dim0"), case.axis("dim1")),
        "permute" => x().permute(&case.axes("dims")?),
        "movedim" => x().movedims(&case.axes("source")?, &case.axes("destination")?),
        "squeeze" => match case.axes("dim") {
            Some(axes) => x().squeeze(axes.as_slice()),
            None => x().squeeze_all(),
        },
        "unsqueeze" => x().unsqueeze(dim()),
        "expand" => x().expand(case.sizes("shape")?),
        "broadcast_to" => x().broadcast_to(case.counts_of("shape")?),
        "cat" => Variable::cat(&case.vars("x"), dim()),
        "stack" => Variable::stack(&case.vars("x"), dim()),
        "split" => {
            let sizes = case.counts_of("split_size")?;
            return Some(parts(match case.attrs["split_size"].is_array() {
                true => x().split_sizes(&sizes, dim()),
                false => x().split(sizes[0], dim()),
            }));
        }
        "chunk" => return Some(parts(x().chunk(case.count("chunks", 1), dim()))),
        "unbind" => return Some(parts(x().unbind(dim()))),
        "narrow" => x().narrow(dim(), case.count("start", 0), case.count("length", 0)),
        "select" => x().select(dim(), case.axis("index")),
        "slice" => x().slice(slices(&case.attrs["slices"])?),
        "flip" => x().flip(case.axes("dims")?.as_slice()),
        "pad" => {
            let mode = match case.text("mode", "constant") {
                "constant" => Padding::Constant(case.number("value", 0.0)),
                "reflect" => Padding::Reflect,
                "replicate" => Padding::Replicate,
                "circular" => Padding::Circular,
                _ => return None,
            };
            x().pad(&case.axes("pad")?, mode)
        }
        "gather" => x().gather(dim(), index()),
        "scatter" => x().scatter(dim(), index(), src()),
        "scatter_add" => x().scatter_add(dim(), index(), src()),
        "index_select" => x().index_select(dim(), index()),
        "index_add" => x().index_add(dim(), index(), src(), case.number("alpha", 1.0)),
        "masked_fill" => x().masked_fill(case.mask("mask"), case.number("value", 0.0)),
        "masked_select" => x().masked_select(case.mask("mask")),
        "tril" => x().tril(axis("diagonal", 0)),
        "triu" => x().triu(axis("diagonal", 0)),
        "repeat" => x().repeat(case.counts_of("repeats")?),
        "repeat_interleave" => x().repeat_interleave(case.count("repeats", 1), dim()),
        "roll" => {
            let shifts = case.axes("shifts")?;
            match case.axes("dims") {
                Some(axes) => {
                    shifts.iter().zip(axes).fold(x().clone(), |x, (&shift, axis)| x.roll(shift, axis))
                }
                None => x().reshape([-1]).roll(shifts[0], 0).reshape(x().shape()),
            }
        }
        "diagonal" => x().diagonal(axis("offset", 0), axis("dim1", 0), axis("dim2", 1)),
        "unfold" => x().unfold(dim(), case.count("size", 1), case.count("step", 1)),
        _ => return None,
    };
    Some(vec![output.into()])
}

fn parts<T: Float>(parts: Vec<Variable<T>>) -> Vec<Output<T>> {
    parts.into_iter().map(Output::from).collect()
}

/// One [start, stop, step] per leading axis; any of the three may be null.
pub fn slices(list: &Value) -> Option<Vec<AxisIndex>> {
    let entry = |entry: &Value| {
        let number = |k: usize| entry[k].as_i64().map(|number| number as isize);
        AxisIndex::Span { start: number(0), stop: number(1), step: number(2).unwrap_or(1) }
    };
    Some(list.as_array()?.iter().map(entry).collect())
}
