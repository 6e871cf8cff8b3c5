import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { resolveScenario } from "../../../src/resolve/resolve-scenario.ts";
import { parseScenario } from "../../../src/scenario/parse-scenario.ts";
import { simulate } from "../../../src/sim/simulate.ts";

const file = "scenarios/offload/page-cache-128gb.yaml";
const noFiles = { readText: () => Promise.reject(new Error("no file was expected")) };

/** The bundled scenario with `gb` of slots. */
async function sized(gb: number) {
  const settings = [`policy.offload.memory=${gb}GB`];
  const { config } = await resolveScenario(parseScenario(readFileSync(file, "utf8"), file, { settings }), noFiles);
  const { cache, endNs, memory } = simulate(config);
  const pages = memory.tiers[0]!.items.find(({ name }) => name === "page cache")!.bytes;
  return { hitRate: cache!.hits / cache!.accesses, endNs, pages };
}

test("on a Mac with 128 GB a larger expert cache hits more, and past 30 GB it is slower: its page cache starves", async () => {
  const runs = [];
  for (const gb of [10, 30, 60, 90]) runs.push(await sized(gb));
  const [small, best, large, largest] = runs as [
    (typeof runs)[0],
    (typeof runs)[0],
    (typeof runs)[0],
    (typeof runs)[0],
  ];
  expect(runs.map(({ hitRate }) => hitRate)).toEqual(runs.map(({ hitRate }) => hitRate).sort((a, b) => a - b));
  expect(best.hitRate).toBeCloseTo(0.4, 1);
  expect(best.endNs).toBeLessThan(small.endNs);
  expect(large.endNs).toBeGreaterThan(1.02 * best.endNs);
  expect(largest.endNs).toBeGreaterThan(1.2 * best.endNs);
  expect(largest.pages).toBeLessThan(0.25 * best.pages);
});
