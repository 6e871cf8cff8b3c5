import { describe, expect, test } from "vitest";
import { isReal } from "../../src/core/paired-gain.ts";
import { compareOffload } from "../../src/offload/compare/compare-offload.ts";
import { livePolicyNames } from "../../src/policy/cache/caches.ts";
import { parseScenario } from "../../src/scenario/parse-scenario.ts";
import { compare, noFiles, offload, text } from "./compared.ts";

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
});
