import { describe, expect, test } from "vitest";
import { observationOf, observeDeployment } from "../../../src/calibrate/observed/observe-deployment.ts";
import { mean } from "../../../src/core/statistics.ts";
import type { EngineProfile } from "../../../src/engine/engine-profile.ts";
import { resolveScenario } from "../../../src/resolve/resolve-scenario.ts";
import type { SimConfig } from "../../../src/sim/config.ts";
import { countedRequests, requestValues } from "../../../src/sim/outcome/request-latencies.ts";
import { simulate } from "../../../src/sim/simulate.ts";
import { type Deployment, type Figures, type Loop, scenarioOf } from "./own-figures.ts";

const noFiles = { readText: () => Promise.reject(new Error("no file was expected")) };

/** An engine as it may be on someone's machine. */
const slower = (engine: EngineProfile): EngineProfile => ({
  ...engine,
  kernelExcess: 1.2 * engine.kernelExcess,
  prefillExcess: 1.2 * engine.prefillExcess,
  kernelOverheadNs: 1.3 * engine.kernelOverheadNs,
  stepOverheadNs: 1.3 * engine.stepOverheadNs,
  requestOverheadNs: 1.5 * engine.requestOverheadNs,
});

function figuresUnder(config: SimConfig): Figures {
  const { requests } = simulate(config);
  const counted = countedRequests(requests, null);
  const meanMs = (metric: "tpot" | "ttft") => mean(requestValues(requests, metric, counted)) / 1e6;
  return { tpotMs: meanMs("tpot"), ttftMs: meanMs("ttft") };
}

const loop = (clients: number, prompt: number, output: number): Loop => ({
  clients,
  requests: 6 * clients,
  isl: `{ kind: uniform, low: ${Math.round(0.8 * prompt)}, high: ${prompt} }`,
  osl: `{ kind: uniform, low: ${Math.round(0.8 * output)}, high: ${output} }`,
});
const short = [loop(8, 1024, 8), loop(32, 1024, 8), loop(128, 2048, 16), loop(32, 4096, 64)];
const long = loop(8, 1024, 256);

const deployments: readonly Deployment[] = [
  ["deepseek-v3", "h200-sxm-8", "sglang", "{ dp: 8, ep: 8 }"],
  ["qwen3-235b-a22b", "h100-sxm-8", "sglang", "{ tp: 2, dp: 4, ep: 8 }"],
  ["qwen3-235b-a22b", "h100-sxm-8", "vllm", "{ tp: 2, dp: 4, ep: 8 }"],
];

describe("short outputs under data-parallel attention", () => {
  test.each(deployments)("bring a long load no further from the truth: %s %s %s %s", async (...deployment) => {
    const { config: far } = await resolveScenario(scenarioOf(deployment, long), noFiles);
    const truth = figuresUnder({ ...far, engine: slower(far.engine) });
    const errorsOf = (engine: EngineProfile) => {
      const { tpotMs, ttftMs } = figuresUnder({ ...far, engine });
      return [tpotMs / truth.tpotMs, ttftMs / truth.ttftMs].map((ratio) => Math.abs(Math.log(ratio)));
    };
    const [tpotBefore, ttftBefore] = errorsOf(far.engine) as [number, number];
    for (const each of short) {
      const resolved = await resolveScenario(scenarioOf(deployment, each), noFiles);
      const seen = figuresUnder({ ...resolved.config, engine: slower(resolved.config.engine) });
      const counted = each.requests - resolved.config.warmupRequests;
      const text = `{"completed":${counted},"max_concurrency":${each.clients},"mean_ttft_ms":${seen.ttftMs},"mean_tpot_ms":${seen.tpotMs}}`;
      const { config } = observeDeployment(resolved, observationOf(text, "short.json"));
      const [tpot, ttft] = errorsOf(config.engine) as [number, number];
      expect(tpot, `${each.clients} ${each.isl} ${each.osl}`).toBeLessThan(tpotBefore + 0.02);
      expect(ttft, `${each.clients} ${each.isl} ${each.osl}`).toBeLessThan(ttftBefore + 0.02);
    }
  });
});
