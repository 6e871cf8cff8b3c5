import { describe, expect, test } from "vitest";
import { everyOther } from "../../drawn.ts";
import {
  deployments,
  enginesWithout,
  type Figures,
  figuresOf,
  forecast,
  loops,
  ratiosTo,
  resultOf,
  scenarioOf,
} from "./own-figures.ts";

/** Repeats of one measurement differ by 1 % at the median: what comes back is within two of these. */
const same = 0.02;
/**
 * One point moves what it tells of to within this of itself: factors are held back by their priors, and TTFTs count less.
 * Most come within 3 %; the widest are loops of prompts, whose TPOT and TTFT are one rate and here move apart.
 */
const near = { tpotMs: 0.08, ttftMs: 0.16 };
/** Beyond this a point counts as one that cannot be reached. */
const unreached = { tpotMs: 0.08, ttftMs: 0.25 };
const beyond = (ratios: Figures, limits: Figures): boolean =>
  Math.abs(Math.log(ratios.tpotMs)) > Math.log(1 + limits.tpotMs) ||
  Math.abs(Math.log(ratios.ttftMs)) > Math.log(1 + limits.ttftMs);

describe("the figures of a run, given as the observed point of its own scenario", () => {
  test("are those of every engine of the catalogue", () => {
    expect(enginesWithout).toEqual([]);
  });

  test.each(everyOther(deployments.map((deployment, i) => [deployment, loops[i % loops.length]!] as const)))(
    "come back, and so do figures a factor away: %s",
    async (deployment, loop) => {
      const scenario = scenarioOf(deployment, loop);
      const own = await forecast(scenario);
      const figures = figuresOf(own);
      const again = ratiosTo(figures, await forecast(scenario, resultOf(own, loop, figures)));
      expect(Math.abs(again.tpotMs - 1)).toBeLessThan(same);
      expect(Math.abs(again.ttftMs - 1)).toBeLessThan(same);
      const slower = { tpotMs: 1.3 * figures.tpotMs, ttftMs: 1.5 * figures.ttftMs };
      const document = await forecast(scenario, resultOf(own, loop, slower));
      const moved = ratiosTo(slower, document);
      const said = document.bands?.unvalidated?.includes("cannot be reached") ?? false;
      expect(said).toBe(beyond(moved, unreached));
      // llama.cpp handles requests in no time, and its prompts are at the peak of the arithmetic.
      if (deployment[2] !== "llama.cpp") expect(beyond(moved, near)).toBe(false);
    },
  );

  test("come back from a line of a table, with its number of requests, that of all of them, or none", async () => {
    const [deployment, loop] = [deployments[0]!, loops[0]!];
    const scenario = scenarioOf(deployment, loop);
    const own = await forecast(scenario);
    const { tpotMs, ttftMs } = figuresOf(own);
    const columns = "model,system,backend,version,precision,isl,osl,concurrency,tp,attn_dp,moe_tp,moe_ep,gpus";
    const line = `Qwen/Qwen3-30B-A3B,h100_sxm,vllm,0.19.0,bf16,512,64,${loop.clients},2,1,2,1,2`;
    for (const [column, count] of [
      ["requests", own.requests.completed - own.requests.warmup],
      ["num_prompts", own.requests.completed],
      ["unread", 0],
    ]) {
      const text = `${columns},ttft_ms,tpot_ms,${column}\n${line},${ttftMs},${tpotMs},${count}\n`;
      const again = ratiosTo({ tpotMs, ttftMs }, await forecast(scenario, text));
      expect(Math.abs(again.tpotMs - 1)).toBeLessThan(same);
      expect(Math.abs(again.ttftMs - 1)).toBeLessThan(same);
    }
  });

  test("say how a burst weighs: figures of a few requests per client are not those of many", async () => {
    const loop = { ...loops[1]!, requests: 12 };
    const scenario = scenarioOf(deployments[0]!, loop);
    const short = await forecast(scenario);
    const long = await forecast(scenarioOf(deployments[0]!, { ...loop, requests: 80 }));
    const figures = figuresOf(long);
    // The burst is a third of the short run and a twentieth of the long one.
    expect(figuresOf(short).ttftMs / figures.ttftMs).toBeGreaterThan(1.05);
    const again = ratiosTo(figuresOf(short), await forecast(scenario, resultOf(long, loop, figures)));
    expect(Math.abs(again.ttftMs - 1)).toBeLessThan(same);
  });
});
