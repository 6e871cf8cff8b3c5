import fc from "fast-check";
import { expect, test } from "vitest";
import { InfeasibleError } from "../../../src/core/errors.ts";
import { type IdealName, ideals } from "../../../src/forecast/explain/ideals/ideals.ts";
import type { Knob, Turned } from "../../../src/forecast/knobs/knob.ts";
import { type KnobName, knobs } from "../../../src/forecast/knobs/knobs.ts";
import { poolsOf, type SimConfig } from "../../../src/sim/config.ts";
import { mappingProblems } from "../../../src/sim/mapping.ts";
import type { RunResult, TimeComponent } from "../../../src/sim/result.ts";
import { simulate } from "../../../src/sim/simulate.ts";
import { further } from "../../drawn.ts";
import { deployment, deploymentConfig } from "../../sim/random-deployment.ts";
import { bytesOf } from "../../sim/random-laws.ts";

/** Components of step time that are nothing once an ideal holds. */
const gone: Readonly<Partial<Record<IdealName, readonly TimeComponent[]>>> = {
  perfectBalance: ["expertWait"],
  residentExperts: ["expertFetch"],
  freeExchange: ["dispatch", "combine", "allReduce"],
  noKernelOverhead: ["kernelOverhead"],
  noHostOverhead: ["hostOverhead"],
};

/** Runs random deployments as they are, and hands them over with what lay in their memory. */
function overDeployments(runs: number, seed: number, judge: (turned: Turned, run: RunResult) => void): void {
  fc.assert(
    fc.property(deployment, (random) => {
      const { first } = random;
      const config = deploymentConfig({ ...random, first: { ...first, n: Math.min(first.n, 6) } });
      fc.pre(poolsOf(config).every(({ mapping, model }) => mappingProblems(mapping, model).length === 0));
      try {
        const run = simulate(config);
        judge({ config, memory: run.pools.map(({ memory }) => memory) }, run);
      } catch (error) {
        if (!(error instanceof InfeasibleError)) throw error;
      }
    }),
    { numRuns: further([runs])[0] ?? 6, seed, endOnFailure: true },
  );
}

/** A run of a changed configuration; null where it does not fit, which is an answer. */
function ranWith(config: SimConfig): RunResult | null {
  try {
    return simulate(config);
  } catch (error) {
    if (error instanceof InfeasibleError) return null;
    throw error;
  }
}

test("an ideal takes away the time that it is about, or says why it does not apply; requests stay the same", () => {
  const seen = new Set<string>();
  overDeployments(24, 21, (turned, run) => {
    const before = bytesOf(run);
    for (const [name, { change }] of Object.entries(ideals) as [IdealName, (typeof ideals)[IdealName]][]) {
      const config = change(turned);
      if (typeof config === "string") {
        expect(config).toMatch(/^\S/);
        continue;
      }
      expect(config.seed).toBe(turned.config.seed);
      expect(config.workload.requests.count).toBe(run.requests.count);
      const after = ranWith(config);
      if (after === null) continue;
      expect(after.laws["request-conservation"]).toBe(run.laws["request-conservation"]);
      for (const component of gone[name] ?? []) {
        if (run.time[component] > 1) seen.add(name);
        // Where a host computes layers there is a boundary to it; copies of all experts have tokens of their own, more or fewer.
        const others = poolsOf(config).some(
          ({ host, mapping, routing }) =>
            (component === "hostOverhead" && host !== undefined) ||
            (component === "expertWait" && (mapping.edp > 1 || routing.kind !== "replay")),
        );
        if (!others) expect([name, component, Math.abs(after.time[component]) < 1e-3]).toEqual([name, component, true]);
      }
    }
    // Nothing of it is written into what was given.
    expect(bytesOf(simulate(turned.config))).toBe(before);
  });
  expect([...seen].sort()).toEqual(expect.arrayContaining(["freeExchange", "noHostOverhead", "noKernelOverhead"]));
});

test("a knob at 1 changes nothing, and is the same whether it is turned at once or in two steps", () => {
  overDeployments(12, 4, (turned, run) => {
    for (const [name, knob] of Object.entries(knobs) as [KnobName, Knob][]) {
      const same = knob.scaled(turned, 1);
      if (typeof same === "string") continue;
      expect([name, bytesOf(simulate(same))]).toEqual([name, bytesOf(run)]);
      // Whole numbers round at every step, and slots and memory are counted from where they are.
      if (["expertSlots", "kvMemory", "load", "promptLength", "outputLength"].includes(name)) continue;
      const half = knob.scaled(turned, 0.5);
      const [twice, once] = [
        typeof half === "string" ? half : knob.scaled({ ...turned, config: half }, 0.5),
        knob.scaled(turned, 0.25),
      ];
      if (typeof twice === "string" || typeof once === "string") continue;
      const [first, second] = [ranWith(twice), ranWith(once)];
      expect([name, first === null ? null : bytesOf(first)]).toEqual([name, second === null ? null : bytesOf(second)]);
    }
  });
});

test("less of what a deployment runs on is never faster for one request alone", () => {
  const faster: readonly KnobName[] = ["memoryBandwidth", "compute", "scaleUpBandwidth", "hostLinkBandwidth"];
  const slower: readonly KnobName[] = ["linkLatency", "kernelOverhead", "hostOverhead", "requestOverhead"];
  overDeployments(24, 9, (turned) => {
    const { workload } = turned.config;
    const requests = {
      ...workload.requests,
      count: 1,
      prefix: null,
    };
    const { turns: _, ...alone } = requests;
    const config: SimConfig = { ...turned.config, workload: { kind: "open", requests: alone }, warmupRequests: 0 };
    const run = ranWith(config);
    if (run === null || !(run.requests.lastTokenNs[0]! > 0)) return;
    const endOf = (name: KnobName, factor: number): number => {
      const changed = knobs[name].scaled({ ...turned, config }, factor);
      return typeof changed === "string" ? Number.NaN : (ranWith(changed)?.requests.lastTokenNs[0] ?? Number.NaN);
    };
    for (const name of faster)
      expect(endOf(name, 0.5) >= run.requests.lastTokenNs[0]! - 1 || Number.isNaN(endOf(name, 0.5))).toBe(true);
    for (const name of slower)
      expect(endOf(name, 2) >= run.requests.lastTokenNs[0]! - 1 || Number.isNaN(endOf(name, 2))).toBe(true);
  });
});
