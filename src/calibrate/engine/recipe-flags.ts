import type { EngineProfile } from "../../engine/engine-profile.ts";
import { relativesOf } from "../../hardware/architectures.ts";
import type { SchedulerConfig } from "../../sim/config.ts";
import type { ServingPoint } from "../measured/serving-point.ts";

type Load = Pick<ServingPoint, "promptTokens" | "concurrency">;
type Flags = Partial<Pick<SchedulerConfig, "recvInterval" | "maxBatchTokens">>;

/** Flags that published launch scripts of a benchmark set for a load, where a point says nothing of them. */
interface Recipe {
  readonly engine: string;
  /** Catalogue ids. */
  readonly models: readonly string[];
  flags(load: Load): Flags;
}

const blackwell = new Set(relativesOf("b200-sxm"));

/** InferenceX, benchmarks/single_node: scripts for B200, B300 and GB200. Those for Hopper leave these flags alone. */
const recipes: readonly Recipe[] = [
  {
    engine: "sglang",
    models: ["deepseek-v3", "qwen3.5-397b-a17b"],
    flags: ({ concurrency }) => ({ recvInterval: concurrency >= 16 ? 30 : 10 }),
  },
  {
    engine: "vllm",
    models: ["minimax-m2.5", "kimi-k2"],
    flags: ({ promptTokens }) => ({ maxBatchTokens: 2 * promptTokens }),
  },
];

/**
 * Scheduler flags of a measured point beyond the engine's defaults: those of its published recipe, and without chunked
 * prefill a budget that holds the longest prompt beside all decodes.
 */
export function recipeFlags(load: Load, { engine, model, device }: Deployed): Flags {
  const recipe = blackwell.has(device)
    ? recipes.find((candidate) => candidate.engine === engine.id && candidate.models.includes(model))
    : undefined;
  const { chunkedPrefill, maxBatchTokens } = engine.defaults;
  return {
    ...(chunkedPrefill ? {} : { maxBatchTokens: Math.max(maxBatchTokens, load.promptTokens + load.concurrency + 64) }),
    ...recipe?.flags(load),
  };
}

interface Deployed {
  readonly engine: EngineProfile;
  readonly model: string;
  readonly device: string;
}
