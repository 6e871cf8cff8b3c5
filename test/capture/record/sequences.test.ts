import fc from "fast-check";
import { describe, expect, test } from "vitest";
import {
  cutSequences,
  type DomainDocuments,
  fairShares,
  type TokenSequences,
} from "../../../src/capture/record/sequences.ts";
import { InvalidInputError } from "../../../src/core/errors.ts";

async function* each<T>(items: readonly T[]): AsyncGenerator<T> {
  yield* items;
}

/** A document of tokens from `first` on, each one its own, so that losses and repeats show. */
const documentOf = (first: number, length: number) => Array.from({ length }, (_value, i) => first + i);

const domainOf = (domain: string, documents: readonly number[][]): DomainDocuments => ({
  domain,
  documents: each(documents),
});

const sequencesOf = ({ tokens, starts }: TokenSequences): number[][] =>
  Array.from(starts.slice(0, -1), (from, i) => Array.from(tokens.subarray(from, starts[i + 1])));

const whole = { prefix: [], tokensPerSequence: 4, tokensMax: null };

describe("documents as sequences", () => {
  test("a document longer than a sequence is cut into consecutive ones, each with the prefix", async () => {
    const cut = await cutSequences([domainOf("a", [documentOf(10, 7), documentOf(20, 2)])], { ...whole, prefix: [1] });
    expect(sequencesOf(cut)).toEqual([
      [1, 10, 11, 12],
      [1, 13, 14, 15],
      [1, 16],
      [1, 20, 21],
    ]);
  });

  test("sequences are grouped by domain, and an empty document gives none", async () => {
    const cut = await cutSequences(
      [domainOf("a", [documentOf(10, 1), []]), domainOf("b", [[], documentOf(20, 5)])],
      whole,
    );
    expect(cut.domains).toEqual(["a", "b"]);
    expect([...cut.domainOf]).toEqual([0, 1, 1]);
    expect(sequencesOf(cut)).toEqual([[10], [20, 21, 22, 23], [24]]);
  });

  test("a domain without text, and more domains than tokens, are refused by name, as are sequences of nothing but the prefix", async () => {
    const empty = cutSequences([domainOf("a", [[1]]), domainOf("none", [])], whole);
    await expect(empty).rejects.toThrow(/domain none: expected at least one token/);
    const short = cutSequences([domainOf("a", [[1]])], { ...whole, prefix: [1, 2, 3, 4] });
    await expect(short).rejects.toThrow(/--max-length: expected more than the 4 tokens/);
    const many = cutSequences([domainOf("a", [[1]]), domainOf("b", [[1]])], { ...whole, tokensMax: 1 });
    await expect(many).rejects.toThrow(InvalidInputError);
    await expect(many).rejects.toThrow(/domain b: expected a share of --max-tokens/);
  });
});

describe("a limit on tokens", () => {
  test("every domain gives the same share, and what one lacks the others give", async () => {
    const cut = await cutSequences(
      [
        domainOf("long", [documentOf(100, 50)]),
        domainOf("short", [documentOf(0, 3)]),
        domainOf("mid", [documentOf(200, 20)]),
      ],
      { ...whole, tokensMax: 21 },
    );
    const tokens = [0, 1, 2].map((domain) =>
      sequencesOf(cut)
        .filter((_sequence, i) => cut.domainOf[i] === domain)
        .reduce((sum, { length }) => sum + length, 0),
    );
    expect(tokens).toEqual([9, 3, 9]);
  });

  test("a domain is not read beyond it", async () => {
    let read = 0;
    async function* endless() {
      for (;;) {
        read += 1;
        yield documentOf(0, 4);
      }
    }
    await cutSequences([{ domain: "a", documents: endless() }], { ...whole, tokensMax: 10 });
    expect(read).toBe(3);
  });

  test("shares add up to the total or to all there is, and differ by more than one only for want of tokens", () => {
    const shape = fc.tuple(fc.array(fc.nat(50), { minLength: 1, maxLength: 6 }), fc.nat(200));
    fc.assert(
      fc.property(shape, ([available, total]) => {
        const shares = fairShares(available, total);
        const sum = (of: readonly number[]) => of.reduce((a, b) => a + b, 0);
        expect(sum(shares)).toBe(Math.min(total, sum(available)));
        const most = Math.max(...shares);
        for (const [i, share] of shares.entries())
          expect(share === available[i] || share >= most - 1).toBe(share <= (available[i] ?? 0));
      }),
    );
  });
});
