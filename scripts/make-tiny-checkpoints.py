#!/usr/bin/env python3
"""Makes the tiny random checkpoints of test/fixtures/checkpoints, with what the published model classes compute from them.

    python scripts/make-tiny-checkpoints.py test/fixtures/checkpoints

Needs torch and transformers. Each folder holds a checkpoint of random weights as `save_pretrained` writes it, and
expected.json: token ids, and in float64 the logits of the last position, the norm of all logits, and for every MoE layer
the router's logits, chosen experts and weights, in the order of descending weight.
"""

import json
import pathlib
import shutil
import sys

import torch
import transformers
from safetensors.torch import load_file, save_file
from transformers import AutoConfig, AutoModelForCausalLM

tokens_count = 24
common = dict(vocab_size=64, hidden_size=32, num_hidden_layers=3, max_position_embeddings=128, rms_norm_eps=1e-5, use_cache=False)
gqa = dict(num_attention_heads=4, num_key_value_heads=2)
mla = dict(rms_norm_eps=1e-6, num_attention_heads=4, num_key_value_heads=4, kv_lora_rank=16, qk_nope_head_dim=8, qk_rope_head_dim=8, v_head_dim=12)
deepseek_yarn = dict(
    rope_type="yarn", rope_theta=10000.0, factor=4.0, original_max_position_embeddings=16, beta_fast=32, beta_slow=1,
    mscale=0.707, mscale_all_dim=0.707,
)

cases = {
    "mixtral": ("mixtral", dict(common, **gqa, intermediate_size=24, num_local_experts=8, num_experts_per_tok=2), dict(dtype=torch.float32)),
    "mixtral-window-sharded": (
        "mixtral",
        dict(common, **gqa, intermediate_size=24, num_local_experts=8, num_experts_per_tok=2, sliding_window=6, tie_word_embeddings=True),
        dict(max_shard_size="40KB"),
    ),
    "qwen2-moe": (
        "qwen2_moe",
        dict(common, **gqa, intermediate_size=40, moe_intermediate_size=16, shared_expert_intermediate_size=24, num_experts=12,
             num_experts_per_tok=4, norm_topk_prob=False, mlp_only_layers=[1], qkv_bias=True),
        {},
    ),
    "qwen3-moe": (
        "qwen3_moe",
        dict(common, **gqa, head_dim=16, intermediate_size=40, moe_intermediate_size=16, num_experts=16, num_experts_per_tok=4,
             norm_topk_prob=True, decoder_sparse_step=1),
        {},
    ),
    "olmoe-f16": (
        "olmoe",
        dict(common, num_attention_heads=4, num_key_value_heads=4, intermediate_size=16, num_experts=16, num_experts_per_tok=4, clip_qkv=0.6),
        dict(dtype=torch.float16),
    ),
    "deepseek-v2-lite": (
        "deepseek_v2",
        dict({**common, **mla}, q_lora_rank=None, intermediate_size=40, moe_intermediate_size=16, n_routed_experts=12, num_experts_per_tok=3,
             n_shared_experts=2, first_k_dense_replace=1, topk_method="greedy", routed_scaling_factor=1.0, norm_topk_prob=False),
        {},
    ),
    "deepseek-v2": (
        "deepseek_v2",
        dict({**common, **mla}, q_lora_rank=20, intermediate_size=40, moe_intermediate_size=16, n_routed_experts=16, num_experts_per_tok=3,
             n_shared_experts=1, first_k_dense_replace=1, topk_method="group_limited_greedy", n_group=4, topk_group=2,
             routed_scaling_factor=2.5, norm_topk_prob=False),
        {},
    ),
    "deepseek-v3": (
        "deepseek_v3",
        dict({**common, **mla}, q_lora_rank=20, intermediate_size=40, moe_intermediate_size=16, n_routed_experts=16, num_experts_per_tok=4,
             n_shared_experts=1, first_k_dense_replace=1, n_group=4, topk_group=2, routed_scaling_factor=2.5, norm_topk_prob=True,
             rope_interleave=True, rope_parameters=deepseek_yarn),
        {},
    ),
    "gpt-oss": (
        "gpt_oss",
        dict(common, **gqa, head_dim=16, intermediate_size=32, num_local_experts=8, num_experts_per_tok=2, sliding_window=6,
             layer_types=["sliding_attention", "full_attention", "sliding_attention"],
             rope_parameters=dict(rope_type="yarn", rope_theta=150000.0, factor=8.0, original_max_position_embeddings=16,
                                  beta_fast=32.0, beta_slow=1.0, truncate=False)),
        {},
    ),
}


