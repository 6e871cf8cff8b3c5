import { describe, expect, test } from "vitest";
import { RandomStream } from "../../src/core/random.ts";
import { further } from "../drawn.ts";
import { queueingCases } from "./queueing/cases.ts";
import { controlledMean } from "./queueing/control-variates.ts";
import { estimate } from "./queueing/estimate.ts";
import { lawViolations } from "./queueing/laws.ts";

const replications = 40;
const customers = 5_000;

describe.each(Object.entries(queueingCases))("%s", (name, model) => {
  test.each([0.8, ...further([0.5])])("agrees with its closed form at utilisation %s", (rho) => {
    const exactNs = model.exactNs(rho);
    const result = estimate(model, rho, replications, customers, new RandomStream(1, `${name} ${rho}`));
    expect(Math.abs(result.meanNs - exactNs)).toBeLessThanOrEqual(0.02 * exactNs);
    expect(Math.abs(result.meanNs - exactNs)).toBeLessThanOrEqual(result.halfWidthNs);
    expect(lawViolations(model, result.observations)).toEqual([]);
    const busyShares = result.observations.map((o) => o.busyNs / o.endNs / model.servers);
    expect(Math.abs(busyShares.reduce((sum, share) => sum + share) / replications - rho)).toBeLessThan(0.01 * rho);
  });
});

test("the closed forms give their textbook values", () => {
  const ms = (name: keyof typeof queueingCases, rho: number) => queueingCases[name].exactNs(rho) / 1e6;
  expect(ms("M/M/1", 0.8)).toBeCloseTo(5, 12);
  expect(ms("M/D/1", 0.8)).toBeCloseTo(3, 12);
  // Erlang C for 4 servers offered 3.2: 0.5964 (any table); W = 1 + C / (4 * 0.2).
  expect(ms("M/M/4", 0.8)).toBeCloseTo(1.7455, 4);
  expect(ms("M/H2/1", 0.8)).toBeCloseTo(7, 12);
});

test("control variates remove what they explain and leave the expectation alone", () => {
  const random = new RandomStream(7, "controls");
  const controls = Array.from({ length: 200 }, () => [random.normal(), random.normal(), 0]);
  const values = controls.map(([a = 0, b = 0]) => 5 + 3 * a - 2 * b + 0.01 * random.normal());
  const plain = controlledMean(values, [], 0.99);
  const controlled = controlledMean(values, controls, 0.99);
  expect(Math.abs(controlled.mean - 5)).toBeLessThan(controlled.halfWidth);
  expect(controlled.halfWidth).toBeLessThan(plain.halfWidth / 100);
});

test("a 99 % interval after control variates covers the truth about 99 times in 100", () => {
  const random = new RandomStream(8, "coverage");
  let covered = 0;
  for (let trial = 0; trial < 2000; trial++) {
    const controls = Array.from({ length: 12 }, () => [random.normal(), random.normal()]);
    const values = controls.map(([a = 0, b = 0]) => a + 0.5 * b + random.normal());
    const { mean, halfWidth } = controlledMean(values, controls, 0.99);
    if (Math.abs(mean) <= halfWidth) covered++;
  }
  expect(covered / 2000).toBeGreaterThan(0.98);
  expect(covered / 2000).toBeLessThan(0.998);
});
