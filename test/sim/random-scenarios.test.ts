import fc from "fast-check";
import { expect, test } from "vitest";
import { InfeasibleError } from "../../src/core/errors.ts";
import type { SimConfig } from "../../src/sim/config.ts";
import { mappingProblems } from "../../src/sim/mapping.ts";
import { type LayerLoad, type RunResult, requestStatus } from "../../src/sim/result.ts";
import { simulate } from "../../src/sim/simulate.ts";
import { configOf, scenario } from "./random-config.ts";

/** Paths of a value at which a number is not finite. */
function notFinite(value: unknown, path = ""): string[] {
  if (typeof value === "number") return Number.isFinite(value) ? [] : [path];
  if (value === null || typeof value !== "object") return [];
  return Object.entries(value).flatMap(([key, inner]) => notFinite(inner, `${path}.${key}`));
}

const choices = ({ pairs, withoutExpert = 0 }: LayerLoad) => pairs + withoutExpert;

function judge(config: SimConfig, result: RunResult): void {
  const { requests, itl, ...rest } = result;
  expect(notFinite(rest)).toEqual([]);
  let gaps = 0;
  let emitted = 0;
  for (let i = 0; i < requests.count; i++) {
    const done = requests.status[i] === requestStatus.completed;
    if (!done) {
      expect(requests.status[i]).toBe(requestStatus.rejected);
      continue;
    }
    emitted += requests.outputTokens[i]!;
    if (i >= config.warmupRequests) gaps += requests.outputTokens[i]! - 1;
    expect(requests.cachedTokens[i]).toBeLessThan(requests.promptTokens[i]!);
  }
  expect(result.outputTokens).toBe(emitted);
  expect(itl.count).toBe(gaps);
  expect(result.series.outputTokens.reduce((sum, value) => sum + value, 0)).toBe(emitted);
  const { speculation } = result;
  expect(speculation === null).toBe(config.speculation === null);
  if (speculation !== null) {
    expect(speculation.accepted).toBeLessThanOrEqual(speculation.drafted);
    expect(speculation.drafted).toBeLessThanOrEqual(speculation.verifications * config.speculation!.draftTokens);
  }
  expect(Math.max(0, ...result.series.kvUse)).toBeLessThanOrEqual(1 + 1e-9);
  expect(result.kv.prefixHitTokens).toBeLessThanOrEqual(result.kv.prefixLookupTokens);
  expect(result.kv.peakBlocks).toBeLessThanOrEqual(result.kv.blocks);
  for (const tier of result.memory.tiers) expect(tier.usedBytes).toBeLessThanOrEqual(tier.capacityBytes);
  for (const [i, layer] of result.layers.entries()) {
    if (result.steps > 0) expect(layer.imbalance).toBeGreaterThanOrEqual(1 - 1e-12);
    expect(layer.imbalanceMax).toBeLessThanOrEqual(config.mapping.ep + 1e-12);
    expect(choices(layer)).toBe(choices(result.layers[0]!));
    expect(i).toBeLessThan(config.model.layers.length);
  }
  const { reference } = result.cache ?? { reference: null };
  if (reference !== null) expect(reference.belady).toBeGreaterThanOrEqual(reference.lru);
}

test("scenarios of every kind complete with finite figures that agree with each other", () => {
  let ran = 0;
  fc.assert(
    fc.property(scenario, (c) => {
      const config = configOf(c);
      fc.pre(mappingProblems(config.mapping, config.model).length === 0);
      try {
        judge(config, simulate(config));
        ran++;
      } catch (error) {
        // Too little memory is an answer.
        if (!(error instanceof InfeasibleError)) throw error;
      }
    }),
    { numRuns: 250, seed: 5 },
  );
  expect(ran).toBeGreaterThan(150);
});
