//! Where the nodes of a graph are drawn: layer under layer, inputs at the top.
//!
//! The method of K. Sugiyama, S. Tagawa and M. Toda ("Methods for visual understanding of hierarchical system structures",
//! 1981): give every node a layer, put a joint into each layer that an edge passes through, order the layers so that few
//! edges cross, then find the places. The last step is an exact one here: the places in a layer that are nearest to
//! where its neighbours are, at the distances that the widths ask for, are an isotonic regression.
//!
//! Two nodes never overlap: in a layer the distances forbid it, and layers have room of their own.

use crate::tensor::order::ascending;

/// Room between nodes of a layer, and between a node and a passing edge.
const GAP: f64 = 26.0;
/// Room between layers, where edges bend.
const RISE: f64 = 46.0;
/// Room around the picture.
const MARGIN: f64 = 20.0;
/// How often the layers are put in order, and their places adjusted.
const SWEEPS: usize = 12;

/// A point of the drawing, in pixels from the top left.
pub(super) type Point = (f64, f64);

/// Where everything is.
#[derive(Debug)]
pub(super) struct Layout {
    /// The centre of each node.
    pub(super) centres: Vec<Point>,
    /// For each edge the points that it passes through, two for each layer: in between it is straight, from layer to layer
    /// it bends.
    pub(super) paths: Vec<Vec<Point>>,
    pub(super) width: f64,
    pub(super) height: f64,
}

/// A node, or a joint of a long edge: something with a place in a layer.
struct Item {
    layer: usize,
    width: f64,
    /// Items of the layer above that lead here, and of the layer below that this leads to.
    above: Vec<usize>,
    below: Vec<usize>,
    x: f64,
    joint: bool,
}

/// Finds the places of nodes of these sizes. An edge is `(from, to)` with `from < to`.
pub(super) fn layered(sizes: &[(f64, f64)], edges: &[(usize, usize)]) -> Layout {
    let layers = layers(sizes.len(), edges);
    let mut items: Vec<Item> =
        sizes.iter().zip(&layers).map(|(size, layer)| Item::new(*layer, size.0)).collect();
    // What passes through the layers below a node: one joint in each, shared by all edges from the node.
    let mut joints: Vec<Vec<usize>> = vec![Vec::new(); sizes.len()];
    for &(from, to) in edges {
        let mut last = from;
        for layer in layers[from] + 1..layers[to] {
            let depth = layer - layers[from] - 1;
            if depth == joints[from].len() {
                items.push(Item { joint: true, ..Item::new(layer, 0.0) });
                let joint = items.len() - 1;
                joints[from].push(joint);
                connect(&mut items, last, joint);
            }
            last = joints[from][depth];
        }
        connect(&mut items, last, to);
    }
    let count = layers.iter().max().map_or(0, |last| last + 1);
    let mut rows: Vec<Vec<usize>> = vec![Vec::new(); count];
    for (number, item) in items.iter().enumerate() {
        rows[item.layer].push(number);
    }
    order(&mut rows, &mut items);
    place(&rows, &mut items);
    straighten(&rows, &mut items, &joints);
    draw(sizes, edges, &layers, &joints, &rows, items)
}

impl Item {
    fn new(layer: usize, width: f64) -> Item {
        Item { layer, width, above: Vec::new(), below: Vec::new(), x: 0.0, joint: false }
    }
}

fn connect(items: &mut [Item], from: usize, to: usize) {
    items[from].below.push(to);
    items[to].above.push(from);
}

/// The layer of each node: right above the first node that reads it, so that what is used late is drawn late.
fn layers(nodes: usize, edges: &[(usize, usize)]) -> Vec<usize> {
    let mut read_by = vec![Vec::new(); nodes];
    for &(from, to) in edges {
        read_by[from].push(to);
    }
    let mut heights = vec![0; nodes];
    for node in (0..nodes).rev() {
        heights[node] = read_by[node].iter().map(|&to| heights[to] + 1).max().unwrap_or(0);
    }
    let highest = heights.iter().max().copied().unwrap_or(0);
    heights.into_iter().map(|height| highest - height).collect()
}

