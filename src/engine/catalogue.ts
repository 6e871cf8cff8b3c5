import { lookUp } from "../core/look-up.ts";
import { readProfile } from "../core/read-profile.ts";
import ktransformers from "./catalogue/ktransformers.json" with { type: "json" };
import llamaCpp from "./catalogue/llama.cpp.json" with { type: "json" };
import sglang from "./catalogue/sglang.json" with { type: "json" };
import sglangRocm from "./catalogue/sglang-rocm.json" with { type: "json" };
import tensorrtLlm from "./catalogue/tensorrt-llm.json" with { type: "json" };
import vllm from "./catalogue/vllm.json" with { type: "json" };
import vllmAscend from "./catalogue/vllm-ascend.json" with { type: "json" };
import vllmRocm from "./catalogue/vllm-rocm.json" with { type: "json" };
import type { EngineProfile } from "./engine-profile.ts";
import { type EngineProfileFile, engineSchema } from "./profile-schema.ts";
import { resolveEngine } from "./resolve-engine.ts";

/** Serving engines by id. */
const engineFiles = {
  vllm: vllm,
  "vllm-rocm": vllmRocm,
  "vllm-ascend": vllmAscend,
  sglang: sglang,
  "sglang-rocm": sglangRocm,
  "tensorrt-llm": tensorrtLlm,
  "llama.cpp": llamaCpp,
  ktransformers: ktransformers,
} satisfies Record<string, unknown>;

/** Ids of the serving engines. */
export const engineIds: readonly string[] = Object.keys(engineFiles);

/** Keys of earlier profiles, and what stands in their place. */
const replaced = {
  kernelFactor: "kernelExcess, a share of what kernels take beyond the peaks",
  prefillFactor: "prefillExcess, a share of what kernels on prompts take beyond the peaks",
  kernelsPerLayer: "layerKernels, by the parts of a layer",
  mixedDecodeFactor: "mixedDecodeRows, where decodes ride in the launch of prompts",
};

/** Reads an engine profile; throws InvalidInputError. */
export function parseEngineProfile(json: unknown, file: string): EngineProfileFile {
  return readProfile(engineSchema, json, file, replaced);
}

/** Id of the profile of engine `id` on a platform (`rocm`): `vllm-rocm` for `vllm`; `id` itself where there is none. */
export function engineIdOn(platform: string | undefined, id: string): string {
  const built = `${id}-${platform}`;
  return platform !== undefined && engineIds.includes(built) ? built : id;
}

/** The engine profile `id`, with sources; throws InvalidInputError for an unknown id. */
export function engineProfileNamed(id: string): EngineProfileFile {
  return parseEngineProfile(lookUp(engineFiles, id, "engine", []), `engines/${id}.json`);
}

/** The serving engine `id` (`vllm`), in a version if one is given; throws InvalidInputError for an unknown id. */
export function engineNamed(id: string, version?: string): EngineProfile {
  return resolveEngine(engineProfileNamed(id), version);
}
