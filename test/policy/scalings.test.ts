import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { z } from "zod";
import { load } from "../../src/policy/scaling/load.ts";
import type { ScalingView } from "../../src/policy/scaling/scaling.ts";
import { scalings } from "../../src/policy/scaling/scalings.ts";
import { schedule } from "../../src/policy/scaling/schedule.ts";
import { drawn } from "../drawn.ts";
import { scalerOf, view } from "./scaling/scaling-view.ts";

const loadOf = (values: object) => scalerOf(load, { target: 10, ...values });
const scheduleOf = (values: object) => scalerOf(schedule, values);

test("policies are listed under their own names", () => {
  for (const [name, policy] of Object.entries(scalings)) expect(policy.name).toBe(name);
});

describe("load", () => {
  test("counts as many replicas as hold the load at the target, those that start included", () => {
    const wanted = (parts: Partial<ScalingView>) => loadOf({ stabilisation: "0s" }).replicas(view(parts));
    expect(wanted({ running: 25, waiting: 6 })).toBe(4);
    expect(wanted({ serving: 4, running: 12 })).toBe(2);
    expect(wanted({ serving: 1, starting: 3, waiting: 40 })).toBe(4);
    expect(wanted({ serving: 3 })).toBe(0);
  });

  test("changes nothing within the tolerance", () => {
    const scaler = loadOf({ stabilisation: "0s" });
    expect(scaler.replicas(view({ serving: 2, running: 22 }))).toBe(2);
    expect(scaler.replicas(view({ serving: 2, running: 23 }))).toBe(3);
    expect(scaler.replicas(view({ serving: 2, running: 18 }))).toBe(2);
    expect(scaler.replicas(view({ serving: 4, running: 30 }))).toBe(3);
    expect(loadOf({ tolerance: 0, stabilisation: "0s" }).replicas(view({ serving: 2, running: 21 }))).toBe(3);
  });

  test("takes its measure", () => {
    const of = (measure: string, target: number, parts: Partial<ScalingView>) =>
      loadOf({ measure, target, stabilisation: "0s" }).replicas(view({ serving: 2, ...parts }));
    expect(of("waiting", 5, { waiting: 15, running: 100 })).toBe(3);
    expect(of("tokens", 1000, { outstandingTokens: 5500 })).toBe(6);
    expect(of("kv", 0.5, { kvUse: 1 })).toBe(4);
    expect(of("busy", 0.6, { busy: 0.9 })).toBe(3);
  });

  test("scales down to the most that was wanted in the window, the replicas at the start included", () => {
    fc.assert(
      fc.property(
        fc.array(fc.record({ gap: fc.integer({ min: 1, max: 40 }), running: fc.nat(100) }), { maxLength: 40 }),
        fc.integer({ min: 0, max: 60 }),
        (ticks, windowS) => {
          const scaler = loadOf({ tolerance: 0, stabilisation: `${windowS}s` });
          let serving = 5;
          let at = 0;
          const wanted: { at: number; replicas: number }[] = [];
          for (const [i, { gap, running }] of ticks.entries()) {
            at += gap;
            if (i === 0) wanted.push({ at, replicas: serving });
            wanted.push({ at, replicas: Math.ceil(running / 10) });
            const now = wanted.at(-1)!.replicas;
            const most = Math.max(
              ...wanted.filter((past) => past.at > at - windowS).map(({ replicas }) => replicas),
              now,
            );
            const expected = now >= serving ? now : Math.min(serving, most);
            expect(scaler.replicas(view({ atNs: at * 1e9, serving, running }))).toBe(expected);
            serving = Math.max(1, Math.min(12, expected));
          }
        },
      ),
      { numRuns: drawn(100), seed: 1 },
    );
  });
});

describe("schedule", () => {
  const at = (values: object, seconds: number) =>
    scheduleOf(values).replicas(view({ atNs: seconds * 1e9, serving: 7 }));
  const steps = [
    { at: "10s", replicas: 3 },
    { at: "1min", replicas: 1 },
  ];

  test("holds each entry until the next, and the replicas at the start before the first", () => {
    expect([0, 9.9, 10, 59, 60, 1e6].map((seconds) => at({ steps }, seconds))).toEqual([7, 7, 3, 3, 1, 1]);
  });

  test("begins anew after its length: the last entry that was reached goes on until the first", () => {
    const repeated = { steps, repeat: "30s" };
    expect([0, 10, 29, 30, 39, 40, 65].map((seconds) => at(repeated, seconds))).toEqual([7, 3, 3, 3, 3, 3, 3]);
    expect(at({ steps, repeat: "70s" }, 70)).toBe(1);
    expect(at({ steps, repeat: "70s" }, 80)).toBe(3);
  });

  test("refuses entries out of order, none at all and replicas below one", () => {
    const problems = (bad: unknown) =>
      z.strictObject(schedule.parameters).safeParse({ steps: bad }).error?.issues ?? [];
    expect(problems([...steps].reverse())[0]).toMatchObject({ path: ["steps", 1, "at"] });
    expect(problems([steps[0], steps[0]])[0]!.message).toContain("after that of the entry before");
    for (const bad of [
      [],
      [{ at: "-1s", replicas: 1 }],
      [{ at: "1s", replicas: 0 }],
      [{ at: "1s", replicas: 1.5 }],
      "no",
    ])
      expect(problems(bad).length).toBeGreaterThan(0);
  });
});
