import { describe, expect, test } from "vitest";
import { LogHistogram } from "../../src/core/histogram.ts";
import { RandomStream } from "../../src/core/random.ts";
import type { SimConfig } from "../../src/sim/config.ts";
import { SeriesRecorder } from "../../src/sim/outcome/series.ts";
import { requestStatus } from "../../src/sim/result.ts";
import { simulate } from "../../src/sim/simulate.ts";
import { Simulation } from "../../src/sim/simulation.ts";
import { singleDevice, testConfig, testEngine, testNode, testRequests, tinyModel } from "./build.ts";

const rng = new RandomStream(4, "requests");
let last = 0;
const rows = Array.from({ length: 40 }, () => {
  last += Math.round(rng.exponential(1e6));
  return { at: last, prompt: 1 + rng.below(300), output: 1 + rng.below(50) };
});
const workload = { kind: "open", requests: testRequests(rows) } as const;

describe("gaps between tokens", () => {
  for (const warmup of [0, 13]) {
    test(`are those of every token of the requests after ${warmup} of warm-up`, () => {
      const simulation = new Simulation(testConfig({ workload, warmupRequests: warmup }));
      const seen = new Float64Array(rows.length).fill(Number.NaN);
      const expected = new LogHistogram();
      // One step at a time: between two looks a request has emitted one token at most.
      for (let over = false; !over; ) {
        over = simulation.advance(1);
        for (let i = 0; i < rows.length; i++) {
          const at = simulation.state.lastTokenNs[i]!;
          if (Number.isNaN(at) || at === seen[i]) continue;
          if (!Number.isNaN(seen[i]!) && i >= warmup) expected.record(at - seen[i]!);
          seen[i] = at;
        }
      }
      expect(simulation.result().itl.toJSON()).toEqual(expected.toJSON());
      expect(expected.count).toBe(rows.slice(warmup).reduce((sum, row) => sum + row.output - 1, 0));
    });
  }
});

describe("series", () => {
  test("tokens are counted in the interval in which they appeared, however long nothing follows", () => {
    const requests = testRequests([
      { at: 0, prompt: 10, output: 5 },
      { at: 3e9, prompt: 10, output: 2 },
    ]);
    const { series, requests: done } = simulate(testConfig({ workload: { kind: "open", requests } }));
    const expected = Array.from({ length: series.outputTokens.length }, () => 0);
    expect(done.lastTokenNs[0]!).toBeLessThan(series.intervalNs);
    expected[0] = 5;
    expected[Math.floor(3e9 / series.intervalNs)]! += 2;
    expect([...series.outputTokens]).toEqual(expected);
  });

  for (const pp of [1, 2]) {
    test(`conserve tokens when a run with ${pp} stages is interrupted`, () => {
      const simulation = new Simulation(testConfig({ workload, mapping: { ...singleDevice, pp } }));
      for (let step = 0; step < 60; step++) {
        expect(simulation.advance(1)).toBe(false);
        if (step % 7 !== 0) continue;
        const result = simulation.result(true);
        expect(result.series.outputTokens.reduce((sum, value) => sum + value, 0)).toBe(result.outputTokens);
        expect(result.endNs).toBe(simulation.nowNs);
      }
      expect(simulation.outputTokens).toBeGreaterThan(0);
    });
  }

  test("are means over time, also after intervals have merged", () => {
    const recorder = new SeriesRecorder();
    // State k holds for k ms, k = 1 .. 40: 820 ms in intervals of 1 ms, then 4 ms.
    let at = 0;
    for (let k = 1; k <= 40; k++) {
      recorder.add(at * 1e6, (at + k) * 1e6, k, 2 * k, k / 100, 1);
      at += k;
    }
    const { intervalNs, waiting, running, kvUse, outputTokens } = recorder.result();
    expect(intervalNs).toBe(4e6);
    const ms: number[] = [];
    for (let k = 1; k <= 40; k++) for (let i = 0; i < k; i++) ms.push(k);
    for (let bucket = 0; bucket < 205; bucket++) {
      const mean = ms.slice(4 * bucket, 4 * bucket + 4).reduce((sum, k) => sum + k, 0) / 4;
      expect(waiting[bucket]).toBeCloseTo(mean, 9);
      expect(running[bucket]).toBeCloseTo(2 * mean, 9);
      expect(kvUse[bucket]).toBeCloseTo(mean / 100, 9);
    }
    // State k began at k (k - 1) / 2 ms.
    const began = Array.from({ length: outputTokens.length }, () => 0);
    for (let k = 1; k <= 40; k++) began[Math.floor((k * (k - 1)) / 2 / 4)]! += 1;
    expect([...outputTokens]).toEqual(began);
  });

  test("show the share of KV blocks that a lone request holds", () => {
    const requests = testRequests([{ prompt: 160, output: 1 }]);
    const result = simulate(testConfig({ workload: { kind: "open", requests } }));
    expect(result.series.kvUse[0]! * result.series.intervalNs).toBeCloseTo((10 / result.kv.blocks) * result.endNs, 3);
    expect(result.kv.peakBlocks).toBe(10);
  });
});

