#!/usr/bin/env python3
"""Converts dumps of SGLang's expert-distribution recorder (.pt) to files that `moecast trace import` reads.

A .pt file is a pickle, which moecast never loads; run this where torch is installed:

    python convert-sglang-pt.py OUTPUT_FOLDER expert_distribution_recorder_*.pt

    stat, stat_approx   logical_count [steps, layers, experts]   -> logical_count.safetensors
    per_pass            counts per forward pass, summed over ranks -> logical_count.safetensors
    per_token           chosen experts of every token             -> rank<r>_raw.safetensors and meta_info.json

Recorded ids and counts of per_pass and per_token are physical slots. They are mapped to logical experts with the last
map in the dump: do not rebalance experts while recording. Tensors are loaded with weights_only, so a dump cannot run
code here either.
"""

import json
import pathlib
import struct
import sys

import numpy as np


def write_safetensors(path, tensors):
    """Arrays as a safetensors file: u64 header length, JSON header, then the data."""
    header, data, at = {}, [], 0
    for name, array in tensors.items():
        values = np.ascontiguousarray(array, dtype="<i4")
        header[name] = {"dtype": "I32", "shape": list(values.shape), "data_offsets": [at, at + values.nbytes]}
        data.append(values.tobytes())
        at += values.nbytes
    text = json.dumps(header).encode()
    text += b" " * (-len(text) % 8)
    path.write_bytes(struct.pack("<Q", len(text)) + text + b"".join(data))


def logical_counts(records, physical_to_logical, by_pass):
    """Adds the physical counts of each record to the logical counts [layers, experts] of its forward pass."""
    experts = int(physical_to_logical.max()) + 1
    for record in records:
        physical = np.asarray(record["global_physical_count"])
        counts = by_pass.setdefault(int(record["forward_pass_id"]), np.zeros((len(physical), experts), np.int64))
        for layer, row in enumerate(physical):
            np.add.at(counts[layer], physical_to_logical[layer], row)


def logical_ids(records, physical_to_logical, by_rank):
    """Files the logical ids [tokens, k] of every record under its rank, forward pass and layer; -1 stays padding."""
    for record in records:
        ids = np.asarray(record["topk_ids_of_layer"])
        ids = ids[:, :, (ids >= 0).any(axis=(0, 1))]
        tensors = by_rank.setdefault(int(record["rank"]), {})
        for layer, physical in enumerate(ids):
            logical = np.where(physical >= 0, physical_to_logical[layer][physical], -1)
            tensors[f"{int(record['forward_pass_id'])}_{layer}"] = logical


def main(output, paths):
    import torch

    output = pathlib.Path(output)
    output.mkdir(parents=True, exist_ok=True)
    steps, by_pass, by_rank, experts = [], {}, {}, 0
    for path in paths:
        dump = torch.load(path, map_location="cpu", weights_only=True)
        if "logical_count" in dump:
            steps.extend(np.asarray(dump["logical_count"]).reshape(-1, *dump["logical_count"].shape[-2:]))
            continue
        to_logical = np.asarray(dump["last_physical_to_logical_map"])
        experts = max(experts, int(to_logical.max()) + 1)
        records = dump["records"]
        if records and "topk_ids_of_layer" in records[0]:
            logical_ids(records, to_logical, by_rank)
        else:
            logical_counts(records, to_logical, by_pass)
    steps.extend(by_pass[key] for key in sorted(by_pass))
    if steps:
        write_safetensors(output / "logical_count.safetensors", {"logical_count": np.stack(steps)})
    for rank, tensors in by_rank.items():
        write_safetensors(output / f"rank{rank}_raw.safetensors", tensors)
    if by_rank:
        width = next(iter(next(iter(by_rank.values())).values())).shape[1]
        meta = {"num_experts": experts, "num_experts_per_token": width, "source": "SGLang expert-distribution recorder"}
        (output / "meta_info.json").write_text(json.dumps(meta))


if __name__ == "__main__":
    if len(sys.argv) < 3:
        sys.exit(__doc__)
    main(sys.argv[1], sys.argv[2:])
