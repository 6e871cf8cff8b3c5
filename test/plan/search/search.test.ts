import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { canonicalJson } from "../../../src/core/json.ts";
import { version } from "../../../src/core/version.ts";
import { refused } from "../../../src/plan/job/run-job.ts";
import { Journal } from "../../../src/plan/journal/journal.ts";
import { scratch } from "../../cli/command.ts";
import { done } from "../outcomes.ts";
import { planIn, type World, WorldExecutor } from "../worlds.ts";

const { path } = scratch();

/**
 * A device of a layout takes so many requests per second; tensor parallelism makes tokens faster. A run of an overloaded deployment
 * shows less than it takes, as preemptions and a short run do.
 */
const capacities = (seed: number): World => {
  const perDevice = (tp: number, ep: number) => 1 + ((seed * 7 + tp * 13 + ep * 5) % 11) / 2;
  return ({ tp, ep, devices, requests, rate }) => {
    const capacity = perDevice(tp, ep) * devices;
    const load = (20 * rate) / capacity;
    const strain = load * load * (1 + 1 / tp) * 0.6;
    const overloaded = load > 1;
    const tpot = 10 / tp + ep;
    const figures = {
      devices,
      requests,
      rejected: 0,
      "tpot.p50": tpot,
      throughput: 200 * rate,
      throughputPerDevice: (200 * rate) / devices,
      joulesPerOutputToken: devices / (200 * rate) + 0.01 * ep,
      costUsdPerMtok: devices,
      ...(overloaded ? { sustainedRequestRate: 0.3 * capacity, sustainedHalfWidth: 0.3 * capacity } : {}),
    };
    return done(figures, {
      verdict: overloaded ? "overloaded" : "stable",
      passed: !overloaded && strain <= 1,
      strain,
      strainAtBest: strain,
    });
  };
};

const budgets = fc.integer({ min: 1, max: 8 });
const seeds = fc.integer({ min: 0, max: 30 });
const few = { numRuns: 2 };

