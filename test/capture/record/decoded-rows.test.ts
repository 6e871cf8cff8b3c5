import { expect, test } from "vitest";
import { decodedTokens, replaceDecoded, writeDecoded } from "../../../src/capture/record/decoded-rows.ts";
import { temporaryFolder } from "../../trace/routing-files.ts";

const folder = temporaryFolder();
const shape = { layers: 2, experts: 4, topK: 2, keepsScores: true };

/** One token's choice, with weights and scores that are its own. */
const choice = (a: number, b: number) => ({
  ids: Uint16Array.of(a, b),
  weights: Float32Array.of(a + 0.5, b + 0.25),
  scores: Float32Array.of(a, b, 9, 9),
  nearTies: 0,
});

test("what decoding chose takes the place of what one pass chose, and other sets of experts are counted", async () => {
  const path = folder.path("decoded-1");
  // Between the two layers with experts is a dense one.
  const routing = [
    [choice(0, 1), null, choice(3, 2)],
    [choice(2, 3), null, choice(1, 0)],
  ];
  await writeDecoded(path, { tokens: [7, 8], routing }, shape);
  expect([...(await decodedTokens(path, 2))]).toEqual([7, 8]);

  const sequences = { shape, file: () => path, steps: Uint32Array.of(0, 2) };
  const starts = Uint32Array.of(0, 1, 4);
  const onePass = () => ({
    ids: Uint16Array.of(0, 2, 0, 2, 1, 0, 2, 1),
    weights: new Float32Array(8),
    scores: new Float32Array(16),
    nearTies: 0,
  });
  const [first, second] = [onePass(), onePass()];
  expect(await replaceDecoded(sequences, 0, { from: 0, to: 2 }, starts, first)).toBe(1);
  expect([...first.ids]).toEqual([0, 2, 0, 2, 0, 1, 2, 3]);
  expect(Array.from(first.weights.subarray(4))).toEqual([0.5, 1.25, 2.5, 3.25]);
  expect(Array.from(first.scores.subarray(8))).toEqual([0, 1, 9, 9, 2, 3, 9, 9]);
  expect(await replaceDecoded(sequences, 1, { from: 0, to: 2 }, starts, second)).toBe(2);
  expect(Array.from(second.ids.subarray(4))).toEqual([3, 2, 1, 0]);
});
