import { formatPercent } from "../../../core/units.ts";
import { moeShape } from "../../../sim/mapping.ts";
import { blackwell, rtxBlackwell } from "../compute-capabilities.ts";
import { isInt4, scaleBlockOf, smallestGroup } from "../scale-blocks.ts";
import {
  computeCapabilityOf,
  type Deployment,
  engineName,
  type Finding,
  olderThan,
  type StartUpRule,
  sglangBuilds,
  vllmBuilds,
} from "../start-up-rule.ts";

/** The slice of an expert that a device holds. */
interface Slice {
  readonly width: number;
  /** `1536 / 8 = 192`. */
  readonly words: string;
}

function sliceOf({ model, mapping }: Deployment): Slice | null {
  const moe = moeShape(model);
  if (moe === null) return null;
  const width = moe.expertWidth / mapping.etp;
  return { width, words: mapping.etp === 1 ? `${width}` : `${moe.expertWidth} / ${mapping.etp} = ${width}` };
}

/** What keeps experts whole, by engine. */
const wholeExperts: Readonly<Record<string, string>> = {
  vllm: "--enable-expert-parallel",
  "vllm-rocm": "--enable-expert-parallel",
  sglang: "--ep",
  "sglang-rocm": "--ep",
  "tensorrt-llm": "--ep_size",
};

/** A finding on the slices: about their number, or about the format where experts are whole. */
function finding(deployment: Deployment, severity: Finding["severity"], reason: string, expected: string): Finding {
  const { mapping, formats, engine } = deployment;
  if (mapping.etp === 1) return { severity, at: "model.dtypes.experts", expected, found: formats.experts, reason };
  const hint = `parallel.etp 1 with parallel.ep ${mapping.ep * mapping.etp} (${wholeExperts[engine.id]}) keeps experts whole`;
  return { severity, at: "parallel.etp", expected, found: mapping.etp, reason, hint };
}

/** First version of vLLM that loads cut blocks on Blackwell (pull request 55867, merged in September 2026). */
const vllmFirstPadded = [0, 30];

const padsBlocks = (deployment: Deployment): boolean =>
  deployment.engine.id === "vllm" &&
  (computeCapabilityOf(deployment) ?? 0) >= blackwell &&
  !olderThan(deployment, vllmFirstPadded);

/** Scales of 128 x 128 values: engines allocate and load whole blocks. */
export const fp8ExpertSlices: StartUpRule = {
  about: "experts in FP8 blocks",
  engines: [...vllmBuilds, ...sglangBuilds, "tensorrt-llm"],
  says: "refuse slices of an expert that are no multiple of 128 wide; vLLM from 0.30 on pads them on Blackwell, which is noted",
  source:
    "vLLM, quantization/fp8.py, create_weights, and issues 17327, 17569, 25292 and 54178; padding in general (pull requests 39046, 48173) was closed unmerged. SGLang, layers/quantization/fp8.py: the same check. TensorRT-LLM, _torch/modules/fused_moe/quantization.py: scales are allocated for 128 values and sliced apart from the weights",
  check(deployment) {
    const slice = sliceOf(deployment);
    const block = scaleBlockOf(deployment.formats.experts);
    if (slice === null || block === null || block.outputs === 1 || slice.width % block.outputs === 0) return [];
    if (padsBlocks(deployment)) {
      const pads = `${engineName(deployment)} pads expert matrices ${slice.words} wide to whole blocks of ${block.outputs} with FlashInfer's TRTLLM kernels alone; the padding is not counted`;
      return [finding(deployment, "warning", pads, `expert slices of whole blocks of ${block.outputs}`)];
    }
    const reason = `${engineName(deployment)} does not load expert matrices ${slice.words} wide, whose scales stand for blocks of ${block.outputs}`;
    return [finding(deployment, "refusal", reason, `expert slices of whole blocks of ${block.outputs}`)];
  },
};

