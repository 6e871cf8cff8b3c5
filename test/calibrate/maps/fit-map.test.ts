import { describe, expect, test } from "vitest";
import { type FitSample, fitMap, fitOnly, isHeldOut } from "../../../src/calibrate/maps/fit-map.ts";
import { Grid } from "../../../src/calibrate/maps/grid.ts";
import { solveCholesky } from "../../../src/core/cholesky.ts";
import { RandomStream } from "../../../src/core/random.ts";
import { EfficiencyLookup, type MapAxis } from "../../../src/hardware/efficiency-map.ts";

const axes: MapAxis[] = [
  { name: "tokens", knots: [1, 4, 16, 64, 256, 1024, 4096] },
  { name: "width", knots: [128, 512, 2048, 16384] },
];
const launchNs = 3000;
/** A kernel that ramps up in both directions, as tensor-core products do. */
const efficiency = (tokens: number, width: number) => (((0.8 * tokens) / (tokens + 40)) * width) / (width + 300);

function measured(count: number, noise: number): FitSample[] {
  const random = new RandomStream(7, "kernels");
  return Array.from({ length: count }, () => {
    const tokens = Math.round(2 ** (12 * random.uniform()));
    const width = Math.round(2 ** (7 + 7 * random.uniform()));
    const idealNs = 50 + (tokens * width) / 20;
    const ns = (launchNs + idealNs / efficiency(tokens, width)) * (1 + noise * random.normal());
    return { coordinates: [tokens, width], idealNs, ns, weight: 1, shape: `w${width}` };
  });
}

describe("the fit of a map", () => {
  test("recovers a known kernel within 2 %, also on shapes it has not seen", () => {
    const judged = fitMap(measured(3000, 0.01), axes);
    expect(judged.fitError.mean).toBeLessThan(0.02);
    expect(judged.heldOutError?.mean).toBeLessThan(0.02);
    expect(Math.abs(judged.fitError.bias)).toBeLessThan(0.005);
  });

  test("recovers a kernel that a map can express, launch time included", () => {
    const map = { axes, efficiency: Array.from({ length: 28 }, (_, i) => 0.1 + 0.03 * i) };
    const lookup = new EfficiencyLookup(map);
    const samples = measured(3000, 0).map((sample) => {
      const [a, b] = sample.coordinates;
      return { ...sample, ns: 2000 + sample.idealNs * lookup.slowdownAt(a, b) };
    });
    const fitted = fitOnly(samples, axes, { smoothing: 1e-6 });
    expect(fitted.launchNs / 2000).toBeCloseTo(1, 1);
    fitted.map.efficiency.forEach((share, i) => {
      expect(share / (map.efficiency[i] ?? NaN)).toBeCloseTo(1, 1);
    });
  });

  test("tells writes apart from the kernel they run beside, and takes them for free where there are none", () => {
    const random = new RandomStream(8, "writes");
    const clean = measured(2000, 0.01);
    const writing = clean.map((sample) => {
      const writes = Math.round(2 ** (14 * random.uniform()));
      return { ...sample, writes, ns: sample.ns + 3 * writes };
    });
    const fitted = fitMap(writing, axes);
    expect(fitted.writeNs).toBeGreaterThan(2.9);
    expect(fitted.writeNs).toBeLessThan(3.1);
    expect(fitted.heldOutError?.mean).toBeLessThan(0.02);
    const free = clean.map((sample, i) => ({ ...sample, writes: 1 + (i % 100) }));
    expect(fitOnly(free, axes).writeNs).toBeLessThan(0.5);
    expect(fitOnly(clean, axes).writeNs).toBe(0);
  });

  test("is not moved by a few wild measurements", () => {
    const clean = measured(2000, 0.01);
    const wild = clean.map((sample, i) => (i % 50 === 0 ? { ...sample, ns: sample.ns * 20 } : sample));
    const fitted = fitMap(wild, axes);
    expect(fitted.fitError.median).toBeLessThan(0.02);
  });

  test("settles between two times of one shape: by the logarithm on either, by the relative error on the shorter", () => {
    const two = measured(1000, 0).map((sample, i) => ({
      ...sample,
      coordinates: [],
      ns: (i % 2 === 0 ? 2 : 5) * sample.idealNs,
    }));
    const sharesOf = (relativeLoss: boolean) =>
      1 / (fitOnly(two, [], { launchNs: [0, 0], relativeLoss }).map.efficiency[0] ?? NaN);
    expect(sharesOf(true)).toBeLessThan(2.1);
    expect(sharesOf(false)).toBeGreaterThan(2.5);
    expect(sharesOf(false)).toBeLessThan(4.5);
  });

  test("never gives an efficiency above 1, even to times that beat the ideal", () => {
    const impossible = measured(500, 0).map((sample) => ({ ...sample, ns: sample.idealNs / 3 }));
    expect(Math.max(...fitOnly(impossible, axes).map.efficiency)).toBeLessThanOrEqual(1);
  });

  test("keeps a fixed launch time", () => {
    expect(fitOnly(measured(200, 0), axes, { launchNs: [1234, 1234] }).launchNs).toBe(1234);
  });

  test("without axes it is one efficiency", () => {
    const samples = measured(300, 0).map((sample) => ({ ...sample, coordinates: [], ns: sample.idealNs / 0.4 }));
    const fitted = fitOnly(samples, [], { launchNs: [0, 0] });
    expect(fitted.map.efficiency).toHaveLength(1);
    expect(fitted.map.efficiency[0]).toBeCloseTo(0.4, 6);
  });

  test("follows the shape of its prior where there are no data, at the ratio seen elsewhere", () => {
    const prior = { axes, efficiency: Array.from({ length: 28 }, (_, i) => 0.2 + 0.02 * i) };
    const lookup = new EfficiencyLookup(prior);
    const large = measured(2000, 0)
      .filter(({ coordinates: [tokens = 0] }) => tokens >= 512)
      .map((sample) => {
        const [a, b] = sample.coordinates;
        return { ...sample, ns: 2 * sample.idealNs * lookup.slowdownAt(a, b) };
      });
    const fitted = fitOnly(large, axes, { prior, launchNs: [0, 0] });
    fitted.map.efficiency.forEach((share, i) => {
      expect(share / (prior.efficiency[i] ?? NaN)).toBeCloseTo(0.5, 1);
    });
  });
});

