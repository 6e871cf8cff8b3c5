import { describe, expect, test } from "vitest";
import { InvalidInputError } from "../../../src/core/errors.ts";
import type { Forecast } from "../../../src/forecast/forecast.ts";
import { readForecast } from "../../../src/forecast/read-forecast.ts";
import { exporters } from "../../../src/report/exporters.ts";
import { headline } from "../../../src/report/headline.ts";
import { terminalSummary } from "../../../src/report/terminal.ts";
import { plainStyle } from "../../../src/report/text-table.ts";
import { plainPalette } from "../../../src/report/widgets/palette.ts";
import { screens } from "../../../src/tui/screens/screens.ts";
import { frame } from "../../../src/tui/view/frame.ts";
import { delta, forecast as handBuilt } from "../../report/build.ts";
import { begun, forecast, key, told } from "../example.ts";

const small = handBuilt();
const waits = { n: 9, mean: 5, p50: 4, p90: 8, p99: 9 };
const parts = { mean: [1, 2], p50: [1, 2], p90: [1, 2], p99: [1, 2] };
const far = { near: 5, far: 6 };
const cache: NonNullable<Forecast["cache"]> = {
  ...small.cache!,
  stallBy: { NVMe: 1e9 },
  writtenBackBytes: 5,
  pageCacheHits: 6,
  promotions: 7,
  actions: { policy: "host", pairs: 9, taken: [{ action: "skip", experts: 3, pairs: 4 }], lossyMass: 0.1 },
  prefetch: {
    kind: "next",
    followed: 9,
    useful: 5,
    late: 1,
    evicted: 1,
    preempted: 1,
    unused: 1,
    refused: 1,
    bytes: 9,
    wastedBytes: 3,
    lateNs: 4,
  },
};

const pool = {
  name: "prompts",
  role: "decode",
  model: "toy-moe",
  device: "Toy GPU",
  devices: 2,
  replicas: 1,
  mapping: small.deployment.mapping,
  engine: "vLLM 0.19",
  placement: "lpt",
  offload: null,
  utilisation: 0.5,
  promptTimeShare: 0.9,
  timeShare: small.timeShare,
  experts: small.experts,
  cache,
  kv: { blocks: 10, peakShare: 0.5, preemptions: 0 },
} as const;

/** A result with something in every part that a result may have. */
const full = handBuilt({
  inputs: [...small.inputs, { role: "override", name: "seed=2", sha256: "0" }],
  bands: {
    ...small.bands!,
    unvalidated: "no served measurement with it",
    factors: { tpot: [0.5, 2], ttft: [0.5, 2] },
    nearest: { ...small.bands!.nearest!, differs: ["the device"] },
    metrics: { ...small.bands!.metrics, goodput: { low: 0.5, high: 0.9 } },
    ends: Object.fromEntries(
      ["fast", "slow"].map((end) => [
        end,
        {
          factor: 0.9,
          verdict: "overloaded",
          outputTokensPerSecond: 5,
          usdPerMillionOutputTokens: 2,
          goodput: 0.5,
          sustainedRequestsPerSecond: 3,
        },
      ]),
    ) as NonNullable<Forecast["bands"]>["ends"],
  },
  experts: {
    ...small.experts!,
    balance: { balancedness: 0.8, imbalanceScore: 0.1 },
    exchange: {
      ranksPerToken: 2,
      nodesPerToken: 1,
      bytes: { dispatch: far, combine: far },
      busiest: { sender: 1, receiver: 2 },
      countedShare: 0.5,
    },
  },
  cache,
  modelCache: {
    models: 2,
    deviceBytes: 5,
    found: 3,
    missed: 4,
    loads: 5,
    evictions: 1,
    loadedBytes: 9,
    loadNs: 8,
    stallNs: 7,
    homes: [{ tier: "host", models: 2, bytes: 5 }],
  },
  pools: [pool],
  scaling: [
    {
      pool: "prompts",
      policy: "load",
      min: 1,
      max: 3,
      mean: 2,
      most: 3,
      starts: 1,
      meanByState: { starting: 0.1, serving: 1.5, draining: 0.1, off: 1.3 },
    },
  ],
  rebalancing: [
    {
      pool: "prompts",
      kind: "eplb",
      rebalances: 1,
      skipped: 2,
      movedExperts: 3,
      movedBytes: 4,
      stepS: 5,
      stallS: 1,
      stallShare: 0.2,
      balancednessBefore: 0.7,
      balancednessAfter: null,
    },
  ],
  handover: { requests: 9, bytesPerRequest: 5, room: { ...waits, mean: 50 }, transfer: waits, decodeQueue: waits },
  sections: {
    latency: { ttft: parts, tpot: parts, e2e: parts, queue: parts },
    goodput: [0.5, 0.6],
    requestsPerSecond: [1, 2],
    outputTokensPerSecond: [1, 2],
  },
  baseline: [delta(), delta({ unit: "tok/s", worseBy: 0, failed: false })],
  baselineRun: { scenario: "small", moecastVersion: "9.9.8", seed: 1, otherDraws: ["seed"] },
});

type Path = readonly (string | number)[];

