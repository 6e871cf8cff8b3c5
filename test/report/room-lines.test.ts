import { expect, test } from "vitest";
import { roomLines } from "../../src/report/forecast-pools.ts";

test("decode pools lack room where requests wait longer for it than for all else between the pools", () => {
  const waits = (mean: number) => ({ mean, p50: mean, p90: mean, p99: mean });
  const pools = [
    { name: "p", role: "prefill", kv: { peakShare: 0.2 } },
    { name: "d", role: "decode", kv: { peakShare: 0.75 } },
  ];
  const lines = (room: number) =>
    roomLines({
      pools,
      handover: { room: waits(room), transfer: waits(5), decodeQueue: waits(4) },
    } as unknown as Parameters<typeof roomLines>[0]);
  expect(lines(9)).toEqual([]);
  expect(lines(10)).toEqual([
    expect.stringMatching(/decode pools lack room.*10.*\(d, KV pool at most 75(\.0)?% in use\)/),
  ]);
  expect(roomLines({} as Parameters<typeof roomLines>[0])).toEqual([]);
});
