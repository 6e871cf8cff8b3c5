import { expect, test } from "vitest";
import { resolveScenario } from "../../src/resolve/resolve-scenario.ts";
import { parseScenario } from "../../src/scenario/parse-scenario.ts";

const noFiles = { readText: () => Promise.reject(new Error("no file was expected")) };
const scenario = (flags: string, more = "") => `version: 1
name: mapped
model: { id: olmoe-1b-7b }
hardware: { system: rtx4090-desktop }
engine: { id: llama.cpp, maxModelLen: 512, maxNumSeqs: 1 }
traffic: { kind: generated, requests: 2, arrivals: { kind: closed, maxConcurrency: 1 }, isl: { kind: fixed, tokens: 8 }, osl: { kind: fixed, tokens: 2 } }
routing: { kind: parametric, rows: 100 }
policy: { offload: { kind: static, flags: "${flags}"${more} } }
`;

test.each([
  ["--n-cpu-moe 4", "", true],
  ["--n-cpu-moe 4 --no-mmap", "", false],
  ["--n-cpu-moe 4 --mlock", "", false],
  ["--n-cpu-moe 4 --no-op-offload", "", false],
  ["--n-cpu-moe 4", ", pinned: false", false],
])("%s%s: that a mapped file is taken as page-locked is said: %s", async (flags, more, said) => {
  const { ledger } = await resolveScenario(parseScenario(scenario(flags, more), "t.yaml"), noFiles);
  expect(ledger.some(({ topic }) => topic === "mapped file")).toBe(said);
});