/** Paths of all values of a document; of a list those of its first item, and of its last where items are objects. */
function pathsIn(value: unknown, path: Path = []): Path[] {
  if (typeof value !== "object" || value === null) return [path];
  const keys = Array.isArray(value)
    ? [...new Set([0, ...(typeof value[0] === "object" ? [value.length - 1] : [])])].filter((i) => i in value)
    : Object.keys(value);
  return [...(path.length > 0 ? [path] : []), ...keys.flatMap((key) => pathsIn(value[key as never], [...path, key]))];
}

/** The document with another value at a path, or none. */
function changed(value: unknown, [step, ...rest]: Path, by: unknown): unknown {
  if (step === undefined) return by;
  const copy = (Array.isArray(value) ? [...value] : { ...(value as object) }) as Record<string | number, unknown>;
  copy[step] = changed(copy[step], rest, by);
  return copy;
}

/** Values of every kind; undefined leaves a field out, and is null in a list. */
const others = [undefined, null, "other", "", true, 7, -1, 1e300, [], ["a"], [null], {}, { a: "b" }];
const good = told(begun({ width: 100, height: 40 }), { kind: "loaded", forecast, file: "good.json", show: true });

/** Everything that reads a loaded result, beside another one. */
function shown(loaded: Forecast): void {
  headline(loaded);
  terminalSummary(loaded, plainStyle, "full", 100);
  for (const name of ["markdown", "csv"] as const) exporters[name].render([loaded]);
  const state = told(good, { kind: "loaded", forecast: loaded, file: "damaged.json", show: true });
  for (const i of screens.keys()) frame(told(state, key(`${(i + 1) % 10}`)), plainPalette);
}

describe.each([
  ["a result of a run", forecast, 9],
  ["a result with every part", full, 3],
])("%s", (_, whole, every) => {
  const document: unknown = JSON.parse(JSON.stringify(whole));

  test("opens as it is", () => {
    const loaded = readForecast(JSON.stringify(document), "result.json");
    expect(JSON.parse(JSON.stringify(loaded))).toEqual(document);
    shown(loaded);
  });

  test("is shown, or refused at a place, whatever one of its fields is changed to", () => {
    const paths = pathsIn(document);
    expect(paths.length).toBeGreaterThan(300);
    // Each is left out in the result with every part; the rest is drawn evenly.
    for (const [i, path] of paths.entries())
      for (const by of [
        ...(whole === full || i % every === 0 ? [undefined] : []),
        ...(i % every === 1 ? [others[1 + (Math.floor(i / every) % (others.length - 1))]] : []),
      ]) {
        const name = `${path.join(".")} = ${JSON.stringify(by)}`;
        let loaded: Forecast;
        try {
          loaded = readForecast(JSON.stringify(changed(document, path, by)), "result.json");
        } catch (error) {
          expect(error, name).toBeInstanceOf(InvalidInputError);
          expect((error as Error).message, name).toMatch(/^result\.json: [\w.[\]]+: expected /);
          continue;
        }
        expect(() => shown(loaded), name).not.toThrow();
      }
  });
});

test.each([
  ["slos.1", "words", "slos[1]: expected an object"],
  ["slos.0.metric", undefined, "slos[0].metric: expected a text"],
  ["slos.0.interval", {}, "slos[0].interval.low: expected a number"],
  ["memory.tiers.0.tier", undefined, "memory.tiers[0].tier: expected a text"],
  ["memory.tiers.0.tier", ["a"], "memory.tiers[0].tier: expected a text"],
  ["memory.tiers.0.items.0", 5, "memory.tiers[0].items[0]: expected an object"],
  ["bands.metrics.ttft", undefined, "bands.metrics.ttft: expected an object or null, found nothing"],
  ["bands.basis", "guess", "bands.basis: expected one of validated, setup"],
  ["baseline.0.unit", "furlong", "baseline[0].unit: expected one of ms, "],
  ["pools.0.cache.actions.taken.0", null, "pools[0].cache.actions.taken[0]: expected an object"],
  ["load.verdict", "fine", "load.verdict: expected one of stable, overloaded, tooShort"],
] as const)("%s = %j is refused at its place", (path, by, message) => {
  const text = JSON.stringify(changed(full, path.split("."), by));
  expect(() => readForecast(text, "result.json")).toThrow(`result.json: ${message}`);
});

test("a list that is wrong in every item is refused with its first ones alone", () => {
  const text = JSON.stringify({ ...full, ledger: new Array(100_000).fill(1) });
  try {
    readForecast(text, "result.json");
    expect.unreachable();
  } catch (error) {
    expect((error as InvalidInputError).problems).toHaveLength(50);
  }
});

test("caches of pools that earlier releases wrote did nothing but fetch", () => {
  const { actions, ...earlier } = cache;
  expect(actions).not.toBeNull();
  const text = JSON.stringify({ ...full, cache: earlier, pools: [{ ...pool, cache: earlier }] });
  const loaded = readForecast(text, "result.json");
  expect([loaded.cache, loaded.pools![0]!.cache].map((one) => one!.actions)).toEqual([null, null]);
});
