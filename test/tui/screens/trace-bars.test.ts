import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { type RequestTrace, type TraceSpan, traceKinds } from "../../../src/forecast/details/request-trace.ts";
import { traceBars } from "../../../src/tui/screens/trace-bars.ts";
import { drawn } from "../../drawn.ts";

const span: TraceSpan = {
  kind: "decode",
  fromNs: 0,
  toNs: 0,
  steps: 1,
  tokens: 1,
  sequences: 1,
  promptTokens: 0,
  stallNs: 0,
  waitNs: 0,
  longestNs: 0,
  long: false,
  replica: 0,
};

/** A trace of spans one after the other: how long each takes, and how much of that is stalls. */
function traceOf(parts: readonly { readonly takes: number; readonly stalls: number }[]): RequestTrace {
  const spans: TraceSpan[] = [];
  for (const [i, { takes, stalls }] of parts.entries()) {
    const fromNs = spans.at(-1)?.toNs ?? 50;
    const kind = i % 2 === 0 ? "decode" : "prefill";
    spans.push({ ...span, kind, fromNs, toNs: fromNs + takes, stallNs: Math.round(takes * stalls) });
  }
  const ns = Object.fromEntries(traceKinds.map((kind) => [kind, 0])) as Record<(typeof traceKinds)[number], number>;
  for (const { kind, fromNs, toNs, stallNs } of spans) {
    ns[kind] += toNs - fromNs - stallNs;
    ns.stall += stallNs;
  }
  const lastTokenNs = spans.at(-1)!.toNs;
  return { request: 0, arrivalNs: 50, firstTokenNs: 50, lastTokenNs, spans, ns, decodes: 1, decodeMedianNs: 1 };
}

const part = fc.record({
  // Some spans take no time at all.
  takes: fc.oneof({ weight: 4, arbitrary: fc.integer({ min: 1, max: 1000 }) }, fc.constant(0)),
  stalls: fc.double({ min: 0.01, max: 1, noNaN: true }),
});

describe("bars of a trace", () => {
  test("take as much of the axis as their numbers say, to a cell", () => {
    fc.assert(
      fc.property(
        fc.array(part, { minLength: 1, maxLength: 40 }).filter((parts) => parts.some(({ takes }) => takes > 0)),
        fc.integer({ min: 12, max: 200 }),
        (parts, cells) => {
          const trace = traceOf(parts);
          const cellNs = (trace.lastTokenNs - trace.arrivalNs) / cells;
          for (const kind of ["decode", "prefill", "stall"] as const) {
            // Spans without any stalls are drawn as they are.
            if (trace.spans.every((one) => one.kind !== kind || one.stallNs === 0) && kind !== "stall") continue;
            const bars = traceBars(trace, kind, cells, 3);
            const sum = bars.reduce((all, { fromNs, toNs }) => all + toNs - fromNs, 0);
            expect(Math.abs(sum - trace.ns[kind])).toBeLessThanOrEqual(cellNs * 1.001);
            for (const { fromNs, toNs, kind: sign } of bars) {
              expect(sign).toBe(3);
              // Each lies, in part at least, where there is some of it.
              const at = trace.spans.filter((one) => one.fromNs < toNs && one.toNs > fromNs);
              expect(at.some((one) => (kind === "stall" ? one.stallNs > 0 : one.kind === kind))).toBe(true);
            }
          }
        },
      ),
      { numRuns: drawn(200) },
    );
  });

  test("of what has some are never empty", () => {
    const trace = traceOf([{ takes: 1_000_000, stalls: 0.000_01 }]);
    expect(traceBars(trace, "stall", 80, 0)).toHaveLength(1);
  });

  test("of spans without stalls are the spans", () => {
    const trace = traceOf([
      { takes: 10, stalls: 0 },
      { takes: 20, stalls: 0 },
    ]);
    expect(traceBars(trace, "prefill", 80, 2)).toEqual([{ fromNs: 60, toNs: 80, kind: 2 }]);
    expect(traceBars(trace, "stall", 80, 2)).toEqual([]);
  });
});
