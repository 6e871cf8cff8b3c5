import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { formatProblem } from "../../../src/core/errors.ts";
import { BlockSizes } from "../../../src/trace/requests/block-size.ts";
import { loadRequests } from "../../../src/trace/requests/load-requests.ts";
import { summariseRequests } from "../../../src/trace/requests/summarise-requests.ts";
import { jsonLines, problemsOf, saidOf, traceFiles } from "./trace-files.ts";

const traceFile = traceFiles();
const sizesOf = (rows: readonly (readonly [promptTokens: number, blocks: number])[]) => {
  const sizes = new BlockSizes();
  for (const [line, [prompt, blocks]] of rows.entries()) if (blocks > 0) sizes.add(line + 1, prompt, blocks);
  return sizes;
};
const prompts = fc.array(fc.integer({ min: 1, max: 30_000 }), { minLength: 1, maxLength: 30 });
const size = fc.integer({ min: 1, max: 4096 });
const documented = fc.constantFrom(null, 16, 512);

test("the size found is the right one, is refused, or is an assumption that is noted and fits every prompt", () => {
  fc.assert(
    fc.property(prompts, size, documented, (tokens, block, layout) => {
      const rows = tokens.map((prompt) => [prompt, Math.ceil(prompt / block)] as const);
      const found = sizesOf(rows).find(layout);
      if (found.tokens === null || found.tokens === block) return;
      expect(found.note).toContain("assumed");
      for (const [prompt, blocks] of rows) expect(Math.ceil(prompt / found.tokens)).toBe(blocks);
    }),
  );
});

test("one prompt of as many full blocks as a block has tokens, and one more, tells any size", () => {
  fc.assert(
    fc.property(prompts, size, documented, (tokens, block, layout) => {
      const rows = [...tokens, block * (block + 1)].map((prompt) => [prompt, Math.ceil(prompt / block)] as const);
      expect(sizesOf(rows).find(layout)).toMatchObject({ tokens: block, rule: "every" });
    }),
  );
});

test("writers that name full blocks only are understood", () => {
  fc.assert(
    fc.property(prompts, size, (tokens, block) => {
      // A prompt that is not full tells them from writers that name every block.
      const rows = [...tokens, block * (block + 1), 2 * block - 1].map(
        (prompt) => [prompt, Math.floor(prompt / block)] as const,
      );
      const found = sizesOf(rows).find(null);
      fc.pre(block > 1);
      expect(found).toMatchObject({ tokens: block, rule: "full" });
      expect(found.tokens !== null && found.note).toContain("not named");
    }),
  );
});

test("a size that is given is right for every, full or some blocks, and wrong for surplus ones", () => {
  expect(sizesOf([[100, 7]]).ruleOf(16)).toBe("every");
  expect(sizesOf([[100, 6]]).ruleOf(16)).toBe("full");
  expect(sizesOf([[100, 3]]).ruleOf(16)).toBe("some");
  expect(sizesOf([[100, 8]]).ruleOf(16)).toBeNull();
});

describe("a Mooncake trace", () => {
  const ids = (count: number, from = 0) => Array.from({ length: count }, (_, i) => from + i);
  /** Two prompts of 10,000 tokens in blocks of 16 that share the first twenty. */
  const shared = [
    { timestamp: 0, input_length: 10_000, output_length: 100, hash_ids: ids(625) },
    { timestamp: 30_000, input_length: 10_000, output_length: 100, hash_ids: [...ids(20), ...ids(605, 9000)] },
  ];

  test("with blocks of 16 tokens has the hit rate of its blocks, not that of the first 20 of each prompt", async () => {
    const table = await loadRequests("auto", traceFile(jsonLines(shared)));
    expect(table.prefix?.blockTokens).toBe(16);
    expect(summariseRequests(table).prefix).toEqual({ blocks: 1250, distinct: 1230, hitRateMax: 20 / 1250 });
    expect(saidOf(table)).toEqual(["prefix blocks of 16 tokens, the only size that fits every prompt"]);
  });

  test("with more blocks than its prompts fill is refused, not cut", async () => {
    const [problem] = await problemsOf(loadRequests("auto", traceFile(jsonLines(shared)), { blockTokens: 512 }));
    expect(problem).toMatchObject({ line: 1, found: 625 });
    expect(problem?.expected).toBe("at most 20 prefix blocks of 512 tokens for a prompt of 10000");
    const odd = [...shared, { timestamp: 1, input_length: 32, output_length: 1, hash_ids: ids(625) }];
    const [other] = await problemsOf(loadRequests("auto", traceFile(jsonLines(odd))));
    expect(other).toMatchObject({ line: 3, expected: "at most 32 prefix blocks for as many tokens", found: 625 });
    const mixed = [...shared, { timestamp: 1, input_length: 320, output_length: 1, hash_ids: ids(3) }];
    const [third] = await problemsOf(loadRequests("auto", traceFile(jsonLines(mixed))));
    expect(third && formatProblem(third)).toContain("up to 16 tokens fit if only some are named");
  });

  test("whose rows name only what they share has the documented size, and says so", async () => {
    const rows = [
      { timestamp: 0, input_length: 9000, output_length: 1, hash_ids: ids(4) },
      { timestamp: 1, input_length: 1000, output_length: 1 },
      { timestamp: 2, input_length: 700, output_length: 1, hash_ids: ids(2) },
    ];
    const table = await loadRequests("auto", traceFile(jsonLines(rows)));
    const { prefix } = table;
    expect(prefix?.blockTokens).toBe(512);
    expect([...(prefix?.offsets ?? [])]).toEqual([0, 4, 4, 6]);
    expect(saidOf(table).join("; ")).toContain("any size up to 699 fits");
    expect(saidOf(table).join("; ")).toContain("1 of 3 rows name no prefix blocks");
    const given = await loadRequests("auto", traceFile(jsonLines(rows)), { blockTokens: 256 });
    expect(saidOf(given).join("; ")).toContain("more prefix blocks than they name");
  });

  test("whose prompts fit several sizes has the only power of two, or is asked about", async () => {
    const rows = [{ timestamp: 0, input_length: 300, output_length: 1, hash_ids: [1, 2] }];
    const table = await loadRequests("auto", traceFile(jsonLines(rows)));
    expect([table.prefix?.blockTokens, saidOf(table)[0]]).toEqual([
      256,
      "prefix blocks of 256 tokens assumed, the only power of two: 150 to 299 fit every prompt",
    ]);
    const wide = [{ timestamp: 0, input_length: 200, output_length: 1, hash_ids: [1, 2] }];
    expect((await loadRequests("auto", traceFile(jsonLines(wide)))).prefix?.blockTokens).toBe(128);
    const none = [{ timestamp: 0, input_length: 100, output_length: 1, hash_ids: [1, 2, 3, 4, 5] }];
    expect((await problemsOf(loadRequests("auto", traceFile(jsonLines(none)))))[0]).toMatchObject({
      expected: "a number of prefix blocks that tells their size",
      found: "blocks of 20 to 24 tokens fit every prompt",
    });
  });
});
