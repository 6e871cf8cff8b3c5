import fc from "fast-check";
import { expect, test } from "vitest";
import { routers } from "../../src/policy/router/routers.ts";
import type { SimConfig } from "../../src/sim/config.ts";
import type { RunResult } from "../../src/sim/result.ts";
import { simulate } from "../../src/sim/simulate.ts";
import { drawn } from "../drawn.ts";
import { singleDevice, testConfig, testNode, testRequests } from "./build.ts";

/** Four devices of a node that meet only through their host. */
function node(roots = 1): SimConfig["node"] {
  const { device, ...rest } = testNode();
  return { ...rest, devicesPerNode: 4, hostRoots: roots, device: { ...device, scaleUp: null, scaleUpDomain: 1 } };
}

const config = (rows: readonly { at?: number; prompt: number; output: number }[], parts: Partial<SimConfig> = {}) =>
  testConfig({
    node: node(),
    mapping: { ...singleDevice, tp: 2, ep: 2 },
    replicas: 2,
    router: routers["round-robin"],
    workload: { kind: "open", requests: testRequests(rows) },
    ...parts,
  });

const rootUse = ({ resources }: RunResult) => resources.filter(({ name }) => name.startsWith("root complex"));

test.each(["replay", "uniform"] as const)("two equal steps at once: one is later by one transfer (%s)", (kind) => {
  const routing = kind === "uniform" ? { routing: { kind: "uniform" as const } } : {};
  const rows = [
    { prompt: 64, output: 1 },
    { prompt: 64, output: 1 },
  ];
  const alone = simulate(config(rows.slice(0, 1), { replicas: 1, ...routing }));
  const both = simulate(config(rows, { ...routing, seed: 1 }));
  const [first, second] = [...both.requests.lastTokenNs];
  // The steps stay apart by the first transfer: each of the other's finds the links free again.
  const [use] = rootUse(both);
  expect(first).toBe(alone.requests.lastTokenNs[0]);
  const transfers = 2 * 4;
  if (kind === "uniform") expect(second! - first!).toBeCloseTo(use!.busyNs / 2 / transfers, 0);
  else expect(second).toBeGreaterThan(first!);
  expect(both.time.allReduce).toBeGreaterThan(2 * alone.time.allReduce);
});

test("replicas on root complexes of their own, or alone at the time, wait for nobody", () => {
  const rows = [
    { prompt: 200, output: 5 },
    { at: 1e9, prompt: 200, output: 5 },
  ];
  const spans = ({ requests }: RunResult) => requests.lastTokenNs.map((ns, i) => ns - requests.arrivalNs[i]!);
  const apart = simulate(config(rows));
  const single = simulate(config(rows, { replicas: 1 }));
  expect(spans(apart)).toEqual(spans(single));
  // At the same time, each on a root complex of its own.
  const at = { node: node(2) };
  const own = simulate(
    config(
      rows.map(({ prompt, output }) => ({ prompt, output })),
      at,
    ),
  );
  expect([...own.requests.lastTokenNs]).toEqual([...spans(simulate(config(rows, { ...at, replicas: 1 })))]);
  expect(rootUse(own)).toHaveLength(2);
  expect(rootUse(single)).toEqual([]);
});

test("a pool that begins inside a node hangs on the root complexes of the devices that it has", () => {
  const rows = [
    { prompt: 200, output: 5 },
    { prompt: 200, output: 5 },
  ];
  const on = { ...node(2), devicesPerNode: 8 };
  const roots = (firstDevice: number) => rootUse(simulate(config(rows, { node: on, firstDevice }))).length;
  // Devices 0 to 3 and 4 to 7 have one root complex; 2 to 5 have two; 6 and 7, and 0 and 1 of the next node, have theirs alone.
  expect([0, 4, 2, 6].map(roots)).toEqual([1, 1, 2, 0]);
});

test("pools that meet only through their host, on one node, are said to have its root complexes for themselves", () => {
  const rows = [{ prompt: 64, output: 4 }];
  const topics = (parts: Partial<SimConfig>, at: number) => {
    const beside = config(rows, { replicas: 1, ...parts });
    return simulate({
      ...beside,
      name: "a",
      otherPools: [{ ...beside, name: "b", firstDevice: at }],
    }).ledger.map(({ topic }) => topic);
  };
  expect(topics({}, 2)).toContain("pools on a node");
  expect(topics({}, 4)).not.toContain("pools on a node");
  expect(topics({ node: testNode() }, 2)).not.toContain("pools on a node");
});

test("devices with links to one another share none", () => {
  const { device } = testNode();
  const run = simulate(config([{ prompt: 64, output: 4 }], { node: { ...node(), device } }));
  expect(rootUse(run)).toEqual([]);
});

