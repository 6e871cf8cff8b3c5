import { describe, expect, test } from "vitest";
import { InvalidInputError, type Problem } from "../../src/core/errors.ts";
import { resolveScenario } from "../../src/resolve/resolve-scenario.ts";
import { parseScenario } from "../../src/scenario/parse-scenario.ts";
import { simulate } from "../../src/sim/simulate.ts";
import { openRoutingTrace } from "../../src/trace/container/open-trace.ts";
import { loadRoutingTable } from "../../src/trace/load-routing.ts";
import { saveRoutingTable } from "../../src/trace/save-routing.ts";
import { temporaryFolder } from "../trace/routing-files.ts";

const recorded = "kind: trace, file: scenarios/traces/gpt-oss-20b.safetensors";
const folder = temporaryFolder();

/** gpt-oss-20b with its experts in host memory behind a cache. */
const scenario = (routing: string, policy = "offload: { kind: lru, slots: 16 }") => `version: 1
name: transforms
model: { id: gpt-oss-20b }
hardware: { system: rtx4070-desktop }
engine: { id: vllm, maxModelLen: 4096, maxNumSeqs: 8, maxNumBatchedTokens: 512 }
traffic: { kind: generated, requests: 4, arrivals: { kind: closed, maxConcurrency: 2 }, isl: { kind: fixed, tokens: 50 }, osl: { kind: fixed, tokens: 20 } }
routing: { ${routing} }
policy: { ${policy} }
`;

const noFiles = { readText: () => Promise.reject(new Error("no file was expected")) };
const resolve = (routing: string, policy?: string) =>
  resolveScenario(parseScenario(scenario(routing, policy), "test.yaml"), noFiles);
const withChain = (chain: string, routing = recorded) => `${routing}, transforms: [${chain}]`;

async function problemOf(routing: string): Promise<Problem> {
  const error: unknown = await resolve(routing).catch((thrown: unknown) => thrown);
  expect(error).toBeInstanceOf(InvalidInputError);
  const { problems } = error as InvalidInputError;
  expect(problems).toHaveLength(1);
  return problems[0]!;
}

