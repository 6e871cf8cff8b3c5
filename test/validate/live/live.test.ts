import { describe, expect, test } from "vitest";
import { fitLive } from "../../../src/calibrate/live/fit-live.ts";
import { planSteps } from "../../../src/capture/live/step-rows.ts";
import { RandomStream } from "../../../src/core/random.ts";
import { livePage } from "../../../src/report/validation-live.ts";
import type { RoutingTable } from "../../../src/trace/routing-table.ts";
import { livePrefetch } from "../../../src/validate/live/live-prefetch.ts";
import { compareLive, type MeasuredLive } from "../../../src/validate/live/live-validation.ts";
import { type LiveSetting, predictLive } from "../../../src/validate/live/predict-live.ts";
import { onSharedCores, overlapOf } from "../../../src/validate/live/thread-overlap.ts";
import { machine, measurementsOf } from "../../calibrate/live/measurements.ts";

const layers = 3;
const experts = 8;
const topK = 2;

function tableOf(rows: number, sequences: number): RoutingTable {
  const stream = new RandomStream(3, "table");
  const ids = new Uint8Array(rows * layers * topK);
  for (let at = 0; at < ids.length; at += topK) {
    const first = stream.below(experts);
    ids.set([first, (first + 1 + stream.below(experts - 1)) % experts], at);
  }
  return {
    experts,
    topK,
    layers,
    rows,
    ids,
    sequenceStarts: Uint32Array.from({ length: sequences + 1 }, (_, s) => (s * rows) / sequences),
    domains: ["all"],
    domainStarts: Uint32Array.from([0, rows]),
    modelLayers: [0, 1, 2],
    origin: { kind: "synthesised", name: "table", digest: "", sourceRows: rows, phase: "unknown", notes: [] },
  };
}

function settingOf(table: RoutingTable, batch: number, overrides: Partial<LiveSetting> = {}): LiveSetting {
  const plan = planSteps(table, batch, 60);
  return {
    table,
    shape: { hidden: 64, width: 128, experts },
    cache: "lru",
    slots: 4,
    from: "host",
    popularity: new Float64Array(layers * experts).fill(1),
    batch,
    requests: plan.requests,
    tokensPerRequest: plan.tokensPerRequest,
    prefetch: null,
    ...overrides,
  };
}

const fetchNs = machine.fetchLatencyNs + (1e9 * 12 * 64 * 128) / machine.fetchBytesPerSecond;
const total = (values: Float64Array) => values.reduce((sum, value) => sum + value, 0);

describe("a simulated run of expert layers", () => {
  const profile = fitLive(measurementsOf());
  const table = tableOf(120, 4);

  test("takes the sum of its parts: steps, layers, resident experts, and a fetch for each miss", () => {
    const setting = settingOf(table, 1);
    const { stepNs, hits, misses } = predictLive(profile, setting);
    expect(stepNs).toHaveLength(planSteps(table, 1, 60).steps.length);
    expect(hits + misses).toBe(stepNs.length * layers * topK);
    expect(misses).toBeGreaterThan(layers * experts);
    const expected =
      stepNs.length * (machine.stepNs + layers * machine.layerNs) +
      (hits + misses) * (machine.expertNs + machine.expertRowNs) +
      misses * fetchNs;
    expect(total(stepNs) / expected).toBeCloseTo(1, 3);
  });

  test("reads a file first when the experts are there", () => {
    const host = predictLive(profile, settingOf(table, 1));
    const disk = predictLive(profile, settingOf(table, 1, { from: "disk" }));
    expect(disk.misses).toBe(host.misses);
    const readNs = machine.diskLatencyNs + (1e9 * 12 * 64 * 128) / machine.diskBytesPerSecond;
    expect((total(disk.stepNs) - total(host.stepNs)) / (host.misses * readNs)).toBeCloseTo(1, 3);
  });

  test("with room for all experts fetches each once", () => {
    const { misses } = predictLive(profile, settingOf(table, 1, { slots: experts }));
    expect(misses).toBe(new Set(table.ids).size * layers);
  });
});

