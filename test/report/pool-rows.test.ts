import { expect, test } from "vitest";
import { handoverRows, poolRows, scalingRows } from "../../src/report/pool-rows.ts";

/** Figures that all differ: the names of the row say which one it stands for. */
const waits = (base: number) => ({ mean: base, p50: base + 1, p90: base + 2, p99: base + 3 });
const values = <F>(rows: readonly { readonly row: string; readonly of: (figures: F) => number | null }[], figures: F) =>
  Object.fromEntries(rows.map(({ row, of }) => [row, of(figures)]));

test("each row of pools, scaling and hand-overs stands for the figure of its name", () => {
  const kv = { peakShare: 4, preemptions: 5 };
  const pool = { devices: 1, utilisation: 2, promptTimeShare: 3, kv } as Parameters<(typeof poolRows)[0]["of"]>[0];
  expect(values(poolRows, pool)).toEqual({
    pool_devices: 1,
    pool_utilisation: 2,
    pool_prompt_time_share: 3,
    pool_kv_peak: 4,
    pool_preemptions: 5,
  });
  const meanByState = { starting: 4, serving: 5, draining: 6 };
  const scaling = { mean: 1, most: 2, starts: 3, meanByState } as Parameters<(typeof scalingRows)[0]["of"]>[0];
  expect(values(scalingRows, scaling)).toEqual({
    replicas_mean: 1,
    replicas_most: 2,
    replica_starts: 3,
    replicas_starting: 4,
    replicas_serving: 5,
    replicas_draining: 6,
  });
  const handover = { requests: 1, bytesPerRequest: 2, room: waits(10), transfer: waits(20), decodeQueue: null };
  expect(values(handoverRows, handover as Parameters<(typeof handoverRows)[0]["of"]>[0])).toEqual({
    handover_requests: 1,
    handover_bytes: 2,
    handover_room_mean: 10,
    handover_room_p50: 11,
    handover_room_p90: 12,
    handover_room_p99: 13,
    handover_transfer_mean: 20,
    handover_transfer_p50: 21,
    handover_transfer_p90: 22,
    handover_transfer_p99: 23,
    handover_decode_queue_mean: null,
    handover_decode_queue_p50: null,
    handover_decode_queue_p90: null,
    handover_decode_queue_p99: null,
  });
});
