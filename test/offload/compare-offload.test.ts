import { describe, expect, test } from "vitest";
import { InvalidInputError } from "../../src/core/errors.ts";
import { compareOffload } from "../../src/offload/compare/compare-offload.ts";
import { gainOf, isReal } from "../../src/offload/compare/gain.ts";
import { missVerdict, verdictText } from "../../src/offload/compare/verdict.ts";
import { livePolicyNames } from "../../src/policy/cache/caches.ts";
import { offloadComparisonPage } from "../../src/report/offload-comparison.ts";
import { terminalPage } from "../../src/report/page-terminal.ts";
import { parseScenario } from "../../src/scenario/parse-scenario.ts";

const text = (offload: string) => `version: 1
name: compared
description: Mixtral on one card
model: { id: mixtral-8x7b, dtypes: { experts: int4 } }
hardware: { system: rtx4090-desktop, hostLink: { bandwidth: 50GB/s }, host: { threads: 1 } }
engine: { id: vllm, maxModelLen: 512, maxNumSeqs: 4, maxNumBatchedTokens: 256 }
traffic: { kind: generated, requests: 50, arrivals: { kind: closed, maxConcurrency: 1 }, isl: { kind: fixed, tokens: 8 }, osl: { kind: fixed, tokens: 4 } }
routing: { kind: parametric, skew: 0.2, reuse: 0.3, rows: 100 }
policy: { ${offload} }
`;
const offload = "offload: { kind: lru, slots: 3 }";
const noFiles = { readText: () => Promise.reject(new Error("no file was expected")) };
const compare = (policy: string, more: Partial<Parameters<typeof compareOffload>[1]> = {}) =>
  compareOffload(parseScenario(text(policy), "compared.yaml"), { requests: 2, repeats: 2, ...more }, noFiles);

