"""What the world's checkpoints call the parameters, and what we call them.

One pure function, `to_our_names`, takes the weights of a published VRT, of a VRT+spike training, or our
own. The rules are regular expressions in the order in which they apply; published names on the left.
"""

import re
from collections.abc import Callable, Mapping

import torch
from torch import Tensor

from engine.errors import CheckpointError

Replacement = str | Callable[[re.Match[str]], str]
Rules = tuple[tuple[str, Replacement], ...]

WRAPPERS = ("model.", "net.", "network.")
"""Prefixes that training loops put before every name."""
INNER_WRAPPERS = re.compile(r"(?:(?<=^)|(?<=\.))(?:module|_orig_mod)\.")
"""What parallel training and compilation put before the names of whatever they wrapped, a part or all."""

CONSTANTS = re.compile(
    r"\.attn\.(relative_position_index|position_bias)$|\.attn_mask$|(^|\.)spynet\.(mean|std)$"
)
"""Buffers that published checkpoints store; here they follow from the configuration."""


def _less_one(prefix: str, suffix: str) -> Callable[[re.Match[str]], str]:
    return lambda match: f"{prefix}{int(match[1]) - 1}{suffix}"


VRT_RULES: Rules = (
    (r"^spynet\.basic_module\.(\d+)\.basic_module\.(\d+)\.", r"flow.levels.\1.\2."),
    (r"^conv_first\.", "first_convolution."),
    (r"^conv_last\.", "last_convolution."),
    (r"^conv_after_body\.", "narrow."),
    (r"^stage8\.0\.1\.", "widen.0."),
    (r"^stage8\.0\.2\.", "widen.1."),
    (r"^stage8\.(\d+)\.residual_group\.", _less_one("reconstruction.", ".")),
    (r"^stage8\.(\d+)\.linear\.", _less_one("reconstruction.", ".linear.")),
    (r"^stage(\d)\.", _less_one("stages.", ".")),
    (r"\.reshape\.1\.", ".rescale.norm."),
    (r"\.reshape\.2\.", ".rescale.linear."),
    (r"\.residual_group1\.", ".mutual."),
    (r"\.residual_group2\.", ".attention."),
    (r"^(stages\.\d)\.linear1\.", r"\1.mutual.linear."),
    (r"^(stages\.\d)\.linear2\.", r"\1.attention.linear."),
    (r"\.pa_deform\.conv_offset\.6\.", ".warping.deformable.offset_head."),
    (r"\.pa_deform\.conv_offset\.", ".warping.deformable.offset_trunk."),
    (r"\.pa_deform\.", ".warping.deformable."),
    (r"\.pa_fuse\.", ".warping.fusion."),
    (r"\.norm1\.", ".attention_norm."),
    (r"\.norm2\.", ".mlp_norm."),
    (r"\.attn\.relative_position_bias_table$", ".attention.bias_table"),
    (r"\.attn\.qkv_self\.", ".attention.qkv."),
    (r"\.attn\.qkv_mut\.", ".attention.mutual_qkv."),
    (r"\.attn\.proj\.", ".attention.projection."),
    (r"\.fc11\.", ".gate."),
    (r"\.fc12\.", ".value."),
    (r"\.fc2\.", ".output."),
)

SPIKE_RULES: Rules = (
    (r"^spike_encoder\.in_proj\.", "spikes.encoder.entry."),
    (r"^spike_encoder\.res0\.", "spikes.encoder.scales.0."),
    (
        r"^spike_encoder\.residuals\.(\d)\.",
        lambda match: f"spikes.encoder.scales.{int(match[1]) + 1}.",
    ),
    (r"^spike_encoder\.downs\.", "spikes.encoder.downs."),
    (r"^(spikes\.encoder\.scales\.\d\.\d)\.conv1\.", r"\1.first."),
    (r"^(spikes\.encoder\.scales\.\d\.\d)\.conv2\.", r"\1.second."),
    (r"^spike_temporal_sa\.blocks\.(\d)\.", r"spikes.attention.\1."),
    (r"^cross_attn_fuse\.fuse_blocks\.(\d)\.", r"fusion.\1."),
    (r"\.ln1\.", ".attention_norm."),
    (r"\.ln2\.|\.ln_ffn\.", ".mlp_norm."),
    (r"\.ln_q\.", ".query_norm."),
    (r"\.ln_kv\.", ".spike_norm."),
    (r"\.ffn\.", ".mlp."),
    (r"^(spikes\.attention\.\d)\.attn\.in_proj_", r"\1.qkv."),
    (r"\.attn\.out_proj\.", ".projection."),
    (r"^(fusion\.\d)\.attn\.projection\.", r"\1.projection."),
    (r"^(fusion\.\d)\.attn\.attn\.", r"\1."),
)


