import { describe, expect, test } from "vitest";
import { canonicalJson } from "../../src/core/json.ts";
import { version } from "../../src/core/version.ts";
import { bottleneckOf, frontEndBottleneck, timeShares } from "../../src/forecast/bottleneck.ts";
import { buildForecast } from "../../src/forecast/build-forecast.ts";
import { readForecast } from "../../src/forecast/read-forecast.ts";
import type { ResolvedScenario } from "../../src/resolve/resolved.ts";
import { parseScenario } from "../../src/scenario/parse-scenario.ts";
import { timeComponents } from "../../src/sim/result.ts";
import { forecast as fullForecast } from "../report/build.ts";
import { minimal } from "../scenario/example.ts";
import { exampleForecast, resolved } from "./example-forecast.ts";
import { ascending, fakeRun, overloadedRun } from "./fake-run.ts";

describe("a forecast", () => {
  test("names the version of moecast, seed, inputs and deployment", () => {
    expect(exampleForecast()).toMatchObject({
      schemaVersion: 3,
      kind: "forecast",
      moecastVersion: version,
      seed: 1,
      inputs: resolved.inputs,
      deployment: { model: "Qwen3-30B-A3B", devices: 4, replicas: 2, placement: "contiguous", offload: null },
    });
  });

  test("accounts for every request", () => {
    const run = fakeRun([
      ...ascending(20),
      { arrivalMs: 30, status: "rejected" },
      { arrivalMs: 31, status: "running" },
      { arrivalMs: 32, status: "notArrived" },
    ]);
    const { total, completed, rejected, unfinished } = exampleForecast("", run).requests;
    expect([completed, rejected, unfinished]).toEqual([20, 1, 2]);
    expect(completed + rejected + unfinished).toBe(total);
  });

  test("passes when every SLO of level error passes; warnings do not count", () => {
    expect(exampleForecast().passed).toBe(true);
    expect(exampleForecast("slo: { e2e: max<2s }\n").passed).toBe(true);
    expect(exampleForecast("slo: { e2e: [max<2s, max<1ms] }\n").passed).toBe(false);
    expect(exampleForecast("slo: { e2e: { threshold: max<1ms, level: warn } }\n").passed).toBe(true);
  });

  test("of an overloaded deployment has no latencies and no goodput, and fails their SLOs", () => {
    const run = overloadedRun(1200);
    const forecast = exampleForecast("slo: { ttft: p(99)<1h, perRequest: { ttft: 1h } }\n", run);
    expect(forecast.latency.ttft.p99).toBeNull();
    expect(forecast.throughput.goodput).toBeNull();
    expect(forecast.passed).toBe(false);
    expect(JSON.stringify(forecast)).not.toContain("steady state");
  });

  test("costs the price of all devices, per output token of the run", () => {
    const forecast = exampleForecast();
    const { outputTokensPerSecond } = forecast.throughput;
    expect(forecast.cost?.usdPerHour).toBe(8);
    expect(forecast.cost?.usdPerMillionOutputTokens).toBeCloseTo((8 / 3600 / outputTokensPerSecond) * 1e6, 9);
  });

  test("divides the bill by step time: input and output at their prices add up to it, and so does one price for both", () => {
    const { cost, throughput } = exampleForecast();
    const { outputTokensPerSecond, totalTokensPerSecond } = throughput;
    const perHour = (usdPerMillion: number, tokensPerSecond: number) => (usdPerMillion / 1e6) * tokensPerSecond * 3600;
    const { promptTimeShare, usdPerMillionInputTokens, usdPerMillionOutputTokens } = cost?.divided ?? {};
    const input = perHour(usdPerMillionInputTokens ?? 0, totalTokensPerSecond - outputTokensPerSecond);
    expect(promptTimeShare).toBeCloseTo(0.25, 9);
    expect(input).toBeCloseTo(8 / 4, 9);
    expect(input + perHour(usdPerMillionOutputTokens ?? 0, outputTokensPerSecond)).toBeCloseTo(8, 9);
    expect(perHour(cost?.usdPerMillionTokens ?? 0, totalTokensPerSecond)).toBeCloseTo(8, 9);
    expect(cost?.price).toEqual({ usdPerDeviceHour: 2, source: "a quote" });
  });

  test("fails an SLO on cost by name: no price, or no output", () => {
    const judged = (price: ResolvedScenario["price"], run = fakeRun(ascending(20))) => {
      const scenario = parseScenario(`${minimal}slo: { costUsdPerMtok: value<9 }\n`, "test.yaml");
      const { slos, passed } = buildForecast(scenario, { ...resolved, price }, run);
      expect(passed).toBe(false);
      return slos[0]?.reason;
    };
    expect(judged(null)).toBe(`no price for ${resolved.config.node.device.name}: set cost.usdPerDeviceHour`);
    expect(judged(resolved.price, fakeRun([], { steps: 0, replicaBusyNs: [0] }))).toBe("no output tokens");
  });

  test("uses board power while busy and idle power otherwise, declared as assumed", () => {
    const { device } = resolved.config.node;
    const run = fakeRun(ascending(100));
    const forecast = exampleForecast("", { ...run, replicaBusyNs: [run.endNs, 0] });
    const expected = 2 * (device.powerW ?? 0) + 2 * (device.idlePowerW ?? 0);
    expect(forecast.energy?.averageW).toBeCloseTo(expected, 6);
    expect(forecast.ledger).toContainEqual(expect.objectContaining({ topic: "energy", fidelity: "assumed" }));
  });

  test("keeps the ledger of inputs and of the simulator", () => {
    const entry = { topic: "kernels", fidelity: "measured", detail: "a table" } as const;
    const { ledger } = exampleForecast("", fakeRun(ascending(20), { ledger: [entry] }));
    expect(ledger).toContainEqual(entry);
    expect(ledger).toContainEqual(resolved.ledger[0]);
  });

  test("is plain JSON that reads back as itself, and the same run gives the same bytes", () => {
    const text = canonicalJson(exampleForecast("slo: { e2e: max<2s }\n"));
    expect(canonicalJson(readForecast(text, "result.json"))).toBe(text);
    expect(canonicalJson(exampleForecast("slo: { e2e: max<2s }\n"))).toBe(text);
    expect(text).not.toContain("NaN");
  });

  test("of a run without any request has no NaN either", () => {
    const text = canonicalJson(
      exampleForecast("slo: { e2e: max<2s }\n", fakeRun([], { steps: 0, replicaBusyNs: [0] })),
    );
    expect(text).not.toContain("NaN");
    expect(JSON.parse(text)).toMatchObject({ passed: false, energy: null, cost: null });
  });
});

