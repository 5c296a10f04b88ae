"""The workloads of benches/workloads in PyTorch, eager, on the processor, driven from Python.

    python workloads_torch.py THREADS [NAME...]

One JSON object a figure, under the same names. PEER_REPEATS and PEER_REPEAT_SECONDS say how often and how long to measure,
PEER_WEIGHTS=DIR saves the initial weights as DIR/<workload>.safetensors, PEER_NAME is the name of this side.
"""
import json
import os
import resource
import statistics
import sys
import time

THREADS = int(sys.argv[1]) if len(sys.argv) > 1 else 2
os.environ.setdefault("OMP_NUM_THREADS", str(THREADS))
os.environ.setdefault("MKL_NUM_THREADS", str(THREADS))

import numpy as np  # noqa: E402 (the threads are read when the libraries load)
import torch  # noqa: E402
from torch import nn  # noqa: E402
from torch.nn import functional  # noqa: E402

torch.set_num_threads(THREADS)
torch.manual_seed(0)
REPEATS = int(os.environ.get("PEER_REPEATS", "7"))
SECONDS = float(os.environ.get("PEER_REPEAT_SECONDS", "1.0"))


# Data: the same numbers in every framework, computed from a seed by counting.

def words(seed, count):
    """Word i is splitmix64's output for the state seed * 2^40 + i."""
    gamma = np.uint64(0x9E3779B97F4A7C15)
    with np.errstate(over="ignore"):
        z = (np.uint64(seed << 40) + np.arange(count, dtype=np.uint64)) * gamma + gamma
        z = (z ^ (z >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
        z = (z ^ (z >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
        return z ^ (z >> np.uint64(31))


def uniform(seed, *shape):
    """Numbers in [0, 1)."""
    numbers = (words(seed, int(np.prod(shape))) >> np.uint64(40)).astype(np.float32) / np.float32(1 << 24)
    return torch.from_numpy(numbers.reshape(shape))


def symmetric(seed, *shape):
    """Numbers in [-1, 1)."""
    return uniform(seed, *shape) * 2 - 1


def integers(seed, high, *shape):
    """Whole numbers in [0, high)."""
    numbers = (words(seed, int(np.prod(shape))) >> np.uint64(33)) % np.uint64(high)
    return torch.from_numpy(numbers.astype(np.int64).reshape(shape))


# Measuring.

def report(workload, metric, value, unit):
    peer = os.environ.get("PEER_NAME", "torch")
    figure = {"peer": peer, "workload": workload, "metric": metric, "value": float(value), "unit": unit, "threads": THREADS}
    print(json.dumps(figure), flush=True)


def seconds_per_call(call, calls=None):
    """The median over the repeats, after a warm-up."""
    call()
    if calls is None:
        start, done = time.perf_counter(), 0
        while time.perf_counter() - start < 0.3 or done < 2:
            call()
            done += 1
        calls = max(1, int(SECONDS * done / (time.perf_counter() - start)))
    else:
        for _ in range(max(1, calls // 5)):
            call()
    times = []
    for _ in range(REPEATS):
        start = time.perf_counter()
        for _ in range(calls):
            call()
        times.append((time.perf_counter() - start) / calls)
    return statistics.median(times)


def train(name, model, batches, optimizer, unit, calls=None):
    """A step: clear the gradients, forward, cross entropy, backward, update."""
    if folder := os.environ.get("PEER_WEIGHTS"):
        from safetensors.torch import save_file
        os.makedirs(folder, exist_ok=True)
        save_file({k: v.contiguous() for k, v in model.state_dict().items()}, os.path.join(folder, f"{name}.safetensors"))

    def loss(turn):
        x, y = batches[turn % len(batches)]
        scores = model(x)
        return functional.cross_entropy(scores.reshape(-1, scores.shape[-1]), y.reshape(-1))

    def step(turn):
        optimizer.zero_grad(set_to_none=True)
        value = loss(turn)
        value.backward()
        optimizer.step()
        return value.detach()

    def loss_of_first_batch():
        with torch.no_grad():
            return loss(0).item()

    report(name, "loss_first", loss_of_first_batch(), "nats")
    for turn in range(20):
        step(turn)
    report(name, "loss_20", loss_of_first_batch(), "nats")
    turns, last = iter(range(10**9)), [None]

    def measured():
        last[0] = step(next(turns))

    seconds = seconds_per_call(measured, calls)
    report(name, "train_step", seconds * {"us/step": 1e6, "ms/step": 1e3}[unit], unit)
    report(name, "loss_last", last[0].item(), "nats")


# Models.

def mnist_mlp():
    return nn.Sequential(nn.Linear(784, 128), nn.ReLU(), nn.Linear(128, 10))


def lenet():
    return nn.Sequential(nn.Conv2d(1, 32, 3), nn.ReLU(), nn.Conv2d(32, 64, 3), nn.ReLU(), nn.MaxPool2d(2),
                         nn.Flatten(), nn.Linear(64 * 12 * 12, 128), nn.ReLU(), nn.Linear(128, 10))


class TextLstm(nn.Module):
    def __init__(self, vocabulary, embedding, hidden):
        super().__init__()
        self.emb = nn.Embedding(vocabulary, embedding)
        self.lstm = nn.LSTM(embedding, hidden, batch_first=True)
        self.out = nn.Linear(hidden, 2)

    def forward(self, text):
        sequence, _ = self.lstm(self.emb(text))
        return self.out(sequence[:, -1])


class Block(nn.Module):
    def __init__(self, width, heads):
        super().__init__()
        self.heads = heads
        self.ln1, self.ln2 = nn.LayerNorm(width), nn.LayerNorm(width)
        self.qkv, self.proj = nn.Linear(width, 3 * width), nn.Linear(width, width)
        self.up, self.down = nn.Linear(width, 4 * width), nn.Linear(4 * width, width)

    def forward(self, x):
        batch, time_, width = x.shape
        parts = self.qkv(self.ln1(x)).chunk(3, dim=-1)
        q, k, v = (z.view(batch, time_, self.heads, width // self.heads).transpose(1, 2) for z in parts)
        attended = functional.scaled_dot_product_attention(q, k, v, is_causal=True)
        x = x + self.proj(attended.transpose(1, 2).reshape(batch, time_, width))
        return x + self.down(functional.gelu(self.up(self.ln2(x))))


class Gpt(nn.Module):
    def __init__(self, vocabulary=65, width=128, heads=4, layers=4, time_=128):
        super().__init__()
        self.tok, self.pos = nn.Embedding(vocabulary, width), nn.Embedding(time_, width)
        self.blocks = nn.ModuleList(Block(width, heads) for _ in range(layers))
        self.ln = nn.LayerNorm(width)
        self.head = nn.Linear(width, vocabulary)

    def forward(self, text):
        x = self.tok(text) + self.pos(torch.arange(text.shape[1]))
        for block in self.blocks:
            x = block(x)
        return self.head(self.ln(x))


# The workloads.

def w1():
    for batch in (32, 256):
        for fused in (False, True):
            batches = [(uniform(100 + i, batch, 784), integers(200 + i, 10, batch)) for i in range(16)]
            model = mnist_mlp()
            adam = torch.optim.Adam(model.parameters(), 1e-3, fused=fused)
            train(f"w1_mnist_mlp_b{batch}{'_fusedopt' * fused}", model, batches, adam, "us/step", calls=500)


def w2():
    model = nn.Sequential(nn.Linear(1024, 2048), nn.ReLU(), nn.Linear(2048, 2048), nn.ReLU(), nn.Linear(2048, 1000))
    batches = [(symmetric(300 + i, 256, 1024), integers(400 + i, 1000, 256)) for i in range(4)]
    train("w2_wide_mlp", model, batches, torch.optim.SGD(model.parameters(), 1e-2, momentum=0.9), "ms/step")


def w3():
    model = lenet()
    batches = [(uniform(500 + i, 64, 1, 28, 28), integers(600 + i, 10, 64)) for i in range(4)]
    with open("/proc/self/statm") as statm:
        before = int(statm.read().split()[1]) * os.sysconf("SC_PAGE_SIZE") / 2**20
    train("w3_lenet_cnn", model, batches, torch.optim.Adam(model.parameters(), 1e-3), "ms/step")
    report("w3_lenet_cnn", "peak_rss", resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024, "MiB")
    report("w3_lenet_cnn", "rss_before_first_step", before, "MiB")


def w4():
    for name, vocabulary, width, time_, batch, unit in (("w4_lstm_text", 10000, 128, 100, 32, "ms/step"),
                                                        ("w4_lstm_tiny", 1000, 64, 10, 3, "us/step")):
        model = TextLstm(vocabulary, width, width)
        batches = [(integers(700 + i, vocabulary, batch, time_), integers(800 + i, 2, batch)) for i in range(4)]
        train(name, model, batches, torch.optim.Adam(model.parameters(), 1e-3), unit)


def w5():
    model, batches = Gpt(), []
    for i in range(4):
        text = integers(900 + i, 65, 16, 129)
        batches.append((text[:, :-1].contiguous(), text[:, 1:].contiguous()))
    train("w5_gpt_mini", model, batches, torch.optim.AdamW(model.parameters(), 3e-4, weight_decay=0.1), "ms/step")


def w6():
    turns = 3334
    for n in (1, 64):
        a, b, x0 = (torch.full((n,), value, requires_grad=True) for value in (0.9, 0.1, 0.5))
        times = []
        for _ in range(12):
            a.grad = b.grad = x0.grad = None
            start = time.perf_counter()
            x = x0
            for _ in range(turns):
                x = torch.tanh(x * a + b)
            recorded = time.perf_counter()
            x.sum().backward()
            differentiated = time.perf_counter()
            with torch.no_grad():
                x = x0
                for _ in range(turns):
                    x = torch.tanh(x * a + b)
            end = time.perf_counter()
            times.append((recorded - start, differentiated - recorded, end - differentiated))
        for metric, of_it in zip(("forward_recorded", "backward", "forward_no_grad"), zip(*times[3:])):
            report(f"w6_small_ops_n{n}", metric, statistics.median(of_it) / (3 * turns) * 1e9, "ns/op")


def w7():
    n = 4 << 20
    x = symmetric(11, n).requires_grad_()

    def value():
        return (torch.tanh(x) * torch.exp(-x * x) + x * 2).sum()

    def both():
        x.grad = None
        value().backward()

    seconds = seconds_per_call(both)
    report("w7_elementwise", "fwd_bwd", seconds * 1e3, "ms")
    report("w7_elementwise", "fwd_bwd_effective", 12 * n / seconds / 1e9, "GB/s")
    with torch.no_grad():
        report("w7_elementwise", "fwd_no_grad", seconds_per_call(value) * 1e3, "ms")


def w8():
    for name, left, right in (("1024", (1024, 1024), (1024, 1024)), ("2048", (2048, 2048), (2048, 2048)),
                              ("32x784x128", (32, 784), (784, 128)), ("b16_128x64x128", (16, 128, 64), (16, 64, 128))):
        a, b = symmetric(21, *left).requires_grad_(), symmetric(22, *right).requires_grad_()
        with torch.no_grad():
            weights = symmetric(23, *(a @ b).shape)
        operations = 2 * weights.numel() * left[-1]

        def forward():
            with torch.no_grad():
                a @ b

        def both():
            a.grad = b.grad = None
            ((a @ b) * weights).sum().backward()

        for metric, call, products in (("forward", forward, 1), ("fwd_bwd", both, 3)):
            seconds = seconds_per_call(call)
            report(f"w8_matmul_{name}", metric, products * operations / seconds / 1e9, "GFLOP/s")
            report(f"w8_matmul_{name}", f"{metric}_time", seconds * 1e6, "us")


def w9():
    x, y = symmetric(31, 128, 64), symmetric(32, 128, 1)
    values = (symmetric(33, 64, 64) * 0.1, torch.zeros(64), symmetric(34, 64, 1) * 0.1, torch.zeros(1))
    vectors = tuple(symmetric(35 + i, *p.shape) for i, p in enumerate(values))
    leaves = [p.clone().requires_grad_() for p in values]

    def loss(w1, b1, w2, b2):
        return ((torch.tanh(x @ w1 + b1) @ w2 + b2 - y) ** 2).mean()

    def double_backward():
        gradients = torch.autograd.grad(loss(*leaves), leaves, create_graph=True)
        return torch.autograd.grad(gradients, leaves, vectors)

    def jvp_of_grad():
        return torch.func.jvp(torch.func.grad(loss, argnums=(0, 1, 2, 3)), values, vectors)[1]

    checksum = sum((h * v).sum().item() for h, v in zip(double_backward(), vectors))
    report("w9_hvp", "checksum", checksum, "v.Hv")
    report("w9_hvp", "double_backward", seconds_per_call(double_backward) * 1e6, "us/HVP")
    report("w9_hvp", "func_jvp_of_grad", seconds_per_call(jvp_of_grad) * 1e6, "us/HVP")


def w10():
    for name, model, x in (("mlp", mnist_mlp(), uniform(41, 1, 784)), ("cnn", lenet(), uniform(42, 1, 1, 28, 28))):
        model.eval()
        for metric in ("inference_mode", "no_grad"):
            with getattr(torch, metric)():
                report(f"w10_infer_{name}", metric, seconds_per_call(lambda: model(x)) * 1e6, "us/call")


WORKLOADS = {function.__name__: function for function in (w1, w2, w3, w4, w5, w6, w7, w8, w9, w10)}
for wanted in sys.argv[2:] or WORKLOADS:
    WORKLOADS[wanted]()
