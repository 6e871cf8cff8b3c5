import { describe, expect, test } from "vitest";
import { InvalidInputError } from "../../../src/core/errors.ts";
import { RandomStream } from "../../../src/core/random.ts";
import { generateSharedPrefix, type SharedPrefixSpec } from "../../../src/trace/requests/generate/shared-prefix.ts";

const spec: SharedPrefixSpec = {
  arrivals: { kind: "poisson", ratePerSecond: 10 },
  groups: 12,
  promptsPerGroup: 7,
  prefix: { kind: "uniform", low: 40, high: 300 },
  question: { kind: "uniform", low: 1, high: 50 },
  output: { kind: "fixed", tokens: 9 },
  order: "shuffled",
};
const draw = (parts: Partial<SharedPrefixSpec> = {}, seed = 5) =>
  generateSharedPrefix({ ...spec, ...parts }, new RandomStream(seed, "traffic"));

/** Shared block ids of a request: all but its own last one. */
const sharedIds = ({ prefix }: ReturnType<typeof draw>, request: number) => [
  ...prefix!.ids.subarray(prefix!.offsets[request]!, prefix!.offsets[request + 1]! - 1),
];

describe("generated shared prefixes", () => {
  test("are groups x prompts, each group with one prefix in whole blocks, and nothing else is shared", () => {
    const table = draw();
    expect(table.count).toBe(84);
    const groups = new Map<string, number>();
    for (let request = 0; request < table.count; request++) {
      const ids = sharedIds(table, request);
      groups.set(ids.join(), (groups.get(ids.join()) ?? 0) + 1);
      const beyond = table.promptTokens[request]! - 16 * ids.length;
      expect(beyond).toBeGreaterThanOrEqual(1);
      expect(beyond).toBeLessThan(16 + 51);
    }
    expect([...groups.values()]).toEqual(Array.from({ length: 12 }, () => 7));
    const own = Array.from(
      { length: table.count },
      (_, request) => table.prefix!.ids[table.prefix!.offsets[request + 1]! - 1],
    );
    expect(new Set(own).size).toBe(table.count);
    expect(new Set(table.prefix!.ids).size).toBe(
      new Set(own).size + new Set([...groups.keys()].join().split(",")).size,
    );
  });

  test("are mixed, or one group after the other, with the same prompts of each group", () => {
    const grouped = draw({ order: "grouped" });
    const names = Array.from({ length: grouped.count }, (_, request) => sharedIds(grouped, request).join());
    for (const [request, name] of names.entries()) if (request % 7 > 0) expect(name).toBe(names[request - 1]);
    const shuffled = draw();
    const mixed = Array.from({ length: shuffled.count }, (_, request) => sharedIds(shuffled, request).join());
    expect(mixed).not.toEqual(names);
    expect([...mixed].sort()).toEqual([...names].sort());
    expect([...shuffled.arrivalNs]).toEqual([...grouped.arrivalNs]);
  });

  test("draw each thing from a stream of its own", () => {
    const table = draw();
    const other = draw({ question: { kind: "fixed", tokens: 3 }, arrivals: null });
    expect([...other.outputTokens]).toEqual([...table.outputTokens]);
    expect([...other.prefix!.ids]).toEqual([...table.prefix!.ids]);
    // Under one law, of prefixes, questions and outputs none repeats the draws of another.
    const law = { kind: "uniform", low: 1, high: 1000 } as const;
    const fixed = { kind: "fixed", tokens: 1 } as const;
    const one = { promptsPerGroup: 1, order: "grouped", prefix: fixed, question: fixed } as const;
    const prompts = (parts: Partial<SharedPrefixSpec>) => draw({ ...one, ...parts }).promptTokens.map((all) => all - 1);
    const drawn = [prompts({ prefix: law }), prompts({ question: law }), draw({ ...one, output: law }).outputTokens];
    expect(new Set(drawn.map((tokens) => tokens.join())).size).toBe(3);
    expect(draw().origin.digest).toBe(table.origin.digest);
    expect(draw({}, 6).origin.digest).not.toBe(table.origin.digest);
  });

  test("that cannot be drawn are refused with every problem", () => {
    const refused = (parts: Partial<SharedPrefixSpec>) => {
      try {
        draw(parts);
      } catch (error) {
        if (error instanceof InvalidInputError) return error.problems.map(({ at }) => at);
        throw error;
      }
      return [];
    };
    expect(refused({ groups: 0, promptsPerGroup: 1.5 })).toEqual(["groups", "promptsPerGroup"]);
    expect(refused({ groups: 1e5, promptsPerGroup: 1e5 })).toEqual(["groups"]);
    expect(refused({ groups: 1e3, promptsPerGroup: 1e3, prefix: { kind: "fixed", tokens: 1e6 } })).toEqual(["groups"]);
    expect(refused({ prefix: { kind: "fixed", tokens: 0 } })).toEqual(["prefix.tokens"]);
  });
});
