//! The backward engine: the chain rule over a graph.
//!
//! 1. Put each root's cotangent into its node's slot, and the node into a heap.
//! 2. Take the deepest node out; everything that can contribute to it has been run, since what uses a node is deeper.
//! 3. Run its rule: cotangents of its outputs in, gradients of its inputs out.
//! 4. Add each gradient into the slot of the node or leaf that it flows to; go to 2.
//!
//! The order is by depth, then by arrival. Both depend on the graph alone, so the sums come out in the same bits on any
//! number of threads; a global sequence number would not do (two threads that record at once get numbers by chance).
//! The engine is serial: parallelism is inside the kernels. It marks nothing on the nodes, so two passes over one graph
//! may run at once.

use super::{
    Variable, anomaly,
    mode::Mode,
    node::{Edge, End, Node, lock},
    op::{Context, Cotangents, Gradient},
    shared::Shared,
    variable::add_gradients,
};
use crate::{
    kernel::elementwise::Sum,
    ops,
    scalar::Float,
    tensor::{Dims, Tensor},
};
use rustc_hash::FxBuildHasher;
use smallvec::SmallVec;
use std::{
    cell::RefCell,
    cmp::Reverse,
    collections::{BinaryHeap, HashMap, HashSet},
    panic::Location,
};

/// From so many elements on, adding a gradient to others in a pass of its own costs as much as computing it.
const LARGE: usize = 16 * 1024;

/// A node or leaf that gradients are arriving at.
struct Pending<T: Float> {
    /// Keeps the node alive, so that its address stays its identity.
    end: Edge<T>,
    slots: SmallVec<[Option<Variable<T>>; 1]>,
}

/// The pass under way.
struct Pass<'a, T: Float> {
    pending: Vec<Option<Pending<T>>>,
    places: Places,
    /// Nodes: depth, then arrival; and the place.
    heap: BinaryHeap<(u32, Reverse<usize>, usize)>,
    /// The places of leaves, as they arrived: their turn comes when all nodes have been run.
    leaves: Vec<usize>,
    arrivals: usize,
    create_graph: bool,
    retain_graph: bool,
    started_at: &'static Location<'static>,
    /// When only some gradients are asked for: what leads to them.
    leading: Option<&'a HashSet<usize, FxBuildHasher>>,
}

/// Which end has which place in the list of those that gradients are arriving at; places are used again, so that the
/// list stays short.
///
/// Few ends wait at a time in most graphs, and looking through a short list is quicker than hashing.
#[derive(Default)]
struct Places {
    /// The address of the end at each place, 0 at free ones.
    addresses: Vec<usize>,
    free: Vec<usize>,
    /// Address to place, once there are many.
    table: HashMap<usize, usize, FxBuildHasher>,
}

impl Places {
    /// The most places that are looked through.
    const FEW: usize = 32;

    #[inline]
    fn find(&self, address: usize) -> Option<usize> {
        if self.addresses.len() <= Self::FEW {
            self.addresses.iter().position(|&known| known == address)
        } else {
            self.table.get(&address).copied()
        }
    }

    /// A place for an end that has none: a free one, or one more.
    #[inline]
    fn give(&mut self, address: usize) -> usize {
        let place = self.free.pop().unwrap_or_else(|| {
            self.addresses.push(0);
            self.addresses.len() - 1
        });
        self.addresses[place] = address;
        if self.addresses.len() > Self::FEW {
            if self.table.is_empty() {
                let known = self.addresses.iter().enumerate().filter(|&(_, &known)| known != 0);
                self.table = known.map(|(place, &known)| (known, place)).collect();
            }
            self.table.insert(address, place);
        }
        place
    }

    #[inline]
    fn take_back(&mut self, place: usize) {
        let address = std::mem::take(&mut self.addresses[place]);
        if self.addresses.len() > Self::FEW {
            self.table.remove(&address);
        }
        self.free.push(place);
    }
}

/// Runs backward from `roots` and adds to the gradients of the leaves.
pub(crate) fn backward<T: Float>(
    roots: &[&Variable<T>],
    cotangents: &[&Variable<T>],
    retain_graph: bool,
    started_at: &'static Location<'static>,
) {
    let mut add_to_leaf = |end: &End<T>, _: usize, gradient: &Variable<T>| {
        if let End::Leaf(leaf) = end {
            leaf.accumulate(gradient.value(), add_gradients);
        }
    };
    run(roots, cotangents, None, false, retain_graph, started_at, &mut add_to_leaf);
}

