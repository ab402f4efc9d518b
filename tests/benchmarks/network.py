"""Measure the network: seconds, units, peak memory, and where the time goes.

    python tests/benchmarks/network.py                  # what the machine has: CPU, and CUDA if there is one
    python tests/benchmarks/network.py --sizes 64 128 --repeats 5

A unit is seconds × the GFLOP/s of a float32 product of 4096 × 512 by 512 × 512 on the same cores in the same
run, so that machines compare. Every size runs in a process of its own, so that its peak memory is its own,
with the compiled kernels and through torch alone. The published network takes 2300 units and 1.3 GB at
6 × 64 × 64, and 3.2 GB at 6 × 128 × 128.
"""

import argparse
import ctypes
import json
import math
import resource
import subprocess
import sys
import time
from collections import defaultdict
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import torch
from torch import Tensor, nn

from engine.model import PRESETS, VRTSpike, build, cpu_kernels
from engine.model.attention import WindowAttention
from engine.model.deformable import GuidedDeformableConvolution
from engine.model.layers import GatedMLP
from engine.model.optical_flow import PyramidFlow
from engine.model.spike_branch import SpikeBranch, SpikeFusion

PRODUCT = (4096, 512, 512)
PRODUCT_SECONDS = 0.5
"""How long a measurement of the product takes the best of."""
TORCH_ALONE = "torch alone"
WAYS = ("compiled kernels", TORCH_ALONE)
GPU_SHAPES = ((6, 256), (12, 256))
"""Frames and edge of the clips measured on a GPU."""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--preset", default="vrt-gopro", choices=sorted(PRESETS))
    parser.add_argument("--frames", type=int, default=6)
    parser.add_argument("--sizes", type=int, nargs="+", default=[64, 128])
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--threads", type=int, default=None)
    parser.add_argument("--one", choices=WAYS, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.threads:
        torch.set_num_threads(options.threads)
    if options.one:
        if options.one == TORCH_ALONE:
            cpu_kernels.KERNELS = None
        print(json.dumps(measure_cpu(options.preset, options.frames, options.sizes[0], options.repeats)))
        return
    print(f"{options.preset}, float32, {torch.get_num_threads()} threads")
    for size in options.sizes:
        for way in WAYS if cpu_kernels.KERNELS else (TORCH_ALONE,):
            print_cpu(run_alone(options, size, way), way)
    if torch.cuda.is_available():
        measure_gpu(options.preset, options.repeats)
    else:
        print("no CUDA device: nothing is measured on a GPU")


def run_alone(options: argparse.Namespace, size: int, way: str) -> dict:
    """Measure one size in a fresh process."""
    command = [sys.executable, __file__, "--one", way, "--preset", options.preset, "--sizes", str(size)]
    command += ["--frames", str(options.frames), "--repeats", str(options.repeats)]
    if options.threads:
        command += ["--threads", str(options.threads)]
    return json.loads(subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout)


def measure_cpu(preset: str, frames: int, size: int, repeats: int) -> dict:
    """Return the best run, the product's speed around it, the peak memory and the share of each part."""
    model, inputs = make_inputs(preset, frames, size, torch.device("cpu"))
    runs = []
    with torch.inference_mode():
        model(*inputs)
        for _ in range(repeats):
            before = product_gflops()
            start = time.perf_counter()
            model(*inputs)
            seconds = time.perf_counter() - start
            gflops = max(before, product_gflops())
            runs.append({"units": seconds * gflops, "seconds": seconds, "gflops": gflops})
        peak_bytes = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
        with timed_parts(model) as parts:
            start = time.perf_counter()
            model(*inputs)
            total = time.perf_counter() - start
    shares = {name: seconds / total for name, seconds in parts.items()}
    shares["rest"] = 1 - sum(shares.values())
    best = min(runs, key=lambda run: run["units"])
    return {"frames": frames, "size": size, **best, "peak_bytes": peak_bytes, "shares": shares, "runs": runs}


def make_inputs(preset: str, frames: int, size: int, device: torch.device) -> tuple[nn.Module, list[Tensor]]:
    torch.manual_seed(0)
    model = build(PRESETS[preset]).eval().to(device)
    inputs = [torch.rand(1, frames, 3, size, size, device=device)]
    if isinstance(model, VRTSpike):
        inputs.append(torch.rand(1, frames, model.config.spike_bins, size, size, device=device))
    return model, inputs


def product_gflops() -> float:
    """Return the best speed of the product that the unit is made of."""
    rows, inner, columns = PRODUCT
    left, right = torch.rand(rows, inner), torch.rand(inner, columns)
    best, stop = float("inf"), time.perf_counter() + PRODUCT_SECONDS
    while time.perf_counter() < stop:
        start = time.perf_counter()
        left @ right
        best = min(best, time.perf_counter() - start)
    return 2 * rows * inner * columns / best / 1e9


def measure_gpu(preset: str, repeats: int) -> None:
    """Print milliseconds, peak memory, the share of the bf16 peak, and how far bf16 is from float64."""
    from torch.utils.flop_counter import FlopCounterMode  # not on a CPU: it takes 80 MB where Triton is there

    device = torch.device("cuda")
    peak_flops = bf16_peak_flops(device)
    print(
        f"{preset} on {torch.cuda.get_device_name()}, bf16 products at {peak_flops / 1e12:.0f} TFLOP/s here"
    )
    for frames, size in GPU_SHAPES:
        model, inputs = make_inputs(preset, frames, size, device)
        with FlopCounterMode(display=False) as counter, torch.inference_mode():
            model(*inputs)
        flops = counter.get_total_flops()
        print(f"{frames} × {size} × {size}, {flops / 1e12:.1f} TFLOP")
        for precision, dtype in (("fp32", torch.float32), ("bf16", torch.bfloat16)):
            for way in ("eager", "compiled"):
                run = torch.compile(model, dynamic=False) if way == "compiled" else model
                milliseconds, peak_bytes = time_on_gpu(run, inputs, dtype, repeats)
                share = flops / (milliseconds / 1e3) / peak_flops
                print(
                    f"  {precision} {way:8} {milliseconds:8.1f} ms, {peak_bytes / 1e9:6.2f} GB, "
                    f"{share:.0%} of the bf16 peak",
                    flush=True,
                )
                torch.compiler.reset()
    model, inputs = make_inputs(preset, 6, 64, device)
    with torch.no_grad():
        with torch.autocast("cuda", torch.bfloat16):
            half = model(*inputs)
        exact = model.double()(*(each.double() for each in inputs))
    error = float((half.double() - exact).square().mean())
    print(f"bf16 against float64, 6 × 64 × 64: {-10 * math.log10(error):.1f} dB")


def bf16_peak_flops(device: torch.device) -> float:
    """Return what this GPU reaches on a large bf16 product, in FLOP/s: the peak that counts."""
    left = torch.rand(8192, 8192, device=device, dtype=torch.bfloat16)
    milliseconds = min(gpu_milliseconds(lambda: left @ left) for _ in range(10))
    return 2 * 8192**3 / (milliseconds / 1e3)


def time_on_gpu(
    run: Callable[..., Tensor], inputs: list[Tensor], dtype: torch.dtype, repeats: int
) -> tuple[float, int]:
    """Return the best time of a pass in milliseconds and the memory it takes at its peak."""

    def once() -> None:
        with torch.inference_mode(), torch.autocast("cuda", dtype, enabled=dtype != torch.float32):
            run(*inputs)

    for _ in range(2):
        once()
    torch.cuda.reset_peak_memory_stats()
    best = min(gpu_milliseconds(once) for _ in range(max(3, repeats)))
    return best, torch.cuda.max_memory_allocated()


def gpu_milliseconds(do: Callable[[], object]) -> float:
    start, stop = torch.cuda.Event(enable_timing=True), torch.cuda.Event(enable_timing=True)
    start.record()
    do()
    stop.record()
    torch.cuda.synchronize()
    return start.elapsed_time(stop)


@contextmanager
def timed_parts(model: nn.Module) -> Iterator[dict[str, float]]:
    """Collect the seconds that each kind of module spends in its methods."""
    parts: dict[str, float] = defaultdict(float)
    wrapped = []
    running: list[str] = []

    def timed(part: str, method: Callable[..., object]) -> Callable[..., object]:
        def call(*inputs: object) -> object:
            if part in running:  # a method of a module that calls another
                return method(*inputs)
            running.append(part)
            start = time.perf_counter()
            output = method(*inputs)
            parts[part] += time.perf_counter() - start
            running.remove(part)
            return output

        return call

    for name, module in model.named_modules():
        part = part_of(name, module)
        for method in ("forward", "plus", "align_pairs"):  # what hooks would not see is called past them
            if part and hasattr(module, method):
                setattr(module, method, timed(part, getattr(module, method)))
                wrapped.append((module, method))
    kernels = cpu_kernels.KERNELS
    if kernels is not None:
        kernels.block_seconds = (ctypes.c_double * 2)()
    yield parts
    if kernels is not None and kernels.block_seconds is not None:
        for part, seconds in zip(("attention", "MLP"), kernels.block_seconds, strict=True):
            parts[part] += seconds  # "MLP" with the projection before it, which they take in one step
        kernels.block_seconds = None
    for module, method in wrapped:
        delattr(module, method)


def part_of(name: str, module: nn.Module) -> str | None:
    if isinstance(module, GatedMLP):
        return "fusion" if name.endswith("warping.fusion") else "MLP"
    if name.endswith(".attention.projection"):
        return "attention"
    kinds = {
        PyramidFlow: "flow",
        WindowAttention: "attention",
        GuidedDeformableConvolution: "alignment",
        SpikeBranch: "spike branch",
        SpikeFusion: "spike fusion",
    }
    return next((part for kind, part in kinds.items() if isinstance(module, kind)), None)


def print_cpu(result: dict, way: str) -> None:
    units = ", ".join(f"{run['units']:.0f}" for run in result["runs"])
    shares = ", ".join(f"{name} {share:.0%}" for name, share in result["shares"].items())
    print(f"{result['frames']} × {result['size']} × {result['size']}, {way}")
    unit = f"{result['units']:.0f} units ({units})"
    print(f"  {result['seconds']:.2f} s at {result['gflops']:.0f} GFLOP/s = {unit}")
    print(f"  peak memory of the process {result['peak_bytes'] / 1e9:.2f} GB")
    print(f"  {shares}", flush=True)


if __name__ == "__main__":
    main()
