import { weightBytes } from "../../../models/bytes.ts";
import { moeShape } from "../../../sim/mapping.ts";
import type { OptionAxis } from "../option-axis.ts";
import type { PlanQuestion } from "../question.ts";
import type { Site } from "../sites.ts";

/** Steps that the experts of a layer are divided in at most. */
const stepsMax = 32;

interface Split {
  readonly flags: string;
  readonly name: string;
}

/** How an engine is told what the host computes: every split that it has, the least of the host first. */
const dialects: Readonly<Record<string, (site: Site) => Split[]>> = {
  "llama.cpp": ({ model }) =>
    Array.from({ length: model.layers.length + 1 }, (_, layers) => ({
      flags: `--n-cpu-moe ${layers}`,
      name: `the experts of ${layers} layers on the host`,
    })),
  ktransformers: ({ model }) => {
    const { experts } = moeShape(model)!;
    const steps = Math.min(stepsMax, experts);
    return Array.from({ length: steps + 1 }, (_, step) => {
      const kept = Math.round((1 - step / steps) * experts);
      return { flags: `--kt-num-gpu-experts ${kept}`, name: `${kept} experts of a layer on the device` };
    });
  },
};

/**
 * Experts that the host computes, where the weights do not fit on one device and the engine has such a split: from none of them
 * to all. A scenario or a question that states an offload has the say.
 */
export const offloadOption: OptionAxis = {
  name: "offload",
  options: ({ scenario, plan }: PlanQuestion, site: Site) => {
    const dialect = dialects[site.engine.id];
    const stated = scenario.policy.offload !== undefined || "policy.offload" in plan.vary;
    const weights = Object.values(weightBytes(site.model, site.storage)).reduce((sum, bytes) => sum + bytes, 0);
    if (dialect === undefined || stated || moeShape(site.model) === null || weights <= site.node.device.memoryBytes)
      return [];
    return dialect(site).map(({ flags, name }) => ({
      settings: [`policy.offload={kind: static, flags: ${JSON.stringify(flags)}}`],
      name,
    }));
  },
};
