import { architectureOf } from "../../hardware/architectures.ts";
import type { PoolConfig } from "../../sim/config.ts";

/** A deployment as its engine is asked to start it. A pool of a configuration is one. */
export type Deployment = Pick<
  PoolConfig,
  "role" | "model" | "formats" | "kvFormat" | "node" | "engine" | "mapping" | "scheduler" | "speculation"
> & {
  /** Experts that transforms have left of each layer; absent: all of the model. */
  readonly expertsLeft?: readonly number[];
  /** Copies of experts beyond one each, per layer; absent: none. */
  readonly redundantExperts?: number;
  /** Experts are placed by the engine's load balancer (EPLB). Absent: they are not. */
  readonly eplb?: boolean;
};

/** What an engine does with a deployment before it serves anything. */
export interface Finding {
  /** `refusal`: it does not start. `warning`: it starts with an option more, or otherwise than it is simulated. */
  readonly severity: "refusal" | "warning";
  /** Key of the scenario that it is about, such as `parallel.etp`. */
  readonly at: string;
  readonly expected: string;
  readonly found: unknown;
  /** What the engine does and why, a sentence with the engine as its subject. */
  readonly reason: string;
  readonly hint?: string;
  /** Nobody can overrule it: no engine does it, nor is it simulated. Absent: false. */
  readonly final?: boolean;
}

/** One thing that engines refuse or do otherwise, known from their sources. */
export interface StartUpRule {
  /** Of what, in a few words of a table. */
  readonly about: string;
  /** Ids of engine profiles; `every`: those of other profiles too. */
  readonly engines: readonly string[] | "every";
  /** What is refused or noted, and in which versions, as a row of a table says it. */
  readonly says: string;
  /** File of the engine's repository, page of its documentation, or issue. */
  readonly source: string;
  check(deployment: Deployment): readonly Finding[];
}

/** Builds of vLLM and SGLang that share the code which rules are about. */
export const vllmBuilds = ["vllm", "vllm-rocm"] as const;
export const sglangBuilds = ["sglang", "sglang-rocm"] as const;

/** The engine with its version, as messages name it. */
export const engineName = ({ engine }: Pick<Deployment, "engine">): string => `${engine.name} ${engine.version}`;

/** CUDA compute capability of the devices; null where they run no CUDA or it is not known. */
export const computeCapabilityOf = ({ node }: Pick<Deployment, "node">): number | null =>
  architectureOf(node.device.id)?.computeCapability ?? null;

/** Whether the engine is older than a version. A version that is no number, such as a nightly build, is not. */
export function olderThan({ engine }: Pick<Deployment, "engine">, than: readonly number[]): boolean {
  const found = /^v?(\d+(?:\.\d+)*)/.exec(engine.version)?.[1]?.split(".").map(Number);
  if (found === undefined) return false;
  for (const [i, part] of than.entries()) {
    const own = found[i] ?? 0;
    if (own !== part) return own < part;
  }
  return false;
}
