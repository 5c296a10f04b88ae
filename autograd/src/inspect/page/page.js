"use strict";
// Shows the graph at one step: first every operation forward, then every contribution backward.
// All text comes in by textContent; nothing from the data is read as markup.
(() => {
  const data = JSON.parse(document.getElementById("data").textContent);
  const words = ["count", "min", "max", "mean", "std", "norm", "zeros", "not_finite"];
  const name = (sample) => {
    if (sample) sample.statistics = Object.fromEntries(words.map((word, i) => [word, sample.statistics[i]]));
  };
  data.nodes.forEach((node) => node.outputs.forEach((output) => [output.value, output.gradient].forEach(name)));
  data.backward.forEach((step) => name(step.contribution));
  const element = (id) => document.getElementById(id);
  const graph = document.querySelector("svg.graph");
  const drawing = element("drawing");
  const nodes = data.nodes.map((_, number) => element(`n${number}`));
  const motion = matchMedia("(prefers-reduced-motion: reduce)");

  // The steps: nothing yet, the operations, the cotangent of the result, the contributions.
  const steps = [{ phase: "start", text: "Only the inputs have values.", note: "Step with → or the buttons below." }];
  data.forward.forEach((step) => steps.push({ phase: "forward", ...step }));
  if (data.seed !== null) {
    steps.push({
      phase: "seed", node: data.output.node, text: data.seed,
      note: "The backward pass begins at the result: it changes by 1 per unit of itself.",
    });
  }
  data.backward.forEach((step) => steps.push({ phase: "backward", ...step }));
  const computedAt = new Map();
  steps.forEach((step, at) => { if (step.phase === "forward") computedAt.set(step.node, at); });
  const place = (p) => `${p.node}.${p.output}`;
  const arrivals = new Map();
  data.backward.forEach((step) => arrivals.set(place(step.target), (arrivals.get(place(step.target)) ?? 0) + 1));
  const seedAt = steps.findIndex((step) => step.phase === "seed");

  let now = 0;
  let selected = null;
  let timer = null;
  let zoom = 1;

  const make = (tag, text, parent, name) => {
    const made = document.createElement(tag);
    if (text !== null && text !== undefined) made.textContent = text;
    if (name) made.className = name;
    if (parent) parent.append(made);
    return made;
  };

  const numberText = (value) => {
    if (typeof value === "string") return value;
    const size = Math.abs(value);
    const text = size !== 0 && (size < 1e-4 || size >= 1e7) ? value.toExponential() : String(value);
    return text.replaceAll("-", "−");
  };
  const short = (value) => numberText(Number(Number(value).toPrecision(4)));
  const shapeText = (shape) => (shape === null ? "unknown" : shape.length === 0 ? "scalar" : `[${shape.join(", ")}]`);

  // The colour of a value: blue below zero, orange above, the colour of the paper at zero.
  const colours = () => {
    const style = getComputedStyle(document.documentElement);
    const channels = (name) => style.getPropertyValue(name).split(",").map(Number);
    return { low: channels("--low"), high: channels("--high"), zero: channels("--zero"), odd: style.getPropertyValue("--odd") };
  };
  const colour = (value, most, palette) => {
    if (typeof value === "string") return palette.odd;
    const end = value < 0 ? palette.low : palette.high;
    const share = most === 0 ? 0 : Math.sqrt(Math.min(1, Math.abs(value) / most));
    return `rgb(${palette.zero.map((from, i) => Math.round(from + (end[i] - from) * share)).join(",")})`;
  };

  // The index of a cell in the tensor that it was picked from.
  const indexOf = (sample, row, column) => {
    const shape = sample.shape;
    if (shape.length === 0) return "";
    const across = shape[shape.length - 1];
    const down = shape.slice(0, -1).reduce((a, b) => a * b, 1);
    let left = Math.floor((row * down) / sample.rows);
    const index = [Math.floor((column * across) / sample.columns)];
    for (let axis = shape.length - 2; axis >= 0; axis--) {
      index.unshift(left % shape[axis]);
      left = Math.floor(left / shape[axis]);
    }
    return `[${index.join(", ")}]`;
  };

  // A tensor: its number, or a heat map to point at, and its statistics.
  const showTensor = (sample, label, parent, withStatistics = true) => {
    const { rows, columns, values, statistics } = sample;
    if (values.length === 1 && sample.statistics.count === 1) {
      make("p", numberText(values[0]), parent, "number").style.margin = "0";
      return;
    }
    if (values.length > 0) {
      const figure = make("figure", null, parent, "heat");
      const canvas = make("canvas", null, figure);
      // Square cells, but a vector must not become a line too thin to point at.
      const size = Math.max(2, Math.min(28, Math.floor(340 / columns), Math.floor(260 / rows)));
      const [wide, high] = [Math.max(size, Math.ceil(22 / columns)), Math.max(size, Math.ceil(22 / rows))];
      canvas.width = columns * wide;
      canvas.height = rows * high;
      canvas.tabIndex = 0;
      canvas.setAttribute("role", "img");
      canvas.setAttribute("aria-label", `${label}, ${shapeText(sample.shape)}, from ${short(statistics.min)} to ${short(statistics.max)}`);
      const caption = make("figcaption", "point at a cell", figure, "quiet");
      const most = Math.max(Math.abs(statistics.min), Math.abs(statistics.max));
      const palette = colours();
      const context = canvas.getContext("2d");
      let cell = 0;
      const paint = () => {
        values.forEach((value, at) => {
          context.fillStyle = colour(value, most, palette);
          context.fillRect((at % columns) * wide, Math.floor(at / columns) * high, wide, high);
        });
      };
      const point = (at) => {
        cell = Math.max(0, Math.min(values.length - 1, at));
        const [row, column] = [Math.floor(cell / columns), cell % columns];
        paint();
        context.strokeStyle = getComputedStyle(document.documentElement).getPropertyValue("--ink");
        context.lineWidth = 2;
        context.strokeRect(column * wide + 1, row * high + 1, wide - 2, high - 2);
        caption.textContent = `${indexOf(sample, row, column)} = ${numberText(values[cell])}`;
        caption.classList.remove("quiet");
      };
      canvas.addEventListener("pointermove", (event) => {
        const box = canvas.getBoundingClientRect();
        const column = Math.floor(((event.clientX - box.left) / box.width) * columns);
        const row = Math.floor(((event.clientY - box.top) / box.height) * rows);
        point(Math.min(rows - 1, Math.max(0, row)) * columns + Math.min(columns - 1, Math.max(0, column)));
      });
      canvas.addEventListener("keydown", (event) => {
        const move = { ArrowLeft: -1, ArrowRight: 1, ArrowUp: -columns, ArrowDown: columns }[event.key];
        if (move === undefined) return;
        event.preventDefault();
        event.stopPropagation();
        point(cell + move);
      });
      paint();
      const scale = make("div", null, figure, "scale");
      make("span", short(-most), scale);
      make("i", null, scale);
      make("span", short(most), scale);
      make("span", "colour by √|x|", scale);
      const all = sample.shape.reduce((a, b) => a * b, 1);
      if (values.length < all) make("p", `${values.length} of ${all.toLocaleString("en")} elements, evenly spaced`, figure, "quiet");
    }
    if (!withStatistics) return;
    const list = make("dl", null, parent);
    const entry = (name, text) => { make("dt", name, list); make("dd", text, list); };
    entry("min … max", `${short(statistics.min)} … ${short(statistics.max)}`);
    entry("mean ± std", `${short(statistics.mean)} ± ${short(statistics.std)}`);
    entry("norm", short(statistics.norm));
    entry("zeros", `${statistics.zeros} of ${statistics.count}`);
    if (statistics.not_finite > 0) entry("not finite", String(statistics.not_finite));
  };

  // How far the node's results have come at this step.
  const computed = (number) => (computedAt.get(number) ?? -1) <= now;
  const arrived = (number, output) => {
    const key = `${number}.${output}`;
    const all = arrivals.get(key) ?? 0;
    const isResult = number === data.output.node && output === data.output.output;
    if (data.seed === null) return { all: 0, count: 0, complete: true };
    let count = 0;
    for (let at = seedAt + 1; at <= now && at < steps.length; at++) {
      if (place(steps[at].target) === key) count++;
    }
    return { all, count, complete: isResult ? now >= seedAt : all > 0 && count === all };
  };

  const showNode = (number) => {
    const node = data.nodes[number];
    const body = element("node");
    body.replaceChildren();
    element("node-title").textContent = node.kind === "operation" ? `${node.op}, ${node.outputs.map((o) => o.symbol).join(", ")}` : `${node.outputs[0].symbol}, ${node.op}`;
    element("unpin").hidden = selected === null;
    const list = make("dl", null, body);
    const entry = (name, text) => { make("dt", name, list); return make("dd", text, list); };
    if (node.line !== null) entry("line", node.line);
    entry("shape", node.outputs.map((output) => shapeText(output.shape)).join(", "));
    if (node.rule !== null) entry("rule", node.rule);
    const links = (name, others) => {
      if (others.length === 0) return;
      const where = entry(name, null);
      others.forEach(([other, text]) => {
        make("button", text, where).addEventListener("click", () => { select(other); nodes[other].focus(); });
      });
    };
    links("reads", node.inputs.map((input) => [input.node, data.nodes[input.node].outputs[input.output]?.symbol ?? "?"]));
    const readers = data.nodes.flatMap((other, at) => (other.inputs.some((input) => input.node === number) ? [[at, other.outputs[0].symbol]] : []));
    links("read by", readers);
    node.outputs.forEach((output, k) => {
      make("h3", node.outputs.length > 1 ? `Value of ${output.symbol}` : "Value", body);
      if (output.value === null) make("p", "was not kept: record under inspect::trace", body, "quiet");
      else if (!computed(number)) make("p", "not computed yet", body, "quiet");
      else showTensor(output.value, `value of ${output.symbol}`, body);
      make("h3", `Gradient ${output.bar}`, body);
      const { all, count, complete } = arrived(number, k);
      if (output.gradient === null) make("p", "none arrives", body, "quiet");
      else if (complete) showTensor(output.gradient, `gradient of ${output.symbol}`, body);
      else make("p", count === 0 ? "nothing has arrived yet" : `${count} of ${all} contributions have arrived`, body, "quiet");
    });
  };

  const select = (number) => {
    selected = number;
    nodes.forEach((node, at) => {
      node.classList.toggle("selected", at === number);
      node.setAttribute("aria-pressed", String(at === number));
    });
    showNode(number ?? steps[now].node ?? data.output.node);
  };

  const titles = { start: "Start", forward: "Forward", seed: "Backward", backward: "Backward" };
  const gradientTexts = nodes.map((node) => node.querySelector(".grad"));
  const complete = gradientTexts.map((text) => text?.textContent ?? "");

  const show = (to) => {
    now = Math.max(0, Math.min(steps.length - 1, to));
    const step = steps[now];
    const backward = step.phase === "backward" || step.phase === "seed";
    graph.classList.toggle("forward", step.phase === "forward");
    graph.classList.toggle("backward", backward);
    graph.querySelectorAll(".now, .target, .flowed").forEach((lit) => lit.classList.remove("now", "target", "flowed"));
    nodes.forEach((node, number) => node.classList.toggle("done", computed(number)));
    // What has flowed so far, and the numbers that it has come to.
    const soFar = new Map();
    steps.slice(0, now + 1).forEach((past) => {
      if (past.phase === "seed") nodes[past.node].classList.add("flowed");
      if (past.phase !== "backward") return;
      element(`e${past.node}-${past.input}`).classList.add("flowed");
      nodes[past.target.node].classList.add("flowed");
      if (past.so_far !== null) soFar.set(past.target.node, past.so_far);
    });
    gradientTexts.forEach((text, number) => {
      if (text === null) return;
      if (data.seed === null) { nodes[number].classList.add("flowed"); return; }
      const name = complete[number].split(" ")[0];
      text.textContent = soFar.has(number) ? `${name} ${soFar.get(number)}` : complete[number];
    });
    if (step.node !== undefined) nodes[step.node].classList.add("now");
    if (step.phase === "forward") {
      data.nodes[step.node].inputs.forEach((_, i) => element(`e${step.node}-${i}`).classList.add("now"));
    }
    if (step.phase === "backward") {
      element(`e${step.node}-${step.input}`).classList.add("now");
      nodes[step.target.node].classList.add("target");
    }

    const card = element("step-card");
    card.className = `card ${step.phase === "forward" ? "forward" : backward ? "backward" : ""}`;
    const { op, line } = step.node === undefined ? {} : data.nodes[step.node];
    element("phase").textContent = op === undefined ? titles[step.phase] : `${titles[step.phase]}: ${op}`;
    element("formula").textContent = step.text;
    element("note").textContent = step.note ?? (line === null ? "" : `recorded at ${line}`);
    const contribution = element("contribution");
    contribution.replaceChildren();
    if (step.phase === "backward") {
      const target = data.nodes[step.target.node].outputs[step.target.output];
      const sample = step.contribution ?? target?.gradient;
      if (sample && sample.statistics.count > 1) {
        make("h3", `What is added to ${target.bar}`, contribution);
        showTensor(sample, `contribution to ${target.bar}`, contribution, false);
      }
    }
    if (step.phase === "forward") {
      const output = data.nodes[step.node].outputs[0];
      if (output.value !== null && output.value.statistics.count > 1) {
        make("h3", `Value of ${output.symbol}`, contribution);
        showTensor(output.value, `value of ${output.symbol}`, contribution, false);
      }
    }
    showNode(selected ?? step.target?.node ?? step.node ?? data.output.node);

    element("slider").value = String(now);
    element("slider").setAttribute("aria-valuetext", `${titles[step.phase]}, ${step.text}`);
    element("count").textContent = `${titles[step.phase]}, step ${now} of ${steps.length - 1}`;
    element("first").disabled = element("back").disabled = now === 0;
    element("forward").disabled = element("last").disabled = now === steps.length - 1;
    if (now === steps.length - 1) pause();
    reveal(step);
  };

  // Brings what is lit into view, and nothing else.
  const reveal = (step) => {
    if (step.node === undefined) return;
    const lit = [nodes[step.node], step.target && nodes[step.target.node]].filter(Boolean).map((node) => node.getBoundingClientRect());
    const view = drawing.getBoundingClientRect();
    const [top, bottom] = [Math.min(...lit.map((box) => box.top)), Math.max(...lit.map((box) => box.bottom))];
    const [left, right] = [Math.min(...lit.map((box) => box.left)), Math.max(...lit.map((box) => box.right))];
    const shift = (low, high, from, to) => (low < from + 20 || high > to - 20 ? (low + high) / 2 - (from + to) / 2 : 0);
    const by = { left: shift(left, right, view.left, view.right), top: shift(top, bottom, view.top, view.bottom) };
    if (by.left !== 0 || by.top !== 0) drawing.scrollBy({ ...by, behavior: motion.matches ? "auto" : "smooth" });
  };

  const pause = () => {
    clearInterval(timer);
    timer = null;
    element("play").textContent = "▶ play";
    element("play").setAttribute("aria-label", "Play");
  };
  const play = () => {
    if (timer !== null) { pause(); return; }
    if (now === steps.length - 1) show(0);
    timer = setInterval(() => show(now + 1), 900);
    element("play").textContent = "❚❚ pause";
    element("play").setAttribute("aria-label", "Pause");
  };
  const go = (to) => { pause(); show(to); };

  const box = graph.viewBox.baseVal;
  const setZoom = (to) => {
    zoom = Math.max(0.1, Math.min(4, to));
    graph.setAttribute("width", String(Math.round(box.width * zoom)));
    graph.setAttribute("height", String(Math.round(box.height * zoom)));
  };
  const fit = () => setZoom(Math.min(1.25, (drawing.clientWidth - 28) / box.width, (drawing.clientHeight - 28) / box.height));
  // At first as large as can be read; whoever wants to see the whole presses f.
  const open = () => setZoom(Math.max(0.75, Math.min(1.25, (drawing.clientWidth - 28) / box.width, (drawing.clientHeight - 28) / box.height)));

  const dark = matchMedia("(prefers-color-scheme: dark)");
  const setTheme = (name) => { document.documentElement.dataset.theme = name; show(now); };
  const theme = () => setTheme(document.documentElement.dataset.theme === "dark" ? "light" : "dark");

  const actions = {
    first: () => go(0), back: () => go(now - 1), forward: () => go(now + 1), last: () => go(steps.length - 1),
    play, unpin: () => select(null), smaller: () => setZoom(zoom / 1.25), larger: () => setZoom(zoom * 1.25), fit, theme,
  };
  const keys = {
    ArrowLeft: "back", ArrowRight: "forward", Home: "first", End: "last", " ": "play",
    "-": "smaller", "+": "larger", "=": "larger", f: "fit", t: "theme", Escape: "unpin",
  };
  Object.entries(actions).forEach(([id, action]) => element(id).addEventListener("click", action));
  element("slider").max = String(steps.length - 1);
  element("slider").addEventListener("input", (event) => go(Number(event.target.value)));
  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    // The slider and the buttons have keys of their own.
    if (event.target.id === "slider" && event.key !== " ") return;
    if (event.target.tagName === "BUTTON" && (event.key === " " || event.key === "Enter")) return;
    const action = keys[event.key];
    if (action === undefined) return;
    event.preventDefault();
    actions[action]();
  });
  nodes.forEach((node, number) => {
    node.setAttribute("tabindex", "0");
    node.setAttribute("role", "button");
    node.setAttribute("aria-pressed", "false");
    node.addEventListener("click", () => select(selected === number ? null : number));
    node.addEventListener("keydown", (event) => {
      if (event.key !== "Enter" && event.key !== " ") return;
      event.preventDefault();
      event.stopPropagation();
      select(selected === number ? null : number);
    });
  });

  document.documentElement.dataset.theme = dark.matches ? "dark" : "light";
  dark.addEventListener("change", () => setTheme(dark.matches ? "dark" : "light"));
  // page.html#12 opens at step 12.
  const hash = () => Number.parseInt(location.hash.slice(1), 10) || 0;
  addEventListener("hashchange", () => go(hash()));
  open();
  show(hash());
})();
