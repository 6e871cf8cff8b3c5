import { expect, test } from "vitest";
import { bandsOfPoint } from "../../../src/validate/serving/point-bands.ts";
import { validateServing } from "../../../src/validate/serving/validate-serving.ts";
import { servingPoint } from "../../calibrate/example-points.ts";

const point = servingPoint({
  model: "openai/gpt-oss-120b",
  system: "h200_sxm",
  precision: "fp4",
  promptTokens: 64,
  outputTokens: 16,
  concurrency: 2,
});

test("a validated point carries the band of its forecast; a TTFT of queueing has none", async () => {
  const queueing = { ...point, ttftMs: 6000, line: 3 };
  const { points, bands } = await validateServing([point, queueing], { leaveOut: null, observed: [], inputs: [] });
  const { tpot, ttft } = bandsOfPoint(point, null, false);
  expect(points).toHaveLength(2);
  for (const { tpot: found } of points) {
    expect(found?.lowMs).toBeCloseTo((found?.predictedMs ?? 0) * tpot[0], 9);
    expect(found?.highMs).toBeCloseTo((found?.predictedMs ?? 0) * tpot[1], 9);
  }
  expect(points[0]?.ttft?.highMs).toBeCloseTo((points[0]?.ttft?.predictedMs ?? 0) * ttft[1], 9);
  expect(points[1]?.ttft).toMatchObject({ lowMs: null, highMs: null });
  expect([bands?.tpot.points, bands?.ttft.points]).toEqual([2, 1]);
});

test("a point that another speaks for has the band of observed series", async () => {
  const observed = [{ ...point, concurrency: 4, line: 3 }];
  const { points } = await validateServing([point], { leaveOut: null, observed, inputs: [] });
  const { tpot } = bandsOfPoint(point, null, true);
  expect(points[0]?.tpot?.lowMs).toBeCloseTo((points[0]?.tpot?.predictedMs ?? 0) * tpot[0], 9);
  expect(tpot).not.toEqual(bandsOfPoint(point, null, false).tpot);
});