/// Orders the layers so that few edges cross: each item at the mean position of its neighbours, from the top down and
/// back up again; the best order that was met is kept.
fn order(rows: &mut Vec<Vec<usize>>, items: &mut [Item]) {
    let mut best = (crossings(rows, items), rows.clone());
    for sweep in 0..SWEEPS {
        let down = sweep % 2 == 0;
        let mut position = vec![0.0; items.len()];
        let sequence: Vec<usize> =
            if down { (0..rows.len()).collect() } else { (0..rows.len()).rev().collect() };
        for layer in sequence {
            let mean = |item: usize| {
                let neighbours = if down { &items[item].above } else { &items[item].below };
                let sum: f64 = neighbours.iter().map(|&neighbour| position[neighbour]).sum();
                (!neighbours.is_empty()).then(|| sum / neighbours.len() as f64)
            };
            // What has no neighbour there stays where it is.
            let row = &rows[layer];
            let means = row.iter().enumerate().map(|(at, &item)| mean(item).unwrap_or(at as f64));
            rows[layer] = ascending(means).map(|at| row[at]).collect();
            for (at, &item) in rows[layer].iter().enumerate() {
                position[item] = at as f64;
            }
        }
        let found = crossings(rows, items);
        if found < best.0 {
            best = (found, rows.clone());
        }
    }
    *rows = best.1;
}

/// How many pairs of edges cross between neighbouring layers.
fn crossings(rows: &[Vec<usize>], items: &[Item]) -> usize {
    let mut position = vec![0; items.len()];
    for row in rows {
        for (at, &item) in row.iter().enumerate() {
            position[item] = at;
        }
    }
    let mut crossings = 0;
    for row in rows {
        // The lower ends, in the order of the upper ones: every inversion is a crossing. Counted with a Fenwick tree.
        let mut ends: Vec<usize> = Vec::new();
        for &item in row {
            let mut below: Vec<usize> = items[item].below.iter().map(|&to| position[to]).collect();
            below.sort_unstable();
            ends.extend(below);
        }
        let mut tree = vec![0_usize; ends.iter().max().map_or(0, |last| last + 2)];
        for (seen, &end) in ends.iter().enumerate() {
            let (mut not_right, mut at) = (0, end + 1);
            while at > 0 {
                not_right += tree[at];
                at &= at - 1;
            }
            crossings += seen - not_right;
            at = end + 1;
            while at < tree.len() {
                tree[at] += 1;
                at += at & at.wrapping_neg();
            }
        }
    }
    crossings
}

/// Finds the places along the layers, near those of the neighbours.
fn place(rows: &[Vec<usize>], items: &mut [Item]) {
    for row in rows {
        let mut x = 0.0;
        for pair in row.windows(2) {
            items[pair[0]].x = x;
            x += distance(items, pair[0], pair[1]);
        }
        if let Some(&last) = row.last() {
            items[last].x = x;
        }
    }
    for sweep in 0..2 * SWEEPS {
        let last = sweep + 2 >= 2 * SWEEPS;
        let sequence: Vec<usize> =
            if sweep % 2 == 0 { (0..rows.len()).collect() } else { (0..rows.len()).rev().collect() };
        for layer in sequence {
            let mut wanted = Vec::with_capacity(rows[layer].len());
            for &number in &rows[layer] {
                let item = &items[number];
                let (above, below) = match (sweep % 2 == 0, last) {
                    (_, true) => (&item.above[..], &item.below[..]),
                    (true, _) => (&item.above[..], &[][..]),
                    (false, _) => (&[][..], &item.below[..]),
                };
                // A joint pulls harder, so that long edges become straight.
                let pull = |&neighbour: &usize| {
                    let weight = if item.joint && items[neighbour].joint { 8.0 } else { 1.0 };
                    (items[neighbour].x * weight, weight)
                };
                let (sum, weight) =
                    above.iter().chain(below).map(pull).fold((0.0, 0.0), |a, b| (a.0 + b.0, a.1 + b.1));
                wanted.push(if weight > 0.0 { (sum / weight, weight) } else { (item.x, 0.1) });
            }
            let gaps: Vec<f64> =
                rows[layer].windows(2).map(|pair| distance(items, pair[0], pair[1])).collect();
            for (&number, x) in rows[layer].iter().zip(nearest(&wanted, &gaps)) {
                items[number].x = x;
            }
        }
    }
}