def randomise(model):
    """Weights large enough that attention, norms and routers all matter."""
    for name, parameter in model.named_parameters():
        if "norm" in name and parameter.dim() == 1:
            parameter.data = 1 + 0.3 * torch.randn_like(parameter)
        elif name.endswith("mlp.gate.weight") or "router.weight" in name:
            parameter.data = torch.randn_like(parameter) * 0.5
        elif parameter.dim() == 1:
            parameter.data = 0.3 * torch.randn_like(parameter)
        else:
            parameter.data = torch.randn_like(parameter) / parameter.shape[-1] ** 0.5
    for name, buffer in model.named_buffers():
        if name.endswith("e_score_correction_bias"):
            buffer.data = 0.2 * torch.randn_like(buffer)


def expected_of(model, ids):
    """What the published class computes, in float64; routers are watched by hooks."""
    routers = []

    def watch(module, inputs, output):
        logits, weights, chosen = output[0], output[1], output[2]
        weights, order = weights.sort(dim=-1, descending=True, stable=True)
        routers.append(dict(logits=logits.tolist(), ids=chosen.gather(1, order).tolist(), weights=weights.tolist()))

    hooks = [module.register_forward_hook(watch) for module in model.modules() if type(module).__name__.lower().endswith("topkrouter")]
    with torch.no_grad():
        logits = model(torch.tensor([ids])).logits[0]
    for hook in hooks:
        hook.remove()
    return dict(tokens=ids, lastLogits=logits[-1].tolist(), logitsNorm=logits.norm().item(), routers=routers)


