import fc from "fast-check";
import { expect, test } from "vitest";
import { sentenceLines } from "../../src/core/word-lines.ts";

test("a sentence keeps its words, in lines that would not take the next one", () => {
  const words = fc.array(fc.stringMatching(/^[a-z]{1,30}$/), { minLength: 1 });
  fc.assert(
    fc.property(words, (list) => {
      const lines = sentenceLines(list.join(" "), 20);
      expect(lines.flatMap((line) => line.split(" "))).toEqual(list);
      for (const [i, line] of lines.entries()) {
        if (line.includes(" ")) expect(line.length).toBeLessThanOrEqual(20);
        const next = lines[i + 1]?.split(" ")[0];
        if (next !== undefined) expect(line.length + 1 + next.length).toBeGreaterThan(20);
      }
    }),
  );
});
