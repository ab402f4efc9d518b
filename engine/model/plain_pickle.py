"""One entry of a dictionary that `torch.save` wrote, read without torch and without unpickling.

Strategy: the pickle's instructions are only listed (`pickletools`), never carried out. A small stack machine
follows those that put plain values together: numbers, texts, lists, tuples, dictionaries. Whatever would
name, make or change an object of another kind leaves a mark that stands for it, so nothing is imported or
called, and tensors cost nothing.
"""

import pickletools
import zipfile
from pathlib import Path
from typing import Any

LARGEST_PICKLE = 32 << 20
"""Bytes of instructions; the values of tensors lie elsewhere in the file."""
_CONSTANTS = {"NONE": None, "NEWTRUE": True, "NEWFALSE": False}
_EMPTY: dict[str, type] = {"EMPTY_DICT": dict, "EMPTY_LIST": list, "EMPTY_TUPLE": tuple}
_TUPLES = {"TUPLE1": 1, "TUPLE2": 2, "TUPLE3": 3}
_NOTHING = ("PROTO", "FRAME", "STOP")
_PLAIN_MAPPINGS = ("collections OrderedDict",)
_MARK = object()


class _Other:
    """Something that is no plain value; `name` of what would be imported, where that is known."""

    def __init__(self, name: str = "") -> None:
        self.name = name


def read_entry(path: Path, key: str) -> Any:
    """Return what the dictionary in a file of `torch.save` holds under `key`, as plain values.

    None where the file is of another kind (an older format, too), has no such entry, or one that is not made
    of plain values. Never raises for what is in the file.
    """
    try:
        with zipfile.ZipFile(path) as file:
            inner = next((one for one in file.infolist() if one.filename.endswith("/data.pkl")), None)
            if inner is None or inner.file_size > LARGEST_PICKLE:
                return None
            content = _follow(file.read(inner))
    except (OSError, zipfile.BadZipFile, NotImplementedError, RuntimeError):
        return None
    except (ValueError, IndexError, KeyError, TypeError, EOFError, UnicodeDecodeError, RecursionError):
        return None
    entry = content.get(key) if isinstance(content, dict) else None
    return entry if _is_plain(entry) else None


def _follow(pickle: bytes) -> Any:
    """Return the value that instructions put together, with `_Other` for what is not plain."""
    stack: list[Any] = []
    memo: dict[object, Any] = {}
    for opcode, argument, _ in pickletools.genops(pickle):
        name = opcode.name
        if name in _NOTHING:
            continue
        if name in _EMPTY:
            stack.append(_EMPTY[name]())
        elif name in _CONSTANTS:
            stack.append(_CONSTANTS[name])
        elif name == "MARK":
            stack.append(_MARK)
        elif name in ("BINPUT", "LONG_BINPUT", "PUT"):
            memo[argument] = stack[-1]
        elif name == "MEMOIZE":
            memo[len(memo)] = stack[-1]
        elif name in ("BINGET", "LONG_BINGET", "GET"):
            stack.append(memo[argument])
        elif name == "TUPLE":
            stack.append(tuple(_to_mark(stack)))
        elif name in _TUPLES:
            stack[-_TUPLES[name] :] = [tuple(stack[-_TUPLES[name] :])]
        elif name in ("APPEND", "APPENDS"):
            items = [stack.pop()] if name == "APPEND" else _to_mark(stack)
            if isinstance(stack[-1], list):
                stack[-1].extend(items)
        elif name in ("SETITEM", "SETITEMS"):
            pairs = [stack.pop(-2), stack.pop()] if name == "SETITEM" else _to_mark(stack)
            if isinstance(stack[-1], dict):
                stack[-1].update(zip(pairs[::2], pairs[1::2], strict=True))
        elif name in ("GLOBAL", "STACK_GLOBAL"):
            parts = [argument] if name == "GLOBAL" else [stack.pop(-2), stack.pop()]
            stack.append(_Other(" ".join(map(str, parts))))
        elif name in ("REDUCE", "NEWOBJ"):
            made_of, maker = stack.pop(), stack.pop()
            plain = isinstance(maker, _Other) and maker.name in _PLAIN_MAPPINGS and made_of == ()
            stack.append({} if plain else _Other())
        elif name == "BUILD":
            stack.pop()
        elif name == "BINPERSID":
            stack[-1] = _Other()
        elif opcode.arg is not None and opcode.stack_before == [] and len(opcode.stack_after) == 1:
            stack.append(argument)  # a number, a text or bytes that the instruction itself holds
        else:
            raise ValueError(f"{name} is in no file of torch.save")
    return stack.pop()


def _to_mark(stack: list[Any]) -> list[Any]:
    at = len(stack) - 1
    while stack[at] is not _MARK:
        at -= 1
        if at < 0:
            raise ValueError("a mark is missing")
    items = stack[at + 1 :]
    del stack[at:]
    return items


def _is_plain(value: Any, depth: int = 0) -> bool:
    if depth > 20:
        return False
    if isinstance(value, dict):
        return all(isinstance(key, str) and _is_plain(one, depth + 1) for key, one in value.items())
    if isinstance(value, list | tuple):
        return all(_is_plain(one, depth + 1) for one in value)
    return value is None or isinstance(value, str | int | float)
