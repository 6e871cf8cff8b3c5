import { weightBytes } from "../../../models/bytes.ts";
import { moeShape } from "../../../sim/mapping.ts";
import type { Option, OptionAxis } from "../option-axis.ts";
import type { PlanQuestion } from "../question.ts";
import type { Site } from "../sites.ts";

/** Parts that the experts or layers of a model are cut into between device and host. */
const parts = 12;

/** How an engine is told what the host has: the flag for a part of all from 0 to 1, and what it is called. */
const dialects: Readonly<
  Record<string, (site: Site, part: number) => { readonly flags: string; readonly name: string }>
> = {
  "llama.cpp": ({ model }, part) => {
    const layers = Math.round(part * model.layers.length);
    return { flags: `--n-cpu-moe ${layers}`, name: `experts of ${layers} layers on the host` };
  },
  ktransformers: ({ model }, part) => {
    const { experts } = moeShape(model)!;
    const kept = Math.round((1 - part) * experts);
    return { flags: `--kt-num-gpu-experts ${kept}`, name: `${kept} experts of a layer on the device` };
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
    const options = new Map<string, Option>();
    for (let i = 0; i <= parts; i++) {
      const { flags, name } = dialect(site, i / parts);
      options.set(flags, { settings: [`policy.offload={kind: static, flags: ${JSON.stringify(flags)}}`], name });
    }
    return [...options.values()];
  },
};
