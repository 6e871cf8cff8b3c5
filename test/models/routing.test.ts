import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { type RoutingRule, routeTokens } from "../../src/models/routing.ts";

const plain: RoutingRule = { scoring: "softmax", normalisesTopK: true, scale: 1, groups: null };

/** The same by sorting, straight from the published descriptions, in arrays of arrays. */
function naive(logits: readonly number[], topK: number, rule: RoutingRule, bias: readonly number[] | null) {
  const top = Math.max(...logits);
  const exps = logits.map((logit) => Math.exp(logit - top));
  const sum = exps.reduce((a, b) => a + b, 0);
  const scores =
    rule.scoring === "softmax" ? exps.map((e) => e / sum) : logits.map((logit) => 1 / (1 + Math.exp(-logit)));
  const selection = scores.map((score, e) => score + (bias?.[e] ?? 0));
  const experts = logits.map((_, e) => e);
  const best = (of: readonly number[], count: number) =>
    [...of].sort((a, b) => selection[b]! - selection[a]! || a - b).slice(0, count);
  let chosen: number[];
  if (rule.groups === null) chosen = best(experts, topK);
  else {
    const { count, kept, rank } = rule.groups;
    const size = logits.length / count;
    const groups = Array.from({ length: count }, (_, g) => experts.slice(g * size, (g + 1) * size));
    if (rank === "each") chosen = groups.flatMap((group) => best(group, topK / count));
    else {
      const rankOf = (group: readonly number[]) =>
        best(group, rank === "topTwo" ? 2 : 1).reduce((a, e) => a + selection[e]!, 0);
      const open = groups
        .map((group, g) => ({ group, g, score: rankOf(group) }))
        .sort((a, b) => b.score - a.score || a.g - b.g)
        .slice(0, kept);
      chosen = best(
        open.flatMap(({ group }) => group),
        topK,
      );
    }
  }
  chosen.sort((a, b) => scores[b]! - scores[a]! || a - b);
  const total = chosen.reduce((a, e) => a + scores[e]!, 0) + 1e-20;
  return {
    ids: chosen,
    weights: chosen.map((e) => (scores[e]! / (rule.normalisesTopK ? total : 1)) * rule.scale),
  };
}

const rules: readonly [string, RoutingRule][] = [
  ["softmax, renormalised (Mixtral, Qwen3, gpt-oss)", plain],
  ["softmax, not renormalised (Qwen1.5, OLMoE)", { ...plain, normalisesTopK: false }],
  [
    "groups by their best (DeepSeek-V2)",
    { ...plain, normalisesTopK: false, scale: 16, groups: { count: 4, kept: 2, rank: "max" } },
  ],
  [
    "sigmoid, groups by their two best (DeepSeek-V3)",
    { scoring: "sigmoid", normalisesTopK: true, scale: 2.5, groups: { count: 4, kept: 2, rank: "topTwo" } },
  ],
  ["as many in every group (MoGE)", { ...plain, groups: { count: 4, kept: 4, rank: "each" } }],
];

const experts = 16;
const topK = 4;
// Multiples of 1/64 are exact in float32, and ties occur.
const logit = fc.integer({ min: -256, max: 256 }).map((value) => value / 64);

describe.each(rules)("%s", (_name, rule) => {
  test.each([false, true])("chooses and weighs as sorting does (selection bias: %s)", (biased) => {
    fc.assert(
      fc.property(
        fc.array(logit, { minLength: experts, maxLength: experts }),
        fc.array(logit, { minLength: experts, maxLength: experts }),
        (logits, biases) => {
          const bias = biased ? Float32Array.from(biases) : null;
          const routed = routeTokens(Float32Array.from(logits), experts, topK, rule, bias);
          const reference = naive(logits, topK, rule, bias === null ? null : biases);
          // Softmax can merge logits that differ; the choice is by logits, so compare scores there.
          expect([...routed.ids]).toEqual(reference.ids);
          for (const [i, weight] of reference.weights.entries()) expect(routed.weights[i]).toBeCloseTo(weight, 5);
        },
      ),
    );
  });

  test("rows of a batch do not touch one another", () => {
    fc.assert(
      fc.property(fc.array(logit, { minLength: 3 * experts, maxLength: 3 * experts }), (logits) => {
        const whole = routeTokens(Float32Array.from(logits), experts, topK, rule);
        const parts = [0, 1, 2].map((row) =>
          routeTokens(Float32Array.from(logits.slice(row * experts, (row + 1) * experts)), experts, topK, rule),
        );
        expect([...whole.ids]).toEqual(parts.flatMap(({ ids }) => [...ids]));
        expect(whole.nearTies).toBe(parts.reduce((sum, { nearTies }) => sum + nearTies, 0));
      }),
    );
  });
});

test("weights of a renormalised rule add up to its scale", () => {
  const { weights } = routeTokens(
    Float32Array.from({ length: 16 }, (_, e) => Math.sin(e)),
    16,
    4,
    { ...plain, scale: 2.5 },
  );
  expect(weights.reduce((sum, weight) => sum + weight, 0)).toBeCloseTo(2.5, 6);
});

test("scores are the whole softmax, whatever was chosen", () => {
  const { scores } = routeTokens(Float32Array.from([0, Math.log(2), Math.log(5)]), 3, 1, plain);
  expect([...scores].map((score) => score.toFixed(6))).toEqual(["0.125000", "0.250000", "0.625000"]);
});

test("a token is a near tie when float32 cannot tell the last chosen from the first that is not", () => {
  const nearTies = (gap: number) => routeTokens(Float32Array.from([3, 2, 2 - gap, 0]), 4, 2, plain).nearTies;
  expect(nearTies(1e-5)).toBe(1);
  expect(nearTies(1e-3)).toBe(0);
  // Equal ones inside the choice decide nothing.
  expect(routeTokens(Float32Array.from([3, 3, 1, 0]), 4, 2, plain).nearTies).toBe(0);
});

test("groups that are as good as the last one kept make a near tie", () => {
  const rule: RoutingRule = { ...plain, groups: { count: 2, kept: 1, rank: "max" } };
  expect(routeTokens(Float32Array.from([2, 1, 2, 0]), 4, 1, rule).nearTies).toBe(1);
  expect(routeTokens(Float32Array.from([2, 1, 1.5, 0]), 4, 1, rule).nearTies).toBe(0);
});
