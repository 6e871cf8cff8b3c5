import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { dominates } from "../../../src/plan/frontier/frontier.ts";
import { done } from "../outcomes.ts";
import { planIn, type World, WorldExecutor } from "../worlds.ts";

/** Figures on a coarse grid, so that points tie. */
const drawn =
  (seed: number): World =>
  ({ tp, ep, devices, clients, requests }) => {
    const draw = (salt: number) => 1 + ((seed * 31 + tp * 17 + ep * 11 + (clients ?? 0) * 7 + salt) % 5);
    return done({ devices, requests, throughputPerDevice: (clients ?? 1) * 10 + draw(1), "tpot.p50": draw(2) });
  };

describe("a frontier", () => {
  test("is what no other point is better than, and nothing else", async () => {
    await fc.assert(
      fc.asyncProperty(fc.integer({ min: 0, max: 1000 }), async (seed) => {
        const settings = ["plan.objectives=[frontier]", "plan.budget.devices=4"];
        const plan = await planIn(new WorldExecutor(drawn(seed)), settings);
        const points = plan.frontier!;
        expect(points.length).toBeGreaterThan(10);
        for (const point of points) {
          const better = points.filter(
            (other) =>
              (other.perDevice >= point.perDevice && other.perUser > point.perUser) ||
              (other.perDevice > point.perDevice && other.perUser >= point.perUser),
          );
          expect(point.best).toBe(better.length === 0);
        }
        expect(plan.objectives[0]!.found.length).toBe(points.filter(({ best }) => best).length);
      }),
      { numRuns: 4 },
    );
  });

  test("ends where more clients bring no more throughput", async () => {
    const world: World = ({ devices, clients, requests }) =>
      done({ devices, requests, throughputPerDevice: Math.min(40, clients! * 10), "tpot.p50": 10 });
    const plan = await planIn(new WorldExecutor(world), ["plan.objectives=[frontier]", "plan.budget.devices=1"]);
    expect(plan.frontier!.map(({ concurrency }) => concurrency)).toEqual([1, 2, 4, 8]);
    // Four and eight clients are as good: neither is better in both.
    expect(plan.frontier!.map(({ best }) => best)).toEqual([false, false, true, true]);
  });

  test("nothing dominates itself, and no two points each other", () => {
    const place = fc.record({ perDevice: fc.integer({ min: 0, max: 3 }), perUser: fc.integer({ min: 0, max: 3 }) });
    fc.assert(
      fc.property(place, place, (a, b) => {
        expect(dominates(a, a)).toBe(false);
        expect(dominates(a, b) && dominates(b, a)).toBe(false);
      }),
    );
  });
});
