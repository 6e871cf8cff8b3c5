import { describe, expect, test } from "vitest";
import { routers } from "../../../src/policy/router/routers.ts";
import type { SimConfig } from "../../../src/sim/config.ts";
import { type RunResult, requestStatus } from "../../../src/sim/result.ts";
import { simulate } from "../../../src/sim/simulate.ts";
import { singleDevice, testConfig, testRequests } from "../build.ts";
import { judgeChanges, scalingBy, scalingOf } from "./scaled.ts";

const rows = (n: number, gapNs: number) =>
  Array.from({ length: n }, (_, i) => ({ at: i * gapNs, prompt: 60 + ((i * 37) % 90), output: 5 + (i % 7) }));
const requests = testRequests(rows(60, 1e6));
const open = (parts: Partial<SimConfig> = {}) => testConfig({ workload: { kind: "open", requests }, ...parts });

const times = ({ requests: { scheduledNs, firstTokenNs, lastTokenNs, replicaOf } }: RunResult) => ({
  scheduledNs,
  firstTokenNs,
  lastTokenNs,
  replicaOf,
});
const stateSum = ({ pools }: RunResult) => Object.values(pools[0]!.stateNs).reduce((sum, ns) => sum + ns, 0);
const completed = ({ requests: { status } }: RunResult) =>
  status.every((fate) => fate === requestStatus.completed || fate === requestStatus.rejected);

describe("replicas that never come or go", () => {
  test.each(Object.keys(routers) as (keyof typeof routers)[])("are a fixed pool, with router %s", (router) => {
    const fixed = open({ replicas: 3, router: routers[router] });
    const still = scalingBy(() => 3, { atStart: 3 });
    const scaled = simulate({ ...fixed, scaling: still });
    expect(times(scaled)).toEqual(times(simulate(fixed)));
    expect(scaled.endNs).toBe(simulate(fixed).endNs);
    expect(scaled.pools[0]!.stateNs).toEqual({ starting: 0, serving: 3 * scaled.endNs, draining: 0, off: 0 });
  });

  test("are a schedule of one entry, from the first arrival on", () => {
    const fixed = open({ replicas: 2 });
    const scaling = scalingOf("schedule", { steps: [{ at: 0, replicas: 2 }] }, { atStart: 2 });
    expect(times(simulate({ ...fixed, scaling }))).toEqual(times(simulate(fixed)));
  });

  test("are those of a smaller pool, where the most is never wanted", () => {
    const scaled = simulate(open({ replicas: 5, scaling: scalingBy(() => 2, { atStart: 2 }) }));
    const small = simulate(open({ replicas: 2 }));
    expect(times(scaled)).toEqual(times(small));
    expect(scaled.series).toEqual(small.series);
    expect(scaled.pools[0]!.stateNs.off).toBe(3 * scaled.endNs);
  });

  test("load as they do in a fixed pool: a cold start is the same", () => {
    const fixed = open({ replicas: 2, readyNs: 7e6 });
    const scaled = simulate({ ...fixed, scaling: scalingBy(() => 2, { atStart: 2 }) });
    expect(times(scaled)).toEqual(times(simulate(fixed)));
    expect(scaled.pools[0]!.stateNs.starting).toBe(14e6);
    expect(simulate(fixed).pools[0]!.stateNs).toEqual(scaled.pools[0]!.stateNs);
  });
});