describe("the split", () => {
  test("holds out whole shapes, about one in five", () => {
    const shapes = Array.from({ length: 2000 }, (_, i) => `bf16 n${128 * i} k${64 * (i % 40)}`);
    const share = shapes.filter(isHeldOut).length / shapes.length;
    expect(share).toBeGreaterThan(0.17);
    expect(share).toBeLessThan(0.23);
  });

  test("the held-out error is that of a map which never saw those shapes", () => {
    const samples = measured(600, 0.01);
    const spoiled = samples.map((sample) => (isHeldOut(sample.shape) ? { ...sample, ns: 3 * sample.ns } : sample));
    const judged = fitMap(spoiled, axes);
    expect(judged.heldOutError?.bias).toBeCloseTo(-2 / 3, 1);
    expect(judged.heldOutError?.rows).toBe(samples.filter(({ shape }) => isHeldOut(shape)).length);
    expect(judged.rows).toBe(600);
  });

  test("with fewer than five shapes nothing is held out", () => {
    const few = measured(50, 0).map((sample, i) => ({ ...sample, shape: `s${i % 4}` }));
    expect(fitMap(few, axes).heldOutError).toBeNull();
  });
});

describe("the grid", () => {
  test("interpolates with the weights that the look-up uses", () => {
    const grid = new Grid(axes);
    const values = Array.from({ length: grid.nodes }, (_, i) => 0.05 + 0.03 * i);
    const lookup = new EfficiencyLookup({ axes, efficiency: values });
    for (const point of [
      [1, 128],
      [3, 500],
      [4096, 16384],
      [9999, 1],
      [64, 2000],
    ]) {
      const nodes = new Int32Array(grid.corners);
      const weights = new Float64Array(grid.corners);
      grid.locate(point, nodes, weights, 0);
      const log = nodes.reduce((sum, node, i) => sum + (weights[i] ?? NaN) * Math.log(values[node] ?? NaN), 0);
      expect(Math.exp(log) * lookup.slowdownAt(point[0], point[1])).toBeCloseTo(1, 12);
    }
  });

  test("its roughness is zero for a plane over the octaves in bend, and for a constant in slope", () => {
    const grid = new Grid(axes);
    const form = (matrix: Float64Array, x: number[]) =>
      x.reduce(
        (sum, a, i) =>
          sum + x.reduce((part, b, j) => part + a * b * (matrix[Math.max(i, j) * grid.nodes + Math.min(i, j)] ?? 0), 0),
        0,
      );
    const plane = Array.from({ length: grid.nodes }, (_, node) => {
      const [a = 1, b = 1] = grid.pointOf(node);
      return 3 * Math.log2(a) - 2 * Math.log2(b) + 1;
    });
    const bend = new Float64Array(grid.nodes ** 2);
    grid.addRoughness(bend, grid.nodes, 1, 0);
    expect(form(bend, plane)).toBeCloseTo(0, 6);
    const slope = new Float64Array(grid.nodes ** 2);
    grid.addRoughness(slope, grid.nodes, 0, 1);
    expect(
      form(
        slope,
        Array.from({ length: grid.nodes }, () => 5),
      ),
    ).toBeCloseTo(0, 9);
    // 24 differences of slope 3 along the tokens, 21 of slope 2 along the width.
    expect(form(slope, plane)).toBeCloseTo(24 * 9 + 21 * 4, 6);
  });
});

test("the solver solves", () => {
  const a = [4, 0, 0, 2, 5, 0, 1, 3, 6];
  const x = [1, -2, 3];
  const full = (i: number, j: number) => a[Math.max(i, j) * 3 + Math.min(i, j)] ?? 0;
  const b = Float64Array.from(x, (_, i) => x.reduce((sum, value, j) => sum + full(i, j) * value, 0));
  const solved = solveCholesky(Float64Array.from(a), b);
  x.forEach((value, i) => {
    expect(solved[i]).toBeCloseTo(value, 10);
  });
});
