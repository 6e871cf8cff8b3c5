import { afterAll, beforeAll, expect, test } from "vitest";
import type { LoadedBackend } from "../../../src/capture/backends/backend.ts";
import { loadBackend } from "../../../src/capture/backends/backends.ts";
import { createBank } from "../../../src/capture/live/expert-bank.ts";
import { expertProbes } from "../../../src/capture/measure/expert-probes.ts";

const shape = { hidden: 8, width: 12, experts: 6 };
const rows = [1, 2];
const expertsPerCall = 3;
let backend: LoadedBackend;

beforeAll(async () => {
  backend = await loadBackend("wasm");
});
afterAll(() => backend.close());

async function probesWith(residencyCalls: number[][]) {
  const bank = createBank(shape, 4, "host");
  return expertProbes(backend.tf, bank, shape, {
    batch: 2,
    expertsPerCall,
    rows,
    resident: 4,
    residency: { resident: new Set(), call: (experts) => void residencyCalls.push([...experts]), enter: () => "full" },
    clock: () => 0,
  });
}

test("every layer call lets the cache decide, with the experts of the call", async () => {
  const calls: number[][] = [];
  const group = await probesWith(calls);
  const counts: Record<string, number[]> = {};
  for (const probe of group.probes) {
    calls.length = 0;
    await probe.run();
    counts[probe.name] = calls.map((experts) => new Set(experts).size);
  }
  group.dispose();
  expect(counts).toEqual({
    "one layer": [0],
    layer: [0, 0, 0, 0],
    "3 experts of 1 rows": [3, 3, 3, 3],
    "3 experts of 2 rows": [3, 3, 3, 3],
    fetch: [3, 3, 3, 3],
  });
});

test("figures come out of samples that follow from them", async () => {
  const group = await probesWith([]);
  const truth = { step: 700, layer: 50, experts: [20, 25], fetch: 90 };
  const drift = [1, 3, 2];
  const samples = (ns: number) => drift.map((factor) => factor * ns);
  const layers = truth.step + 4 * truth.layer;
  const figures = group.read([
    samples(truth.step + truth.layer),
    samples(layers),
    ...truth.experts.map((ns) => samples(layers + 4 * expertsPerCall * ns)),
    samples(layers + 4 * expertsPerCall * (truth.experts[0]! + truth.fetch)),
  ]);
  group.dispose();
  // The median round is the one that takes twice as long.
  expect(figures.step.ns).toBeCloseTo(2 * truth.step, 6);
  expect(figures.layer.ns).toBeCloseTo(2 * truth.layer, 6);
  expect(figures.experts.map(({ ns }) => ns)).toEqual(truth.experts.map((ns) => 2 * ns));
  expect(figures.fetch.ns).toBeCloseTo(2 * truth.fetch, 6);
});
