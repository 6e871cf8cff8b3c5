import { describe, expect, test } from "vitest";
import { livePolicyNames } from "../../src/policy/cache/caches.ts";
import { parseScenario } from "../../src/scenario/parse-scenario.ts";
import { minimal, placeOf, problemsOf } from "./example.ts";

describe("a valid scenario", () => {
  test("gets its defaults, and quantities in base units", () => {
    const scenario = parseScenario(minimal, "test.yaml");
    expect(scenario.seed).toBe(1);
    expect([scenario.warmup, scenario.coldStart]).toEqual([undefined, undefined]);
    expect(scenario.parallel).toEqual({});
    expect(scenario.policy).toEqual({ router: "least-loaded" });
    expect(scenario.slo).toBeUndefined();
    expect(scenario.traffic).toMatchObject({ arrivals: { kind: "poisson", requestRate: 5 } });
  });

  test("knows where its values stand", () => {
    const scenario = parseScenario(minimal, "test.yaml");
    expect(scenario.place(["traffic", "requests"])).toEqual({ file: "test.yaml", ...placeOf(minimal, "100\n") });
  });

  test("places a value that does not exist at what encloses it", () => {
    const scenario = parseScenario(minimal, "test.yaml");
    expect(scenario.place(["engine", "maxNumSeqs"])).toEqual({ file: "test.yaml", ...placeOf(minimal, "{ id: vllm") });
  });

  test("reads the units of durations, bytes, bandwidths and shares", () => {
    const text = minimal
      .replace(
        "system: h100-sxm-8 }",
        "system: h100-sxm-8, tiers: { nvme: { capacity: 2TB, bandwidth: 7GB/s, latency: 80us } } }",
      )
      .replace("{ id: vllm }", "{ id: vllm, gpuMemoryUtilization: 90% }");
    const scenario = parseScenario(text, "test.yaml");
    expect(scenario.hardware.tiers?.nvme).toEqual({ capacity: 2e12, bandwidth: 7e9, latency: 80_000 });
    expect(scenario.engine.gpuMemoryUtilization).toBe(0.9);
  });

  test("takes warm-up as a number of requests or as a percentage", () => {
    expect(parseScenario(`${minimal}warmup: 7\n`, "t").warmup).toEqual({ requests: 7 });
    expect(parseScenario(`${minimal}warmup: 20%\n`, "t").warmup).toEqual({ share: 0.2 });
    expect(problemsOf(`${minimal}warmup: 0.5\n`)).toHaveLength(1);
    expect(problemsOf(`${minimal}warmup: 100%\n`)).toHaveLength(1);
  });
});

describe("a problem", () => {
  test("in a value is placed at the value", () => {
    const text = minimal.replace("requests: 100", "requests: 0");
    expect(problemsOf(text)).toEqual([
      {
        file: "test.yaml",
        ...placeOf(text, "0\n  arrivals"),
        at: "traffic.requests",
        expected: "at least 1",
        found: 0,
      },
    ]);
  });

  test("with an unknown key is placed at the key and names the nearest one", () => {
    const text = minimal.replace("{ id: vllm }", "{ id: vllm, max_num_seqs: 3 }");
    const [problem] = problemsOf(text);
    expect(problem).toMatchObject({ ...placeOf(text, "max_num_seqs"), found: "max_num_seqs" });
    expect(problem?.hint).toBe("did you mean maxNumSeqs?");
  });

  test("with an unknown key that is near nothing lists the known ones", () => {
    const text = minimal.replace("kind: fixed, tokens: 100", "kind: fixed, tokens: 100, zzzzzzzzz: 1");
    expect(problemsOf(text)[0]?.hint).toBe("known: kind, tokens");
  });

  test("with an unknown word lists the words and names the nearest one", () => {
    const text = minimal.replace("kind: poisson", "kind: poison");
    expect(problemsOf(text)).toMatchObject([
      {
        ...placeOf(text, "poison,"),
        at: "traffic.arrivals.kind",
        expected: "one of poisson, constant, gamma, onOff, stages, closed",
        hint: "did you mean poisson?",
      },
    ]);
  });

  test("with a missing key is placed at the mapping that lacks it", () => {
    const text = minimal.replace("tokens: 10 ", "");
    expect(problemsOf(text)).toMatchObject([{ ...placeOf(text, "{ kind: fixed, }"), at: "traffic.osl.tokens" }]);
  });

  test("with a quantity without unit says which units there are", () => {
    for (const bare of ["5", '"5"']) {
      const text = minimal.replace("5/s", bare);
      expect(problemsOf(text)).toMatchObject([
        { ...placeOf(text, `${bare} }`), expected: "a rate with its unit, such as 16/s" },
      ]);
    }
  });

  test("inside an SLO is placed at the character of the expression that is wrong", () => {
    const text = `${minimal}slo:\n  ttft: ["p(99)<1s", "p(99)<<1s"]\n  'tpot{class:chat}': mean<5\n`;
    expect(problemsOf(text)).toMatchObject([
      { ...placeOf(text, "p(99)<<1s", 6), at: "slo.ttft[1]", expected: "a number" },
      { ...placeOf(text, "mean<5", 6), at: "slo.tpot{class:chat}" },
    ]);
  });

  test("in the name of an SLO metric is placed at the key", () => {
    const text = `${minimal}slo:\n  tfft: mean<5s\n`;
    expect(problemsOf(text)).toMatchObject([{ ...placeOf(text, "tfft"), hint: "did you mean ttft?" }]);
  });

  test("does not hide others: all are reported, in the order of the file", () => {
    const text = minimal
      .replace("name: example", "nme: example")
      .replace("requests: 100", "requests: many")
      .replace("id: vllm", "id: 5")
      .replace("kind: uniform", "kind: unform");
    const problems = problemsOf(text);
    expect(problems.map((problem) => problem.at)).toEqual([
      "name",
      "nme",
      "engine.id",
      "traffic.requests",
      "routing.kind",
    ]);
    const lines = problems.map((problem) => problem.line ?? 0);
    expect(lines).toEqual([...lines].sort((a, b) => a - b));
  });
});

