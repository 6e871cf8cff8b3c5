import { Tokenizer } from "@huggingface/tokenizers";
import { describe, expect, test } from "vitest";
import { heldOutRows } from "../../scripts/train/batches.ts";
import { learnBytePairs, tokenizerJson } from "../../scripts/train/byte-pairs.ts";

describe("byte pairs", () => {
  const text = "the cat and the hat; the café – the end\n".repeat(20);
  const pairs = learnBytePairs([text], 280);

  test("a tokenizer made of them gives the text back, in fewer tokens than bytes", () => {
    const tokenizer = new Tokenizer(JSON.parse(JSON.stringify(tokenizerJson(pairs))) as object, {});
    const { ids } = tokenizer.encode(text);
    expect(tokenizer.decode(ids)).toBe(text);
    expect(ids.length).toBeLessThan(Buffer.byteLength(text) / 2);
  });

  test("every merge joins entries that were there before it", () => {
    const known = new Set(pairs.vocabulary.slice(0, 257));
    for (const [left, right] of pairs.merges) {
      expect(known.has(left) && known.has(right)).toBe(true);
      known.add(left + right);
    }
  });
});

test("held-out rows cover consecutive tokens, each row from the last of the one before", () => {
  const domain = {
    name: "d",
    training: new Int32Array(),
    heldOut: Int32Array.from([0, 1, 2, 3, 4, 5, 6]),
    heldOutBytes: 7,
  };
  expect(heldOutRows(domain, 3).map((row) => [...row])).toEqual([
    [0, 1, 2, 3],
    [3, 4, 5, 6],
  ]);
});
