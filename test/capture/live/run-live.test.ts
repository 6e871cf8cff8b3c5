import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { fitLive } from "../../../src/calibrate/live/fit-live.ts";
import type { LoadedBackend } from "../../../src/capture/backends/backend.ts";
import { loadBackend } from "../../../src/capture/backends/backends.ts";
import { createBank } from "../../../src/capture/live/expert-bank.ts";
import { liveMemory } from "../../../src/capture/live/live-memory.ts";
import { liveCaches } from "../../../src/capture/live/residency.ts";
import { runLive } from "../../../src/capture/live/run-live.ts";
import { layerCall, planSteps } from "../../../src/capture/live/step-rows.ts";
import { measureLayers } from "../../../src/capture/measure/layer-measurement.ts";
import { measureLive } from "../../../src/capture/measure/measure-live.ts";
import { RandomStream } from "../../../src/core/random.ts";
import type { RoutingTable } from "../../../src/trace/routing-table.ts";
import { predictLive } from "../../../src/validate/live/predict-live.ts";
import { measurementsOf } from "../../calibrate/live/measurements.ts";
import { further } from "../../drawn.ts";

const shape = { hidden: 16, width: 24, experts: 8 };
const layers = 2;
const topK = 2;
let backend: LoadedBackend;
/** A clock that advances by a microsecond with every look. */
let now = 0;
const clock = () => {
  now += 1000;
  return now;
};

beforeAll(async () => {
  backend = await loadBackend("wasm");
});
afterAll(() => backend.close());

/** Two domains, sequences of different lengths. */
function table(): RoutingTable {
  const rows = 90;
  const stream = new RandomStream(5, "live");
  const ids = new Uint8Array(rows * layers * topK);
  for (let at = 0; at < ids.length; at += topK) {
    const first = stream.below(shape.experts);
    ids.set([first, (first + 1 + stream.below(shape.experts - 1)) % shape.experts], at);
  }
  return {
    experts: shape.experts,
    topK,
    layers,
    rows,
    ids,
    sequenceStarts: Uint32Array.from([0, 20, 45, 60, rows]),
    domains: ["a", "b"],
    domainStarts: Uint32Array.from([0, 45, rows]),
    modelLayers: [0, 1],
    origin: { kind: "synthesised", name: "live", digest: "", sourceRows: rows, phase: "unknown", notes: [] },
  };
}

describe.each(["host", "disk"] as const)("experts in %s", (from) => {
  test.each(
    liveCaches.flatMap((cache) =>
      [1, 3].flatMap((batch) => [3, ...further([1, 8])].map((slots) => ({ cache, batch, slots }))),
    ),
  )(
    "$cache, $slots slots, $batch tokens a step: the simulator counts the same hits",
    async ({ cache, batch, slots }) => {
      const { tf } = backend;
      const trace = table();
      const plan = planSteps(trace, batch, 40);
      const popularity = new Float64Array(layers * shape.experts);
      for (const rows of plan.steps)
        for (let l = 0; l < layers; l++)
          for (const expert of layerCall(trace, l, rows).experts) popularity[l * shape.experts + expert]!++;
      const bank = createBank(shape, 5, from);
      const before = tf.memory().numTensors;
      const run = await runLive({
        tf,
        table: trace,
        plan,
        shape,
        bank,
        cache,
        slots,
        popularity,
        clock,
        between: async () => {},
        signal: new AbortController().signal,
      });
      bank.close();
      expect(tf.memory().numTensors).toBe(before);
      const { requests, tokensPerRequest } = plan;
      const setting = {
        table: trace,
        shape,
        cache,
        slots,
        from,
        popularity,
        batch,
        requests,
        tokensPerRequest,
        prefetch: null,
      };
      const { hits, misses, stepNs } = predictLive(fitLive(measurementsOf(1)), setting);
      expect({ hits: run.hits, misses: run.misses, steps: run.stepNs.length }).toEqual({
        hits,
        misses,
        steps: stepNs.length,
      });
    },
  );
});

test("steps are as many as asked for, or whole requests of the shortest sequence", () => {
  const trace = table();
  const few = planSteps(trace, 2, 5);
  expect(few).toMatchObject({ tokensPerRequest: 5, requests: 2 });
  expect(few.steps.map((rows) => [...rows])).toEqual([0, 1, 2, 3, 4].map((i) => [i, 20 + i]));
  expect(planSteps(trace, 1, 40)).toMatchObject({ tokensPerRequest: 15, requests: 3 });
});

test("what a run and its calibration hold on the device is within what is stated, and not far below", async () => {
  const { tf } = backend;
  const trace = table();
  const wide = { hidden: 64, width: 256, experts: shape.experts };
  const plan = planSteps(trace, 1, 12);
  const setting = {
    table: trace,
    shape: wide,
    cache: "lru" as const,
    slots: 4,
    from: "host" as const,
    popularity: new Float64Array(layers * wide.experts),
    batch: 1,
    requests: plan.requests,
    tokensPerRequest: plan.tokensPerRequest,
    prefetch: null,
  };
  // Copies that the backend makes of matrices are not among the tensors it counts.
  const { deviceBytes } = liveMemory({ ...backend, id: "counted" }, setting);
  const bank = createBank(wide, layers * wide.experts, "host");
  const { peakBytes } = await tf.profile(async () => {
    const calibration = await measureLayers(tf, {
      ...setting,
      expertsPerCall: topK,
      residentExperts: setting.slots * layers,
      clock,
    });
    const { signal } = new AbortController();
    const between = () => calibration.rounds.round(true);
    await runLive({ ...setting, tf, plan, bank, clock, between, signal });
    calibration.dispose();
    return tf.scalar(0);
  });
  bank.close();
  expect(peakBytes).toBeLessThanOrEqual(deviceBytes);
  expect(peakBytes).toBeGreaterThan(deviceBytes / 2);
});

test.each(further(["wasm"]))("a machine measured with %s gives profiles, and no tensor stays behind", async () => {
  const before = backend.tf.memory().numTensors;
  // Small products, as a backend without an accelerator gets them.
  const measurements = await measureLive(
    { ...backend, hardware: "software" },
    {
      shape,
      batch: 2,
      expertsPerCall: 12,
      residentExperts: 6,
      cache: "lru",
      slots: 4,
      diskFolder: null,
      seconds: 0,
      date: "2026-01-01",
      clock,
    },
  );
  expect(backend.tf.memory().numTensors).toBe(before);
  expect(measurements.experts.map(({ rows }) => rows)).toEqual([1, 2]);
  expect(measurements.fetches.map(({ bytes }) => bytes)).toEqual([4608, 1152, 2304]);
  // On this clock everything takes as long as waiting for it.
  expect(measurements.readBack.ns).toBe(1000);
  expect(measurements.products.map(({ ns }) => ns)).toEqual(measurements.products.map(() => 0));
  expect(measurements.copies.filter(({ ns }) => ns > 0).map(({ direction }) => direction)).toEqual(
    Array.from({ length: 4 }, () => "deviceToHost"),
  );
  expect(measurements.diskNote).toBe("not asked for");
});
