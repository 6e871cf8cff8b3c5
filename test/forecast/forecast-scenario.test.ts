import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { sha256 } from "../../src/core/digest.ts";
import { InfeasibleError, InvalidInputError, type Problem } from "../../src/core/errors.ts";
import { canonicalJson } from "../../src/core/json.ts";
import { RandomStream } from "../../src/core/random.ts";
import { forecastScenario } from "../../src/forecast/forecast-scenario.ts";
import { resolveScenario } from "../../src/resolve/resolve-scenario.ts";
import { parseScenario } from "../../src/scenario/parse-scenario.ts";
import type { ArrivalSpec } from "../../src/trace/requests/generate/arrivals.ts";
import { drawArrivals } from "../../src/trace/requests/generate/draw-arrivals.ts";
import { minimal, placeOf } from "../scenario/example.ts";
import { headerOf, temporaryFolder, writeRows } from "../trace/routing-files.ts";

const noFiles = { readText: () => Promise.reject(new Error("no file was expected")) };
const resolve = (text: string) => resolveScenario(parseScenario(text, "test.yaml"), noFiles);

async function problemsOf(text: string): Promise<readonly Problem[]> {
  const error: unknown = await resolve(text).catch((thrown: unknown) => thrown);
  return error instanceof InvalidInputError ? error.problems : [];
}

/** Routing of Mixtral's shape whose maths goes to the first four experts and code to the last four. */
const folder = temporaryFolder();
const trace = await writeRows(
  folder.path("routing.safetensors"),
  headerOf({ layers: Array.from({ length: 32 }, (_, layer) => layer), domains: ["math", "code"] }),
  Array.from({ length: 60 }, (_, row) => {
    const domain = row < 40 ? 0 : 1;
    const first = domain * 4 + (row % 3);
    return { sequence: domain, domain, layers: Array.from({ length: 32 }, () => [first, first + 1]) };
  }),
);
const routed = minimal
  .replace("{ id: qwen3-30b-a3b }", "{ id: mixtral-8x7b, dtypes: { experts: int4 } }")
  .replace("{ kind: uniform }", `{ kind: trace, file: ${JSON.stringify(trace)} }`);