def to_our_names(state: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Return the weights of any known naming scheme under our names, in our shapes.

    Unknown names stay as they are, for the caller to complain about. Raises CheckpointError where two names
    are of one weight.
    """
    named: dict[str, Tensor] = {}
    for name, value in _unwrapped(state).items():
        if CONSTANTS.search(name):
            continue
        ours, value = _renamed(name, value)
        if ours in named:
            raise CheckpointError("a weight is there twice, under two names", found=f"{name} for {ours}")
        named[ours] = value
    return _with_queries_apart(named)


def are_published(state: Mapping[str, Tensor]) -> bool:
    """Whether weights are named as the published networks name them, and none as we do."""
    names = [name for name in _unwrapped(state) if not CONSTANTS.search(name)]
    ours = ("spikes.", "fusion.", "entry.", "flow.", "stages.", "reconstruction.")
    return not any(name.removeprefix("vrt.").startswith(ours) for name in names)


def _renamed(name: str, value: Tensor) -> tuple[str, Tensor]:
    inner = name.removeprefix("vrt.")
    if re.match(r"(spynet|conv_first|conv_last|conv_after_body|norm|stage\d)\.", inner):
        prefix = name[: len(name) - len(inner)]
        return prefix + _apply(VRT_RULES, inner), _without_depth(inner, value)
    if name.startswith(("spike_encoder.", "spike_temporal_sa.", "cross_attn_fuse.")):
        return _apply(SPIKE_RULES, name), value
    return name, value


def _unwrapped(state: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Strip what wrappers put before names, as often as they did."""
    named = {INNER_WRAPPERS.sub("", name): value for name, value in state.items()}
    found = True
    while found and named:
        found = False
        for prefix in WRAPPERS:
            if all(name.startswith(prefix) for name in named):
                named = {name.removeprefix(prefix): value for name, value in named.items()}
                found = True
    return named


def _apply(rules: Rules, name: str) -> str:
    for pattern, replacement in rules:
        name = re.sub(pattern, replacement, name)
    return name


def _without_depth(name: str, value: Tensor) -> Tensor:
    """Published first and last convolutions are 1 × 3 × 3; ours are 3 × 3."""
    return value.squeeze(2) if name.startswith(("conv_first.", "conv_last.")) and value.dim() == 5 else value


def _with_queries_apart(named: dict[str, Tensor]) -> dict[str, Tensor]:
    """Split each fusion's joint projection into query and key-value, or join those stored apart."""
    result: dict[str, Tensor] = {}
    for name, value in named.items():
        match = re.fullmatch(r"(fusion\.\d)\.(in_proj_|[qkv]_proj_)(weight|bias)", name)
        if match is None:
            result[name] = value
            continue
        place, kind, part = match.groups()
        if kind == "in_proj_" and value.dim() and value.shape[0] % 3 == 0:
            rows = value.shape[0] // 3
            result[f"{place}.query.{part}"], result[f"{place}.key_value.{part}"] = value[:rows], value[rows:]
        elif kind == "q_proj_":
            result[f"{place}.query.{part}"] = value
        elif kind == "k_proj_" and f"{place}.v_proj_{part}" in named:
            result[f"{place}.key_value.{part}"] = torch.cat((value, named[f"{place}.v_proj_{part}"]))
        elif not (kind == "v_proj_" and f"{place}.k_proj_{part}" in named):
            result[name] = value
    return result
