"""Where a network computes and in which precision, as a person asks for it and as it turns out."""

import torch

from engine.errors import MethodError
from engine.restoration.options import Precision

AUTOCAST = {"bf16": torch.bfloat16, "fp16": torch.float16}


def find_device(wish: str) -> torch.device:
    """Return the device for "auto", "cpu", "cuda", "cuda:N" or "mps".

    "auto" takes the first GPU there is. Raises MethodError where there is no such device.
    """
    there = devices_there()
    if wish == "auto":
        return torch.device(there[0])
    try:
        device = torch.device(wish)
    except RuntimeError:
        device = None
    if device is None or device.type not in ("cpu", "cuda", "mps"):
        raise MethodError(
            f"there is no kind of device called '{wish}'", expected="auto, cpu, cuda, cuda:N or mps"
        )
    if device.type == "cuda" and device.index is None and "cuda:0" in there:
        return torch.device("cuda:0")
    if str(device) not in there:
        raise MethodError(
            f"this machine has no device {wish} that torch can use",
            found=", ".join(there),
            advice="Choose one of these, or auto",
        )
    return device


def devices_there() -> tuple[str, ...]:
    """Return the devices of this machine, the fastest kind first; "cpu" is always the last."""
    gpus = [f"cuda:{index}" for index in range(torch.cuda.device_count())]
    mps = ["mps"] if torch.backends.mps.is_available() else []
    return (*gpus, *mps, "cpu")


def find_precision(wish: Precision, device: torch.device) -> Precision:
    """Return "fp32", "bf16" or "fp16"; "auto" is bf16 on GPUs that compute with it, else fp32.

    Raises MethodError for another name, and for fp16 on a CPU, where it is no faster and less exact.
    """
    if wish not in ("auto", "fp32", *AUTOCAST):
        raise MethodError(f"there is no precision '{wish}'", expected="auto, fp32, bf16 or fp16")
    if wish == "auto":
        has_bf16 = device.type == "cuda" and torch.cuda.is_bf16_supported(including_emulation=False)
        return "bf16" if has_bf16 else "fp32"
    if wish == "fp16" and device.type == "cpu":
        raise MethodError("fp16 is for GPUs", found="the CPU", advice="Choose fp32 or bf16")
    return wish
