import { describe, expect, test } from "vitest";
import { closedLoop, closedLoopTpotNs, closedLoopTtftNs } from "../../../src/calibrate/engine/closed-loop.ts";
import { handledNs } from "../../../src/calibrate/engine/request-handling.ts";
import { logsOf } from "../../../src/calibrate/engine/serving-figures.ts";
import { fitObserved } from "../../../src/calibrate/observed/observed-fit.ts";
import type { ObservedLoad } from "../../../src/calibrate/observed/observed-loads.ts";
import { misfit } from "../../../src/calibrate/observed/observed-misfit.ts";
import type { Adjusted, ShownLoad } from "../../../src/calibrate/observed/shown-load.ts";
import { unreachedText } from "../../../src/calibrate/observed/unreached.ts";
import { engineNamed } from "../../../src/engine/catalogue.ts";
import { configOf, smallPoint } from "../simulated-points.ts";

const base = engineNamed("vllm", smallPoint().version);
const config = configOf(smallPoint({ concurrency: 8, outputTokens: 64 }));
const loop = closedLoop(config);

type Show = (load: ObservedLoad, adjusted: Adjusted) => ShownLoad;

/** A deployment as its steady state has it. */
const steady: Show = (_, { engine, fetchFactor }) => {
  const values = logsOf(engine).map(Math.exp);
  return {
    tpotMs: closedLoopTpotNs(loop, values) / 1e6 + 10 * fetchFactor * share,
    ttftMs: (closedLoopTtftNs(loop, values) + handledNs(engine, 58)) / 1e6,
    wait: "none",
    fetchShare:
      share === 0 ? 0 : (10 * fetchFactor * share) / (closedLoopTpotNs(loop, values) / 1e6 + 10 * fetchFactor * share),
  };
};
let share = 0;

const own = steady(undefined as never, { engine: base, fetchFactor: 1 });
const loadOf = (tpotRatio: number, ttftRatio: number | null = null): ObservedLoad => ({
  name: "8 clients",
  file: "folder/mine.csv",
  line: 7,
  closed: config,
  served: config,
  reading: { kind: "counted", tpot: "mean", ttft: "mean" },
  tpotMs: tpotRatio * own.tpotMs,
  ttftMs: ttftRatio === null ? null : ttftRatio * own.ttftMs,
  weight: 1,
});

describe("rounds of adjusting to observed loads", () => {
  test("end with the one that came closest, not with the last", () => {
    const load = loadOf(1.2);
    // The first round comes close; whatever is tried from there leads away.
    let calls = 0;
    const shown: ShownLoad[] = [];
    const astray: Show = (of, adjusted) => {
      const ratio = [1, 1.15, 1.6, 0.7, 2][calls++] ?? 3;
      const { ttftMs } = steady(of, adjusted);
      shown.push({ tpotMs: ratio * own.tpotMs, ttftMs, wait: "none", fetchShare: 0 });
      return shown.at(-1)!;
    };
    const fit = fitObserved(base, [load], astray);
    expect(shown.length).toBeGreaterThan(2);
    expect(fit.after).toEqual([shown[1]]);
    const misfits = shown.map((each) => misfit([load], [each]));
    expect(misfit([load], fit.after)).toBe(Math.min(...misfits));
  });

  test("leave the engine as it is when every one leads away", () => {
    let calls = 0;
    const worse: Show = (of, adjusted) => ({ ...steady(of, adjusted), tpotMs: (calls++ === 0 ? 1 : 2) * own.tpotMs });
    const fit = fitObserved(base, [loadOf(1.2)], worse);
    expect(fit.engine).toBe(base);
    expect(fit.after).toEqual(fit.before);
  });

  test("are none where the load is shown already", () => {
    let calls = 0;
    const counting: Show = (of, adjusted) => {
      calls++;
      return steady(of, adjusted);
    };
    expect(fitObserved(base, [loadOf(1, 1)], counting).engine).toBe(base);
    expect(calls).toBe(1);
  });

  test("do not take what comes closer against the figures: a loop with two steady states", () => {
    // The first round, of shorter figures, falls into the other state; the next, of longer ones, meets the point there.
    const ratios = [1, 0.25, 0.62];
    const tried: number[] = [];
    const flips: Show = (of, adjusted) => {
      tried.push(adjusted.engine.kernelExcess);
      return { ...steady(of, adjusted), tpotMs: (ratios[tried.length - 1] ?? 3) * own.tpotMs };
    };
    const fit = fitObserved(base, [loadOf(0.6)], flips);
    expect(tried[1]).toBeLessThan(base.kernelExcess);
    expect(tried[2]).toBeGreaterThan(base.kernelExcess);
    expect(fit.engine).toBe(base);
  });

  test("do not take what passes the point: it lies between two steady states", () => {
    let calls = 0;
    const between: Show = (of, adjusted) => ({
      ...steady(of, adjusted),
      tpotMs: (calls++ === 0 ? 1.6 : 0.85) * own.tpotMs,
    });
    const load = loadOf(1);
    const fit = fitObserved(base, [load], between);
    expect(calls).toBeGreaterThan(1);
    expect(fit.engine).toBe(base);
    expect(unreachedText([load], fit.after)).toContain("cannot be reached");
  });
});

