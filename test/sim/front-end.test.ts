import { describe, expect, test } from "vitest";
import { RandomStream } from "../../src/core/random.ts";
import type { RouterView } from "../../src/policy/router/router.ts";
import { routers } from "../../src/policy/router/routers.ts";
import { FrontEnds } from "../../src/sim/front-end.ts";
import { judgeLoad } from "../../src/sim/outcome/load/judge-load.ts";
import type { RunResult } from "../../src/sim/result.ts";
import { replicaView } from "../../src/sim/router-views.ts";
import { simulate } from "../../src/sim/simulate.ts";
import { testConfig, testEngine, testRequests } from "./build.ts";

const perTokenNs = 10_000;
const engine = testEngine({ promptTokenOverheadNs: perTokenNs, requestOverheadNs: 300_000 });

/** Bursts and gaps of requests of uneven lengths, so that both front ends and queues fill up and run empty. */
function uneven(count: number, seed = 3) {
  const rng = new RandomStream(seed, "front-end");
  let at = 0;
  return Array.from({ length: count }, () => {
    at += rng.below(4) === 0 ? rng.below(6_000_000) : rng.below(300_000);
    return { at, prompt: 1 + rng.below(200), output: 1 + rng.below(12) };
  });
}

const timesOf = ({ requests }: RunResult, of: (request: number) => boolean) =>
  Array.from({ length: requests.count }, (_, request) => request)
    .filter(of)
    .map((request) => [
      requests.arrivalNs[request],
      requests.scheduledNs[request],
      requests.firstTokenNs[request],
      requests.lastTokenNs[request],
    ]);

test("a replica has of a prompt what the rank with most of it has", () => {
  const rank = (cached: readonly number[]): RouterView => ({
    targets: cached.length,
    waiting: () => 0,
    running: () => 0,
    outstandingTokens: () => 0,
    cachedPromptTokens: (at, request) => request + cached[at]!,
  });
  const view = replicaView([], [rank([0, 64, 32]), rank([16, 0, 0])]);
  expect([view.cachedPromptTokens(0, 5), view.cachedPromptTokens(1, 5)]).toEqual([69, 21]);
});

describe("n replicas at n times the rate", () => {
  const rows = uneven(120);
  // Uniform routing: every copy of a request meets the same experts.
  const run = (replicas: number) => {
    const requests = testRequests(rows.flatMap((row) => Array.from({ length: replicas }, () => row)));
    const router = routers["round-robin"];
    return simulate(
      testConfig({ engine, replicas, router, routing: { kind: "uniform" }, workload: { kind: "open", requests } }),
    );
  };
  const one = run(1);

  test.each([2, 5])("%i of them have the times of one, request by request, when served in turn", (n) => {
    const many = run(n);
    for (let replica = 0; replica < n; replica++) {
      expect(many.requests.replicaOf.filter((of) => of === replica)).toHaveLength(rows.length);
      expect(timesOf(many, (request) => request % n === replica)).toEqual(timesOf(one, () => true));
    }
    expect(many.frontEnds.waitNs).toBe(n * one.frontEnds.waitNs);
    expect(many.frontEnds.busyNs).toEqual(Array.from({ length: n }, () => one.frontEnds.busyNs[0]));
  });

  test("what a front end tokenises and how long requests wait for it is booked", () => {
    const tokens = rows.reduce((sum, { prompt }) => sum + prompt, 0);
    expect(one.frontEnds.busyNs).toEqual([tokens * perTokenNs]);
    expect(one.resources).toContainEqual({ name: "front end of replica 0", busyNs: tokens * perTokenNs, bytes: 0 });
    // Waiting by hand: a single server with these service times.
    let freeNs = 0;
    let waitNs = 0;
    for (const { at, prompt } of rows) {
      const startNs = Math.max(freeNs, at);
      waitNs += startNs - at;
      freeNs = startNs + prompt * perTokenNs;
    }
    expect(one.frontEnds.waitNs).toBe(waitNs);
  });
});

describe("a front end in closed form", () => {
  const service = 100 * perTokenNs;
  const run = (gapNs: number, frontEnds: number, count = 200) =>
    simulate(
      testConfig({
        engine: testEngine({ promptTokenOverheadNs: perTokenNs }),
        frontEnds,
        workload: {
          kind: "open",
          requests: testRequests(Array.from({ length: count }, (_, i) => ({ at: i * gapNs, prompt: 100, output: 1 }))),
        },
      }),
    );

  test("D/D/1: nobody waits up to its capacity, beyond it the n-th request waits n times what is missing", () => {
    expect(run(service, 1).frontEnds.waitNs).toBe(0);
    const short = 0.9 * service;
    expect(run(short, 1).frontEnds.waitNs).toBeCloseTo((service - short) * ((199 * 200) / 2), 0);
  });

  test("D/D/c: c front ends keep up with c times the rate, and not with more", () => {
    expect(run(service / 4, 4).frontEnds.waitNs).toBe(0);
    expect(run(service / 4, 4).frontEnds.busyNs).toEqual(Array.from({ length: 4 }, () => 50 * service));
    expect(run(service / 5, 4).frontEnds.waitNs).toBeGreaterThan(0);
  });

  test("M/D/1: the mean wait is rho / (2 (1 - rho)) of a service time", () => {
    const rho = 0.7;
    const rng = new RandomStream(5, "arrivals");
    const frontEnds = new FrontEnds(1);
    const count = 400_000;
    let at = 0;
    for (let i = 0; i < count; i++) {
      at += Math.round(rng.exponential(service / rho));
      frontEnds.accept(at, service, 1);
    }
    expect(frontEnds.waitNs / count / service).toBeCloseTo(rho / (2 * (1 - rho)), 1);
  });
});

describe("an overloaded front end", () => {
  const requests = testRequests(Array.from({ length: 600 }, (_, i) => ({ at: i * 500_000, prompt: 100, output: 1 })));
  const run = (overrides: Parameters<typeof testConfig>[0]) =>
    simulate(testConfig({ engine, workload: { kind: "open", requests }, ...overrides }));

  test("is an overloaded deployment, and its backlog shows as waiting requests", () => {
    const result = run({});
    const { series, kv } = result;
    const load = judgeLoad(result);
    expect(load.verdict).toBe("overloaded");
    expect(load.sustainedRequestsPerSecond).toBeCloseTo(1e9 / (100 * perTokenNs), -1);
    expect(Math.max(...series.waiting)).toBeGreaterThan(200);
    expect(kv.preemptions).toBe(0);
  });

  test("is relieved by more front ends and by more replicas", () => {
    expect(judgeLoad(run({ frontEnds: 3 })).verdict).toBe("stable");
    expect(judgeLoad(run({ replicas: 3 })).verdict).toBe("stable");
  });
});

describe("routers", () => {
  test("count what a replica still has to tokenise", () => {
    // A long prompt is in the front end of the first replica for 30 ms; the short ones that follow go elsewhere.
    const requests = testRequests([
      { at: 0, prompt: 3000, output: 1 },
      ...Array.from({ length: 4 }, (_, i) => ({ at: 1000 + i, prompt: 10, output: 1 })),
    ]);
    const { requests: rows } = simulate(
      testConfig({ engine, replicas: 2, router: routers["least-loaded"], workload: { kind: "open", requests } }),
    );
    expect([...rows.replicaOf]).toEqual([0, 1, 1, 1, 1]);
  });
});
