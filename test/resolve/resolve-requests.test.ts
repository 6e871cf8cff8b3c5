import { writeFileSync } from "node:fs";
import { expect, test } from "vitest";
import { InvalidInputError, type Problem } from "../../src/core/errors.ts";
import { resolveScenario } from "../../src/resolve/resolve-scenario.ts";
import { parseScenario } from "../../src/scenario/parse-scenario.ts";
import { temporaryFolder } from "../trace/routing-files.ts";

const folder = temporaryFolder();

const scenario = (traffic: string) => `version: 1
name: requests
model: { id: gpt-oss-20b }
hardware: { system: h100-sxm-8 }
engine: { id: vllm }
traffic: { kind: trace, ${traffic} }
routing: { kind: uniform }
`;
const noFiles = { readText: () => Promise.reject(new Error("no file was expected")) };

/** Resolves a scenario whose trace has these rows. */
async function resolve(rows: readonly object[], traffic = "") {
  const path = folder.path("trace.jsonl");
  writeFileSync(path, rows.map((row) => JSON.stringify(row)).join("\n"));
  const text = scenario(`file: ${JSON.stringify(path)}${traffic === "" ? "" : `, ${traffic}`}`);
  const { config, ledger } = await resolveScenario(parseScenario(text, "test.yaml"), noFiles);
  return { requests: config.workload.requests, ledger };
}

const problemsOf = async (rows: readonly object[], traffic: string): Promise<readonly Problem[]> => {
  const error: unknown = await resolve(rows, traffic).catch((thrown: unknown) => thrown);
  return error instanceof InvalidInputError ? error.problems : [];
};

const calls = [
  { t: 0, usage: { in: 40, out: 4 }, who: "a" },
  { t: 2, usage: { in: 50, out: 5 }, who: "b" },
  { t: 90_000, usage: { in: 60, out: 6 }, who: "a" },
];
const columns = "columns: { arrival: t, prompt: usage.in, output: usage.out, class: who }";

test("a scenario names the columns of a trace, its unit of time and the part that is read", async () => {
  const { requests } = await resolve(calls, `${columns}, timeUnit: s, until: 1h`);
  expect([...requests.arrivalNs]).toEqual([0, 2e9]);
  expect([...requests.promptTokens]).toEqual([40, 50]);
  expect(requests.classes).toEqual(["a", "b"]);
  const late = await resolve(calls, `${columns}, timeUnit: s, from: 1h`);
  expect([...late.requests.promptTokens]).toEqual([60]);
});

test("what is assumed of a trace stands in the ledger, an entry for each", async () => {
  const rows = [
    { session_id: "s", timestamp: 0, input_length: 300, output_length: 4, hash_ids: [1] },
    { session_id: "s", delay: 5, input_length: 30, output_length: 4 },
    { timestamp: 0.25, input_length: 300, output_length: 4, hash_ids: [1] },
  ];
  const { ledger } = await resolve(rows);
  const assumed = ledger.filter(({ fidelity }) => fidelity === "assumed").map(({ topic }) => topic);
  expect(assumed).toEqual(expect.arrayContaining(["arrival times", "prefix blocks", "turns"]));
  const rows10 = Array.from({ length: 10 }, (_, i) => ({ timestamp: i, input_length: 9000, output_length: 1 }));
  const odd = (await resolve(rows10)).ledger.find(({ topic }) => topic === "offered load");
  expect(odd?.detail).toContain("warning: 1,000 requests");
});

test("blocks and turns are what the scenario says", async () => {
  const rows = [
    { session_id: "s", timestamp: 0, input_length: 300, output_length: 4, hash_ids: [1] },
    { session_id: "s", delay: 5, input_length: 30, output_length: 4 },
  ];
  const { requests } = await resolve(rows, "blockTokens: 384, turnPrompts: whole");
  expect([requests.prefix?.blockTokens, ...requests.promptTokens]).toEqual([384, 300, 30]);
});

test("requests that wait for others are replayed, or refused with other arrivals", async () => {
  const rows = [
    { session_id: "s", timestamp: 0, input_length: 300, output_length: 4 },
    { session_id: "s", delay: 5, input_length: 30, output_length: 4 },
  ];
  for (const arrivals of ["{ kind: poisson, requestRate: 2/s }", "{ kind: closed, maxConcurrency: 4 }"])
    expect(await problemsOf(rows, `arrivals: ${arrivals}`)).toMatchObject([
      { at: "traffic.arrivals", file: "test.yaml" },
    ]);
});

test("lengths alone need other arrivals than recorded ones", async () => {
  const rows = [{ input_length: 300, output_length: 4 }];
  expect((await problemsOf(rows, "requests: 1"))[0]?.hint).toContain("arrivals: { kind: poisson");
  const { requests } = await resolve(rows, "arrivals: { kind: constant, requestRate: 2/s }");
  expect([...requests.promptTokens]).toEqual([300]);
});

test("wrong columns and windows are refused at their place", async () => {
  expect(await problemsOf(calls, "columns: { prompt: 'a[', output: b }")).toMatchObject([
    { file: "test.yaml", line: 6, at: "traffic.columns", expected: "a closing bracket" },
  ]);
  expect(await problemsOf(calls, `${columns}, format: azure`)).toMatchObject([{ at: "traffic.columns" }]);
  expect(await problemsOf(calls, "from: 2h, until: 1h")).toMatchObject([{ at: "traffic.until" }]);
  expect(await problemsOf(calls, "columns: { prompt: a, outptu: b }")).toMatchObject([
    { at: "traffic.columns.output" },
    { hint: "did you mean output?" },
  ]);
});