describe("resolving", () => {
  test("fills in the engine's defaults under the scenario's flags", async () => {
    const { config } = await resolve(minimal.replace("{ id: vllm }", "{ id: vllm, maxNumSeqs: 7, maxModelLen: 999 }"));
    expect(config.scheduler).toMatchObject({ maxSequences: 7, contextTokensMax: 999 });
    expect(config.scheduler.maxBatchTokens).toBe(config.engine.defaults.maxBatchTokens);
    expect(config.warmupRequests).toBe(5);
    expect(config.mapping).toMatchObject({ tp: 1, dp: 1, ep: 1 });
  });

  test("arrivals are those of the generator with the scenario's rates and times, in seconds", async () => {
    const arrivalsOf = async (arrivals: string, requests = "requests: 100") => {
      const text = minimal.replace("requests: 100", requests).replace("{ kind: poisson, requestRate: 5/s }", arrivals);
      return [...(await resolve(text)).config.workload.requests.arrivalNs];
    };
    const drawn = (arrivals: ArrivalSpec) => [
      ...drawArrivals({ arrivals, requests: 100 }, new RandomStream(1, "traffic").fork("arrivals")),
    ];
    const cases: readonly (readonly [string, ArrivalSpec])[] = [
      ["{ kind: gamma, requestRate: 5/s, burstiness: 0.5 }", { kind: "gamma", ratePerSecond: 5, burstiness: 0.5 }],
      [
        "{ kind: onOff, onRate: 20/s, offRate: 1/s, onMean: 3s, offMean: 2min }",
        { kind: "onOff", onRatePerSecond: 20, offRatePerSecond: 1, onMeanSeconds: 3, offMeanSeconds: 120 },
      ],
    ];
    for (const [text, spec] of cases) expect(await arrivalsOf(text)).toEqual(drawn(spec));
    // Half a second at 10/s, then half a minute at 2/s: five arrivals and sixty.
    const stages = "stages: [{ rate: 10/s, duration: 500ms }, { rate: 120/min, duration: 0.5min }]";
    const staged = await arrivalsOf(`{ kind: stages, process: constant, ${stages} }`, "");
    expect(staged).toHaveLength(65);
    expect([staged[1], staged[5], staged[6], staged[64]]).toEqual([1e8, 5e8, 1e9, 30e9]);
  });

  test("spreads experts over the attention ranks unless told otherwise", async () => {
    const mapping = async (parallel: string) => (await resolve(`${minimal}parallel: ${parallel}\n`)).config.mapping;
    expect(await mapping("{ dp: 4 }")).toMatchObject({ dp: 4, ep: 4, etp: 1 });
    expect(await mapping("{ tp: 4, etp: 2 }")).toMatchObject({ tp: 4, ep: 2, etp: 2 });
  });

  test("refuses tensor parallelism over nodes of one device, with its place", async () => {
    const text = `${minimal.replace("{ system: h100-sxm-8 }", "{ system: h100-sxm-8, devicesPerNode: 1 }")}parallel: { tp: 16 }\n`;
    const [problem] = await problemsOf(text);
    expect(problem).toMatchObject({ at: "parallel.tp", found: 16, ...placeOf(text, "16 }") });
    const over = `${minimal}parallel: { tp: 16 }\n`;
    expect((await resolve(over)).ledger.find(({ topic }) => topic === "nodes")?.detail).toContain("2 nodes of 8");
  });

  test("ends the links of one node's devices with a node made smaller, not those of a rack", async () => {
    const domain = async (system: string, devicesPerNode: number) =>
      (
        await resolve(
          minimal.replace("{ system: h100-sxm-8 }", `{ system: ${system}, devicesPerNode: ${devicesPerNode} }`),
        )
      ).config.node.device.scaleUpDomain;
    expect([await domain("h100-sxm-8", 2), await domain("h100-sxm-8", 16), await domain("gb200-nvl72", 2)]).toEqual([
      2, 8, 72,
    ]);
  });

  test("prices devices by the profile and its date, or by the scenario", async () => {
    const priceOf = async (settings: readonly string[]) =>
      (await resolveScenario(parseScenario(minimal, "test.yaml", { settings }), noFiles)).price;
    expect((await priceOf([]))?.source).toMatch(/, 2026-03-10$/);
    expect(await priceOf(["cost.usdPerDeviceHour=1.25"])).toMatchObject({
      usdPerDeviceHour: 1.25,
      source: "stated in the scenario",
    });
    expect(await priceOf(["hardware.system=ascend-800i-a2-8"])).toBeNull();
  });

  test("applies overrides of formats, links and tiers", async () => {
    const { config } = await resolve(
      minimal
        .replace("{ id: qwen3-30b-a3b }", "{ id: qwen3-30b-a3b, dtypes: { experts: int4 }, kvCacheDtype: fp8 }")
        .replace(
          "{ system: h100-sxm-8 }",
          "{ system: rtx4090-desktop, hostLink: { bandwidth: 12GB/s }, tiers: { ddr: { capacity: 64GiB, bandwidth: 40GB/s } } }",
        ),
    );
    expect(config.formats.experts).toBe("int4");
    expect(config.formats.attention).toBe(config.model.formats.attention);
    expect(config.kvFormat).toBe("fp8");
    expect(config.node.device.hostLink).toMatchObject({ bytesPerSecond: 12e9, efficiency: 1 });
    const ddr = config.node.tiers.find((tier) => tier.kind === "ddr");
    expect(ddr?.bytes).toBe(64 * 2 ** 30);
    expect(ddr?.read).toMatchObject({ bytesPerSecond: 40e9, efficiency: 1 });
  });

  test("changing a policy or the routing changes no arrival", async () => {
    const arrivals = async (text: string) => [...(await resolve(text)).config.workload.requests.arrivalNs];
    expect(await arrivals(`${routed}policy: { offload: { kind: lru, slots: 4 } }\n`)).toEqual(await arrivals(minimal));
  });

  test("names its inputs by their bytes", async () => {
    const { inputs } = await resolve(minimal);
    expect(inputs[0]).toEqual({ role: "scenario", name: "test.yaml", sha256: sha256(minimal) });
    expect(inputs.map((input) => input.role)).toEqual(["scenario", "requests"]);
  });

  test("counts cache memory in whole experts, per layer or in all", async () => {
    const slots = async (offload: string) =>
      (await resolve(`${routed}policy: { offload: { kind: lru, ${offload} } }\n`)).config.offload?.slots;
    // One expert: 3 matrices x 4096 x 14336 values of 4 bits, with 16 bits of scale for each 128; 32 layers.
    const expert = (3 * 4096 * 14336 * (4 + 16 / 128)) / 8;
    expect(await slots(`memory: ${expert * 32 * 3}B`)).toBe(3);
    expect(await slots(`memory: ${expert * 32 * 3 - 1}B`)).toBe(2);
    expect(await slots(`scope: global, memory: ${expert * 32 * 3}B`)).toBe(96);
  });
});

