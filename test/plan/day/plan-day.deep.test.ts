import { describe, expect, test } from "vitest";
import { canonicalJson } from "../../../src/core/json.ts";
import { forecastScenario } from "../../../src/forecast/forecast-scenario.ts";
import type { DayPlan } from "../../../src/plan/day/day-plan.ts";
import { type DayOptions, planDay } from "../../../src/plan/day/plan-day.ts";
import { parseScenario } from "../../../src/scenario/parse-scenario.ts";
import { problemsOf } from "../../scenario/example.ts";

const noFiles = { readText: () => Promise.reject(new Error("no file was expected")) };
/** A quiet spell, a rush and a quiet spell: half a minute in all. */
const day = `version: 1
name: a-day
model: { id: gpt-oss-20b }
hardware: { system: h100-sxm-8 }
engine: { id: vllm }
traffic:
  kind: generated
  arrivals:
    kind: stages
    stages: [{ rate: 2/s, duration: 10s }, { rate: 2/s, rampTo: 60/s, duration: 5s }, { rate: 60/s, duration: 5s }, { rate: 2/s, duration: 10s }]
  isl: { kind: fixed, tokens: 2048 }
  osl: { kind: fixed, tokens: 32 }
routing: { kind: uniform }
slo: { perRequest: { ttft: 400ms } }
policy: { scaling: { kind: load, target: 10, max: 6, every: 500ms, startup: 1s, stabilisation: 2s } }
`;
const options: DayOptions = { hourNs: 5e9, shares: [0.8] };
const plan = (text = day, more: DayOptions = {}, deps = {}) =>
  planDay(parseScenario(text, "day.yaml"), { ...options, ...more }, { ...noFiles, ...deps });
const named = (of: DayPlan, name: string) => of.candidates.find((each) => each.name === name)!;
const planned = plan();

describe("a plan of a day", () => {
  test("has the fewest static replicas: they keep the SLOs, and one fewer do not", async () => {
    const { fleet, candidates } = await planned;
    const { count } = fleet.replicas[0]!;
    expect(count).toBeGreaterThan(1);
    expect(fleet).toMatchObject({ name: `${count} static`, oneMoreHolds: true });
    expect(candidates[0]).toMatchObject({ name: fleet.name, kind: "static", holds: true });
    const fewer = await plan(day, {
      candidates: [{ name: "fewer", set: [`policy.scaling=null`, `parallel.replicas=${count - 1}`] }],
    });
    expect(named(fewer, "fewer").holds).toBe(false);
    expect(fewer.fleet).toEqual(fleet);
  });

  test("runs every policy of the table, and the scenario's own", async () => {
    const { candidates, leftOut } = await planned;
    expect(leftOut).toEqual([]);
    expect(candidates.slice(1).map(({ name }) => name)).toEqual([
      "as the scenario states",
      "load, requests at 80%",
      "load, waiting at 80%",
      "load, kv at 80%",
      "slo-margin at 80%",
      "predictive at 80%",
      "schedule by the hour at 80%",
    ]);
  });

  test("counts each request once in its hour, and the time of each replica once in its state", async () => {
    const { candidates, traffic } = await planned;
    for (const { hours, requests, misses, pools, deviceHours, spanS, holds, usd } of candidates) {
      const sum = (of: (hour: (typeof hours)[number], i: number) => number) =>
        hours.reduce((all, hour, i) => all + of(hour, i), 0);
      expect(sum((hour) => hour.requests)).toBe(requests);
      expect(sum((hour) => hour.misses)).toBe(misses);
      expect(hours.slice(0, 6).map((hour) => hour.requests)).toEqual(traffic.slice(0, 6).map((hour) => hour.requests));
      const lengthS = (i: number) => Math.min(spanS, (i + 1) * 5) - i * 5;
      expect(sum(({ meanDevices }, i) => (meanDevices * lengthS(i)) / 3600)).toBeCloseTo(deviceHours, 9);
      const { replicas, replicaHours } = pools[0]!;
      const served = replicas.map(({ atS, serving }, i) => ((replicas[i + 1]?.atS ?? spanS) - atS) * serving);
      expect(served.reduce((all, each) => all + each, 0) / 3600).toBeCloseTo(replicaHours.serving, 9);
      expect(usd! / deviceHours).toBeCloseTo(candidates[0]!.usd! / candidates[0]!.deviceHours, 9);
      expect(holds).toBe(misses <= 0.01 * requests);
    }
  });

  test("says what the forecast of the same deployment says", async () => {
    const own = named(await planned, "as the scenario states");
    const whole = await forecastScenario(parseScenario(`${day}warmup: 0\n`, "day.yaml"), noFiles);
    const { durationS } = whole.throughput;
    expect(own.spanS).toBe(durationS);
    expect(own.usd).toBeCloseTo((whole.cost!.usdPerHour * durationS) / 3600, 9);
    expect(own.joules).toBeCloseTo(whole.energy!.averageW * durationS, 3);
    expect(own.pools[0]!.starts).toBe(whole.scaling![0]!.starts);
    expect(1 - own.misses / own.requests).toBeCloseTo(whole.throughput.goodput!, 12);
  });

  test("advises the cheapest fleet that keeps the SLOs without knowing the day", async () => {
    const { verdict, candidates } = await planned;
    const advised = candidates.find(({ name }) => name === verdict.name)!;
    expect(advised.holds).toBe(true);
    expect(advised.kind).not.toBe("foresight");
    for (const { kind, holds, usd } of candidates)
      if (kind !== "foresight" && holds) expect(advised.usd!).toBeLessThanOrEqual(usd! * 1.005);
    expect(verdict.headline).toContain(verdict.name);
  });

  test("is the same each time, plain JSON, and begins all scaled fleets alike", async () => {
    const once = await planned;
    const again = await plan();
    expect(canonicalJson(again)).toBe(canonicalJson(once));
    expect(JSON.parse(canonicalJson(once))).toEqual(once);
    const begin = once.candidates
      .filter(({ kind }) => kind !== "static")
      .slice(1)
      .map(({ pools }) => pools[0]!.replicas[0]!.serving);
    expect(new Set(begin).size).toBe(1);
  });

  test("takes a start as long as the scenario states, for all", async () => {
    const { startUp, candidates } = await planned;
    expect(startUp).toEqual([{ pool: "", seconds: 1, how: "as the scenario states" }]);
    for (const { pools, kind } of candidates) {
      if (kind === "static") continue;
      const { replicas } = pools[0]!;
      const began = replicas.findIndex(({ starting }, i) => i > 0 && starting > replicas[i - 1]!.starting);
      if (began < 0) continue;
      const done = replicas.slice(began).find(({ starting }, i) => i > 0 && starting === 0);
      expect(done!.atS - replicas[began]!.atS).toBeGreaterThanOrEqual(1);
    }
  });
});