describe("checks between keys", () => {
  test.each([
    ["model: { id: qwen3-30b-a3b }", "model: { id: a, file: b }", "either id, file or shape"],
    ["hardware: { system: h100-sxm-8 }", "hardware: { devicesPerNode: 4 }", "either system or file"],
    ["engine: { id: vllm }", "engine: { maxNumSeqs: 4 }", "either id or file"],
    ["isl: { kind: fixed, tokens: 100 }", "isl: { kind: lognormal, mean: 5 }", "either sigma or p50"],
    ["isl: { kind: fixed, tokens: 100 }", "", "isl, or classes"],
  ])("%s -> %s", (valid, invalid, expected) => {
    expect(problemsOf(minimal.replace(valid, invalid)).map((problem) => problem.expected)).toEqual([expected]);
  });

  test("shares of classes sum to 1 and names differ", () => {
    const lengths = "isl: { kind: fixed, tokens: 1 }, osl: { kind: fixed, tokens: 1 }";
    const classes = (shares: readonly string[]) =>
      minimal.replace(
        / {2}isl:.*\n {2}osl:.*\n/,
        `  classes: [${shares.map((share) => `{ name: chat, share: ${share}, ${lengths} }`).join(", ")}]\n`,
      );
    expect(problemsOf(classes(["100%"]))).toEqual([]);
    expect(problemsOf(classes(["60%", "0.5"])).map((problem) => problem.at)).toEqual([
      "traffic.classes",
      "traffic.classes[1].name",
    ]);
  });

  test("goodput needs limits per request", () => {
    const slo = "slo: { goodput: rate>99% }\n";
    expect(problemsOf(minimal + slo)).toMatchObject([{ at: "slo.goodput" }]);
    expect(problemsOf(`${minimal}slo: { goodput: rate>99%, perRequest: { ttft: 1s } }\n`)).toEqual([]);
  });

  test("an expert cache has slots or memory, not both and not neither", () => {
    const offload = (keys: string) => `${minimal}policy: { offload: { kind: lru${keys} } }\n`;
    expect(problemsOf(offload(", slots: 4"))).toEqual([]);
    expect(problemsOf(offload(", memory: 4GiB"))).toEqual([]);
    for (const keys of ["", ", slots: 4, memory: 4GiB"])
      expect(problemsOf(offload(keys))).toMatchObject([{ expected: "either slots or memory" }]);
  });

  test("a cache policy and an admission have keys of their own beside those of every cache", () => {
    const offload = (keys: string) => `${minimal}policy: { offload: { slots: 4, ${keys} } }\n`;
    for (const keys of ["kind: lfu, halfLife: 50", "kind: lru, admission: { kind: reused, window: 9 }"])
      expect(problemsOf(offload(keys))).toEqual([]);
    const parsed = (keys: string) => parseScenario(offload(keys), "test.yaml").policy.offload;
    expect(parsed("kind: lfu")).not.toHaveProperty("halfLife");
    expect(parsed("kind: lfu")).toMatchObject({ admission: { kind: "always" } });
    expect(parsed("kind: fifo, admission: { kind: reused }")).toMatchObject({ admission: { uses: 2 } });
    const wrong = [
      ["kind: lru, halfLife: 50", "policy.offload.halfLife", "a key of policy.offload"],
      ["kind: lfu, halfLife: 0", "policy.offload.halfLife", "at least 1"],
      ["kind: lru, admission: { kind: reuse }", "policy.offload.admission.kind", "one of always, fitting, reused"],
      [
        "kind: lru, admission: { kind: fitting, uses: 2 }",
        "policy.offload.admission.uses",
        "a key of policy.offload.admission",
      ],
      ["kind: lru, admission: { kind: reused, uses: 201 }", "policy.offload.admission.uses", "at most 200"],
      [
        "kind: lru, admission: { kind: reused, uses: 5, window: 3 }",
        "policy.offload.admission.window",
        "at least 5 calls, as many as there must be uses",
      ],
      ["halfLife: 3", "policy.offload.kind", `one of ${livePolicyNames.join(", ")}`],
    ] as const;
    for (const [keys, at, expected] of wrong) expect(problemsOf(offload(keys))).toMatchObject([{ at, expected }]);
  });

  test("the clairvoyant cache is a reference, not a choice", () => {
    expect(problemsOf(`${minimal}policy: { offload: { kind: belady, slots: 4 } }\n`)).toMatchObject([
      { at: "policy.offload.kind" },
    ]);
  });
});