/// What to ask of [`gradients`].
pub(crate) struct Request {
    pub(crate) create_graph: bool,
    pub(crate) retain_graph: bool,
    pub(crate) started_at: &'static Location<'static>,
}

/// The gradients of `roots` (weighted by `cotangents`) in `targets`, leaving the leaves alone.
pub(crate) fn gradients<T: Float>(
    roots: &[&Variable<T>],
    cotangents: &[&Variable<T>],
    targets: &[&Variable<T>],
    request: &Request,
) -> Vec<Option<Variable<T>>> {
    let edges: Vec<Option<Edge<T>>> = targets.iter().map(|target| target.edge()).collect();
    let leading = leading_to(roots, &edges);
    let mut found: Vec<Option<Variable<T>>> = vec![None; targets.len()];
    let mut note = |end: &End<T>, output: usize, gradient: &Variable<T>| {
        for (edge, found) in edges.iter().zip(&mut found) {
            let Some(edge) = edge else { continue };
            if edge.end().address() == end.address() && edge.end().output() as usize == output {
                *found = Some(gradient.clone());
            }
        }
    };
    let Request { create_graph, retain_graph, started_at } = *request;
    run(roots, cotangents, Some(&leading), create_graph, retain_graph, started_at, &mut note);
    found
}

/// The addresses of the targets and of every node between the roots and them.
fn leading_to<T: Float>(
    roots: &[&Variable<T>],
    targets: &[Option<Edge<T>>],
) -> HashSet<usize, FxBuildHasher> {
    let mut leading: HashSet<usize, FxBuildHasher> =
        targets.iter().flatten().map(|target| target.end().address()).collect();
    let Some(lowest) = targets.iter().flatten().map(|target| target.end().depth()).min() else {
        return leading;
    };
    // Visit every node that is deeper than the shallowest target, then settle them from the bottom up.
    let mut seen: HashSet<usize, FxBuildHasher> = HashSet::default();
    let mut nodes = Vec::new();
    let mut stack: Vec<Edge<T>> = roots.iter().filter_map(|root| root.edge()).collect();
    while let Some(edge) = stack.pop() {
        if edge.end().depth() <= lowest || !seen.insert(edge.end().address()) {
            continue;
        }
        if let End::Output(node, _) = edge.end() {
            stack.extend(node.inputs.iter().flatten().cloned());
            nodes.push(node.clone());
        }
    }
    nodes.sort_by_key(|node| node.depth);
    for node in nodes {
        if node.inputs.iter().flatten().any(|input| leading.contains(&input.end().address())) {
            leading.insert(node.address());
        }
    }
    leading
}

/// Who looks on while a pass runs, or takes the gradients. A closure is told of complete gradients.
pub(crate) trait Watch<T: Float> {
    /// A pass that only looks: it is told of every contribution, releases nothing, and leaves retained gradients alone.
    const LOOKS_ONLY: bool = false;
    /// All contributions to this leaf, or to this output of this node, have arrived.
    fn arrived(&mut self, end: &End<T>, output: usize, gradient: &Variable<T>);
    /// The rule of `node` gave this contribution, of the input's shape, to the gradient of its input `i`; was it summed over
    /// axes along which the input had been repeated?
    fn contributed(
        &mut self,
        _node: &Shared<Node<T>>,
        _i: usize,
        _contribution: &Variable<T>,
        _summed: bool,
    ) {
    }
}

impl<T: Float, F: FnMut(&End<T>, usize, &Variable<T>)> Watch<T> for F {
    fn arrived(&mut self, end: &End<T>, output: usize, gradient: &Variable<T>) {
        self(end, output, gradient);
    }
}

/// Runs backward from `root` for somebody who only looks.
pub(crate) fn watch<T: Float, W: Watch<T>>(
    root: &Variable<T>,
    cotangent: &Variable<T>,
    started_at: &'static Location<'static>,
    watch: &mut W,
) {
    run(&[root], &[cotangent], None, false, true, started_at, watch);
}