describe("pools of a deployment", () => {
  test("are searched and scaled each by itself", async () => {
    const pools = `${day.replace(/^policy.*$/m, "")}pools:
  - { name: prompts, role: prefill, parallel: { replicas: 1 }, policy: {} }
  - { name: answers, role: decode, parallel: { replicas: 1 }, policy: {} }
`;
    const { fleet, candidates, leftOut, startUp } = await plan(pools);
    expect(leftOut).toEqual([]);
    expect(fleet.replicas.map(({ at }) => at)).toEqual(["pools[0].parallel.replicas", "pools[1].parallel.replicas"]);
    const [prompts, answers] = fleet.replicas;
    expect(prompts!.count).toBeGreaterThan(answers!.count);
    expect(startUp.map(({ pool }) => pool)).toEqual(["prompts", "answers"]);
    const predictive = named({ candidates } as DayPlan, "predictive at 80%");
    expect(predictive.pools.map(({ name, policy }) => [name, policy])).toEqual([
      ["prompts", "predictive"],
      ["answers", "predictive"],
    ]);
    // Without a limit on TPOT there is nothing to scale the decode pool by.
    expect(candidates.some(({ name }) => name.startsWith("slo-margin"))).toBe(false);
  });
});

describe("what no day can be planned for", () => {
  const rejects = async (text: string, at: string) => {
    expect(problemsOf(text)).toEqual([]);
    await expect(plan(text)).rejects.toMatchObject({ problems: [{ at }] });
  };

  test("is refused: no limit to miss, clients that wait for their answers", async () => {
    await rejects(day.replace(/^slo.*$/m, ""), "slo");
    await rejects(
      day.replace(/^slo.*$/m, "slo: { tokensPerSecond: value>1 }").replace("tokensPerSecond", "throughput"),
      "slo",
    );
    const closed = day.replace(
      /arrivals:[\s\S]*?\n {2}isl/,
      "requests: 20\n  arrivals: { kind: closed, maxConcurrency: 2 }\n  isl",
    );
    await rejects(closed, "traffic.arrivals");
  });

  test("is infeasible where more replicas do not help, and says what is missed", async () => {
    await expect(plan(day.replace("400ms", "1ms"))).rejects.toThrow(
      /no number of static replicas keeps the SLOs: .* miss their limits/,
    );
  });

  test("ends with the reason of the signal, or with what there is", async () => {
    const before = AbortSignal.abort(new Error("enough"));
    await expect(plan(day, {}, { signal: before })).rejects.toThrow("enough");
    const controller = new AbortController();
    const { fleet } = await planned;
    const some = await plan(
      day,
      {},
      {
        signal: controller.signal,
        onProgress: (done: number) => {
          if (done === fleet.runs + 2) controller.abort(new Error("enough"));
        },
      },
    );
    expect(some.interrupted).toBe(true);
    expect(some.candidates.map(({ name }) => name)).toEqual(
      (await planned).candidates.slice(0, 3).map(({ name }) => name),
    );
  });
});
