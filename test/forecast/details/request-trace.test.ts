import fc from "fast-check";
import { expect, test } from "vitest";
import { InfeasibleError } from "../../../src/core/errors.ts";
import { type RequestTrace, requestTrace, traceKinds } from "../../../src/forecast/details/request-trace.ts";
import { poolsOf, type SimConfig } from "../../../src/sim/config.ts";
import { mappingProblems } from "../../../src/sim/mapping.ts";
import { RequestRecorder, type RequestStep } from "../../../src/sim/outcome/request-recorder.ts";
import { type RunResult, requestStatus } from "../../../src/sim/result.ts";
import { simulate } from "../../../src/sim/simulate.ts";
import { Simulation } from "../../../src/sim/simulation.ts";
import { drawn, further } from "../../drawn.ts";
import { testConfig, testEngine, testNode, testRequests } from "../../sim/build.ts";
import { deployment, deploymentConfig } from "../../sim/random-deployment.ts";
import { bytesOf } from "../../sim/random-laws.ts";

const sum = (values: readonly number[]) => values.reduce((total, value) => total + value, 0);

/** What holds for the steps of every completed request. */
function judgeSteps(steps: readonly RequestStep[], { requests, handover }: RunResult, request: number): void {
  expect(steps[0]!.beginNs).toBe(requests.scheduledNs[request]);
  for (const [i, { beginNs, endNs, stallNs, tokens, preemptedNs }] of steps.entries()) {
    expect(endNs).toBeGreaterThan(beginNs);
    expect(tokens).toBeGreaterThan(0);
    expect(stallNs).toBeGreaterThanOrEqual(0);
    const before = steps[i - 1];
    if (before === undefined) continue;
    expect(beginNs).toBeGreaterThanOrEqual(before.endNs);
    if (preemptedNs === null) continue;
    expect(preemptedNs).toBeGreaterThanOrEqual(before.endNs);
    expect(preemptedNs).toBeLessThanOrEqual(beginNs);
  }
  const preempted = steps.filter(({ preemptedNs }) => preemptedNs !== null).length;
  expect(preempted).toBe(requests.preemptions[request]);
  if (preempted === 0) expect(steps.some(({ work }) => work === "recompute")).toBe(false);
  if (handover === null) expect(steps.at(-1)!.endNs).toBe(requests.lastTokenNs[request]);
}

/** What holds for every trace. */
function judgeTrace(trace: RequestTrace, { requests }: RunResult): void {
  const { request, spans, ns, arrivalNs, firstTokenNs, lastTokenNs } = trace;
  expect(sum(Object.values(ns))).toBe(lastTokenNs - arrivalNs);
  expect(lastTokenNs - arrivalNs).toBe(requests.lastTokenNs[request]! - requests.arrivalNs[request]!);
  expect(Object.values(ns).every((part) => part >= 0)).toBe(true);
  let atNs = arrivalNs;
  for (const { fromNs, toNs } of spans) {
    expect(fromNs).toBe(atNs);
    expect(toNs).toBeGreaterThan(fromNs);
    atNs = toNs;
  }
  expect(atNs).toBe(lastTokenNs);
  expect(spans.some(({ toNs }) => toNs === firstTokenNs)).toBe(true);
  const decoding = spans.filter(({ kind }) => kind === "decode" || kind === "besidePrompts");
  expect(sum(decoding.map(({ steps }) => steps))).toBe(trace.decodes);
  for (const kind of ["prefill", "recompute", "queue", "handover", "preempted"] as const)
    expect(
      sum(spans.filter((span) => span.kind === kind).map(({ fromNs, toNs, stallNs }) => toNs - fromNs - stallNs)),
    ).toBe(ns[kind]);
  expect(sum(spans.map(({ stallNs }) => stallNs))).toBe(ns.stall);
  for (const { long, longestNs } of spans) if (long) expect(longestNs).toBeGreaterThan(2 * trace.decodeMedianNs);
}

/** Follows a request: the run, and the request's trace where it was completed. */
function followed(
  config: SimConfig,
  request: number,
): { readonly run: RunResult; readonly trace: RequestTrace | null } {
  const recorder = new RequestRecorder(request);
  const run = simulate(config, { steps: recorder });
  if (run.requests.status[request] !== requestStatus.completed) return { run, trace: null };
  judgeSteps(recorder.steps, run, request);
  const trace = requestTrace(recorder, run.requests);
  judgeTrace(trace, run);
  return { run, trace };
}

/** Requests of a deployment at most: in the deep suite as many as it draws. */
const requestsMax = further([Number.POSITIVE_INFINITY])[0] ?? 12;