/// Puts the joints of an edge in a vertical line, as far down as the neighbours leave room for one, and then in the next.
fn straighten(rows: &[Vec<usize>], items: &mut [Item], chains: &[Vec<usize>]) {
    let mut position = vec![0; items.len()];
    for row in rows {
        for (at, &item) in row.iter().enumerate() {
            position[item] = at;
        }
    }
    let room = |items: &[Item], joint: usize| {
        let (row, at) = (&rows[items[joint].layer], position[joint]);
        let left = at.checked_sub(1).map(|left| items[row[left]].x + distance(items, row[left], joint));
        let right = row.get(at + 1).map(|&right| items[right].x - distance(items, joint, right));
        (left.unwrap_or(f64::NEG_INFINITY), right.unwrap_or(f64::INFINITY))
    };
    for chain in chains {
        let mut start = 0;
        while start < chain.len() {
            let (mut low, mut high) = room(items, chain[start]);
            let mut end = start + 1;
            while let Some(&joint) = chain.get(end) {
                let (left, right) = room(items, joint);
                if low.max(left) > high.min(right) {
                    break;
                }
                (low, high) = (low.max(left), high.min(right));
                end += 1;
            }
            let mean =
                chain[start..end].iter().map(|&joint| items[joint].x).sum::<f64>() / (end - start) as f64;
            for &joint in &chain[start..end] {
                items[joint].x = mean.max(low).min(high);
            }
            start = end;
        }
    }
}

/// How far apart the centres of two neighbours in a layer are at least.
fn distance(items: &[Item], left: usize, right: usize) -> f64 {
    (items[left].width + items[right].width) / 2.0 + GAP
}

/// The places nearest to the wanted ones (in weighted squares) that keep the distances: after moving each by the distances
/// before it, they must not decrease, and pooling neighbours that do finds the least squares (R. Barlow et al., Statistical
/// inference under order restrictions, 1972).
fn nearest(wanted: &[(f64, f64)], gaps: &[f64]) -> Vec<f64> {
    let mut offset = 0.0;
    let mut offsets = Vec::with_capacity(wanted.len());
    // Blocks of equal places: the mean, the weight, how many.
    let mut blocks: Vec<(f64, f64, usize)> = Vec::new();
    for (i, &(place, weight)) in wanted.iter().enumerate() {
        offsets.push(offset);
        let mut block = (place - offset, weight, 1);
        while let Some(&(mean, before, count)) = blocks.last() {
            if mean <= block.0 {
                break;
            }
            let together = before + block.1;
            block = ((mean * before + block.0 * block.1) / together, together, count + block.2);
            blocks.pop();
        }
        blocks.push(block);
        offset += gaps.get(i).copied().unwrap_or(0.0);
    }
    let places = blocks.iter().flat_map(|&(mean, _, count)| std::iter::repeat_n(mean, count));
    places.zip(offsets).map(|(place, offset)| place + offset).collect()
}

