import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { HalfBatchOrder } from "../../../src/engine/exchange/half-batch-orders.ts";
import { type HalfBatchWork, halfBatchOrders } from "../../../src/sim/step/half-batch-orders.ts";
import { drawn } from "../../drawn.ts";
import { scheduledNs } from "./half-batch-schedule.ts";

const orders = Object.keys(halfBatchOrders) as HalfBatchOrder[];
const time = fc.oneof(
  { weight: 1, arbitrary: fc.constant(0) },
  { weight: 8, arbitrary: fc.double({ min: 1, max: 1000, noNaN: true }) },
);
const work: fc.Arbitrary<HalfBatchWork> = fc
  .record({
    prepareNs: time,
    coreNs: time,
    sharedNs: time,
    expertsNs: time,
    dispatchNs: time,
    combineNs: time,
    lost: fc.oneof(fc.constant(0), fc.double({ min: 0, max: 0.5, noNaN: true })),
  })
  .map(({ lost, ...rest }) => {
    const attention = rest.prepareNs + rest.coreNs;
    return { ...rest, attentionLoss: attention > 0 ? (lost * rest.coreNs) / attention : 0 };
  });
const layers = fc.integer({ min: 1, max: 6 });

const computingNs = (w: HalfBatchWork, n: number) => 2 * n * (w.prepareNs + w.coreNs + w.sharedNs + w.expertsNs);
const exchangingNs = (w: HalfBatchWork, n: number) => 2 * n * (w.dispatchNs + w.combineNs);

/** Time of both halves through `n` equal layers. */
function halvesNs(order: HalfBatchOrder, w: HalfBatchWork, n: number): number {
  const shown = { dispatchNs: 0, combineNs: 0, endsNs: 0 };
  halfBatchOrders[order](w, shown);
  return computingNs(w, n) + n * (shown.dispatchNs + shown.combineNs) + shown.endsNs;
}

describe.each(orders)("half batches that take turns as %s", (order) => {
  test("take as long as their streams run entry by entry", () => {
    fc.assert(
      fc.property(work, layers, (w, n) => {
        expect(halvesNs(order, w, n)).toBeCloseTo(scheduledNs(order, w, n), 6);
      }),
      { numRuns: drawn(400) },
    );
  });

  test("take no less than all computing and than all exchanges, and no more than both one after the other", () => {
    fc.assert(
      fc.property(work, layers, (w, n) => {
        const ns = halvesNs(order, w, n);
        expect(ns).toBeGreaterThanOrEqual(Math.max(computingNs(w, n), exchangingNs(w, n)) - 1e-6);
        expect(ns).toBeLessThanOrEqual(computingNs(w, n) + exchangingNs(w, n) + 1e-6);
      }),
    );
  });

  test("hide nothing where nothing is exchanged, and are never faster with longer exchanges", () => {
    fc.assert(
      fc.property(work, layers, time, time, (w, n, dispatchNs, combineNs) => {
        expect(halvesNs(order, { ...w, dispatchNs: 0, combineNs: 0 }, n)).toBeCloseTo(computingNs(w, n), 6);
        const longer = { ...w, dispatchNs: w.dispatchNs + dispatchNs, combineNs: w.combineNs + combineNs };
        expect(halvesNs(order, longer, n)).toBeGreaterThanOrEqual(halvesNs(order, w, n) - 1e-6);
      }),
    );
  });
});

test("what runs beside an exchange decides how much of it shows", () => {
  const w = { prepareNs: 20, coreNs: 60, sharedNs: 10, expertsNs: 80, dispatchNs: 50, combineNs: 90, attentionLoss: 0 };
  const shown = (order: HalfBatchOrder) => {
    const sums = { dispatchNs: 0, combineNs: 0, endsNs: 0 };
    halfBatchOrders[order](w, sums);
    return sums;
  };
  // Attention and experts of 80 hide dispatches of 50; combines of 90 last as long as either with shared experts.
  expect(shown("dualBatch")).toEqual({ dispatchNs: 0, combineNs: 0, endsNs: 80 });
  // Beside the first products and shared experts, 20 of each dispatch show; beside scores, 30 of each combine.
  expect(shown("twoBatchDecodes")).toEqual({ dispatchNs: 40, combineNs: 60, endsNs: 80 });
});