describe("experts sent ahead on threads that share cores", () => {
  const profile = fitLive(measurementsOf());
  const table = tableOf(120, 4);
  const ahead = (overrides: Partial<LiveSetting> = {}): LiveSetting =>
    settingOf(table, 1, { prefetch: livePrefetch("perfect", table).prefetch, ...overrides });
  const timeOf = (setting: LiveSetting, overlap: number) => total(predictLive(profile, setting, overlap).stepNs);

  test("two works of T that overlap by o take T x (2 - o) together, and the overlap is found again", () => {
    for (const overlap of [-0.5, 0, 0.25, 1])
      expect(overlapOf(100, 100, onSharedCores(100, 100, overlap))).toBeCloseTo(overlap, 12);
    // The shorter one is beside the longer one as long as it lasts.
    expect(overlapOf(100, 300, onSharedCores(300, 100, 0.4))).toBeCloseTo(0.4, 12);
    expect([overlapOf(100, 300, 400), overlapOf(100, 300, 300), overlapOf(0, 300, 300)]).toEqual([0, 1, 0]);
    // What is measured above 1 is noise: nobody is faster for company.
    expect(onSharedCores(100, 50, 1.2)).toBe(100);
  });

  test("with no overlap a step takes all computing and all uploads, one after the other", () => {
    for (const from of ["host", "disk"] as const) {
      const setting = ahead({ from });
      const { stepNs, hits, misses, sent } = predictLive(profile, setting, 0);
      expect(sent).toMatchObject({ evicted: 0, unused: 0 });
      expect(sent!.followed).toBeGreaterThan(60);
      const readNs = from === "disk" ? machine.diskLatencyNs + (1e9 * 12 * 64 * 128) / machine.diskBytesPerSecond : 0;
      const expected =
        stepNs.length * (machine.stepNs + layers * machine.layerNs) +
        (hits + misses) * (machine.expertNs + machine.expertRowNs) +
        (misses + sent!.followed) * (fetchNs + readNs);
      expect(total(stepNs) / expected).toBeCloseTo(1, 3);
      expect(timeOf(setting, 1)).toBeLessThan(0.9 * expected);
    }
  });

  test("with no overlap sending the same experts ahead gains nothing", () => {
    const all = { slots: experts };
    const onDemand = timeOf(settingOf(table, 1, all), 0);
    expect(timeOf(ahead(all), 0) / onDemand).toBeCloseTo(1, 4);
    expect(timeOf(ahead(all), 1) / onDemand).toBeLessThan(0.99);
  });

  test("time falls with overlap in a straight line, counts stay, and who sends nothing does not care", () => {
    const setting = ahead();
    const at = (overlap: number) => timeOf(setting, overlap);
    expect(at(0.3)).toBeCloseTo(0.7 * at(0) + 0.3 * at(1), 3);
    expect(predictLive(profile, setting, 0).sent).toEqual(predictLive(profile, setting).sent);
    expect(predictLive(profile, setting).stepNs).toEqual(predictLive(profile, setting, 1).stepNs);
    const onDemand = settingOf(table, 1);
    expect(timeOf(onDemand, -1) / timeOf(onDemand, 1)).toBeCloseTo(1, 9);
  });
});

test("steps take sequences in turn, and a batch ends together", () => {
  const plan = planSteps(tableOf(120, 4), 2, 60);
  expect(plan.tokensPerRequest).toBe(30);
  expect(plan.steps).toHaveLength(60);
  expect([...plan.steps[0]!]).toEqual([0, 30]);
  expect([...plan.steps[29]!]).toEqual([29, 59]);
  expect([...plan.steps[30]!]).toEqual([60, 90]);
});