test("in deployments of every kind the parts of a request's time add up to all of it, and no request fares otherwise for it", () => {
  const seen = new Set<string>();
  fc.assert(
    fc.property(deployment, fc.nat(1_000_000), (random, place) => {
      const { first } = random;
      const config = deploymentConfig({ ...random, first: { ...first, n: Math.min(first.n, requestsMax) } });
      fc.pre(poolsOf(config).every(({ mapping, model }) => mappingProblems(mapping, model).length === 0));
      try {
        const alone = simulate(config);
        const request = place % alone.requests.count;
        const { run, trace } = followed(config, request);
        expect(bytesOf(run)).toBe(bytesOf(alone));
        for (const kind of traceKinds) if (trace !== null && trace.ns[kind] > 0) seen.add(kind);
      } catch (error) {
        // Too little memory is an answer.
        if (!(error instanceof InfeasibleError)) throw error;
      }
    }),
    { numRuns: drawn(24), seed: 5 },
  );
  expect([...seen]).toEqual(expect.arrayContaining(["tokenising", "prefill", "handover", "decode", "stall"]));
});

const stepNs = 1_000_000;

/** Steps of a millisecond each, at most 40 tokens in them, and 12 KV blocks of 16 tokens. */
function constantSteps(rows: Parameters<typeof testRequests>[0]): SimConfig {
  const instant = { peak: { bf16: 1e30 }, memoryBytesPerSecond: 1e30 };
  const config = testConfig({
    engine: testEngine({ stepOverheadNs: stepNs, sequenceOverheadNs: 0, kernelOverheadNs: 0 }),
    node: testNode({ ...instant, memoryBytes: 1e12 }),
    workload: { kind: "open", requests: testRequests(rows) },
  });
  const scheduler = { ...config.scheduler, maxBatchTokens: 40, blockTokens: 16, memoryUtilisation: 1 };
  const { map } = new Simulation({ ...config, scheduler }).pools[0]!.memory;
  const kv = map.tiers[0]!.items.find((item) => item.name.startsWith("KV"))!.bytes;
  const memoryBytes = map.tiers[0]!.usedBytes - kv + (kv / map.kvBlocks) * 12;
  return { ...config, scheduler, node: testNode({ ...instant, memoryBytes }) };
}

test("a request alone: its chunks, then its decodes as one span", () => {
  const trace = followed(constantSteps([{ at: 0, prompt: 100, output: 5 }]), 0).trace!;
  expect(
    trace.spans.map(({ kind, toNs, fromNs, tokens, steps }) => [kind, (toNs - fromNs) / stepNs, tokens, steps]),
  ).toEqual([
    ["prefill", 1, 40, 1],
    ["prefill", 1, 40, 1],
    ["prefill", 1, 20, 1],
    ["decode", 4, 4, 4],
  ]);
  expect(trace.ns.prefill).toBe(3 * stepNs);
  expect(trace.ns.decode).toBe(4 * stepNs);
  expect(trace.decodeMedianNs).toBe(stepNs);
});

test("a request beside another: it queues behind steps, and decodes beside prompt tokens", () => {
  const config = constantSteps([
    { at: 0, prompt: 80, output: 12 },
    { at: 10, prompt: 78, output: 3 },
  ]);
  const [first, second] = [0, 1].map((request) => followed(config, request).trace!) as [RequestTrace, RequestTrace];
  // 39 tokens of the other's prompt fit beside each decode.
  expect(first.ns.besidePrompts).toBe(2 * stepNs);
  expect(first.spans.filter(({ kind }) => kind === "besidePrompts").map(({ promptTokens }) => promptTokens)).toEqual([
    78,
  ]);
  expect(first.ns.decode).toBe(9 * stepNs);
  const [queue] = second.spans;
  expect(queue).toMatchObject({ kind: "queue", fromNs: 10, toNs: 2 * stepNs, steps: 1, promptTokens: 40 });
});

test("a request that loses its blocks waits, and computes again what was lost", () => {
  const config = constantSteps([
    { at: 0, prompt: 90, output: 60 },
    { at: 0, prompt: 80, output: 60 },
  ]);
  const [kept, lost] = [0, 1].map((request) => followed(config, request).trace!) as [RequestTrace, RequestTrace];
  expect(kept.ns.preempted + kept.ns.recompute).toBe(0);
  expect(lost.ns.preempted).toBeGreaterThan(0);
  // Blocks are taken when a step begins.
  for (const { kind, fromNs } of lost.spans) if (kind === "preempted") expect(fromNs % stepNs).toBe(0);
  // Its prompt and the tokens that it had, 40 at a time.
  const again = lost.spans.filter(({ kind }) => kind === "recompute");
  const tokens = sum(again.map((span) => span.tokens));
  expect(tokens).toBeGreaterThan(80);
  expect(lost.ns.recompute).toBe(Math.ceil(tokens / 40) * stepNs);
  expect(sum(lost.spans.filter(({ kind }) => kind === "prefill").map((span) => span.tokens))).toBe(80);
});
