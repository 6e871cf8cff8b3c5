import { describe, expect, test } from "vitest";
import { rungsOf } from "../../../src/plan/search/rungs.ts";
import { questionOf } from "../worlds.ts";

/** Samples that are shorter than all requests. */
const samples = async (...settings: string[]) => {
  const question = await questionOf(settings);
  const all = question.traffic.requests.count;
  return rungsOf(question).flatMap(({ requests }) => (requests < all ? [requests] : []));
};

describe("samples of a question", () => {
  test("grow, and none is too short to say anything", async () => {
    expect(await samples("traffic.requests=10000")).toEqual([157, 625, 2500]);
    expect(await samples("traffic.requests=300")).toEqual([]);
    const closed = await samples("traffic.requests=10000", "traffic.arrivals={kind: closed, maxConcurrency: 100}");
    expect(Math.min(...closed)).toBeGreaterThanOrEqual(400);
  });

  test("are no busier than all requests: a peak at the beginning excludes nothing that keeps up with the whole", async () => {
    const peak = "stages: [{ rate: 400/s, duration: 1s }, { rate: 5/s, duration: 1000s }]";
    expect(await samples("traffic.requests=2000", `traffic.arrivals={ kind: stages, ${peak} }`)).toEqual([]);
    const rising = "stages: [{ rate: 5/s, duration: 100s }, { rate: 400/s, duration: 1000s }]";
    expect(await samples("traffic.requests=2000", `traffic.arrivals={ kind: stages, ${rising} }`)).toEqual([125, 500]);
  });
});