/// Runs backward under the eyes of `watch`.
fn run<T: Float, W: Watch<T>>(
    roots: &[&Variable<T>],
    cotangents: &[&Variable<T>],
    leading: Option<&HashSet<usize, FxBuildHasher>>,
    create_graph: bool,
    retain_graph: bool,
    started_at: &'static Location<'static>,
    watch: &mut W,
) {
    let mut pass = Pass {
        pending: Vec::new(),
        places: Places::default(),
        heap: BinaryHeap::new(),
        leaves: Vec::new(),
        arrivals: 0,
        create_graph,
        retain_graph: retain_graph || create_graph,
        started_at,
        leading,
    };
    Mode { recording: create_graph, line: None, ..Mode::current() }.run(|| {
        for (k, (root, cotangent)) in roots.iter().zip(cotangents).enumerate() {
            let edge = root.edge().unwrap_or_else(|| {
                panic!("backward at {started_at}: no gradient flows into output {k}; does anything it was computed \
                        from require a gradient, and was it recorded (not under no_grad or after detach)?")
            });
            let (shape, given) = (edge.end().shape(), cotangent.shape());
            assert!(
                shape == given,
                "backward at {started_at}: the cotangent of output {k} must have its shape {shape:?}, not {given:?}"
            );
            if leading.is_none_or(|leading| leading.contains(&edge.end().address())) {
                pass.deliver(&edge, (*cotangent).clone());
            }
        }
        while let Some((_, _, place)) = pass.heap.pop() {
            pass.finish(place, watch);
        }
        for place in std::mem::take(&mut pass.leaves) {
            pass.finish(place, watch);
        }
    });
}

