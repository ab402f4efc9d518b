"""What this machine is and how fast it is, measured in a few seconds."""

import os
import platform
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

import psutil
import torch

from engine.errors import ExportError

PRODUCT_EDGE = 2048
MEASURE_SECONDS = 1.0
DISK_BYTES = 64 * 2**20


@dataclass(frozen=True)
class Machine:
    """Facts and figures; speeds are those of a plain matrix product."""

    device: str
    """Name of the GPU, or of the processor where there is none."""
    accelerator: str
    """What Lightning calls it: cpu, gpu or mps."""
    devices: int
    cores: int
    memory_bytes: int
    """Of one GPU; of the whole machine where there is none."""
    main_memory_bytes: int
    program_bytes: int
    """What is taken of `memory_bytes` before there is a network: by the interpreter and its libraries, or
    by the driver and whoever else uses the GPU."""
    fp32_gflops: float
    bf16_gflops: float
    disk_free_bytes: int
    disk_write_mb_s: float

    @property
    def bf16_pays(self) -> bool:
        """Half precision is worth its rounding only where it is clearly faster."""
        return self.bf16_gflops > 1.3 * self.fp32_gflops


def measure_machine(folder: Path) -> Machine:
    """Measure the machine, and the disk that `folder` (which must exist) is on. Raises ExportError."""
    if torch.cuda.is_available():
        device = torch.device("cuda")
        name, accelerator = torch.cuda.get_device_name(), "gpu"
        devices, memory_bytes = torch.cuda.device_count(), torch.cuda.get_device_properties(0).total_memory
    elif torch.backends.mps.is_available():
        device = torch.device("mps")
        name, accelerator, devices = "Apple GPU", "mps", 1
        memory_bytes = torch.mps.recommended_max_memory()
    else:
        device = torch.device("cpu")
        name, accelerator, devices = _processor(), "cpu", 1
        memory_bytes = _available_bytes()
    statistics = os.statvfs(folder)
    fp32_gflops, bf16_gflops = (
        product_gflops(device, dtype, MEASURE_SECONDS) for dtype in (torch.float32, torch.bfloat16)
    )
    return Machine(
        device=name,
        accelerator=accelerator,
        devices=devices,
        cores=len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1,
        memory_bytes=memory_bytes,
        main_memory_bytes=_available_bytes(),
        # After the products, which load what a device loads for its first one.
        program_bytes=_program_bytes(accelerator),
        fp32_gflops=fp32_gflops,
        bf16_gflops=bf16_gflops,
        disk_free_bytes=statistics.f_bavail * statistics.f_frsize,
        disk_write_mb_s=disk_write_mb_s(folder),
    )


def product_gflops(device: torch.device, dtype: torch.dtype, seconds: float = MEASURE_SECONDS) -> float:
    """Return the best speed of a product of two square matrices, in 10⁹ operations a second."""
    a, b = (torch.randn(PRODUCT_EDGE, PRODUCT_EDGE, device=device).to(dtype) for _ in range(2))
    best = 0.0
    began = time.perf_counter()
    while time.perf_counter() - began < seconds or best == 0:
        start = time.perf_counter()
        product = a @ b
        # Reading a value waits for the device.
        float(product[0, 0])
        best = max(best, 2 * PRODUCT_EDGE**3 / (time.perf_counter() - start) / 1e9)
    return best


def disk_write_mb_s(folder: Path) -> float:
    """Return how fast a file can be written there and be safe. Raises ExportError."""
    content = os.urandom(2**20)
    try:
        with tempfile.NamedTemporaryFile(dir=folder) as file:
            start = time.perf_counter()
            for _ in range(DISK_BYTES // len(content)):
                file.write(content)
            file.flush()
            os.fsync(file.fileno())
            return DISK_BYTES / 1e6 / (time.perf_counter() - start)
    except OSError as error:
        raise ExportError(f"cannot write here: {error.strerror or error}", path=folder) from error


def _program_bytes(accelerator: str) -> int:
    if accelerator == "gpu":
        torch.cuda.empty_cache()
        free_bytes, total_bytes = torch.cuda.mem_get_info()
        return total_bytes - free_bytes
    return int(psutil.Process().memory_info().rss)


def _processor() -> str:
    try:
        for line in Path("/proc/cpuinfo").read_text("utf-8").splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    except OSError:
        pass
    return platform.processor() or platform.machine()


def _available_bytes() -> int:
    """Return the memory that programs can still have."""
    try:
        for line in Path("/proc/meminfo").read_text("utf-8").splitlines():
            if line.startswith("MemAvailable"):
                return int(line.split()[1]) * 1024
    except OSError:
        pass
    return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") // 2
