/**
 * Published end-to-end gains of expert placement (MoETuner: arXiv 2502.06643; LMSYS, May 2025, factors from a summary; ROCm/ATOM,
 * pull request 1210) beside those that a replay gives: npm run check:gains -- <mixtral.safetensors>.
 * Each row is a bundled scenario with and without the placement. Nothing is fitted: what the replay does not explain stands there
 * as the rest. Without a trace of Mixtral's routing the rows that need one are left out.
 */
import { readFile } from "node:fs/promises";
import { resolve } from "node:path";
import { median } from "simple-statistics";
import { resolveScenario } from "../src/resolve/resolve-scenario.ts";
import { parseScenario } from "../src/scenario/parse-scenario.ts";
import { simulate } from "../src/sim/simulate.ts";
import { row } from "./kernels/text.ts";

interface Gain {
  readonly name: string;
  readonly file: string;
  /** Published: throughput after / before, or time after / before as its inverse. */
  readonly published: number;
  readonly before: readonly string[];
  readonly after: readonly (readonly [string, readonly string[]])[];
  readonly needsTrace?: boolean;
  /** Whether decodes alone are compared, by the median time of a token: what a run does before is left out. */
  readonly decodes?: boolean;
}

const without = ["policy.placement=null"];
const skews = [0.5, 1] as const;

const gains: readonly Gain[] = [
  ...["node", "nodes"].map((where, i) => ({
    name: `MoETuner, Mixtral, ${["1 node", "2 nodes"][i]}`,
    file: `scenarios/placement/moetuner-${where}.yaml`,
    published: 1 / (1 - [0.093, 0.175][i]!),
    before: without,
    after: [
      ["moetuner, fitted on what is replayed", ["policy.placement.fit=null"]],
      ["moetuner, fitted on another topic", []],
      ["lpt, fitted on another topic", ["policy.placement.kind=lpt"]],
    ] as const,
    needsTrace: true,
  })),
  ...skews.map((skew) => ({
    name: `EPLB, DeepSeek-V3 prefill EP32, skew ${skew}`,
    file: "scenarios/large-ep-prefill.yaml",
    published: 1.49,
    before: [...without, `routing.skew=${skew}`],
    after: [["eplb, 32 redundant", [`routing.skew=${skew}`]]] as const,
  })),
  ...skews.map((skew) => ({
    name: `EPLB, DeepSeek-V3 decode EP72, skew ${skew}`,
    file: "scenarios/large-ep-decode.yaml",
    published: 2.54,
    // 256 experts do not divide over 72 ranks: before it, copies are of the first experts.
    before: ["policy.placement.kind=trivial", `routing.skew=${skew}`],
    after: [["eplb, 32 redundant", [`routing.skew=${skew}`]]] as const,
    decodes: true,
  })),
  ...(
    [
      [1.167, "eplb, no copies", ["policy.placement={kind: eplb}"]],
      [1.244, "eplb, 64 copies (published: naive ones)", ["policy.placement={kind: eplb, redundant: 64}"]],
      [1.34, "biased, 64 copies", []],
    ] as const
  ).map(([published, placement, settings]) => ({
    name: "ATOM, DeepSeek-V4-Pro, here V3",
    file: "scenarios/placement/atom-copies.yaml",
    published,
    before: without,
    after: [[placement, settings]] as const,
  })),
];

/** Time of a run, or the median time of its output tokens after the first, ns. */
async function runNs(
  { file, needsTrace, decodes }: Gain,
  settings: readonly string[],
  trace: string | undefined,
): Promise<number> {
  const params = needsTrace === true && trace !== undefined ? { ROUTING: trace } : {};
  const scenario = parseScenario(await readFile(file, "utf8"), file, { settings, params });
  const { config } = await resolveScenario(scenario, { readText: (path) => readFile(path, "utf8") });
  const { endNs, requests } = simulate(config);
  if (decodes !== true) return endNs;
  const { firstTokenNs, lastTokenNs, outputTokens } = requests;
  return median(Array.from(firstTokenNs, (first, i) => (lastTokenNs[i]! - first) / (outputTokens[i]! - 1)));
}

async function main(): Promise<void> {
  const trace = process.argv[2] === undefined ? undefined : resolve(process.argv[2]);
  row(["published gain", "throughput", "replayed", "what of it", "placement"], 44, 12);
  for (const one of gains) {
    const { name, published, before, after } = one;
    if (one.needsTrace === true && trace === undefined) continue;
    const beforeNs = await runNs(one, before, trace);
    for (const [placement, settings] of after) {
      const gain = beforeNs / (await runNs(one, settings, trace));
      const share = (gain - 1) / (published - 1);
      row(
        [name, `x${published.toFixed(3)}`, `x${gain.toFixed(3)}`, `${Math.round(100 * share)} %`, `  ${placement}`],
        44,
        12,
      );
    }
  }
}

await main();
