import { beforeAll, describe, expect, test } from "vitest";
import type { Tfjs } from "../../src/capture/backends/backend.ts";
import { loadBackend } from "../../src/capture/backends/backends.ts";
import { openCheckpoint } from "../../src/capture/checkpoint/open-checkpoint.ts";
import { RandomStream } from "../../src/core/random.ts";
import { checkpointFolder, checkpointNames, execute, expectedOf } from "./checkpoints.ts";
import { referenceRun } from "./reference-decoder.ts";

let tf: Tfjs;

beforeAll(async () => {
  ({ tf } = await loadBackend("wasm"));
});

async function reference(name: string, tokens: readonly number[]) {
  const checkpoint = await openCheckpoint(checkpointFolder(name));
  const run = await referenceRun(checkpoint, tokens);
  await checkpoint.close();
  return { ...run, vocabSize: checkpoint.plan.vocabSize };
}

const distance = (a: readonly number[], b: readonly number[]) => Math.hypot(...a.map((value, i) => value - b[i]!));

/** Some published classes compute their routers in float32 whatever the model is in. */
const routerErrorMax = 5e-6;
const logitErrorMax = 1e-6;

describe("the float64 reference", () => {
  test.each(checkpointNames)("%s: gives what the published model class gives", async (name) => {
    const expected = expectedOf(name);
    const { routers, logits } = await reference(name, expected.tokens);
    expect(routers).toHaveLength(expected.routers.length);
    for (const [layer, tokens] of routers.entries()) {
      const { ids, weights, logits: routerLogits } = expected.routers[layer]!;
      expect(tokens.map(({ choice }) => choice.ids)).toEqual(ids);
      const close = (found: readonly number[], wanted: readonly number[]) =>
        expect(distance(found, wanted) / Math.hypot(...wanted)).toBeLessThan(routerErrorMax);
      for (const [t, { choice, logits: own }] of tokens.entries()) {
        close(choice.weights, weights[t]!);
        close(own, routerLogits[t]!);
      }
    }
    const last = logits.at(-1)!;
    expect(distance(last, expected.lastLogits) / Math.hypot(...expected.lastLogits)).toBeLessThan(logitErrorMax);
  });
});

describe("other tokens", () => {
  const cases = checkpointNames.flatMap((name) => [1, 7, 33].map((length) => ({ name, length })));
  test.each(cases)("$name, $length of them: the experts and the logits of the reference", async ({ name, length }) => {
    const { vocabSize } = await reference(name, [0]);
    const stream = new RandomStream(length, name);
    const tokens = Array.from({ length }, () => stream.below(vocabSize));
    const wanted = await reference(name, tokens);
    const [run] = await execute(tf, name, [tokens]);
    for (const [layer, { ids, nearTies }] of run!.routed.entries()) {
      const topK = ids.length / length;
      const others = wanted.routers[layer]!.filter(
        ({ choice }, t) => choice.ids.join() !== [...ids.subarray(t * topK, (t + 1) * topK)].join(),
      );
      expect(others.length).toBeLessThanOrEqual(nearTies);
    }
    const logits = [...run!.logits];
    const all = wanted.logits.flat();
    expect(distance(logits, all) / Math.hypot(...all)).toBeLessThan(1e-5);
  });
});
