import { describe, expect, test } from "vitest";
import { type MeasuredBenchmark, unstated } from "../../../src/calibrate/measured/measured-benchmark.ts";
import { type MeasuredRun, measuredRun } from "../../../src/calibrate/measured/measured-run.ts";
import { forecastScenario } from "../../../src/forecast/forecast-scenario.ts";
import { resolveScenario } from "../../../src/resolve/resolve-scenario.ts";
import { parseScenario } from "../../../src/scenario/parse-scenario.ts";
import { simulate } from "../../../src/sim/simulate.ts";
import { type MeasuredServing, validateRun } from "../../../src/validate/run/validate-run.ts";
import { validateRuns } from "../../../src/validate/run/validate-runs.ts";
import { minimal } from "../../scenario/example.ts";

const noFiles = { readText: () => Promise.reject(new Error("no file was expected")) };
const deps = { ...noFiles, inputs: [{ role: "measurement", name: "run.jsonl", sha256: "ab" }] };
const scenario = parseScenario(minimal.replace("{ id: vllm }", "{ id: vllm, maxModelLen: 4096 }"), "test.yaml");
const { config } = await resolveScenario(scenario, noFiles);
const rows = simulate(config).requests;

/** What a server would have measured that is `factor` times as slow as the simulated one, with the same arrivals. */
function measured(factor: number): MeasuredRun {
  const requests = Array.from(rows.arrivalNs, (arrivalNs, i) => ({
    arrivalSeconds: 1000 + arrivalNs / 1e9,
    promptTokens: rows.promptTokens[i] ?? 0,
    outputTokens: rows.outputTokens[i] ?? 0,
    ttftMs: (factor * ((rows.firstTokenNs[i] ?? 0) - arrivalNs)) / 1e6,
    e2eMs: (factor * ((rows.lastTokenNs[i] ?? 0) - arrivalNs)) / 1e6,
    queueMs: null,
  }));
  return measuredRun(requests, { file: "/some/where/run.jsonl", digest: "cd" }, []);
}

const replay = (run: MeasuredRun) => validateRun(scenario, { kind: "run", run }, deps);

function benchmark(changes: Partial<MeasuredBenchmark>): MeasuredServing {
  const given: MeasuredBenchmark = { ...unstated, format: "vllm-bench", requests: 100, ...changes };
  return { kind: "benchmark", benchmark: given, file: "bench.json" };
}

describe("a replay of a measured run", () => {
  test("finds no error in requests that its own simulation served", async () => {
    const { figures, perRequest, requests, workload, pairs } = await replay(measured(1));
    expect(workload).toBe("replayed");
    expect(requests).toEqual({ measured: 100, compared: 100 });
    expect(pairs).toHaveLength(100);
    for (const metric of ["ttft", "tpot", "e2e"] as const)
      expect(perRequest?.[metric].meanAbsolutePercent).toBeLessThan(1e-3);
    for (const { errorPercent, measured: value } of figures)
      if (value !== null) expect(Math.abs(errorPercent ?? 100)).toBeLessThan(0.01);
  });

  test("finds every latency half as long as that of a server twice as slow", async () => {
    const { figures, perRequest } = await replay(measured(2));
    for (const { metric, errorPercent, measured: value } of figures)
      if (["ttft", "tpot", "e2e"].includes(metric) && value !== null) expect(errorPercent).toBeCloseTo(-50, 2);
    expect(perRequest?.tpot).toMatchObject({ biasPercent: expect.closeTo(-50, 2) as number, points: 100 });
  });

  test("counts every request, also where the scenario leaves out a warm-up, and judges no SLO of it", async () => {
    const strict = parseScenario(`${minimal}warmup: 40\nslo: { tpot: p(50)<1us }\n`, "test.yaml");
    const { pairs, forecast } = await validateRun(strict, { kind: "run", run: measured(1) }, deps);
    expect(pairs).toHaveLength(100);
    expect(forecast.requests.warmup).toBe(0);
    expect(forecast.slos).toEqual([]);
  });

  test("states no percentile with fewer than ten requests beyond it", async () => {
    const { figures } = await replay(measured(1));
    const ttft = Object.fromEntries(
      figures.filter(({ metric }) => metric === "ttft").map(({ statistic, measured: value }) => [statistic, value]),
    );
    expect(ttft["p90"]).not.toBeNull();
    expect(ttft).toMatchObject({ p95: null, p99: null });
  });

  test("measures throughput from the first arrival to the last token", async () => {
    const { figures } = await replay(measured(1));
    const [tokens, duration] = ["outputThroughput", "duration"].map((name) =>
      figures.find(({ metric }) => metric === name),
    );
    const lastNs = Math.max(...rows.lastTokenNs);
    const firstNs = Math.min(...rows.arrivalNs);
    expect(duration?.measured).toBeCloseTo((lastNs - firstNs) / 1e9, 6);
    expect(tokens?.measured).toBeCloseTo(1000 / ((lastNs - firstNs) / 1e9), 3);
  });

  test("has steps whose components add up to the busy time of the forecast", async () => {
    const { stepMs, forecast } = await replay(measured(1));
    const total = Object.values(stepMs).reduce((sum, ms) => sum + ms, 0);
    for (const [component, share] of Object.entries(forecast.timeShare))
      expect(stepMs[component as keyof typeof stepMs]).toBeCloseTo(share * total, 6);
  });

  test("names the measurement instead of the requests that were made of it", async () => {
    const { inputs } = await replay(measured(1));
    expect(inputs.map(({ role }) => role)).toEqual(["measurement", "scenario"]);
  });

  test("refuses a run of which nothing completes", async () => {
    const short = parseScenario(minimal.replace("{ id: vllm }", "{ id: vllm, maxModelLen: 64 }"), "test.yaml");
    await expect(validateRun(short, { kind: "run", run: measured(1) }, deps)).rejects.toThrow(
      /run\.jsonl: expected requests that complete.*100 of 100 rejected.*maxModelLen/,
    );
  });
});