describe("a plan in a world whose outcomes are known", () => {
  test.each(["cost", "devices", "speed", "energy"])(
    "finds the optimum of an exhaustive search: %s",
    async (objective) => {
      await fc.assert(
        fc.asyncProperty(seeds, budgets, async (seed, devices) => {
          const settings = [`plan.objectives=[${objective}]`, `plan.budget.devices=${devices}`];
          const world = capacities(seed);
          const quick = await planIn(new WorldExecutor(world), settings);
          const all = await planIn(new WorldExecutor(world), settings, { exhaustive: true });
          expect(all.counts.untested).toBe(0);
          const [best] = quick.objectives[0]!.found;
          const [optimum] = all.objectives[0]!.found;
          expect(best?.value).toBe(optimum?.value);
          const status = new Map(all.candidates.map((one) => [one.id, one.status]));
          for (const { id } of quick.objectives[0]!.found) expect(status.get(id)).toBe("feasible");
          // What a search says of a candidate, every other search says too.
          for (const one of quick.candidates)
            if (one.status !== "untested") expect(one.status).toBe(status.get(one.id));
          expect(quick.effort.requests).toBeLessThanOrEqual(all.effort.requests);
        }),
        few,
      );
    },
  );

  test("is the same document whatever the order in which outcomes come", async () => {
    await fc.assert(
      fc.asyncProperty(seeds, budgets, async (seed, devices) => {
        const settings = ["plan.objectives=[speed, cost, rate, frontier]", `plan.budget.devices=${devices}`];
        const plan = (order: "forward" | "backward") => planIn(new WorldExecutor(capacities(seed), order), settings);
        expect(canonicalJson(await plan("backward"))).toBe(canonicalJson(await plan("forward")));
      }),
      few,
    );
  });

  test("counts add up, ids are distinct, and every candidate says what became of it", async () => {
    const plan = await planIn(new WorldExecutor(capacities(3)), ["plan.budget.devices=8"]);
    expect(Object.values(plan.counts).reduce((sum, count) => sum + count, 0)).toBe(plan.space.candidates);
    expect(new Set(plan.candidates.map(({ id }) => id)).size).toBe(plan.space.candidates);
    expect(plan).toMatchObject({ kind: "plan", moecastVersion: version, interrupted: false });
    for (const { status, reason, figures, requests } of plan.candidates) {
      if (status === "infeasible" || status === "pruned" || status === "failed") expect(reason).toBeTruthy();
      if (status === "feasible") expect([requests >= 600, figures !== null]).toEqual([true, true]);
    }
  });

  test("no run is made of what cannot beat what was found", async () => {
    const executor = new WorldExecutor(({ devices, requests }) => done({ devices, requests, rejected: 0 }));
    const plan = await planIn(executor, ["plan.objectives=[devices]", "plan.budget.devices=16", "plan.alternatives=0"]);
    expect(plan.objectives[0]!.found[0]!.value).toBe(1);
    const found = executor.batches.findIndex((batch) => batch.some((one) => one.devices === 1 && one.requests === 600));
    expect(found).toBe(executor.batches.length - 1);
  });

  test("nothing that meets the SLOs: the closest, and what it lacks", async () => {
    const executor = new WorldExecutor(({ devices, tp, requests }) =>
      done(
        { devices, requests, rejected: 0 },
        { passed: false, strain: 3 / tp + 1, strainAtBest: 1.05, binding: "ttft p(50)<1s" },
      ),
    );
    const plan = await planIn(executor, ["plan.budget.devices=8"]);
    const [{ found, closest }] = plan.objectives as [(typeof plan.objectives)[number]];
    expect(found).toEqual([]);
    const strains = plan.candidates.flatMap(({ strain }) => strain ?? []);
    expect(plan.candidates.find(({ id }) => id === closest!.id)!.strain).toBe(Math.min(...strains));
    expect(closest!.shortfall).toContain("ttft p(50)<1s is missed by 38%");
  });

  test("failed runs are said, and the search goes on", async () => {
    const world = capacities(2);
    const failing: World = (of, settings) => (of.tp === 2 ? refused("failed", "out of memory") : world(of, settings));
    const plan = await planIn(new WorldExecutor(failing), ["plan.objectives=[speed]", "plan.budget.devices=8"], {
      exhaustive: true,
    });
    const failed = plan.candidates.filter(({ status }) => status === "failed");
    expect(failed.length).toBe(plan.counts.failed);
    expect(failed.every(({ reason }) => reason === "out of memory")).toBe(true);
    expect(failed.length).toBe(plan.candidates.filter(({ settings }) => settings.join().includes('"tp":2')).length);
    expect(plan.objectives[0]!.found.length).toBeGreaterThan(0);
  });

  test("what rejects requests meets nothing, unless an SLO says how many may be", async () => {
    const executor = () => new WorldExecutor(({ devices, requests }) => done({ devices, requests, rejected: 1 }));
    const plan = await planIn(executor(), ["plan.budget.devices=2"]);
    expect(plan.counts).toMatchObject({ feasible: 0, untested: 0 });
    expect(plan.candidates[0]!.reason).toContain("cannot serve 1 of 150 requests at all");
    const lenient = await planIn(executor(), ["plan.budget.devices=2", "slo.rejected=rate<10%"]);
    expect(lenient.objectives[0]!.found.length).toBeGreaterThan(0);
  });

  test("an SLO on costs that many replicas miss leaves fewer of them open", async () => {
    const world: World = ({ devices, requests }) =>
      done(
        { devices, requests, rejected: 0, costUsdPerMtok: devices, "tpot.p50": 100 / devices },
        {
          passed: devices <= 1,
          strain: devices / 1.5,
          strainAtBest: null,
          binding: "costUsdPerMtok value<1.5",
        },
      );
    const settings = ["plan.objectives=[speed]", "plan.devices=[1]", "plan.budget.devices=4"];
    const plan = await planIn(new WorldExecutor(world), settings);
    expect(plan.counts.feasible).toBe(1);
  });

  test("interrupted, it says what was found; resumed with its journal it is the plan of one go, and runs nothing twice", async () => {
    const settings = ["plan.objectives=[speed, energy]", "plan.budget.devices=4"];
    const whole = new WorldExecutor(capacities(5));
    const plan = await planIn(whole, settings);
    const found = new Set(plan.candidates.filter(({ status }) => status === "feasible").map(({ id }) => id));
    const file = path("journal.jsonl");
    let ran = 0;
    for (const end of [0, 1, Math.floor(whole.ran.length / 3), Math.floor(whole.ran.length / 3)]) {
      const controller = new AbortController();
      const executor = new WorldExecutor(capacities(5), "forward", (count) => {
        if (count >= end) controller.abort();
        controller.signal.throwIfAborted();
      });
      const journal = await Journal.open(file);
      const part = await planIn(executor, settings, { journal, signal: controller.signal });
      await journal.close();
      ran += executor.ran.length;
      expect(part.interrupted).toBe(true);
      expect(part.objectives.map(({ name }) => name)).toEqual(["speed", "energy"]);
      for (const { id } of part.objectives.flatMap((answer) => answer.found)) expect(found).toContain(id);
    }
    const journal = await Journal.open(file);
    const rest = new WorldExecutor(capacities(5));
    expect(canonicalJson(await planIn(rest, settings, { journal }))).toBe(canonicalJson(plan));
    await journal.close();
    expect(ran + rest.ran.length).toBe(whole.ran.length);
  });

  test("the largest rate of each layout is within a hundredth of its threshold", async () => {
    const world = capacities(4);
    const settings = ["plan.objectives=[rate]", "plan.budget.devices=4", "plan.alternatives=20"];
    for (const exhaustive of [true, false]) {
      const plan = await planIn(new WorldExecutor(world), settings, { exhaustive });
      const [{ found }] = plan.objectives as [(typeof plan.objectives)[number]];
      expect(found.length).toBeGreaterThan(3);
      const offered = plan.traffic.ratePerSecond!;
      for (const { value, load } of found) {
        expect(load).toHaveLength(1);
        const rate = Number(/=([\d.e+-]+)\/s$/.exec(load[0]!)![1]);
        expect((1 / value) * (20 / offered)).toBeCloseTo(rate, 6);
      }
      expect(found.map(({ value }) => value)).toEqual(found.map(({ value }) => value).toSorted((a, b) => a - b));
    }
  });

  test("a rate beyond what the devices can compute is where the largest one is looked for, not a reason to look no further", async () => {
    const settings = ["plan.objectives=[rate]", "plan.budget.devices=2", "traffic.arrivals.requestRate=20000/s"];
    const world: World = ({ rate, requests }) =>
      done({ requests, rejected: 0 }, { passed: rate <= 20, verdict: "stable" });
    const plan = await planIn(new WorldExecutor(world), settings);
    expect(plan.counts.pruned).toBe(0);
    for (const { value } of plan.objectives[0]!.found) {
      expect(1 / value / plan.traffic.ratePerSecond!).toBeLessThanOrEqual(20 / 1000);
      expect(1 / value / plan.traffic.ratePerSecond!).toBeGreaterThan(20 / 1000 / 1.011);
    }
    expect(plan.objectives[0]!.found.length).toBeGreaterThan(0);
  });
});