/// Turns places into points.
fn draw(
    sizes: &[(f64, f64)],
    edges: &[(usize, usize)],
    layers: &[usize],
    joints: &[Vec<usize>],
    rows: &[Vec<usize>],
    mut items: Vec<Item>,
) -> Layout {
    let left = items.iter().map(|item| item.x - item.width / 2.0).fold(f64::INFINITY, f64::min);
    let right = items.iter().map(|item| item.x + item.width / 2.0).fold(f64::NEG_INFINITY, f64::max);
    for item in &mut items {
        item.x += MARGIN - left;
    }
    // The top and bottom of each layer.
    let mut bands = Vec::with_capacity(rows.len());
    let mut top = MARGIN;
    for row in rows {
        let height = row.iter().filter_map(|&item| sizes.get(item)).map(|size| size.1).fold(0.0, f64::max);
        bands.push((top, top + height));
        top += height + RISE;
    }
    let centres: Vec<Point> = (0..sizes.len())
        .map(|node| {
            let (top, bottom) = bands[layers[node]];
            (items[node].x, (top + bottom) / 2.0)
        })
        .collect();
    // Edges arrive side by side along the top of a node, in the order of where they come from.
    let mut arrivals: Vec<Vec<(f64, usize)>> = vec![Vec::new(); sizes.len()];
    for (edge, &(from, to)) in edges.iter().enumerate() {
        let from = joints[from].get(layers[to].wrapping_sub(layers[from] + 2)).copied().unwrap_or(from);
        arrivals[to].push((items[from].x, edge));
    }
    let mut ports = vec![0.0; edges.len()];
    for (node, arrivals) in arrivals.iter().enumerate() {
        let (width, count) = (sizes[node].0, arrivals.len() as f64);
        for (k, arrival) in ascending(arrivals.iter().map(|(x, _)| *x)).enumerate() {
            ports[arrivals[arrival].1] = centres[node].0 + width * ((k as f64 + 1.0) / (count + 1.0) - 0.5);
        }
    }
    let path = |(edge, &(from, to)): (usize, &(usize, usize))| {
        let mut path = vec![
            (items[from].x, centres[from].1 + sizes[from].1 / 2.0),
            (items[from].x, bands[layers[from]].1),
        ];
        for layer in layers[from] + 1..layers[to] {
            let x = items[joints[from][layer - layers[from] - 1]].x;
            path.extend([(x, bands[layer].0), (x, bands[layer].1)]);
        }
        path.extend([(ports[edge], bands[layers[to]].0), (ports[edge], centres[to].1 - sizes[to].1 / 2.0)]);
        path
    };
    let paths = edges.iter().enumerate().map(path).collect();
    let width = if sizes.is_empty() { 0.0 } else { right - left } + 2.0 * MARGIN;
    Layout { centres, paths, width, height: (top - RISE).max(MARGIN) + MARGIN }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Rectangles that share an area.
    fn overlaps(sizes: &[(f64, f64)], centres: &[Point]) -> usize {
        let apart = |i: usize, j: usize| {
            let ((ax, ay), (bx, by)) = (centres[i], centres[j]);
            (ax - bx).abs() >= (sizes[i].0 + sizes[j].0) / 2.0 - 1e-6
                || (ay - by).abs() >= (sizes[i].1 + sizes[j].1) / 2.0 - 1e-6
        };
        (0..sizes.len()).flat_map(|i| (0..i).map(move |j| (i, j))).filter(|&(i, j)| !apart(i, j)).count()
    }

    /// Sizes of nodes, and edges between them.
    type Sketch = (Vec<(f64, f64)>, Vec<(usize, usize)>);

    /// A graph with long edges and several readers, from a small generator of its own.
    fn tangle(nodes: usize, seed: u64) -> Sketch {
        let mut state = seed;
        let mut next = |below: usize| {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            (state >> 33) as usize % below
        };
        let sizes = (0..nodes).map(|_| (40.0 + next(160) as f64, 30.0 + next(40) as f64)).collect();
        let mut edges = Vec::new();
        for to in 1..nodes {
            for _ in 0..next(3) {
                edges.push((next(to), to));
            }
        }
        (sizes, edges)
    }

    #[test]
    fn nothing_overlaps_and_edges_lead_down() {
        for seed in 0..20 {
            let (sizes, edges) = tangle(60, seed);
            let layout = layered(&sizes, &edges);
            assert_eq!(overlaps(&sizes, &layout.centres), 0, "seed {seed}");
            for path in &layout.paths {
                assert!(path.windows(2).all(|pair| pair[0].1 <= pair[1].1), "seed {seed}: {path:?}");
            }
            for ((x, y), (width, height)) in layout.centres.iter().zip(&sizes) {
                assert!(x - width / 2.0 >= 0.0 && x + width / 2.0 <= layout.width);
                assert!(y - height / 2.0 >= 0.0 && y + height / 2.0 <= layout.height);
            }
        }
    }

    #[test]
    fn a_chain_is_a_straight_line() {
        let layout = layered(&[(50.0, 20.0), (80.0, 20.0), (30.0, 20.0)], &[(0, 1), (1, 2)]);
        assert!(layout.centres.windows(2).all(|pair| (pair[0].0 - pair[1].0).abs() < 1e-9));
        assert!(layout.centres.windows(2).all(|pair| pair[0].1 < pair[1].1));
    }

    #[test]
    fn the_nearest_places_keep_their_distance() {
        let places = nearest(&[(0.0, 1.0), (0.0, 1.0), (100.0, 1.0)], &[10.0, 10.0]);
        assert_eq!(places, [-5.0, 5.0, 100.0]);
    }

    #[test]
    fn crossings_are_counted_and_undone() {
        // Two edges that cross in the order of their numbers.
        let layout = layered(&[(20.0, 20.0); 4], &[(0, 3), (1, 2)]);
        let x = |node: usize| layout.centres[node].0;
        assert!((x(0) < x(1)) == (x(3) < x(2)));
        assert_eq!(layered(&[], &[]).paths.len(), 0);
    }
}
