import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { dayHours, devicesOver, worstHour } from "../../../src/plan/day/day-hours.ts";
import { type RequestRows, requestStatus } from "../../../src/sim/result.ts";
import { drawn } from "../../drawn.ts";

/** Requests by arrival and TTFT; all are over one token later. */
function rowsOf(requests: readonly { at: number; ttft: number; status?: number }[], warmup = 0): RequestRows {
  const of = (value: (row: (typeof requests)[number]) => number) => Float64Array.from(requests, value);
  const n = requests.length;
  return {
    count: n,
    status: Uint8Array.from(requests, ({ status = requestStatus.completed }) => status),
    arrivalNs: of(({ at }) => at),
    scheduledNs: of(({ at }) => at),
    firstTokenNs: of(({ at, ttft }) => at + ttft),
    lastTokenNs: of(({ at, ttft }) => at + ttft + 1),
    promptTokens: new Uint32Array(n).fill(1),
    cachedTokens: new Uint32Array(n),
    outputTokens: new Uint32Array(n).fill(2),
    classOf: new Uint16Array(n),
    classes: ["default"],
    replicaOf: new Uint16Array(n),
    preemptions: new Uint16Array(n),
    warmup,
  };
}

describe("the hours of a day", () => {
  test("count each request in the hour of its arrival, and those that are late, unfinished or neither", () => {
    const rows = rowsOf([
      { at: 0, ttft: 5 },
      { at: 9, ttft: 11 },
      { at: 10, ttft: 10 },
      { at: 12, ttft: 3, status: requestStatus.running },
      { at: 35, ttft: 1, status: requestStatus.rejected },
    ]);
    const hours = dayHours({ requests: rows, endNs: 40 }, [[{ atNs: 0, devices: 2 }]], { ttft: 10 }, 10);
    expect(hours.map(({ requests, misses }) => [requests, misses])).toEqual([
      [2, 1],
      [2, 1],
      [0, 0],
      [0, 0],
    ]);
    expect(hours.every(({ meanDevices, mostDevices }) => meanDevices === 2 && mostDevices === 2)).toBe(true);
    expect(worstHour(hours)).toBe(0);
    expect(worstHour(hours.slice(2))).toBeNull();
  });

  test("leave out the warm-up, and put what comes at the very end into the last one", () => {
    const rows = rowsOf(
      [
        { at: 0, ttft: 50 },
        { at: 20, ttft: 0 },
      ],
      1,
    );
    expect(dayHours({ requests: rows, endNs: 20 }, [], { ttft: 10 }, 10)).toMatchObject([
      { requests: 0, misses: 0 },
      { requests: 1, misses: 0 },
    ]);
    expect(dayHours({ requests: rowsOf([]), endNs: 0 }, [], { ttft: 1 }, 10)).toHaveLength(1);
  });

  test("add up to all requests, all misses and all device time, whatever their length", () => {
    const changes = fc.array(fc.record({ gap: fc.integer({ min: 1, max: 40 }), devices: fc.nat(9) }), {
      maxLength: 20,
    });
    const requests = fc.array(fc.record({ at: fc.nat(300), ttft: fc.nat(30) }), { maxLength: 40 });
    fc.assert(
      fc.property(changes, requests, fc.integer({ min: 1, max: 400 }), fc.nat(100), (gaps, arrivals, hourNs, more) => {
        let atNs = 0;
        const later = gaps.map(({ gap, devices }) => {
          atNs += gap;
          return { atNs, devices };
        });
        const steps = [{ atNs: 0, devices: 3 }, ...later];
        const rows = rowsOf(arrivals.sort((a, b) => a.at - b.at));
        const endNs = Math.max(atNs, ...arrivals.map(({ at, ttft }) => at + ttft + 1)) + more;
        const hours = dayHours({ requests: rows, endNs }, [steps], { ttft: 10 }, hourNs);
        const sum = (of: (hour: (typeof hours)[number], i: number) => number) =>
          hours.reduce((total, hour, i) => total + of(hour, i), 0);
        expect(sum(({ requests: arrived }) => arrived)).toBe(arrivals.length);
        expect(sum(({ misses }) => misses)).toBe(arrivals.filter(({ ttft }) => ttft > 10).length);
        const deviceNs = steps.reduce(
          (total, step, i) => total + step.devices * ((steps[i + 1]?.atNs ?? endNs) - step.atNs),
          0,
        );
        const length = (i: number) => Math.min(endNs, (i + 1) * hourNs) - i * hourNs;
        expect(sum(({ meanDevices }, i) => meanDevices * length(i))).toBeCloseTo(deviceNs, 6);
        for (const { meanDevices, mostDevices } of hours) expect(meanDevices).toBeLessThanOrEqual(mostDevices + 1e-9);
      }),
      { numRuns: drawn(200), seed: 1 },
    );
  });

  test("count devices of every replica that is not off", () => {
    const changes = [{ atNs: 0, starting: 1, serving: 2, draining: 3 }];
    expect(devicesOver(changes, 9, 4)).toEqual([{ atNs: 0, devices: 24 }]);
    expect(devicesOver(null, 9, 4)).toEqual([{ atNs: 0, devices: 36 }]);
  });
});