/** Scales along the input of the second product, which slices cut. */
export const groupedExpertSlices: StartUpRule = {
  about: "experts in groups of values (NVFP4, 4-bit integers)",
  engines: [...vllmBuilds, ...sglangBuilds, "tensorrt-llm"],
  says: "vLLM refuses slices that cut a group of 16 (NVFP4) or 32 (any 4-bit integers); other engines, and usual groups of 128, are noted",
  source:
    "vLLM, issues 49949 (NVFP4: 1856 / 8), 17604 and pull request 57792 (4-bit integers); quantization/moe_wna16.py halves groups down to 32, compressed-tensors asserts a whole number of them",
  check(deployment) {
    const { formats, engine } = deployment;
    const slice = sliceOf(deployment);
    const block = scaleBlockOf(formats.experts);
    if (slice === null || block === null || block.outputs !== 1 || formats.experts.startsWith("mxfp4")) return [];
    if (slice.width % block.inputs === 0) return [];
    const cut = `expert slices ${slice.words} wide cut groups of ${block.inputs}`;
    const expected = `expert slices of whole groups of ${block.inputs}`;
    const certain = block.certain || slice.width % smallestGroup !== 0;
    if (certain && engine.id.startsWith("vllm"))
      return [
        finding(
          deployment,
          "refusal",
          `${engineName(deployment)} does not load ${formats.experts} where ${cut}`,
          expected,
        ),
      ];
    const known = isInt4(formats.experts)
      ? "starts with GPTQ and AWQ on slower kernels with smaller groups, and not with compressed-tensors"
      : "is not known to start";
    return [finding(deployment, "warning", `${engineName(deployment)} ${known} where ${cut}`, expected)];
  },
};

/** FlashInfer's TRTLLM kernels take experts in tiles of so many columns, other kernels for NVFP4 in half of them. */
const tile = 128;

/** Blackwell's fastest kernels, which vLLM takes without being asked. */
export const tiledExpertSlices: StartUpRule = {
  about: "experts in 16 bits and NVFP4, by kernels that take whole tiles",
  engines: ["vllm"],
  says: "noted: on Blackwell 16-bit slices that are no multiple of 128 wide start with --moe-backend triton only; NVFP4 slices that are no multiple of 64 may find no kernel",
  source:
    'vLLM, issue 41360 (Qwen3-30B-A3B on eight B200, 768 / 8); EuroEval, pull request 2079 (896 / 2: "the second dimension of weights must be a multiple of 128"); vLLM, issue 39595 (Gemma 4 in NVFP4, 704 / 2)',
  check(deployment) {
    const { formats, mapping } = deployment;
    const slice = sliceOf(deployment);
    if (slice === null || mapping.etp === 1) return [];
    const name = engineName(deployment);
    const capability = computeCapabilityOf(deployment) ?? 0;
    const note = (size: number, does: string) => [
      finding(deployment, "warning", `${name} ${does}`, `expert slices of whole tiles of ${size}`),
    ];
    const unquantised = formats.experts === "bf16" || formats.experts === "fp16";
    if (unquantised && capability >= blackwell && capability < rtxBlackwell && slice.width % tile !== 0)
      return note(
        tile,
        `starts with --moe-backend triton where expert slices are ${slice.words} wide: its own choice on Blackwell takes multiples of ${tile}`,
      );
    const group = scaleBlockOf("nvfp4")!.inputs;
    if (formats.experts === "nvfp4" && slice.width % group === 0 && slice.width % (tile / 2) !== 0)
      return note(
        tile / 2,
        `may have no kernel for NVFP4 expert slices ${slice.words} wide, no multiple of ${tile / 2}`,
      );
    return [];
  },
};

/** Widths that kernels for MXFP4 take are multiples of this at most. */
const mxfp4Pad = 256;
const worthSaying = 0.1;

/** gpt-oss: 2880 on eight devices is 360 a device, held as 384 or 512. */
export const paddedExpertSlices: StartUpRule = {
  about: "experts in MXFP4",
  engines: [...vllmBuilds, ...sglangBuilds, "tensorrt-llm"],
  says: "pad slices to a multiple of 32 to 256, by kernel: noted where that may add a tenth and more, which the forecast leaves out",
  source:
    "vLLM, quantization/mxfp4.py, create_weights: Marlin and Hopper 128, Blackwell 256, Triton 64. SGLang, layers/quantization/mxfp4.py: FlashInfer 256, Marlin 128, Triton 32",
  check(deployment) {
    const slice = sliceOf(deployment);
    if (slice === null || !deployment.formats.experts.startsWith("mxfp4")) return [];
    const padded = Math.ceil(slice.width / mxfp4Pad) * mxfp4Pad;
    const more = padded / slice.width - 1;
    if (more < worthSaying) return [];
    const reason = `${engineName(deployment)} pads expert slices ${slice.words} wide to a multiple of 32 to ${mxfp4Pad}, up to ${formatPercent(more, 0)} more, which is not counted`;
    return [finding(deployment, "warning", reason, `expert slices of whole tiles of ${mxfp4Pad}`)];
  },
};
