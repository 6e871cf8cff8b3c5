import { expect, test } from "vitest";
import { InvalidInputError, type Problem } from "../../src/core/errors.ts";
import { resolveScenario } from "../../src/resolve/resolve-scenario.ts";
import { parseScenario } from "../../src/scenario/parse-scenario.ts";
import { simulate } from "../../src/sim/simulate.ts";

/** Mixtral (32 layers of 8 experts, 2 a token) whose 400 rows of routing are drawn in sequences. */
const scenario = (prefetch: string, offload = "kind: lru, slots: 4") => `version: 1
name: ahead
model: { id: mixtral-8x7b, dtypes: { experts: int4 } }
hardware: { system: rtx4090-desktop }
engine: { id: vllm, maxModelLen: 512, maxNumSeqs: 4, maxNumBatchedTokens: 256 }
parallel: { tp: 1 }
traffic: { kind: generated, requests: 5, arrivals: { kind: closed, maxConcurrency: 1 }, isl: { kind: fixed, tokens: 20 }, osl: { kind: fixed, tokens: 4 } }
routing: { kind: parametric, skew: 0.2, reuse: 0.3, rows: 400 }
policy: { offload: { ${offload}, prefetch: { ${prefetch} } } }
`;

const noFiles = { readText: () => Promise.reject(new Error("no file was expected")) };
const resolve = (prefetch: string, offload?: string) =>
  resolveScenario(parseScenario(scenario(prefetch, offload), "test.yaml"), noFiles);
const problemsOf = async (prefetch: string, offload?: string): Promise<readonly Problem[]> => {
  const error: unknown = await resolve(prefetch, offload).catch((thrown: unknown) => thrown);
  return error instanceof InvalidInputError ? error.problems : [];
};

test("a prefetcher takes the scenario's figures, and as many experts a layer as a token chooses", async () => {
  const { config, ledger } = await resolve("kind: perfect");
  expect(config.offload!.prefetch).toMatchObject({
    name: "perfect",
    budget: 2,
    chunks: 1,
    latencyNs: 0,
    preempt: false,
  });
  expect(ledger.map(({ topic }) => topic)).toContain("prefetch");
  const other = await resolve("kind: perfect, budget: 5, chunks: 3, latency: 40us, preempt: true");
  expect(other.config.offload!.prefetch).toMatchObject({ budget: 5, chunks: 3, latencyNs: 40_000, preempt: true });
});

test("a share of the rows is learned from, and only the others are replayed", async () => {
  const { config, ledger, routed } = await resolve("kind: layer-markov, fit: { share: 0.5 }");
  const { training, replayed } = routed!.source!;
  expect(training!.rows + replayed.rows).toBe(400);
  expect(training!.rows).toBeGreaterThan(150);
  expect(config.routing.kind === "replay" && config.routing.table).toBe(replayed);
  expect(ledger).toContainEqual(
    expect.objectContaining({
      topic: "prefetch training",
      detail: expect.stringContaining(`learned from ${training!.rows} rows`) as string,
    }),
  );
  // On the same rows without any guesses.
  const none = await resolve("kind: none, fit: { share: 0.5 }");
  expect(none.routed!.source!.replayed.ids).toEqual(replayed.ids);
  const { cache } = simulate(none.config);
  expect([cache!.prefetch!.followed, cache!.misses > 0]).toEqual([0, true]);
  expect(simulate(config).cache!.prefetch!.followed).toBeGreaterThan(0);
});

test.each([
  ["kind: layer-markov", undefined, "policy.offload.prefetch.kind", /rows that layer-markov learns from/],
  [
    "kind: layer-markov, fit: { domain: all }",
    undefined,
    "policy.offload.prefetch.fit",
    /not judged on what it was trained on|a domain of/,
  ],
  ["kind: token-id, fit: { share: 0.5 }", undefined, "policy.offload.prefetch.kind", /goes without tokens/],
  [
    "kind: layer-markov, fit: { share: 0.5, domain: a }",
    undefined,
    "policy.offload.prefetch.fit.share",
    /either share/,
  ],
  ["kind: layer-markov, fit: {}", undefined, "policy.offload.prefetch.fit", /file, domain or share/],
  ["kind: layer-markov, fit: { share: 1 }", undefined, "policy.offload.prefetch.fit.share", /less than 1/],
  ["kind: perfect", "kind: lru, slots: 4, overlap: false", "policy.offload.overlap", /true/],
  ["kind: perfect", "kind: static, slots: 4", "policy.offload.kind", /takes experts in/],
  ["kind: gate, recall: [0.9], distance: 2", undefined, "policy.offload.prefetch.recall", /2 numbers/],
  ["kind: gate", undefined, "policy.offload.prefetch.recall", /recall, file or preset/],
  ["kind: perfect, distance: 0", undefined, "policy.offload.prefetch.distance", /at least 1|1 or more|whole number/],
])("%s is refused at its place", async (prefetch, offload, at, expected) => {
  const error: unknown = await Promise.resolve()
    .then(() => problemsOf(prefetch, offload))
    .catch((thrown: unknown) => thrown);
  const problems = error instanceof InvalidInputError ? error.problems : (error as readonly Problem[]);
  expect(problems).toHaveLength(1);
  expect(problems[0]).toMatchObject({ file: "test.yaml", at });
  expect(problems[0]!.expected).toMatch(expected);
  expect(problems[0]!.line).toBeGreaterThan(0);
});
