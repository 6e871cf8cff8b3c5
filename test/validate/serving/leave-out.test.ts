import { describe, expect, test } from "vitest";
import { fitServing } from "../../../src/calibrate/engine/fit-serving.ts";
import { figuresOf } from "../../../src/calibrate/engine/serving-figures.ts";
import { servingSamples } from "../../../src/calibrate/engine/serving-samples.ts";
import type { ServingPoint } from "../../../src/calibrate/measured/serving-point.ts";
import { engineNamed } from "../../../src/engine/catalogue.ts";
import { type LeftOut, leaveOut, leftOutKeys } from "../../../src/validate/serving/leave-out.ts";
import { smallPoint } from "../../calibrate/simulated-points.ts";
import { further } from "../../drawn.ts";

const slow = { model: "openai/gpt-oss-120b", precision: "fp4" };
/** Two models, two systems, two engines, two layouts, each with made-up times. */
const points: ServingPoint[] = [
  smallPoint(),
  smallPoint({ concurrency: 16 }),
  smallPoint({ system: "h200_sxm" }),
  smallPoint({ tp: 1, etp: 1, devices: 1 }),
  smallPoint({ engine: "sglang", version: "0.5.9" }),
  smallPoint({ ...slow, engine: "sglang", version: "0.5.9" }),
  smallPoint(slow),
  smallPoint({ ...slow, system: "h200_sxm" }),
].map((point, i) => ({ ...point, tpotMs: 6 + i, ttftMs: 90 + 10 * i, line: i + 2 }));

/** All points are of one architecture, so that each is near every other. */
const kinds = (Object.keys(leftOutKeys) as LeftOut[]).filter((kind) => kind !== "near");
const someKinds = [...kinds.slice(0, 2), ...further(kinds.slice(2))];

describe("engines fitted without what they forecast", () => {
  test.each(someKinds)(
    "left out by %s, the measured values of a part change other forecasts and never its own",
    (kind) => {
      const keyOf = leftOutKeys[kind];
      const before = leaveOut(points, kind);
      for (const left of [...new Set(points.map(keyOf))].slice(0, 1)) {
        const changed = points.map((point) =>
          keyOf(point) === left
            ? { ...point, tpotMs: 1.5 * (point.tpotMs ?? 0), ttftMs: 2 * (point.ttftMs ?? 0) }
            : point,
        );
        const after = leaveOut(changed, kind);
        for (const [i, point] of points.entries()) {
          const pair = [before(point), after(changed[i] as ServingPoint)];
          if (keyOf(point) === left) expect(pair[1]).toEqual(pair[0]);
          else expect(pair[1]).not.toEqual(pair[0]);
        }
      }
    },
  );

  test.each(someKinds)("left out by %s, releases of one shape and other spellings are one part", (kind) => {
    const [point] = points as [ServingPoint];
    const names = { model: "Qwen/Qwen3-30B-A3B-Instruct-2507", system: "h100-sxm-8", engine: "vLLM" };
    const forecast = (tpotMs: number) => leaveOut([...points, { ...point, ...names, line: 99, tpotMs }], kind)(point);
    expect(forecast(5)).toEqual(forecast(15));
  });

  test("left out with what is near, only points of another model, architecture and engine change a forecast", () => {
    const [point] = points;
    const far = { ...smallPoint({ ...slow, engine: "sglang", version: "0.5.9", system: "b200_sxm" }), line: 99 };
    const forecast = (other: ServingPoint) => leaveOut([...points, other], "near")(point as ServingPoint);
    const slower = { tpotMs: 3 * (far.tpotMs ?? 0) };
    expect(forecast({ ...far, ...slower })).not.toEqual(forecast(far));
    for (const near of [{ engine: "vllm" }, { system: "h200_sxm" }, { model: point?.model ?? "", precision: "fp8" }]) {
      const one = { ...far, ...near };
      expect(forecast({ ...one, ...slower })).toEqual(forecast(one));
    }
  });

  test.each(someKinds)(
    "left out by %s, TTFTs change the handling of requests of other parts, and nothing else",
    (kind) => {
      const keyOf = leftOutKeys[kind];
      const left = keyOf(points[0] as ServingPoint);
      const later = points.map((point) =>
        keyOf(point) === left ? { ...point, ttftMs: 2 * (point.ttftMs ?? 0) } : point,
      );
      const [stated, doubled] = [leaveOut(points, kind), leaveOut(later, kind)];
      for (const [i, point] of points.entries()) {
        const [a, b] = [stated(point), doubled(later[i] as ServingPoint)];
        if (keyOf(point) === left) expect(b).toEqual(a);
        else {
          expect(b?.requestOverheadNs).toBeGreaterThan(a?.requestOverheadNs ?? 0);
          expect({ ...b, requestOverheadNs: 0, promptTokenDelayNs: 0 }).toEqual({
            ...a,
            requestOverheadNs: 0,
            promptTokenDelayNs: 0,
          });
        }
      }
    },
  );

  test("an engine that no other point names has the figures common to engines", () => {
    const others = points.filter(({ engine }) => engine !== "sglang");
    const { common } = fitServing(servingSamples(others));
    const point = points.find(({ engine }) => engine === "sglang") as ServingPoint;
    expect(leaveOut(points, "engine")(point)).toMatchObject({ id: "sglang", ...figuresOf(common) });
  });

  test("what is not fitted stays as committed", () => {
    const { defaults, mixesPrefillWithDecode, expertExchange } = engineNamed("vllm");
    expect(leaveOut(points, "model")(points[0] as ServingPoint)).toMatchObject({
      id: "vllm",
      defaults,
      mixesPrefillWithDecode,
      expertExchange,
    });
  });

  test("there is none for an engine that is not known", () => {
    const strange = smallPoint({ engine: "toyserve" });
    expect(leaveOut([...points, strange], "model")(strange)).toBeNull();
  });
});
