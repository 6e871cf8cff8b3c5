import fc from "fast-check";
import { expect, test } from "vitest";
import { InfeasibleError } from "../../../src/core/errors.ts";
import { pathMetrics } from "../../../src/forecast/explain/path-metrics.ts";
import { requestAt } from "../../../src/forecast/explain/request-at.ts";
import { type RequestPath, requestPath } from "../../../src/forecast/explain/request-path.ts";
import { poolsOf, type SimConfig } from "../../../src/sim/config.ts";
import { mappingProblems } from "../../../src/sim/mapping.ts";
import { RequestFollower } from "../../../src/sim/outcome/request-follower.ts";
import { countedRequests, requestValue } from "../../../src/sim/outcome/request-latencies.ts";
import { RequestRecorder } from "../../../src/sim/outcome/request-recorder.ts";
import { type RequestRows, type RunResult, requestStatus } from "../../../src/sim/result.ts";
import { simulate } from "../../../src/sim/simulate.ts";
import { drawn, further } from "../../drawn.ts";
import { deployment, deploymentConfig } from "../../sim/random-deployment.ts";
import { bytesOf } from "../../sim/random-laws.ts";

const sum = (values: readonly number[]) => values.reduce((total, value) => total + value, 0);
const requestsMax = further([Number.POSITIVE_INFINITY])[0] ?? 12;

/** What holds for every path. */
function judgePath({ spanNs, phases }: RequestPath): void {
  expect(sum(phases.map(({ ns }) => ns))).toBe(spanNs);
  for (const { kind, ns, parts, steps } of phases) {
    expect(ns).toBeGreaterThan(0);
    const ofSteps = ["prefill", "decode", "besidePrompts", "recompute"].includes(kind);
    expect(sum(parts.map((part) => part.ns))).toBe(ofSteps ? ns : 0);
    if (ofSteps) expect(steps).toBeGreaterThan(0);
    for (const part of parts) {
      expect(part.ns).toBeGreaterThan(0);
      expect(sum(part.under.map((below) => below.ns))).toBe(part.part === "expertFetch" ? part.ns : 0);
    }
  }
}

/** Follows all requests at once. */
function followAll(config: SimConfig): { readonly run: RunResult; readonly follower: RequestFollower } {
  const follower = new RequestFollower([...config.workload.requests.arrivalNs.keys()]);
  return { run: simulate(config, { steps: follower }), follower };
}

test("parts of a path add up to the latency, whole ns, whatever the deployment; following all changes nothing", () => {
  const seen = new Set<string>();
  fc.assert(
    fc.property(deployment, (random) => {
      const { first } = random;
      const config = deploymentConfig({ ...random, first: { ...first, n: Math.min(first.n, requestsMax) } });
      fc.pre(poolsOf(config).every(({ mapping, model }) => mappingProblems(mapping, model).length === 0));
      try {
        const { run, follower } = followAll(config);
        expect(bytesOf(run)).toBe(bytesOf(simulate(config)));
        for (const recorder of follower.recorders) {
          if (run.requests.status[recorder.request] !== requestStatus.completed) continue;
          const [ttft, tpot, e2e] = pathMetrics.map((metric) => requestPath(recorder, run.requests, metric)) as [
            RequestPath,
            RequestPath,
            RequestPath,
          ];
          for (const path of [ttft, tpot, e2e]) judgePath(path);
          expect(e2e.spanNs).toBe(requestValue(run.requests, "e2e", recorder.request));
          expect(ttft.spanNs).toBe(requestValue(run.requests, "ttft", recorder.request));
          expect(ttft.spanNs + tpot.spanNs).toBe(e2e.spanNs);
          for (const { kind } of e2e.phases) seen.add(kind);
        }
      } catch (error) {
        // Too little memory is an answer.
        if (!(error instanceof InfeasibleError)) throw error;
      }
    }),
    { numRuns: drawn(40), seed: 11 },
  );
  expect([...seen]).toEqual(
    expect.arrayContaining(["tokenising", "queue", "prefill", "handover", "decode", "between"]),
  );
});

test("a request followed among all has the steps that it has when it is followed alone", () => {
  fc.assert(
    fc.property(deployment, fc.nat(1000), (random, place) => {
      const { first } = random;
      const config = deploymentConfig({ ...random, first: { ...first, n: Math.min(first.n, 8) } });
      fc.pre(poolsOf(config).every(({ mapping, model }) => mappingProblems(mapping, model).length === 0));
      try {
        const { follower } = followAll(config);
        const together = follower.recorders[place % follower.recorders.length]!;
        const alone = new RequestRecorder(together.request);
        simulate(config, { steps: alone });
        expect(together.steps.map((step) => ({ ...step, parts: null }))).toEqual(alone.steps);
        expect(together.tokenisedNs).toEqual(alone.tokenisedNs);
      } catch (error) {
        if (!(error instanceof InfeasibleError)) throw error;
      }
    }),
    { numRuns: drawn(20), seed: 3 },
  );
});

test("the request at a percentile is the first that this share of the counted ones does not exceed", () => {
  fc.assert(
    fc.property(
      fc.array(fc.record({ ttft: fc.integer({ min: 1, max: 9 }), output: fc.integer({ min: 1, max: 4 }) }), {
        minLength: 1,
        maxLength: 40,
      }),
      fc.integer({ min: 0, max: 5 }),
      fc.double({ min: 0.01, max: 1, noNaN: true }),
      (drawnRows, warmup, p) => {
        const count = drawnRows.length;
        const rows = {
          count,
          warmup,
          status: new Uint8Array(count),
          arrivalNs: Float64Array.from(drawnRows, (_, i) => i),
          firstTokenNs: Float64Array.from(drawnRows, ({ ttft }, i) => i + ttft),
          lastTokenNs: Float64Array.from(drawnRows, ({ ttft, output }, i) => i + ttft + output * 3),
          outputTokens: Uint32Array.from(drawnRows, ({ output }) => output),
          classes: [],
        } as unknown as RequestRows;
        for (const metric of pathMetrics) {
          const values = [...countedRequests(rows, null)].map((request) => requestValue(rows, metric, request));
          const told = values.filter((value) => !Number.isNaN(value));
          const found = requestAt(rows, metric, p);
          if (told.length === 0) {
            expect(found).toBeNull();
            continue;
          }
          const value = requestValue(rows, metric, found!);
          const share = (limit: (other: number) => boolean) => told.filter(limit).length / told.length;
          expect(share((other) => other <= value)).toBeGreaterThanOrEqual(p - 1e-9);
          expect(share((other) => other < value)).toBeLessThan(p + 1e-9);
        }
      },
    ),
  );
});