describe("a name or value that does not resolve is placed in the scenario", () => {
  const at = (text: string, piece: string) => ({ file: "test.yaml", ...placeOf(text, piece) });

  test.each([
    ["{ id: qwen3-30b-a3b }", "{ id: qwen3-30b-a3c }", "qwen3-30b-a3c"],
    ["{ system: h100-sxm-8 }", "{ system: h100-sxm-9 }", "h100-sxm-9"],
    ["{ id: vllm }", "{ id: vllmm }", "vllmm"],
  ])("%s -> %s", async (valid, invalid, name) => {
    const text = minimal.replace(valid, invalid);
    expect(await problemsOf(text)).toMatchObject([{ ...at(text, name), found: name }]);
  });

  test("a broken mapping identity, at the degree that breaks it", async () => {
    const text = `${minimal}parallel: { dp: 4, ep: 3 }\n`;
    expect(await problemsOf(text)).toMatchObject([{ ...at(text, "3 }\n"), at: "parallel.ep" }]);
  });

  test("redundant experts that do not divide, or that the placement cannot fill", async () => {
    const text = `${routed}parallel: { dp: 4 }\npolicy: { placement: { kind: round-robin, redundant: 3 } }\n`;
    const problems = await problemsOf(text);
    expect(problems.map((problem) => problem.at)).toEqual(["policy.placement.redundant", "policy.placement.redundant"]);
    expect(problems[0]).toMatchObject(at(text, "3 } }"));
  });

  test("a policy that needs loads under uniform routing, and a cache that needs routing", async () => {
    const placed = `${minimal}parallel: { dp: 4 }\npolicy: { placement: { kind: lpt } }\n`;
    expect(await problemsOf(placed)).toMatchObject([{ at: "policy.placement", found: "uniform routing" }]);
    const cached = `${minimal}policy: { offload: { kind: lru, slots: 4 } }\n`;
    expect(await problemsOf(cached)).toMatchObject([{ at: "policy.offload", found: "routing.kind uniform" }]);
  });

  test("routing of another shape than the model's", async () => {
    const text = routed.replace("{ id: mixtral-8x7b,", "{ id: qwen3-30b-a3b,");
    expect((await problemsOf(text)).map((problem) => problem.found)).toEqual([
      expect.stringContaining("8 in"),
      expect.stringContaining("2 in"),
    ]);
  });

  test("a domain that the trace does not have, of the routing and of requests", async () => {
    const routing = routed.replace("kind: trace,", "kind: trace, domain: maths,");
    expect(await problemsOf(routing)).toMatchObject([{ ...at(routing, "maths"), hint: "did you mean math?" }]);
    const requests = routed.replace(
      / {2}isl:.*\n {2}osl:.*\n/,
      "  classes: [{ name: a, share: 1, isl: { kind: fixed, tokens: 9 }, osl: { kind: fixed, tokens: 9 }, domains: { law: 1 } }]\n",
    );
    expect(await problemsOf(requests)).toMatchObject([{ at: "traffic", found: "law" }]);
  });

  test("a file that is not there", async () => {
    const text = routed.replace(JSON.stringify(trace), "nowhere.safetensors");
    expect(await problemsOf(text)).toMatchObject([{ file: "nowhere.safetensors", expected: "a file that exists" }]);
  });

  test("an SLO of a class that no request has", async () => {
    const text = `${minimal}slo: { "ttft{class:al}": mean<1s }\n`;
    expect(await problemsOf(text)).toMatchObject([{ found: "al", hint: "did you mean all?" }]);
  });
});

