import { performance } from "node:perf_hooks";
import fc from "fast-check";
import { afterEach, expect, test, vi } from "vitest";
import { Pace } from "../../../src/tui/engine/pace.ts";

afterEach(() => vi.restoreAllMocks());

/** A clock that is set by hand, ms. */
function handClock() {
  const clock = { ms: 1000 };
  vi.spyOn(performance, "now").mockImplementation(() => clock.ms);
  return clock;
}

test("a batch comes to take about 25 ms, however long a step takes", () => {
  for (const stepMs of [0.0001, 0.003, 0.4, 7, 300]) {
    const clock = handClock();
    const pace = new Pace();
    for (let i = 0; i < 40; i++) {
      clock.ms += pace.steps * stepMs;
      pace.batchDone();
      expect(pace.steps).toBeGreaterThanOrEqual(1);
      expect(pace.steps).toBeLessThanOrEqual(65_536);
    }
    const batchMs = pace.steps * stepMs;
    if (pace.steps > 1 && pace.steps < 65_536) expect(Math.abs(batchMs - 25) / 25).toBeLessThan(0.2);
  }
});

test("a run is shown ten times a second at most, and takes one part in forty of the time at most", () => {
  const showMs = fc.double({ min: 0, max: 50, noNaN: true });
  fc.assert(
    fc.property(showMs, (ms) => {
      const clock = handClock();
      const pace = new Pace();
      let shown = 0;
      const beganMs = clock.ms;
      while (clock.ms < beganMs + 20_000) {
        clock.ms += 25;
        if (!pace.batchDone()) continue;
        pace.showing(() => {
          clock.ms += ms;
          shown++;
        });
      }
      const tookMs = clock.ms - beganMs;
      expect(shown).toBeGreaterThan(0);
      expect(shown).toBeLessThanOrEqual(1 + tookMs / 100);
      expect(shown * ms).toBeLessThanOrEqual(ms + tookMs / 40);
    }),
  );
});

test("details are told once a second at most, and take one part in forty of the time at most", () => {
  fc.assert(
    fc.property(fc.double({ min: 0, max: 500, noNaN: true }), (ms) => {
      const clock = handClock();
      const pace = new Pace();
      let told = 0;
      const beganMs = clock.ms;
      while (clock.ms < beganMs + 100_000) {
        clock.ms += 25;
        pace.batchDone();
        if (!pace.detailsDue()) continue;
        pace.detailing(() => {
          clock.ms += ms;
          told++;
        });
        clock.ms += pace.steps;
        pace.batchDone();
        // Time that they took is no part of a batch.
        expect(pace.steps).toBeGreaterThan(1);
      }
      const tookMs = clock.ms - beganMs;
      expect(told).toBeGreaterThan(1);
      expect(told).toBeLessThanOrEqual(1 + tookMs / 1000);
      expect(told * ms).toBeLessThanOrEqual(ms + tookMs / 40);
    }),
  );
});

test("time in which a run stands still is none of its time, and no part of its next batch", () => {
  const clock = handClock();
  const pace = new Pace();
  clock.ms += 25;
  pace.batchDone();
  const { steps } = pace;
  clock.ms += 60_000;
  pace.stoodStill(60_000);
  expect(pace.wallMs).toBe(25);
  clock.ms += 25;
  pace.batchDone();
  expect(pace.steps).toBe(steps);
  expect(pace.wallMs).toBe(50);
});
