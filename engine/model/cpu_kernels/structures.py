"""What the kernels in C take, field by field and argument by argument as their sources have it.

Tensors are given by their addresses, which stay good only as long as the tensors do.
"""

from ctypes import CDLL, POINTER, Structure, c_double, c_float, c_int, c_long, c_void_p

VERSION = 2
"""Of the kernels that fit this module: `kernels_version` in product.c says that of the compiled ones."""
Floats = c_void_p


class Product(Structure):
    _fields_ = (("packed", Floats), ("bias", Floats), ("inputs", c_long), ("outputs", c_long))


class Norm(Structure):
    _fields_ = (("weight", Floats), ("bias", Floats), ("epsilon", c_float))


class Tokens(Structure):
    _fields_ = (
        ("volume", Floats),
        ("order", c_void_p),
        ("holes", c_void_p),
        ("rows", c_long),
        ("channels", c_long),
    )


class Boxes(Structure):
    _fields_ = (
        ("count", c_long),
        ("tokens", c_long),
        ("shape", c_long * 3),
        ("window", c_long * 3),
        ("place_index", c_void_p),
        ("place_pairs", c_long),
    )


class Block(Structure):
    _fields_ = (
        ("attention_norm", Norm),
        ("mlp_norm", Norm),
        ("qkv", Product),
        ("mutual_qkv", Product),
        ("projection", Product),
        ("gated", Product),
        ("output", Product),
        ("bias_tables", Floats),
        ("place_table", Floats),
        ("heads", c_long),
    )


class Pictures(Structure):
    _fields_ = (
        ("input", Floats),
        ("added", Floats),
        ("output", Floats),
        ("pictures", c_long),
        ("height", c_long),
        ("width", c_long),
        ("frames", c_long),
    )


class Samples(Structure):
    _fields_ = (
        ("source", Floats),
        ("learned", Floats),
        ("flow", Floats),
        ("pictures", c_long),
        ("height", c_long),
        ("width", c_long),
        ("channels", c_long),
        ("groups", c_long),
        ("reach", c_float),
    )


ARGUMENTS = {
    "update_block": (POINTER(Tokens), POINTER(Boxes), POINTER(Block), POINTER(c_double), c_int),
    "convolve": (POINTER(Pictures), POINTER(Product), c_float, c_int),
    "convolve_samples": (POINTER(Samples), POINTER(Product), Floats, c_int),
    "join_warped": (Floats, Floats, Floats, Floats, c_long, c_long, c_long, c_long, c_int),
    "pack_product": (Floats, Floats, c_long, c_long, Floats, Floats),
    "pack_pair": (Floats, Floats, Floats, Floats, c_long, c_long, Floats, Floats),
    "pack_convolution": (Floats, Floats, c_long, c_long, Floats, Floats, c_int),
}


def declare(library: CDLL) -> None:
    """Say what the functions of a compiled library take. Raises OSError if it is of another version."""
    try:
        version = library.kernels_version()
        for name, arguments in ARGUMENTS.items():
            getattr(library, name).argtypes = arguments
    except AttributeError as cause:
        raise OSError(f"the compiled kernels lack a function: {cause}") from cause
    if version != VERSION:
        raise OSError(f"the compiled kernels are of version {version}, not {VERSION}")