describe("recorded routing", () => {
  const placed = (fit: string, replay = "domain: code, ") =>
    `${routed.replace("kind: trace,", `kind: trace, ${replay}`)}parallel: { dp: 2 }\npolicy: { placement: { kind: lpt${fit} } }\n`;
  const fitDetail = async (text: string) =>
    (await resolve(text)).ledger.find((entry) => entry.topic === "placement fit")?.detail;

  test("is replayed by domain where the scenario asks for one", async () => {
    const rows = async (text: string) => {
      const { routing } = (await resolve(text)).config;
      return routing.kind === "replay" ? routing.table.rows : 0;
    };
    expect(await rows(routed)).toBe(60);
    expect(await rows(routed.replace("kind: trace,", "kind: trace, domain: math,"))).toBe(40);
  });

  test("fits policies on the replayed rows and calls that optimistic, unless told otherwise", async () => {
    expect(await fitDetail(placed(""))).toContain("optimistic");
    expect(await fitDetail(placed(", fit: { domain: code }"))).toContain("optimistic");
    expect(await fitDetail(placed(", fit: { domain: math }"))).toContain("not on the rows that are replayed");
    expect(await fitDetail(placed(`, fit: { file: ${JSON.stringify(trace)} }`))).toContain("optimistic");
  });

  test("gives a placement fitted on the same text a better balance than one fitted on another", async () => {
    const imbalance = async (domain: string) => {
      const text = placed(`, fit: { domain: ${domain} }`);
      const result = await forecastScenario(parseScenario(text, "test.yaml"), noFiles);
      return result.experts?.imbalance ?? 0;
    };
    expect(await imbalance("code")).toBeLessThan(await imbalance("math"));
  });

  test("counts the digest of the trace among the inputs", async () => {
    const { inputs } = await resolve(routed);
    expect(inputs.find((input) => input.role === "routing")?.sha256).toBe(sha256(readFileSync(trace)));
  });
});

describe("forecasting", () => {
  const forecast = (text: string, settings: readonly string[] = []) =>
    forecastScenario(parseScenario(text, "test.yaml", { settings }), noFiles);

  test("gives the same bytes for the same inputs, and others for another seed", async () => {
    const first = canonicalJson(await forecast(minimal));
    expect(canonicalJson(await forecast(minimal))).toBe(first);
    expect(canonicalJson(await forecast(minimal, ["seed=2"]))).not.toBe(first);
  });

  test("declares uniform and parametric routing as assumed, and a synthesised trace as fitted", async () => {
    const fidelity = async (text: string) =>
      (await forecast(text)).ledger.filter((entry) => entry.topic === "routing").map((entry) => entry.fidelity);
    expect(await fidelity(minimal)).toEqual(["assumed"]);
    expect(await fidelity(routed.replace(/\{ kind: trace.*/, "{ kind: parametric, rows: 200 }"))).toEqual(["assumed"]);
    expect(await fidelity(routed)).toEqual(["fitted"]);
  });

  test("fits Kimi-K2 in FP8 on eight H200, as it is served", async () => {
    const text = minimal
      .replace("{ id: qwen3-30b-a3b }", "{ id: kimi-k2 }")
      .replace("{ system: h100-sxm-8 }", "{ system: h200-sxm-8 }");
    const { memory } = await forecast(`${text}parallel: { tp: 8, ep: 8 }\n`);
    expect(memory.kvBlocks).toBeGreaterThan(2000);
  });

  test("refuses a model that does not fit with the sum", async () => {
    const text = minimal.replace("h100-sxm-8", "t4-1");
    await expect(forecast(text)).rejects.toThrow(InfeasibleError);
    await expect(forecast(text)).rejects.toThrow(/does not fit/);
  });

  test("reports progress, and keeps what it has when it is stopped", async () => {
    const stop = new AbortController();
    const seen: number[] = [];
    const result = await forecastScenario(
      parseScenario(minimal, "test.yaml", { settings: ["traffic.requests=5000", "traffic.osl.tokens=50"] }),
      {
        ...noFiles,
        signal: stop.signal,
        onProgress: (done) => {
          seen.push(done);
          stop.abort();
        },
      },
    );
    expect(result.interrupted).toBe(true);
    expect(result.requests.completed).toBeLessThan(5000);
    expect(seen.length).toBeGreaterThan(0);
  });
});
