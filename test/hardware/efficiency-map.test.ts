import fc from "fast-check";
import { expect, test } from "vitest";
import { EfficiencyLookup, type EfficiencyMap } from "../../src/hardware/efficiency-map.ts";

/** Maps of 0 to 4 axes with random knots and efficiencies. */
const efficiencyMap: fc.Arbitrary<EfficiencyMap> = fc
  .array(fc.uniqueArray(fc.integer({ min: 1, max: 100_000 }), { minLength: 1, maxLength: 4 }), { maxLength: 4 })
  .chain((axes) => {
    const nodes = axes.reduce((product, knots) => product * knots.length, 1);
    return fc.record({
      axes: fc.constant(axes.map((knots, i) => ({ name: `axis ${i}`, knots: knots.toSorted((a, b) => a - b) }))),
      efficiency: fc.array(fc.double({ min: 0.01, max: 1, noNaN: true }), { minLength: nodes, maxLength: nodes }),
    });
  });
const point = fc.array(fc.double({ min: 0.1, max: 1e6, noNaN: true }), { minLength: 4, maxLength: 4 });

/** By the definition: one axis after the other, ln(efficiency) linear in log2 of the coordinate, constant outside. */
function naive(map: EfficiencyMap, [value = 1, ...others]: readonly number[]): number {
  const [axis, ...axes] = map.axes;
  if (axis === undefined) return map.efficiency[0] ?? NaN;
  const size = map.efficiency.length / axis.knots.length;
  const slice = (i: number) => naive({ axes, efficiency: map.efficiency.slice(i * size, (i + 1) * size) }, others);
  const above = axis.knots.findIndex((knot) => knot >= value);
  if (above === 0) return slice(0);
  if (above === -1) return slice(axis.knots.length - 1);
  const [from = NaN, to = NaN] = axis.knots.slice(above - 1, above + 1);
  const share = Math.log2(value / from) / Math.log2(to / from);
  return slice(above - 1) ** (1 - share) * slice(above) ** share;
}

test("a look-up is the naive interpolation axis by axis", () => {
  fc.assert(
    fc.property(efficiencyMap, point, (map, [a = 1, b = 1, c = 1, d = 1]) => {
      const slowdown = new EfficiencyLookup(map).slowdownAt(a, b, c, d);
      expect(slowdown * naive(map, [a, b, c, d])).toBeCloseTo(1, 9);
    }),
  );
});

test("a look-up does not depend on those before it, NaN and infinity among them", () => {
  fc.assert(
    fc.property(efficiencyMap, point, point, (map, before, [a = 1, b = 1, c = 1, d = 1]) => {
      const used = new EfficiencyLookup(map);
      for (const value of [...before, Infinity, NaN, 0]) used.slowdownAt(value, value, value, value);
      const [e = 1, f = 1, g = 1, h = 1] = before;
      used.slowdownAt(e, f, g, h);
      expect(used.slowdownAt(a, b, c, d)).toBe(new EfficiencyLookup(map).slowdownAt(a, b, c, d));
    }),
  );
});

test("on the knots a look-up gives the efficiencies of the map", () => {
  const map: EfficiencyMap = {
    axes: [
      { name: "tokens", knots: [1, 64, 4096] },
      { name: "width", knots: [128, 1024] },
    ],
    efficiency: [0.1, 0.2, 0.3, 0.4, 0.5, 0.6],
  };
  const lookup = new EfficiencyLookup(map);
  const found = [1, 64, 4096].flatMap((tokens) => [128, 1024].map((width) => 1 / lookup.slowdownAt(tokens, width)));
  found.forEach((share, i) => {
    expect(share).toBeCloseTo(map.efficiency[i] ?? NaN, 12);
  });
});

test("halfway between two knots in the logarithm stands their geometric mean", () => {
  const lookup = new EfficiencyLookup({ axes: [{ name: "tokens", knots: [4, 64] }], efficiency: [0.1, 0.9] });
  expect(1 / lookup.slowdownAt(16)).toBeCloseTo(0.3, 12);
});

test("a look-up stays between the least and the largest efficiency of the map, also far outside", () => {
  fc.assert(
    fc.property(efficiencyMap, point, (map, [a = 1, b = 1, c = 1, d = 1]) => {
      const share = 1 / new EfficiencyLookup(map).slowdownAt(a * 1e9, b / 1e9, c, d);
      expect(share).toBeGreaterThanOrEqual(Math.min(...map.efficiency) * (1 - 1e-12));
      expect(share).toBeLessThanOrEqual(Math.max(...map.efficiency) * (1 + 1e-12));
    }),
  );
});

test("coordinates beyond the axes of a map do not matter", () => {
  const lookup = new EfficiencyLookup({ axes: [{ name: "tokens", knots: [1, 8] }], efficiency: [0.2, 0.8] });
  expect(lookup.slowdownAt(3, 5, 7, 9)).toBe(lookup.slowdownAt(3));
  expect(new EfficiencyLookup({ axes: [], efficiency: [0.25] }).slowdownAt(3, 5)).toBeCloseTo(4, 12);
});
