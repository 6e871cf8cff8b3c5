import { InfeasibleError } from "../../../core/errors.ts";
import { fewestDevices, layoutTitle, parallelText } from "../layouts.ts";
import { longPromptLengths } from "../lengths.ts";
import { deviceLines, engineLines, modelLines } from "../sections.ts";
import type { Draft, Template } from "../template.ts";

/** Longest sequence of a scenario of this template. */
const contextTokens = 32_768;

/** Prefill and decode apart: a pool for prompts, a pool for answers. */
export const pools: Template = {
  title: "Prefill and decode pools: prompts computed apart from answers",
  question: "Do long prompts disturb answers less when pools of their own compute them, and how large is each pool?",
  next: [
    ["--set pools.0.parallel.replicas=2", "more replicas that compute prompts"],
    ["--set traffic.arrivals.requestRate=N/s", "another load"],
    ["delete pools, and set parallel", "the same devices without pools (docs/disaggregation.md)"],
  ],
  defaults: { model: "deepseek-v3", system: "h200-sxm-8", name: "pools" },
  engines: ["sglang", "vllm", "tensorrt-llm"],
  requests: 400,
  contextTokens,
  defaultLoad: "found",
  lengths: longPromptLengths,
  routing: "{ kind: uniform }",
  limits: { percentile: 95, ttftMs: 5000, tpotMs: 50 },
  async draft(site, probe) {
    const one = (tensorFirst: boolean) =>
      fewestDevices(site, probe, tensorFirst, (devices, degrees) => ({
        title: layoutTitle(devices, degrees),
        sections: [
          ...modelLines(site),
          ...deviceLines(site, devices),
          ...engineLines(site, contextTokens),
          ...(devices === 1 ? [] : ["", `parallel: ${parallelText(degrees)}`]),
        ],
      }));
    const [prefill, decode] = [await one(true), await one(false)];
    const devices = Math.max(prefill.devices, decode.devices);
    const pool = (name: string, degrees: Readonly<Record<string, number>>) => [
      `  - name: ${name}`,
      `    role: ${name}`,
      `    parallel: ${parallelText({ ...degrees, replicas: 1 })}`,
    ];
    const draft: Draft = {
      title: `a prefill pool of ${layoutTitle(prefill.devices, prefill.degrees)}, a decode pool of ${layoutTitle(decode.devices, decode.degrees)}`,
      sections: [
        ...modelLines(site),
        ...deviceLines(site, devices),
        ...engineLines(site, contextTokens),
        "",
        "pools:",
        ...pool("prefill", prefill.degrees),
        ...pool("decode", decode.degrees),
      ],
    };
    // Each pool alone runs; what hands caches over between them is asked for here.
    const problem = await probe(draft);
    if (problem !== null)
      throw new InfeasibleError(`${site.spec.name} in two pools on ${site.systemName} (${site.system}): ${problem}`);
    return draft;
  },
  first: (path) => ["run", path],
};