describe("replicas that come and go", () => {
  /** 1 to 4 replicas and back, again and again. */
  const waves = scalingBy(({ atNs }) => 1 + (Math.floor(atNs / 3e6) % 4), { startupNs: 2e6 });

  test("spend the run in their states, and every request completes", () => {
    const result = simulate(open({ replicas: 4, scaling: waves }));
    expect(completed(result)).toBe(true);
    expect(stateSum(result)).toBe(4 * result.endNs);
    expect(result.pools[0]!.scaling!.starts).toBeGreaterThan(3);
    expect(result.pools[0]!.scaling!.mostUp).toBe(4);
    for (const ns of Object.values(result.pools[0]!.stateNs)) expect(ns).toBeGreaterThan(0);
    expect(result.laws["replica-state"]).toBe(4);
  });

  test("are counted whenever their number changes: by decisions, ends of starts and ends of drains", () => {
    const crowd = testRequests(Array.from({ length: 60 }, (_, i) => ({ at: i * 4e5, prompt: 200, output: 20 })));
    const { pools, endNs } = simulate(
      open({ replicas: 4, scaling: waves, workload: { kind: "open", requests: crowd } }),
    );
    judgeChanges(pools[0]!, endNs);
    expect(pools[0]!.stateNs.draining).toBeGreaterThan(0);
    expect(pools[0]!.scaling!.changes.length).toBeGreaterThan(6);
    const still = simulate(open({ replicas: 2, scaling: scalingBy(() => 2, { atStart: 2 }) }));
    expect(still.pools[0]!.scaling!.changes).toEqual([{ atNs: 0, starting: 0, serving: 2, draining: 0 }]);
  });

  test("serve nobody before they have loaded", () => {
    const scaling = scalingBy(() => 2, { startupNs: 20e6 });
    const { requests: served } = simulate(open({ replicas: 2, scaling }));
    const second = served.scheduledNs.filter((_, i) => served.replicaOf[i] === 1);
    expect(second.length).toBeGreaterThan(0);
    expect(Math.min(...second)).toBeGreaterThanOrEqual(20e6);
  });

  test("get no request once they drain, and are off with their last one", () => {
    const burst = testRequests(Array.from({ length: 40 }, (_, i) => ({ at: i * 1e5, prompt: 200, output: 30 })));
    const scaling = scalingBy(({ atNs }) => (atNs < 2e6 ? 2 : 1), { atStart: 2 });
    const result = simulate(open({ replicas: 2, scaling, workload: { kind: "open", requests: burst } }));
    const { arrivalNs, lastTokenNs, replicaOf } = result.requests;
    const on = (replica: number) => [...arrivalNs.keys()].filter((i) => replicaOf[i] === replica);
    const gone = [0, 1].find((replica) => result.pools[0]!.replicaOnNs[replica]! < result.endNs)!;
    for (const request of on(gone)) expect(arrivalNs[request]).toBeLessThanOrEqual(2e6);
    expect(Math.max(...on(gone).map((request) => lastTokenNs[request]!))).toBe(result.pools[0]!.replicaOnNs[gone]);
    expect(result.pools[0]!.stateNs.draining).toBe(result.pools[0]!.replicaOnNs[gone]! - 2e6);
  });

  test("the one with least to do drains, of equal ones the last; it is taken back before another one starts", () => {
    const idle = testRequests([
      { at: 0, prompt: 100, output: 200 },
      { at: 60e6, prompt: 10, output: 1 },
    ]);
    const wanted = (atNs: number) => (atNs < 2e6 || atNs >= 4e6 ? 3 : 2);
    const scaling = scalingBy(({ atNs }) => wanted(atNs), { atStart: 3, startupNs: 1e6 });
    const { pools, endNs } = simulate(open({ replicas: 3, scaling, workload: { kind: "open", requests: idle } }));
    // Replica 0 has the request; 2 was idle, so it is off at once, and loads again.
    expect(pools[0]!.replicaOnNs).toEqual([endNs, endNs, endNs - 2e6]);
    expect(pools[0]!.scaling!.starts).toBe(1);
    const busy = testRequests(Array.from({ length: 3 }, () => ({ at: 0, prompt: 100, output: 300 })));
    const again = simulate(open({ replicas: 3, scaling, workload: { kind: "open", requests: busy } }));
    expect(again.pools[0]!.scaling!.starts).toBe(0);
    expect(again.pools[0]!.stateNs).toMatchObject({ starting: 0, draining: 2e6, off: 0 });
  });

  test("a start that nobody needs is given up", () => {
    const scaling = scalingBy(({ atNs }) => (atNs < 3e6 ? 2 : 1), { startupNs: 10e6 });
    const { pools } = simulate(open({ replicas: 2, scaling }));
    expect(pools[0]!.stateNs.starting).toBe(3e6);
    expect(pools[0]!.replicaBusyNs[1]).toBe(0);
  });

  test("lose what lay in their devices: a prefix is found again only where it stayed", () => {
    const same = Array.from({ length: 12 }, (_, i) => ({ at: i * 20e6, prompt: 64, output: 2 }));
    const shared = {
      blockTokens: 16,
      offsets: Uint32Array.from({ length: 13 }, (_, i) => i * 4),
      ids: Uint32Array.from({ length: 48 }, (_, i) => i % 4),
    };
    const workload = { kind: "open" as const, requests: testRequests(same, shared) };
    const base = open({ workload });
    const config = { ...base, replicas: 2, scheduler: { ...base.scheduler, prefixCaching: true, blockTokens: 16 } };
    const turns = scalingBy(({ atNs }) => (Math.floor(atNs / 20e6) % 2 === 0 ? 2 : 1), { atStart: 2, startupNs: 1e6 });
    const rotated = { ...config, router: routers["round-robin"] };
    const stays = simulate({ ...rotated, scaling: scalingBy(() => 2, { atStart: 2 }) });
    const goes = simulate({ ...rotated, scaling: turns });
    expect(stays.kv.prefixHitTokens).toBeGreaterThan(goes.kv.prefixHitTokens);
  });

  test("a run ends with its last request, however often a policy would still be asked", () => {
    const scaling = scalingBy(({ atNs }) => 1 + (Math.floor(atNs / 1e3) % 3), { everyNs: 1e3, startupNs: 1e9 });
    const result = simulate(open({ replicas: 3, scaling }));
    expect(result.endNs).toBe(Math.max(...result.requests.lastTokenNs));
    const closed = simulate(open({ replicas: 3, scaling, workload: { kind: "closed", requests, concurrency: 5 } }));
    expect(closed.endNs).toBe(Math.max(...closed.requests.lastTokenNs));
    const nobody = simulate(open({ scaling, workload: { kind: "open", requests: testRequests([]) } }));
    expect(nobody.endNs).toBe(0);
  });

  test("more replicas never leave more waiting at the same tick, under a schedule", () => {
    const crowd = testRequests(rows(200, 2e5));
    const waiting = (replicas: number): number[] => {
      const seen: number[] = [];
      const scaling = scalingBy(
        (view) => {
          seen.push(view.waiting);
          return view.atNs < 10e6 ? 1 : replicas;
        },
        { startupNs: 2e6 },
      );
      simulate(open({ replicas: 4, scaling, workload: { kind: "open", requests: crowd } }));
      return seen;
    };
    const runs = [1, 2, 3, 4].map(waiting);
    for (const [i, more] of runs.slice(1).entries())
      for (const [tick, count] of more.entries()) expect(count).toBeLessThanOrEqual(runs[i]![tick]!);
    expect(runs[3]!.length).toBeLessThan(runs[0]!.length);
  });

  test("the view counts what is there", () => {
    const scaling = scalingBy(
      (view) => {
        expect(view.starting + view.serving + view.draining + view.off).toBe(4);
        expect(view.busy).toBeGreaterThanOrEqual(0);
        expect(view.busy).toBeLessThanOrEqual(1);
        expect(view.kvUse).toBeLessThanOrEqual(1);
        if (view.waiting + view.running === 0) expect(view.outstandingTokens).toBe(0);
        return 1 + (Math.floor(view.atNs / 3e6) % 4);
      },
      { startupNs: 2e6 },
    );
    simulate(open({ replicas: 4, scaling, mapping: { ...singleDevice, pp: 2 } }));
  });

  test("a policy that answers beyond the pool is held between the fewest and the most", () => {
    const scaling = scalingBy(({ atNs }) => (atNs < 5e6 ? 1e9 : -3), { min: 2, atStart: 2 });
    const { pools } = simulate(open({ replicas: 3, scaling }));
    expect(pools[0]!.scaling!.mostUp).toBe(3);
    expect(pools[0]!.replicaOnNs.filter((ns) => ns > 0).length).toBe(3);
    expect(() => simulate(open({ scaling: scalingBy(() => Number.NaN) }))).toThrow("replica-state");
  });
});