describe("measured against forecast", () => {
  const profile = fitLive(measurementsOf());
  const summary = {
    backend: "test",
    layers,
    experts,
    topK,
    shape: { hidden: 64, width: 128, experts },
    cache: "lru",
    slots: 4,
    from: "host" as const,
    batch: 1,
    prefetch: null,
    steps: 1100,
    shortSequences: 0,
    warmUpSteps: 100,
  };
  const steps = (ms: number) => new Float64Array(1100).fill(ms * 1e6);
  const prediction = { stepNs: steps(11), hits: 10, misses: 5, fetchNs: 100, sent: null };
  const run = (ms: number, hits = 10) => ({
    stepNs: steps(ms),
    layerNs: new Float64Array(layers).fill(1e9),
    hits,
    misses: 5,
    fetchNs: 50,
  });

  const compare = (runs: readonly MeasuredLive[], of = profile) =>
    compareLive(
      runs.map((measured) => ({ profile: of, prediction, measured })),
      summary,
      [],
    );

  test("the error is that of the forecast, and the worst run counts", () => {
    const document = compare([run(10), run(12.5)]);
    expect(document.hitsEqual).toBe(true);
    expect(document.runs.map(({ errorPercent }) => errorPercent.mean?.toFixed(6))).toEqual(["10.000000", "-12.000000"]);
    expect(document.worstErrorPercent.p99).toBeCloseTo(-12, 6);
    expect(livePage(document).headline[0]).toContain("hits equal");
  });

  test("one hit more is a difference, whatever the times", () => {
    const document = compare([run(11), run(11, 11)]);
    expect(document.hitsEqual).toBe(false);
    expect(document.runs.map(({ hitsEqual }) => hitsEqual)).toEqual([true, false]);
    expect(livePage(document).headline[0]).toContain("HITS DIFFER");
  });

  test("what sending ahead changed is that of the steps with it against those without, warm-up left out", () => {
    const sent = { followed: 9, useful: 6, evicted: 2, unused: 1, refused: 0, late: 4 };
    const pair = (own: typeof sent, aheadMs: number) => ({
      profile,
      prediction: { ...prediction, sent },
      measured: { ...run(aheadMs), sent: own },
      onDemand: { prediction: { ...prediction, stepNs: steps(22) }, measured: run(20), threadOverlap: 0.4 },
    });
    const late = { ...sent, late: 0 };
    const document = compareLive([pair(late, 16), pair(sent, 25)], summary, []);
    const [first, second] = document.runs.map(({ prefetch }) => prefetch!);
    expect(first?.countsEqual).toBe(true);
    expect(first?.measured.changePercent.mean).toBeCloseTo(-20, 9);
    expect(first?.predicted.changePercent.mean).toBeCloseTo(-50, 9);
    expect(first?.measured.onDemandMs.p50).toBeCloseTo(20, 9);
    expect(second?.measured.changePercent.p50).toBeCloseTo(25, 9);
    expect(livePage(document).headline[1]).toContain("mean step +25.0%, forecast -50.0%");
    expect(first?.threadOverlap).toBe(0.4);
    const other = compareLive([pair({ ...sent, evicted: 3, unused: 0 }, 16)], summary, []);
    expect([other.runs[0]?.hitsEqual, other.hitsEqual]).toEqual([true, false]);
    expect(livePage(other).headline[0]).toContain("COUNTS OF WHAT WAS SENT DIFFER");
  });

  test("the forecast scatters as work of its length did, and no other", () => {
    const noise = [
      { ns: 1e6, ratios: [1, 5] },
      { ns: 12e6, ratios: [0.9, 1, 1.4] },
    ];
    const noisy = { ...profile, measurements: { ...profile.measurements, noise } };
    const { predicted, predictedQuiet } = compare([run(11)], noisy).runs[0]!;
    expect(predictedQuiet).toEqual({ mean: 11, p50: 11, p90: 11, p99: 11 });
    expect(predicted.stepMs.mean).toBeCloseTo(11 * 1.1, 9);
    expect(predicted.stepMs.p50).toBeCloseTo(11, 9);
    expect(predicted.stepMs.p99).toBeCloseTo(11 * 1.4, 9);
  });

  test("steps of the warm-up count for hits alone, and a p99 needs a thousand", () => {
    const slowStart = run(11);
    slowStart.stepNs.fill(1e12, 0, 100);
    const [first] = compare([slowStart]).runs;
    expect(first?.measured.stepMs.mean).toBeCloseTo(11, 9);
    const short = { ...run(11), stepNs: steps(11).slice(0, 1099) };
    expect(compare([short]).runs[0]?.measured.stepMs.p99).toBeNull();
  });
});