/** The parts of a lone step in order: computing before each transfer, the transfer, and how much of it takes the links. */
function partsOf(prompt: number) {
  const { time, resources } = simulate(config([{ prompt, output: 1 }], { routing: { kind: "uniform" } }));
  const layers = 4;
  const [sum, combine] = [time.allReduce / layers, time.combine / layers];
  const taken = resources.find(({ name }) => name.startsWith("root complex"))!.busyNs / layers;
  const idle = (sum + combine - taken) / 2;
  const before = (time.attention + time.kernelOverhead) / layers;
  return {
    transfers: Array.from({ length: layers }, () => [
      { after: before, ns: sum, taken: sum - idle },
      { after: (time.experts + time.expertWait) / layers, ns: combine, taken: combine - idle },
    ]).flat(),
    end: time.head + time.hostOverhead,
  };
}

test("steps take what they take event by event, transfer after transfer", () => {
  let waited = 0;
  fc.assert(
    fc.property(
      fc.array(fc.record({ at: fc.integer({ min: 0, max: 300_000 }), prompt: fc.integer({ min: 1, max: 400 }) }), {
        minLength: 2,
        maxLength: 4,
      }),
      (drawn) => {
        const sorted = drawn.map((row) => ({ ...row, output: 1 })).sort((a, b) => a.at - b.at);
        const start = sorted[0]!.at;
        const shared = { ...node(), devicesPerNode: 2 * sorted.length };
        const parts = { replicas: sorted.length, node: shared, routing: { kind: "uniform" as const } };
        const { requests } = simulate(config(sorted, parts));
        const steps = sorted.map(({ at, prompt }) => {
          const { transfers, end } = partsOf(prompt);
          return { left: transfers, at: at - start + transfers[0]!.after, end };
        });
        let freeAt = 0;
        for (;;) {
          const waiting = steps.filter(({ left }) => left.length > 0);
          if (waiting.length === 0) break;
          const next = waiting.reduce((first, step) => (step.at < first.at ? step : first));
          const [{ ns, taken }] = next.left as [(typeof next.left)[0]];
          const begin = Math.max(next.at, freeAt);
          waited += begin - next.at;
          freeAt = begin + taken;
          next.left = next.left.slice(1);
          next.at = begin + ns + (next.left[0]?.after ?? next.end);
        }
        for (const [i, { at }] of steps.entries()) expect(Math.abs(requests.lastTokenNs[i]! - at)).toBeLessThan(1);
      },
    ),
    { numRuns: drawn(60), seed: 4 },
  );
  expect(waited).toBeGreaterThan(0);
});

test("random replicas and stages on shared root complexes finish, wait, and give the same twice", () => {
  let waited = 0;
  fc.assert(
    fc.property(
      fc.record({
        replicas: fc.constantFrom(2, 4),
        pp: fc.constantFrom(1, 2),
        dp: fc.constantFrom(1, 2),
        roots: fc.constantFrom(1, 2, 4),
        gap: fc.constantFrom(0, 10_000, 1_000_000),
        uniform: fc.boolean(),
        seed: fc.integer({ min: 1, max: 1000 }),
      }),
      ({ replicas, pp, dp, roots, gap, uniform, seed }) => {
        const rows = Array.from({ length: 8 }, (_, i) => ({ at: i * gap, prompt: 20 + ((i * seed) % 200), output: 6 }));
        const mapping = { ...singleDevice, tp: dp === 1 ? 2 : 1, dp, ep: 2, pp };
        const devices = 2 * pp * replicas;
        const shared = { ...node(), devicesPerNode: devices, hostRoots: roots };
        const parts = { replicas, mapping, seed, ...(uniform ? { routing: { kind: "uniform" as const } } : {}) };
        const beside = simulate(config(rows, { ...parts, node: shared }));
        expect(simulate(config(rows, { ...parts, node: shared })).requests).toEqual(beside.requests);
        // The same transfers, on links that nobody else is on.
        const free = { ...shared, hostRoots: devices };
        const busy = rootUse(beside).reduce((sum, { busyNs }) => sum + busyNs, 0);
        expect(busy > 0).toBe(rootUse(beside).length > 0);
        for (const { busyNs } of rootUse(beside)) expect(busyNs).toBeLessThanOrEqual(beside.endNs);
        waited += Number(beside.time.allReduce > simulate(config(rows, { ...parts, node: free })).time.allReduce);
        expect(beside.requests.status).toEqual(new Uint8Array(8));
      },
    ),
    { numRuns: drawn(25), seed: 3 },
  );
  expect(waited).toBeGreaterThan(0);
});