test("an interrupted run keeps what had happened and nothing else", () => {
  const whole = simulate(testConfig({ workload }));
  const simulation = new Simulation(testConfig({ workload }));
  simulation.advance(70);
  const part = simulation.result(true);
  let done = 0;
  for (let i = 0; i < rows.length; i++) {
    if (part.requests.status[i] === requestStatus.completed) {
      done++;
      expect(part.requests.lastTokenNs[i]).toBe(whole.requests.lastTokenNs[i]);
    }
    if (part.requests.status[i] === requestStatus.notArrived)
      expect(part.requests.arrivalNs[i]).toBeGreaterThanOrEqual(part.endNs);
  }
  expect(done).toBeGreaterThan(0);
  expect(done).toBeLessThan(rows.length);
});

test("busy shares are per device: neither data parallelism nor pipeline stages nor replicas exceed the run", () => {
  for (const mapping of [
    { ...singleDevice, tp: 2, dp: 2, ep: 4 },
    { ...singleDevice, tp: 2, pp: 2, etp: 2 },
  ])
    for (const replicas of [1, 2]) {
      const slowLink = { ...testNode().device.scaleUp!, bytesPerSecond: 1e9 };
      const result = simulate(testConfig({ mapping, replicas, workload, node: testNode({ scaleUp: slowLink }) }));
      expect(result.resources.map(({ name }) => name)).toContain("device interconnect");
      for (const { busyNs } of result.resources) {
        expect(busyNs).toBeGreaterThan(0);
        expect(busyNs).toBeLessThanOrEqual(result.endNs);
      }
    }
});

test("expert ranks are busy for their kernels, as the mean of replicas and of pipeline stages", () => {
  const requests = (count: number) => testRequests(Array.from({ length: count }, () => ({ prompt: 50, output: 4 })));
  const busy = (replicas: number, pp: number) => {
    const open = { kind: "open", requests: requests(replicas) } as const;
    const mapping = { ...singleDevice, pp };
    const routing = { kind: "uniform" } as const;
    return simulate(testConfig({ mapping, replicas, routing, workload: open })).resources.find(
      ({ name }) => name === "experts of rank 0",
    )!.busyNs;
  };
  const one = busy(1, 1);
  expect(one).toBeGreaterThan(0);
  expect(busy(3, 1)).toBeCloseTo(one, 6);
  expect(busy(1, 2)).toBeCloseTo(one / 2, 6);
});

test("the interconnect of one replica is busy for its collectives, in each pipeline stage its own", () => {
  const { time, resources, steps } = simulate(
    testConfig({ mapping: { ...singleDevice, tp: 2, etp: 2, pp: 2 }, workload }),
  );
  const link = resources.find(({ name }) => name === "device interconnect")!;
  expect(link.busyNs).toBeCloseTo((time.allReduce + time.combine) / 2, 3);
  expect(steps).toBeGreaterThan(0);
});

test("the interconnect of a device is busy for its own all-reduces, not for those of other attention ranks", () => {
  const mapping = { ...singleDevice, tp: 2, dp: 2, ep: 4 };
  const { time, resources } = simulate(testConfig({ mapping, workload }));
  const link = resources.find(({ name }) => name === "device interconnect")!;
  // Components hold the mean over the ranks, and the exchanges in which all of them take part.
  expect(link.busyNs).toBeCloseTo(time.allReduce + time.dispatch + time.combine, 3);
});

test.each([false, true])(
  "no link is busy for longer than the run where shared experts are summed beside a dispatch: %s",
  (beside) => {
    const { attention, feedForward } = tinyModel().layers[0]!;
    if (feedForward.kind !== "moe") throw new Error("unexpected tiny model");
    const slowLink = { ...testNode().device.scaleUp!, bytesPerSecond: 1e6 };
    const run = (model: SimConfig["model"]) =>
      simulate(
        testConfig({
          model,
          workload,
          mapping: { ...singleDevice, tp: 2, dp: 4, ep: 8 },
          node: testNode({ scaleUp: slowLink }),
          engine: testEngine({ overlapsSharedExperts: beside }),
        }),
      );
    const [shared, without] = [{ ...feedForward, sharedWidth: 64 }, feedForward].map((feed) =>
      run(tinyModel({ layers: Array.from({ length: 4 }, () => ({ attention, feedForward: feed })) })),
    );
    const busyOf = (result: typeof shared) =>
      result!.resources.find(({ name }) => name === "device interconnect")!.busyNs;
    expect(busyOf(shared)).toBeLessThanOrEqual(shared!.endNs);
    expect(busyOf(shared)).toBeGreaterThanOrEqual(busyOf(without));
  },
);