describe("the bottleneck", () => {
  const only = (component: (typeof timeComponents)[number]) =>
    Object.fromEntries(timeComponents.map((each) => [each, each === component ? 3 : 1])) as Parameters<
      typeof timeShares
    >[0];

  test("is the largest share of the time, with nothing tried against it", () => {
    for (const component of timeComponents) {
      const shares = timeShares(only(component));
      expect(Object.values(shares).reduce((sum, share) => sum + share, 0)).toBeCloseTo(1, 12);
      expect(bottleneckOf(shares)).toEqual({ component, share: 3 / (timeComponents.length + 2), advice: null });
    }
  });

  test("is the front end exactly where one is saturated and busier than any replica", () => {
    const rows = ascending(100).map((row) => ({ ...row, queueMs: 1 }));
    const spanNs = 200e6;
    for (let frontMs = 0; frontMs <= 200; frontMs += 10)
      for (let stepMs = 0; stepMs <= 200; stepMs += 10)
        for (const waitMs of [0, 100]) {
          const frontEnds = { busyNs: [1e6, frontMs * 1e6], waitNs: waitMs * 1e6 };
          const found = frontEndBottleneck(fakeRun(rows, { frontEnds, replicaBusyNs: [stepMs * 1e6] }), spanNs, 1);
          const limits = frontMs > stepMs && frontMs >= 160;
          expect(found).toEqual(limits ? { component: "frontEnd", share: frontMs / 200, advice: null } : null);
        }
    expect(exampleForecast("", fakeRun(rows, { frontEnds: { busyNs: [190e6], waitNs: 0 } })).bottleneck).toMatchObject({
      component: "frontEnd",
    });
  });

  test("of a run that never worked has a share of 0", () => {
    const idle = Object.fromEntries(timeComponents.map((each) => [each, 0])) as Parameters<typeof timeShares>[0];
    expect(bottleneckOf(timeShares(idle)).share).toBe(0);
  });
});