impl<T: Float> Pass<'_, T> {
    /// All contributions to the end at this place have arrived.
    fn finish<W: Watch<T>>(&mut self, place: usize, watch: &mut W) {
        let Pending { end, mut slots } = self.pending[place].take().expect("a place has its turn once");
        self.places.take_back(place);
        let end = end.end();
        if let Some(extras) = end.extras().get() {
            // Hooks are the user's: cloned out, so that the lock is free while they run, and what they record bears their
            // own lines, not that of the rule that ran last.
            let hooks = lock(&extras.hooks).clone();
            Mode { line: None, ..Mode::current() }.set();
            for (output, hook) in hooks {
                let slot = &mut slots[output as usize];
                if let Some(replacement) = slot.as_ref().and_then(|gradient| hook(gradient)) {
                    *slot = Some(replacement);
                }
            }
            if !W::LOOKS_ONLY {
                for (output, retained) in lock(&extras.retained).iter_mut() {
                    *retained = slots[*output as usize].as_ref().map(Variable::value);
                }
            }
        }
        for (output, gradient) in slots.iter().enumerate() {
            if let Some(gradient) = gradient {
                watch.arrived(end, output, gradient);
            }
        }
        let End::Output(node, _) = end else { return };
        if self.leading.is_some() && !node.inputs.iter().flatten().any(|input| self.leads(input)) {
            return;
        }
        Mode { recording: self.create_graph, line: Some(node.line), ..Mode::current() }.set();
        let (kept, released_at) = match W::LOOKS_ONLY {
            true => node.kept_for_inspection(),
            false => node.kept_for_backward(self.retain_graph, self.started_at),
        };
        let recording = self.create_graph;
        let sums = if W::LOOKS_ONLY { SmallVec::new() } else { self.sums_under_way(node) };
        let cx =
            Context { node, kept, recording, leading: self.leading, released_at, sums: RefCell::new(sums) };
        let mut gradients = node.op.backward(&cx, Cotangents(slots)).0;
        for (inputs, sum) in cx.sums.take() {
            let input = node.inputs[inputs.trailing_zeros() as usize].as_ref();
            *self.slot(input.expect("a sum is that of an input's gradient")) = Some(Variable::new(sum));
        }
        #[cfg(feature = "check")]
        crate::check::mutation::mutate(node.op.name(), recording, &mut gradients);
        assert!(
            gradients.len() == node.inputs.len(),
            "rule of {} (recorded at {}): it returned {} gradients for {} inputs",
            node.op.name(),
            node.line,
            gradients.len(),
            node.inputs.len()
        );
        drop(cx);
        if Mode::current().checking != anomaly::Checking::Off {
            for (i, gradient) in gradients.iter().enumerate() {
                if let Gradient::Whole(gradient) | Gradient::Part(_, gradient) = gradient {
                    anomaly::check_gradient(node.op.name(), node.line, i, &gradient.read());
                }
            }
        }
        for (i, input) in node.inputs.iter().enumerate() {
            let Some(input) = input else { continue };
            let gradient = std::mem::replace(&mut gradients[i], Gradient::None);
            if self.leading.is_some() && !self.leads(input) {
                continue;
            }
            match gradient {
                Gradient::None => {}
                Gradient::Whole(gradient) if input.end().has_shape_of(&gradient.read()) => {
                    if W::LOOKS_ONLY {
                        watch.contributed(node, i, &gradient, false);
                    }
                    self.deliver(input, gradient)
                }
                Gradient::Whole(gradient) => {
                    let (found, shape) = (gradient.shape(), input.end().shape());
                    assert!(
                        shape.broadcasts_to(&found),
                        "rule of {} (recorded at {}): the gradient of input {i} has the shape {found:?}, the input {shape:?}",
                        node.op.name(),
                        node.line
                    );
                    let gradient = ops::sum_to(&gradient, shape);
                    if W::LOOKS_ONLY {
                        watch.contributed(node, i, &gradient, true);
                    }
                    self.deliver(input, gradient);
                }
                Gradient::Part(region, part) if W::LOOKS_ONLY => {
                    let contribution = ops::place(&part, region, input.end().shape());
                    watch.contributed(node, i, &contribution, false);
                    self.deliver(input, contribution);
                }
                Gradient::Part(region, part) => self.deliver_part(input, region, part, input.end().shape()),
            }
        }
    }

    /// Takes away the sums that the rule of this node may add to by itself: large ones, of the output's shape, that nobody
    /// else holds.
    #[inline]
    fn sums_under_way(&mut self, node: &Node<T>) -> SmallVec<[Sum<T>; 1]> {
        let mut sums = SmallVec::new();
        let shape = &node.shapes[0];
        if self.create_graph || shape.count() < LARGE || Mode::current().checking != anomaly::Checking::Off {
            return sums;
        }
        for (i, input) in node.inputs.iter().enumerate().take(32) {
            let Some(edge) = input.as_ref().filter(|edge| self.leads(edge)) else { continue };
            let same = |other: &Option<Edge<T>>| {
                other.as_ref().is_some_and(|other| {
                    other.end().address() == edge.end().address()
                        && other.end().output() == edge.end().output()
                })
            };
            let first = node.inputs.iter().position(same).expect("itself, if no other");
            if first < i {
                if let Some((inputs, _)) =
                    sums.iter_mut().find(|(inputs, _): &&mut Sum<T>| inputs >> first & 1 == 1)
                {
                    *inputs |= 1 << i;
                }
                continue;
            }
            let Some(place) = self.places.find(edge.end().address()) else { continue };
            let pending = self.pending[place].as_mut().expect("its node has not been run");
            let slot = &mut pending.slots[edge.end().output() as usize];
            if let Some(sum) = slot.take_if(|sum| {
                let sum = sum.read();
                sum.is_unique() && sum.packed_ptr(shape).is_some()
            }) {
                sums.push((1 << i, sum.into_value()));
            }
        }
        sums
    }

    fn leads(&self, edge: &Edge<T>) -> bool {
        self.leading.is_none_or(|leading| leading.contains(&edge.end().address()))
    }

    /// The slot where gradients for `edge` are added up.
    fn slot(&mut self, edge: &Edge<T>) -> &mut Option<Variable<T>> {
        let end = edge.end();
        let place = match self.places.find(end.address()) {
            Some(place) => place,
            None => {
                let mut slots = SmallVec::new();
                slots.push(None);
                if let End::Output(node, _) = end {
                    for _ in 1..node.shapes.len() {
                        slots.push(None);
                    }
                }
                let pending = Some(Pending { end: edge.clone(), slots });
                let place = self.places.give(end.address());
                match self.pending.get_mut(place) {
                    Some(free) => *free = pending,
                    None => self.pending.push(pending),
                }
                match end {
                    End::Leaf(_) => self.leaves.push(place),
                    End::Output(..) => self.heap.push((end.depth(), Reverse(self.arrivals), place)),
                }
                self.arrivals += 1;
                place
            }
        };
        let pending = self.pending[place].as_mut().expect("its node has not been run");
        &mut pending.slots[end.output() as usize]
    }

    fn deliver(&mut self, edge: &Edge<T>, gradient: Variable<T>) {
        let create_graph = self.create_graph;
        let slot = self.slot(edge);
        *slot = Some(match slot.take() {
            None => gradient,
            Some(sum) if create_graph => &sum + &gradient,
            Some(sum) => Variable::new(add_gradients(sum.into_value(), gradient.into_value())),
        });
    }

    fn deliver_part(&mut self, edge: &Edge<T>, region: super::Region, part: Variable<T>, shape: Dims) {
        if self.create_graph {
            return self.deliver(edge, ops::place(&part, region, shape));
        }
        let slot = self.slot(edge);
        let sum = slot.take().map_or_else(|| Tensor::zeros(shape), Variable::into_value);
        *slot = Some(Variable::new(ops::add_region(sum, region, &part.read())));
    }
}