describe("a benchmark", () => {
  test("with its requests is replayed: in a closed loop where it kept a number of clients", async () => {
    const open = await validateRun(scenario, benchmark({ perRequest: measured(1) }), deps);
    expect(open.forecast.load.loop).toBe("open");
    const closed = await validateRun(scenario, benchmark({ perRequest: measured(1), concurrency: 3 }), deps);
    expect(closed.forecast.load).toMatchObject({ loop: "closed", verdict: "stable" });
    expect(closed.requests.compared).toBe(100);
    const capped = benchmark({ perRequest: measured(1), concurrency: 3, requestRate: 5 });
    expect((await validateRun(scenario, capped, deps)).forecast.load.loop).toBe("open");
  });

  test("without them is compared with the scenario's own traffic, in the statistics it states", async () => {
    const own = await forecastScenario(scenario, noFiles);
    const mean = own.latency.tpot.mean ?? 0;
    const stated = benchmark({
      metrics: { tpot: { mean: 2 * mean, p99: 1 } },
      outputTokensPerSecond: own.throughput.outputTokensPerSecond / 2,
    });
    const { figures, perRequest, workload } = await validateRun(scenario, stated, deps);
    expect(workload).toBe("scenario");
    expect(perRequest).toBeNull();
    expect(figures.map(({ metric, statistic }) => [metric, statistic])).toEqual([
      ["tpot", "mean"],
      ["tpot", "p99"],
      ["outputThroughput", null],
    ]);
    expect(figures[0]?.errorPercent).toBeCloseTo(-50, 6);
    expect(figures[1]).toMatchObject({ measured: 1, predicted: null, errorPercent: null });
    expect(figures[2]?.errorPercent).toBeCloseTo(100, 6);
  });
});

describe("a load that is not the scenario's", () => {
  const closed = parseScenario(
    minimal.replace("{ kind: poisson, requestRate: 5/s }", "{ kind: closed, maxConcurrency: 8 }"),
    "closed.yaml",
  );
  const stated = { metrics: { tpot: { mean: 10 } }, meanPromptTokens: 100, meanOutputTokens: 10, concurrency: 4 };

  test("is refused with what differs, unless it is accepted and told", async () => {
    await expect(validateRun(closed, benchmark(stated), deps)).rejects.toThrow(
      /bench\.json: clients: expected 8, as the scenario has it, found 4 .*--accept-differences/,
    );
    const accepted = await validateRun(closed, benchmark(stated), { ...deps, acceptsDifferences: true });
    expect(accepted.notes).toContainEqual(expect.stringContaining("accepted all the same: clients 4, expected 8"));
    expect(accepted.workload).toBe("scenario");
  });

  test("is forecast as measured where that is asked for: what the scenario gives with that load", async () => {
    const own = closed.vary(["traffic.arrivals.maxConcurrency=4"]);
    const [forecastOf, wanted] = [
      await validateRun(closed, benchmark({ ...stated, requests: 50 }), { ...deps, load: "measured" }),
      await validateRun(own, benchmark(stated), deps),
    ];
    expect(forecastOf.workload).toBe("stated");
    const tpot = ({ figures }: typeof wanted) => figures.find(({ metric }) => metric === "tpot")?.predicted ?? 0;
    expect(tpot(forecastOf) / tpot(wanted)).toBeCloseTo(1, 1);
    const faster = benchmark({ ...stated, concurrency: null, requestRate: 10 });
    const byClock = await validateRun(scenario, faster, { ...deps, load: "measured" });
    expect(byClock.forecast.load.offeredRequestsPerSecond).toBeCloseTo(10, 0);
  });

  test("leaves runs of a file out, and refuses the file where it is that of all", async () => {
    const runs = [4, 8, 16].map((concurrency) => ({ ...unstated, format: "vllm-bench", ...stated, concurrency }));
    const found = await validateRuns(closed, runs, "bench.json", deps);
    expect(found.runs.map(({ run }) => run)).toEqual([2]);
    expect(found.skipped).toEqual([
      { run: 1, reason: "clients 4" },
      { run: 3, reason: "clients 16" },
    ]);
    await expect(validateRuns(closed, runs.slice(0, 1), "bench.json", deps)).rejects.toThrow(/clients/);
    const all = await validateRuns(closed, runs, "bench.json", { ...deps, load: "measured" });
    expect(all.runs).toHaveLength(3);
    const tpots = all.runs.map(({ validation }) => validation.figures[0]?.predicted ?? 0);
    expect(tpots).toEqual(tpots.toSorted((a, b) => a - b));
  });
});