describe("routing.transforms", () => {
  test("that change no choice leave the bytes of the result as they are", async () => {
    const bytesOf = async (routing: string) => JSON.stringify(simulate((await resolve(routing)).config));
    const plain = await bytesOf(recorded);
    expect(await bytesOf(withChain("{ kind: top-p, p: 1 }"))).toBe(plain);
    expect(await bytesOf(withChain(""))).toBe(plain);
    expect(await bytesOf(withChain("{ kind: top-p, p: 0.9 }"))).not.toBe(plain);
  });

  test("leave fewer choices to compute and to fetch, and the ledger says which and that it is lossy", async () => {
    const results = await Promise.all(
      [1, 0.8, 0.5].map(async (p) => {
        const { config, ledger } = await resolve(withChain(`{ kind: top-p, p: ${p} }`));
        return { result: simulate(config), config, ledger };
      }),
    );
    for (const [i, { result, config, ledger }] of results.entries()) {
      for (const { pairs, withoutExpert = 0 } of result.layers) expect(pairs + withoutExpert).toBe(4 * (50 + 19) * 4);
      expect(config.routing.kind).toBe("replay");
      const [entry] = ledger.filter(({ topic }) => topic === "routing transform");
      expect(entry).toMatchObject({ fidelity: "emulated" });
      expect(entry!.detail.includes("(lossy)")).toBe(i > 0);
      if (i === 0) continue;
      const before = results[i - 1]!.result;
      expect(result.cache!.accesses).toBeLessThan(before.cache!.accesses);
      expect(result.cache!.fetchedBytes).toBeLessThan(before.cache!.fetchedBytes);
      expect(result.endNs).toBeLessThan(before.endNs);
    }
  });

  test("are applied before policies are fitted and a domain is chosen", async () => {
    const chain = withChain("{ kind: mask, experts: [3] }, { kind: top-p, p: 0.9 }", `${recorded}, domain: mmlu`);
    const { config, ledger } = await resolve(chain, "offload: { kind: static, slots: 16 }");
    if (config.routing.kind !== "replay") throw new Error("not replayed");
    expect(config.routing.table.ids.includes(3)).toBe(false);
    expect(config.routing.table.domains).toEqual(["mmlu"]);
    for (let layer = 0; layer < 24; layer++) expect(config.offload!.popularity![layer * 32 + 3]).toBe(0);
    expect(ledger.filter(({ topic }) => topic === "routing transform").map(({ detail }) => detail)).toEqual([
      expect.stringMatching(/^mask: expert 3 of all layers off/),
      expect.stringMatching(/^top-p: a token keeps its experts .* 90/),
    ]);
  });

  test("work on synthesised routing too, where they need no more than ids", async () => {
    const parametric = "kind: parametric, rows: 200";
    const { config } = await resolve(withChain("{ kind: mask, experts: [0], layers: [0] }", parametric));
    if (config.routing.kind !== "replay") throw new Error("not replayed");
    const { ids, layers, topK } = config.routing.table;
    const layersOf0 = new Set(
      [...ids.entries()].filter(([, id]) => id === 0).map(([at]) => Math.floor(at / topK) % layers),
    );
    expect(layersOf0.has(0)).toBe(false);
    expect(layersOf0.size).toBe(layers - 1);
  });

  test("are refused at their place, with what the routing lacks", async () => {
    const trace = await openRoutingTrace("scenarios/traces/gpt-oss-20b.safetensors");
    const path = folder.path("ids.safetensors");
    await saveRoutingTable(await loadRoutingTable(trace), "gpt-oss-20b", path);
    await trace.close();
    const idsAlone = `kind: trace, file: ${JSON.stringify(path)}`;
    const chain = "{ kind: mask, experts: [1] }, { kind: top-p, p: 0.8 }";
    for (const routing of [idsAlone, "kind: parametric, rows: 200"])
      expect(await problemOf(withChain(chain, routing))).toMatchObject({
        file: "test.yaml",
        line: 7,
        at: "routing.transforms[1]",
        expected: "routing with the weights of the chosen experts, which top-p needs",
        found: expect.stringMatching(/^none in /),
      });
  });

  test("with parameters that do not suit the trace are refused at their place", async () => {
    const cases: [string, string][] = [
      ["{ kind: mask, experts: [32] }", "experts below 32"],
      ["{ kind: mask, experts: [1], layers: [24] }", "recorded layers, numbered from 0 to 23"],
      [
        `{ kind: mask, experts: [${[...Array(32).keys()].join(", ")}] }`,
        "at least one of the 32 experts of a layer left",
      ],
    ];
    for (const [transform, expected] of cases)
      expect(await problemOf(withChain(transform))).toMatchObject({ at: "routing.transforms[0]", expected });
  });
});

test("hostile transforms are refused by the schema, each with its place", () => {
  const problems = (text: string) => {
    try {
      parseScenario(scenario(text), "test.yaml");
    } catch (error) {
      if (error instanceof InvalidInputError) return error.problems.map(({ at, expected }) => `${at}: ${expected}`);
      throw error;
    }
    return [];
  };
  const of = (transform: string) => problems(withChain(transform));
  expect(of("{ kind: top-q, p: 1 }")).toEqual([
    "routing.transforms[0].kind: one of mask, top-p, prune, merge, bias-balance",
  ]);
  expect(of("{ kind: top-p }")).toEqual(["routing.transforms[0].p: a number"]);
  for (const p of ["0", "-1"]) expect(of(`{ kind: top-p, p: ${p} }`)).toEqual(["routing.transforms[0].p: more than 0"]);
  expect(of("{ kind: top-p, p: 1.01 }")).toEqual(["routing.transforms[0].p: at most 1"]);
  expect(of("{ kind: top-p, p: .nan }")).toHaveLength(1);
  expect(of("{ kind: mask, experts: [] }")).toEqual(["routing.transforms[0].experts: a size of at least 1"]);
  expect(of("{ kind: mask, experts: [-1, 2.5, x] }")).toHaveLength(3);
  expect(of("{ kind: mask, experts: [1], p: 1 }")).toEqual(["routing.transforms[0].p: a key of routing.transforms[0]"]);
  expect(of("null")).toHaveLength(1);
  expect(problems(`${recorded}, transforms: top-p`)).toEqual(["routing.transforms: a list"]);
  expect(problems("kind: uniform, transforms: []")).toEqual(["routing.transforms: a key of routing"]);
  expect(of(Array.from({ length: 65 }, () => "{ kind: top-p, p: 1 }").join())).toHaveLength(1);
});
