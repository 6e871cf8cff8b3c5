import type { HalfBatchOrder } from "../../engine/exchange/half-batch-orders.ts";

/** What one of two equal half batches does in a layer with experts, ns. */
export interface HalfBatchWork {
  /** Attention: products before its scores; then scores, output product and gate. */
  prepareNs: number;
  coreNs: number;
  sharedNs: number;
  expertsNs: number;
  /** In flight: beside it the device computes. */
  dispatchNs: number;
  combineNs: number;
  /** Part of its speed that attention loses while an exchange is in flight. */
  attentionLoss: number;
}

/** What the exchanges of both halves add to their computing, ns. */
export interface ShownExchange {
  dispatchNs: number;
  combineNs: number;
  /** What the first and the last of a run of such layers add beyond that: they have no neighbour to hide beside. */
  endsNs: number;
}

/**
 * Adds exchanges to the computing of one layer among others like it, as streams run them: kernels and exchanges each in
 * their order, one at a time, a kernel that needs an exchange after it. With layers alike the sum over all is the exact makespan.
 */
export const halfBatchOrders = {
  dualBatch(work, shown) {
    const { prepareNs, coreNs, sharedNs, expertsNs, dispatchNs, combineNs, attentionLoss } = work;
    const attentionNs = prepareNs + coreNs;
    const besideAttention = Math.max(dispatchNs, endNs(0, attentionNs, dispatchNs, attentionLoss)) - attentionNs;
    shown.dispatchNs = besideAttention + Math.max(0, dispatchNs - expertsNs);
    const besideNext =
      Math.max(combineNs, endNs(sharedNs, attentionNs, combineNs, attentionLoss)) - sharedNs - attentionNs;
    shown.combineNs = Math.max(0, combineNs - sharedNs - expertsNs) + besideNext;
    shown.endsNs = Math.max(0, combineNs - sharedNs) - besideNext;
  },
  twoBatchPrompts(work, shown) {
    const { prepareNs, coreNs, sharedNs, expertsNs, dispatchNs, combineNs, attentionLoss } = work;
    const attentionNs = prepareNs + coreNs;
    // From the start of the second half's experts, when the first half combines, to the end of the next dispatch.
    const secondCombine = Math.max(expertsNs, combineNs);
    const combined = secondCombine + combineNs;
    const first = Math.max(expertsNs + sharedNs, combineNs);
    const firstEnd = endNs(first, attentionNs, combined, attentionLoss);
    const second = Math.max(firstEnd + sharedNs, combined);
    const dispatched = Math.max(firstEnd, combined) + dispatchNs;
    const next = Math.max(endNs(second, attentionNs, dispatched, attentionLoss), dispatched);
    shown.combineNs = second - expertsNs - 2 * sharedNs - attentionNs;
    const besideAttention = next - second - attentionNs;
    shown.dispatchNs = besideAttention + Math.max(0, dispatchNs - expertsNs);
    // The first layer dispatches beside attention alone; after the last one shared experts are all that is left.
    const head = Math.max(dispatchNs, endNs(0, attentionNs, dispatchNs, attentionLoss)) - attentionNs;
    const tail = Math.max(first + sharedNs, combined) - expertsNs - 2 * sharedNs;
    shown.endsNs = head + tail - besideAttention - shown.combineNs;
  },
  twoBatchDecodes(work, shown) {
    const { prepareNs, coreNs, sharedNs, dispatchNs, combineNs, attentionLoss } = work;
    const dispatch = Math.max(0, dispatchNs - sharedNs - prepareNs);
    // All that attention loses, it loses after its first products.
    const loss = coreNs > 0 ? (attentionLoss * (prepareNs + coreNs)) / coreNs : 0;
    const combine = Math.max(combineNs, endNs(0, coreNs, combineNs, loss)) - coreNs;
    shown.dispatchNs = 2 * dispatch;
    shown.combineNs = 2 * combine;
    // The last layer has no attention of a next one.
    shown.endsNs = Math.max(0, dispatchNs - sharedNs) - dispatch + combineNs - combine;
  },
} as const satisfies Record<HalfBatchOrder, (work: HalfBatchWork, shown: ShownExchange) => void>;

/** End of computing that takes `ns` alone from `startNs`, and loses a part of its speed until an exchange ends. */
function endNs(startNs: number, ns: number, exchangeEndNs: number, loss: number): number {
  const besideNs = exchangeEndNs - startNs;
  if (besideNs <= 0) return startNs + ns;
  return ns < besideNs * (1 - loss) ? startNs + ns / (1 - loss) : startNs + ns + loss * besideNs;
}