describe("a comparison", () => {
  test("runs every policy on the same requests, and the scenario's own is what it was", async () => {
    const found = await compare(offload, { axes: ["policy"], repeats: 1 });
    const named = [...found.outcomes, ...found.leftOut].map(({ name }) => name);
    expect([...named].sort()).toEqual([...livePolicyNames].sort());
    const own = found.outcomes.find(({ name }) => name === "lru")!;
    expect(own.isBase).toBe(true);
    expect({ ...own, name: "" }).toEqual({ ...found.base, name: "" });
    // A fixed set starts loaded.
    for (const { optimum, hitRate, name } of found.outcomes)
      if (name !== "static") expect(optimum).toBeGreaterThanOrEqual(hitRate);
    expect(JSON.parse(JSON.stringify(found))).toEqual(found);
  });

  test("finds more slots better, keeps them for what comes next, and says how to set them", async () => {
    const found = await compare("offload: { kind: lru, slots: 1 }", { axes: ["slots", "miss"] });
    expect(found.best.set.some((set) => /^policy\.offload\.slots=[2-8]$/.test(set))).toBe(true);
    expect(found.advice).toContain("--set policy.offload.slots=");
    expect(found.advice).not.toContain("null");
    const misses = found.outcomes.filter(({ axis }) => axis === "miss");
    for (const { set } of misses)
      expect(set).toContain(found.best.set.find((text) => text.startsWith("policy.offload.slots=")));
  });

  test("takes what changes answers only when asked to", async () => {
    const careful = await compare(offload, { axes: ["miss"] });
    expect(await compare(offload, { axes: ["miss"] })).toEqual(careful);
    const skip = careful.outcomes.find(({ name }) => name === "skip")!;
    expect(skip.lossy).toBe(true);
    // Parametric routing has no weights: what is lost is not known, and not nothing.
    expect(skip.lossyMass).toBeNull();
    expect(isReal(skip.gain!)).toBe(true);
    expect(careful.best.outcome.lossy).toBe(false);
    const bold = await compare(offload, { axes: ["miss"], lossy: true, repeats: 4 });
    expect(bold.best.outcome.lossy).toBe(true);
  });

  test("says what could not be run, and why", async () => {
    const found = await compare(offload, { axes: ["miss"], repeats: 1 });
    const weighed = found.leftOut.find(({ name }) => name === "gate-score")!;
    expect(weighed.reason).toMatch(/router weights/);
    const page = terminalPage(offloadComparisonPage(found), undefined, 80);
    expect(page).toContain("not compared");
    expect(page.split("\n").every((line) => line.length <= 80)).toBe(true);
  });

  test("gives misses that fill no cache a fixed set", async () => {
    const found = await compare(offload, { axes: ["miss"], repeats: 1 });
    const host = found.outcomes.find(({ name }) => name === "host, fixed set")!;
    expect(host.set).toContain("policy.offload.kind=static");
    expect(host.hitRate).toBeGreaterThan(0.2);
  });

  test("compares prefetchers on the rows that none learned from, and advises none that knows what comes", async () => {
    const found = await compare("offload: { kind: lru, slots: 2 }", { axes: ["prefetch"] });
    const { heldOut, outcomes } = found;
    expect(heldOut).toMatchObject({ share: 0.5, base: { isBase: true } });
    const of = (name: string) => outcomes.find((outcome) => outcome.name === name)!;
    // Nothing guessed is the scenario itself on the same rows, and its gain on them none.
    expect(of("none").tokensPerSecond).toBe(heldOut!.base.tokensPerSecond);
    expect(heldOut!.base.tokensPerSecond).not.toBe(found.base.tokensPerSecond);
    expect(of("layer-markov").set).toContain("policy.offload.prefetch.fit.share=0.5");
    expect(of("perfect")).toMatchObject({ foresees: true });
    expect(isReal(of("perfect").gain!)).toBe(true);
    expect(found.best.outcome.foresees).toBe(false);
  });

  test("of flags tries other sizes as flags, and what the engine lacks without advising it", async () => {
    const flagged = text("offload: { kind: static, flags: --n-cpu-moe 20 }").replace("id: vllm", "id: llama.cpp");
    const scenario = parseScenario(flagged, "compared.yaml");
    const found = await compareOffload(scenario, { requests: 2, repeats: 2, axes: ["policy", "miss"] }, noFiles);
    expect(found.base.whatIf).toBeNull();
    expect(found.outcomes.find(({ name }) => name === "lru")!.whatIf).toMatch(/no expert cache/);
    // Fetched instead of computed by the host, with the same experts on the device.
    const fetched = found.outcomes.find(({ name }) => name === "fetch")!;
    expect(fetched.hitRate).toBeCloseTo(found.base.hitRate, 10);
    expect(found.best.outcome.whatIf).toBeNull();
    const sizes = await compareOffload(scenario, { requests: 2, repeats: 2, axes: ["slots"] }, noFiles);
    expect(sizes.best.set).toEqual(["policy.offload.flags=--n-cpu-moe 4"]);
    expect(sizes.advice).toContain("--set 'policy.offload.flags=--n-cpu-moe 4'");
  });

  test("of a scenario that offloads nothing is refused", async () => {
    await expect(compare("router: least-loaded")).rejects.toThrow(InvalidInputError);
  });
});

describe("a gain", () => {
  test("is the mean of the pairs, with the interval of their differences", () => {
    const { share, halfWidth } = gainOf([100, 200], [90, 160]);
    expect(share).toBeCloseTo(0.15, 12);
    // Two pairs: t(1, 95 %) = 12.706 times 0.05.
    expect(halfWidth).toBeCloseTo(12.706 * 0.05, 3);
    expect(isReal({ share, halfWidth })).toBe(false);
    expect(isReal(gainOf([100, 200, 300], [90, 180, 270]))).toBe(true);
    // One pair says nothing of the noise.
    expect(isReal(gainOf([100], [50]))).toBe(false);
  });
});

test.each([
  [0.5, 0.9, "policy"],
  [0.5, 0.55, "working set"],
  [0.5, 0.75, "both"],
  [0.98, 0.99, "neither"],
] as const)("of %d hits where %d are possible the cause is %s", (policy, optimum, cause) => {
  const verdict = missVerdict(policy, optimum, 0.4);
  expect(verdict.cause).toBe(cause);
  expect(verdictText(verdict)).toMatch(/%/);
});