describe("an observed TTFT", () => {
  test("beyond what was forecast is handling, and below the prefill alone makes the prefill shorter", () => {
    const late = fitObserved(base, [loadOf(1, 1.5)], steady);
    expect(late.engine.requestOverheadNs).toBeGreaterThan(1.2 * base.requestOverheadNs);
    expect(late.after[0]!.ttftMs / (1.5 * own.ttftMs)).toBeGreaterThan(0.95);
    const prefillShare = 1 - handledNs(base, 58) / 1e6 / own.ttftMs;
    const early = fitObserved(base, [loadOf(1, 0.8 * prefillShare)], steady);
    expect(early.engine.prefillExcess).toBeLessThan(0.95 * base.prefillExcess);
    expect(early.engine.requestOverheadNs).toBeLessThan(0.5 * base.requestOverheadNs);
    expect(Math.abs(early.after[0]!.tpotMs / own.tpotMs - 1)).toBeLessThan(0.05);
  });

  test("that nothing explains is told with its place and both values, and bends no TPOT", () => {
    const load = loadOf(1.1, 0.02);
    const fit = fitObserved(base, [load], steady);
    expect(Math.abs(fit.after[0]!.tpotMs / load.tpotMs - 1)).toBeLessThan(0.05);
    const text = unreachedText([load], fit.after);
    expect(text).toMatch(
      /^the observed point cannot be reached: TTFT forecast [\d.]+ ms, observed [\d.]+ \S+ \(mine\.csv:7: 8 clients\)$/,
    );
    expect(unreachedText([loadOf(1.1)], fit.after)).toBeNull();
  });

  test("says nothing of anything while its requests wait for a place", () => {
    const queued: Show = (of, adjusted) => ({ ...steady(of, adjusted), wait: "place" });
    const [with1, without] = [loadOf(1.2, 9), loadOf(1.2)].map((load) => fitObserved(base, [load], queued).engine);
    expect(with1).toEqual(without);
  });
});

describe("several observed loads", () => {
  const loads = [1, 8, 64].map((concurrency, i): ObservedLoad => {
    const closed = configOf(smallPoint({ concurrency, outputTokens: 64 }));
    const steadyMs = closedLoopTpotNs(closedLoop(closed), logsOf(base).map(Math.exp)) / 1e6;
    return { ...loadOf(1), closed, served: closed, tpotMs: [1.3, 1.1, 1.2][i]! * steadyMs };
  });
  const ofLoad: Show = ({ closed }, { engine }) => ({
    tpotMs: closedLoopTpotNs(closedLoop(closed), logsOf(engine).map(Math.exp)) / 1e6,
    ttftMs: 50,
    wait: "none",
    fetchShare: 0,
  });

  test("are never shown worse by all of them than by one", () => {
    const shownBy = (given: readonly ObservedLoad[]) => {
      const fit = fitObserved(base, given, ofLoad);
      return misfit(
        loads,
        loads.map((load) => ofLoad(load, fit)),
      );
    };
    const all = shownBy(loads);
    for (const load of loads) expect(all).toBeLessThanOrEqual(shownBy([load]) + 1e-9);
    expect(all).toBeLessThanOrEqual(shownBy(loads.slice(0, 2)) + 1e-9);
  });
});

describe("waits for experts", () => {
  test("take what an observed TPOT says of a deployment that spends its time on them", () => {
    share = 10;
    const before = steady(undefined as never, { engine: base, fetchFactor: 1 });
    const load = { ...loadOf(1), tpotMs: 1.3 * before.tpotMs };
    const fit = fitObserved(base, [load], steady);
    share = 0;
    expect(fit.fetchFactor).toBeGreaterThan(1.25);
    expect(fit.fetchFactor).toBeLessThan(1.4);
    expect(fit.engine.kernelExcess / base.kernelExcess).toBeCloseTo(1, 2);
    expect(Math.abs(fit.after[0]!.tpotMs / load.tpotMs - 1)).toBeLessThan(0.01);
  });

  test("are none without experts in host memory: the factor stays 1", () => {
    expect(fitObserved(base, [loadOf(1.3)], steady).fetchFactor).toBe(1);
  });
});
