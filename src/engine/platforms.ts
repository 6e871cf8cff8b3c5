import type { Problem } from "../core/errors.ts";
import { own } from "../core/own.ts";

/** What software runs on a device. */
export interface EnginePlace {
  readonly name: string;
  /** `rocm`, `ascend`, ...; absent for CUDA. */
  readonly platform?: string | undefined;
  /** CUDA compute capability; null where it is not known. */
  readonly computeCapability: number | null;
}

interface EngineBuild {
  readonly platforms: readonly string[];
  /** Least CUDA compute capability. */
  readonly computeCapability?: number;
}

/**
 * What the engines of the catalogue are built for. vLLM: "Installation" of its documentation with the hardware plugins
 * listed there. SGLang: "Hardware Platforms". TensorRT-LLM: "Supported Hardware", Ampere and later. llama.cpp: back ends of
 * its README (CANN for Ascend). KTransformers: "Hardware Requirements" of its tutorials, Ampere and later. Builds with a profile of their own stand beside them. No engine of the catalogue is built for RDUs:
 * there vLLM stands for the vendor's own.
 */
const builds: Readonly<Record<string, EngineBuild>> = {
  vllm: { platforms: ["cuda", "tpu", "gaudi", "metal", "cpu", "rdu"], computeCapability: 7.5 },
  "vllm-rocm": { platforms: ["rocm"] },
  "vllm-ascend": { platforms: ["ascend"] },
  sglang: { platforms: ["cuda", "ascend", "tpu", "metal", "cpu"], computeCapability: 7.5 },
  "sglang-rocm": { platforms: ["rocm"] },
  "tensorrt-llm": { platforms: ["cuda"], computeCapability: 8 },
  ktransformers: { platforms: ["cuda"], computeCapability: 8 },
  "llama.cpp": { platforms: ["cuda", "rocm", "ascend", "metal", "cpu"] },
};

/** Whether an engine of the catalogue, by the id of its profile, runs on a device. */
export function runsOn(id: string, { platform = "cuda", computeCapability }: EnginePlace): boolean {
  const build = own(builds, id);
  if (build?.platforms.includes(platform) !== true) return false;
  return computeCapability === null || computeCapability >= (build.computeCapability ?? 0);
}

/**
 * What is wrong with an engine on a device, with those that run there; null where nothing is. On a platform that none is built
 * for, any of them stands for the vendor's own.
 */
export function engineElsewhere(id: string, place: EnginePlace): Problem | null {
  const others = Object.keys(builds).filter((other) => runsOn(other, place));
  if (others.length === 0 || others.includes(id)) return null;
  return {
    at: "engine.id",
    expected: `an engine that runs on ${place.name}: ${others.join(", ")}`,
    found: id,
    hint: "engine.file takes a profile of your own",
  };
}