def fp8_blocks(folder):
    """Turns a checkpoint into the released fp8 form of DeepSeek-V3: e4m3 values, a scale per block of 128 x 128."""
    path = folder / "model.safetensors"
    out = {}
    for name, tensor in load_file(path).items():
        if tensor.dim() != 2 or "proj" not in name:
            out[name] = tensor
            continue
        rows, columns = tensor.shape
        scales = torch.zeros((rows + 15) // 16, (columns + 15) // 16)
        values = torch.zeros(rows, columns, dtype=torch.float8_e4m3fn)
        for r in range(scales.shape[0]):
            for c in range(scales.shape[1]):
                block = tensor[r * 16 : r * 16 + 16, c * 16 : c * 16 + 16].float()
                scales[r, c] = block.abs().max() / 448
                values[r * 16 : r * 16 + 16, c * 16 : c * 16 + 16] = (block / scales[r, c]).to(torch.float8_e4m3fn)
        out[name] = values
        out[f"{name}_scale_inv"] = scales
    save_file(out, path, {"format": "pt"})
    config = json.loads((folder / "config.json").read_text())
    config["quantization_config"] = dict(quant_method="fp8", fmt="e4m3", activation_scheme="dynamic", weight_block_size=[16, 16])
    (folder / "config.json").write_text(json.dumps(config, indent=2) + "\n")


e2m1 = torch.tensor([0, 0.5, 1, 1.5, 2, 3, 4, 6, 0, -0.5, -1, -1.5, -2, -3, -4, -6])


def mxfp4(folder):
    """Turns a gpt-oss checkpoint into its released form: blocks of 32 four-bit values with an 8-bit exponent."""
    path = folder / "model.safetensors"
    out = {}
    for name, tensor in load_file(path).items():
        if not name.endswith(("experts.gate_up_proj", "experts.down_proj")):
            out[name] = tensor
            continue
        # Stored [experts, out, in / 32, 16]: two values a byte, the first in the low half.
        groups = tensor.float().transpose(1, 2).contiguous().reshape(tensor.shape[0], tensor.shape[2], -1, 32)
        exponent = torch.floor(torch.log2(groups.abs().amax(-1, keepdim=True).clamp_min(1e-30))) - 2
        codes = (groups / 2**exponent).unsqueeze(-1).sub(e2m1).abs().argmin(-1)
        out[f"{name}_blocks"] = (codes[..., 0::2] | (codes[..., 1::2] << 4)).to(torch.uint8)
        out[f"{name}_scales"] = (exponent.squeeze(-1) + 127).to(torch.uint8)
    save_file(out, path, {"format": "pt"})
    config = json.loads((folder / "config.json").read_text())
    config["quantization_config"] = dict(quant_method="mxfp4", modules_to_not_convert=["model.layers.*.self_attn", "model.layers.*.mlp.router", "model.embed_tokens", "lm_head"])
    (folder / "config.json").write_text(json.dumps(config, indent=2) + "\n")


def dequantised(folder):
    """Float32 values of a checkpoint that was quantised above, under the names of the plain one."""
    tensors = load_file(folder / "model.safetensors")
    out = {}
    for name, tensor in tensors.items():
        if name.endswith(("_scale_inv", "_scales")):
            continue
        if tensor.dtype == torch.float8_e4m3fn:
            scales = tensors[f"{name}_scale_inv"].repeat_interleave(16, 0).repeat_interleave(16, 1)
            out[name] = tensor.float() * scales[: tensor.shape[0], : tensor.shape[1]]
        elif name.endswith("_blocks"):
            codes = torch.stack([tensor & 15, tensor >> 4], -1).flatten(-2).long()
            scale = 2.0 ** (tensors[name.replace("_blocks", "_scales")].float() - 127)
            values = e2m1[codes] * scale.unsqueeze(-1)
            out[name.removesuffix("_blocks")] = values.flatten(-2).transpose(1, 2).contiguous()
        else:
            out[name] = tensor
    return out


def rounded(value):
    if isinstance(value, list):
        return [rounded(item) for item in value]
    if isinstance(value, dict):
        return {key: rounded(item) for key, item in value.items()}
    return float(f"{value:.9g}") if isinstance(value, float) else value


def make(root, name, model_type, settings, options, quantise=None):
    torch.manual_seed(sum(name.encode()))
    folder = root / name
    shutil.rmtree(folder, ignore_errors=True)
    config = AutoConfig.for_model(model_type, **settings, attn_implementation="eager", experts_implementation="eager")
    model = AutoModelForCausalLM.from_config(config)
    randomise(model)
    dtype = options.get("dtype", torch.bfloat16)
    saving = {key: value for key, value in options.items() if key != "dtype"}
    model.to(dtype).save_pretrained(folder, **saving)
    (folder / "generation_config.json").unlink(missing_ok=True)
    if quantise is not None:
        quantise(folder)
        plain = root / f"{name}.plain"
        shutil.copytree(folder, plain)
        save_file(dequantised(folder), plain / "model.safetensors", {"format": "pt"})
        settings_json = json.loads((plain / "config.json").read_text())
        del settings_json["quantization_config"]
        (plain / "config.json").write_text(json.dumps(settings_json))
        source = plain
    else:
        source = folder
    # From the stored values, in float64.
    stored = AutoModelForCausalLM.from_pretrained(source, dtype=torch.float64, attn_implementation="eager", experts_implementation="eager")
    if quantise is not None:
        shutil.rmtree(source)
    ids = torch.randint(0, settings["vocab_size"], (tokens_count,)).tolist()
    expected = dict(transformers=transformers.__version__, torch=torch.__version__, **expected_of(stored.double(), ids))
    (folder / "expected.json").write_text(json.dumps(rounded(expected)) + "\n")
    print(name, len(expected["routers"]), "routers,", sum(f.stat().st_size for f in folder.iterdir()), "bytes")


root = pathlib.Path(sys.argv[1])
for name, (model_type, settings, options) in cases.items():
    make(root, name, model_type, settings, options)
make(root, "deepseek-v3-fp8", *cases["deepseek-v3"], quantise=fp8_blocks)
make(root, "gpt-oss-mxfp4", *cases["gpt-oss"], quantise=mxfp4)
