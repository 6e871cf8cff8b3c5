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
  const { cache, requests, memory } = simulate(config);
  const pages = memory.tiers[0]!.items.find(({ name }) => name === "page cache")!.bytes;
  const decodeNs = requests.lastTokenNs.reduce((sum, ns, i) => sum + ns - requests.firstTokenNs[i]!, 0);
  return { hitRate: cache!.hits / cache!.accesses, decodeNs, pages };
}

test("on a Mac with 128 GB a larger expert cache hits more, and past 40 GB it decodes slower: its page cache starves", async () => {
  const runs = [];
  for (const gb of [10, 35, 60, 90]) runs.push(await sized(gb));
  const [small, best, large, largest] = runs as [
    (typeof runs)[0],
    (typeof runs)[0],
    (typeof runs)[0],
    (typeof runs)[0],
  ];
  expect(runs.map(({ hitRate }) => hitRate)).toEqual(runs.map(({ hitRate }) => hitRate).sort((a, b) => a - b));
  expect(best.hitRate).toBeCloseTo(0.44, 1);
  expect(small.decodeNs).toBeGreaterThan(1.03 * best.decodeNs);
  expect(large.decodeNs).toBeGreaterThan(1.03 * best.decodeNs);
  expect(largest.decodeNs).toBeGreaterThan(1.3 * best.decodeNs);
  expect(largest.pages).toBeLessThan(0.25 * best.pages);
});