describe("reading a result", () => {
  const good = canonicalJson(exampleForecast());
  const change = (edit: (json: Record<string, unknown>) => void) => {
    const json = JSON.parse(good) as Record<string, unknown>;
    edit(json);
    return () => readForecast(JSON.stringify(json), "result.json");
  };

  test("refuses other versions and other documents, and says what to do", () => {
    expect(
      change((json) => {
        json["schemaVersion"] = 1;
      }),
    ).toThrow(
      "result.json: schemaVersion: expected 3, found 1 (another release wrote this result; run the scenario again with --export json)",
    );
    expect(
      change((json) => {
        json["kind"] = "plan";
      }),
    ).toThrow('result.json: kind: expected "forecast"');
    expect(() => readForecast("[1]", "result.json")).toThrow("result.json: kind");
    expect(() => readForecast("{", "result.json")).toThrow("expected valid JSON");
    expect(() => readForecast('{"kind":"forecast","schemaVersion":3,"__proto__":{}}', "r")).toThrow("an ordinary key");
  });

  test("names every field that is missing or of the wrong kind", () => {
    const broken = change((json) => {
      json["seed"] = "one";
      json["latency"] = { ttft: {} };
      delete json["slos"];
    });
    expect(broken).toThrow('result.json: seed: expected a number, found "one"');
    expect(broken).toThrow("result.json: slos: expected a list, found nothing");
    expect(broken).toThrow("result.json: latency.ttft.p99: expected a number or null, found nothing");
    // Nothing is said of the fields of what is missing itself.
    expect(broken).toThrow("result.json: latency.e2e: expected an object, found nothing");
    expect(broken).not.toThrow("result.json: latency.e2e.p99");
  });

  test("takes latencies of a class only as it takes those of all", () => {
    const latency = (p99: unknown) =>
      change((json) => {
        const all = json["latency"] as Record<string, object>;
        json["latencyByClass"] = { chat: { ...all, ttft: { ...all["ttft"], p99 } } };
      });
    for (const right of [1, null]) expect(latency(right)).not.toThrow();
    for (const wrong of ["abc", {}, [], true, undefined])
      expect(latency(wrong)).toThrow("result.json: latencyByClass: expected an object of latencies");
  });

  test("takes intervals of percentiles only by their two ends", () => {
    const interval = (p99: unknown) =>
      change((json) => {
        Object.assign((json["latency"] as Record<string, object>)["ttft"]!, { intervals: { p99 } });
      });
    expect(interval({ lowMs: 1, highMs: null })).not.toThrow();
    for (const wrong of [{ lowMs: "1", highMs: 2 }, { lowMs: 1 }, {}, null, 1])
      expect(interval(wrong)).toThrow("result.json: latency.ttft.intervals: expected a set of intervals");
  });

  test("takes no text and no empty object for a number, wherever one stands", () => {
    const json = JSON.parse(canonicalJson(fullForecast())) as Record<string, unknown>;
    const paths = numbersIn(json);
    expect(paths.length).toBeGreaterThan(100);
    for (const path of paths)
      for (const wrong of ["abc", {}, true, []]) {
        const text = JSON.stringify(replaced(json, path.split("."), wrong));
        expect(() => readForecast(text, "result.json"), `${path} = ${JSON.stringify(wrong)}`).toThrow(
          // Objects of numbers are refused as a whole.
          new RegExp(`result.json: (${path}|${path.split(".").slice(0, -1).join(".") || path}): expected an? `),
        );
      }
  });
});

/** Dotted paths of the numbers of a document that are no items of a list and stand under no name of the user's. */
function numbersIn(value: unknown, path = ""): string[] {
  if (typeof value === "number") return path === "schemaVersion" ? [] : [path];
  if (typeof value !== "object" || value === null || Array.isArray(value)) return [];
  return Object.entries(value).flatMap(([key, item]) =>
    ["latencyByClass", "bands", "baselineRun", "intervals"].includes(key)
      ? []
      : numbersIn(item, path === "" ? key : `${path}.${key}`),
  );
}

/** The document with another value at a path. */
function replaced(value: unknown, [key, ...rest]: readonly string[], by: unknown): unknown {
  if (key === undefined) return by;
  const object = value as Readonly<Record<string, unknown>>;
  return { ...object, [key]: replaced(object[key], rest, by) };
}
