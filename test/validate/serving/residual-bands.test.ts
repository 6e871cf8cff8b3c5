import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { type Residual, setupScales, unseenScales } from "../../../src/validate/serving/residual-bands.ts";

const residuals: fc.Arbitrary<Residual[]> = fc.array(
  fc.record({
    setup: fc.constantFrom("a", "b", "c"),
    part: fc.constantFrom("p", "q", "r", "s"),
    log: fc.integer({ min: -900, max: 900 }).map((n) => n / 1000),
  }),
  { minLength: 1, maxLength: 60 },
);

describe("the scale of a setup", () => {
  test("approaches its own median error relative to all as parts are added, not points", () => {
    // Errors of .1 and .3 in equal numbers: the median of all is .2.
    const of = (parts: number, points: number) =>
      setupScales(
        [0.1, -0.3].flatMap((log, g) =>
          Array.from({ length: parts * points }, (_, i) => ({ setup: `${g}`, part: `${g}.${i % parts}`, log })),
        ),
      );
    for (const points of [1, 50])
      for (const parts of [1, 4, 400]) {
        const shrunk = (own: number) => (parts * own + 5 * 0.2) / (parts + 5) / 0.2;
        expect(of(parts, points).get("0")).toBeCloseTo(shrunk(0.1), 9);
        expect(of(parts, points).get("1")).toBeCloseTo(shrunk(0.3), 9);
      }
    expect(of(400, 1).get("1")).toBeCloseTo(1.5, 1);
  });

  test("of a residual is not its own", () => {
    const quiet = Array.from({ length: 30 }, (_, i) => ({ setup: "g", part: `${i % 3}`, log: 0.1 }));
    const loud = { setup: "g", part: "loud", log: 9 };
    const at = (list: readonly Residual[]) => unseenScales([loud], list)[0];
    expect(at([...quiet, loud, loud])).toBeCloseTo(1, 12);
    expect(at([])).toBe(1);
  });

  test("is 1 where there is one setup", () => {
    fc.assert(
      fc.property(residuals, (list) => {
        const one = list.map((residual) => ({ ...residual, setup: "only" }));
        expect(setupScales(one).get("only") ?? 1).toBeCloseTo(1, 12);
      }),
    );
  });
});
