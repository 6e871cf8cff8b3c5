import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { exitCodes, InfeasibleError } from "../../../src/core/errors.ts";
import { poolScenarios } from "../../../src/resolve/pool-scenarios.ts";
import { resolvePoolShape } from "../../../src/resolve/resolve-pool.ts";
import { resolveScenario } from "../../../src/resolve/resolve-scenario.ts";
import { parseScenario } from "../../../src/scenario/parse-scenario.ts";
import { minimal, placeOf } from "../../scenario/example.ts";

const noFiles = { readText: () => Promise.reject(new Error("no file was expected")) };
const resolved = (text: string) => resolveScenario(parseScenario(text, "test.yaml"), noFiles);

async function refusalOf(text: string): Promise<InfeasibleError> {
  try {
    await resolved(text);
  } catch (error) {
    if (error instanceof InfeasibleError) return error;
    throw error;
  }
  throw new Error("it starts");
}

/** The lines of a refusal that name a place. */
const places = (message: string): string[] => message.split("\n").filter((line) => !line.startsWith("  "));

const sliced = minimal
  .replace("qwen3-30b-a3b }", "qwen3-30b-a3b, dtypes: { experts: fp8_block } }")
  .replace("traffic:", "parallel: { tp: 4, etp: 4 }\ntraffic:");

test("a refusal is a line with place, expectation and value, the reason and ways out below it, and exit code 4", async () => {
  const { message, exitCode } = await refusalOf(sliced);
  const { line, column } = placeOf(sliced, "etp: 4", 5);
  expect(exitCode).toBe(exitCodes.infeasible);
  expect(message.split("\n")).toEqual([
    `test.yaml:${line}:${column}: parallel.etp: expected expert slices of whole blocks of 128, found 4`,
    "  vLLM 0.19 does not load expert matrices 768 / 4 = 192 wide, whose scales",
    "  stand for blocks of 128",
    "  parallel.etp 1 with parallel.ep 4 (--enable-expert-parallel) keeps experts",
    "  whole",
    "  engine.startsAnyway: true overrules it",
  ]);
});

test("refusals of all pools come together, each named below its pool", async () => {
  const text = minimal.replace(
    "traffic:",
    `pools:
  - { name: a, role: prefill, engine: { id: sglang }, model: { id: qwen3-30b-a3b, dtypes: { experts: nvfp4 } } }
  - { name: b, role: decode, engine: { id: sglang }, parallel: { tp: 4, ep: 4 }, model: { id: qwen3-30b-a3b, dtypes: { experts: nvfp4, attention: nvfp4 } } }
traffic:`,
  );
  const { message } = await refusalOf(text);
  const lines = places(message);
  expect(lines).toHaveLength(2);
  expect(lines[0]).toContain("pools[0].model.dtypes.experts: ");
  expect(lines[1]).toContain("pools[1].model.dtypes.attention: ");
});

test("heads and widths that no engine divides are refused with the rest, and nothing overrules that", async () => {
  const thirds = minimal
    .replace(
      "{ id: vllm }",
      "{ id: sglang, startsAnyway: true, speculative: { method: eagle, draftTokens: 1, acceptance: 1 } }",
    )
    .replace("traffic:", "parallel: { tp: 5, etp: 5, pp: 2 }\ntraffic:");
  expect((await refusalOf(thirds)).message.split("\n")).toEqual([
    "test.yaml:6:17: parallel.tp: expected a divisor of 32 query heads, found 5",
    "  SGLang 0.5.9 divides them over ranks evenly",
    "test.yaml:6:25: parallel.etp: expected a divisor of the expert width 768, found 5",
    "  SGLang 0.5.9 divides them over ranks evenly",
  ]);
  expect((await refusalOf(thirds.replace("startsAnyway: true, ", ""))).message).toContain("engine.speculative: ");
});

test("engine.startsAnyway overrules a refusal, which then stands in the ledger", async () => {
  const { ledger } = await resolved(sliced.replace("{ id: vllm }", "{ id: vllm, startsAnyway: true }"));
  const entries = ledger.filter(({ topic }) => topic === "engine start");
  expect(entries).toHaveLength(1);
  expect(entries[0]?.fidelity).toBe("assumed");
  expect(entries[0]?.detail).toMatch(/does not load expert matrices.*starts anyway \(engine\.startsAnyway\)$/);
});

test("what is only noted starts, and stands in the ledger", async () => {
  const { ledger } = await resolved(minimal.replace("{ id: vllm }", "{ id: vllm, maxModelLen: 131072 }"));
  const entries = ledger.filter(({ topic }) => topic === "engine start");
  expect(entries.map(({ detail }) => detail)).toEqual([expect.stringContaining("VLLM_ALLOW_LONG_MAX_MODEL_LEN=1")]);
});

test("copies of experts that make up the difference are counted", async () => {
  const uneven = minimal
    .replace("qwen3-30b-a3b", "qwen1.5-moe-a2.7b")
    .replace("vllm", "sglang")
    .replace("traffic:", "parallel: { tp: 8, ep: 8 }\ntraffic:");
  expect((await refusalOf(uneven)).message).toContain("parallel.ep: expected a divisor of 60 experts");
  const even = uneven.replace(
    "routing: { kind: uniform }",
    "routing: { kind: parametric, rows: 100 }\npolicy: { placement: { kind: eplb, redundant: 4 } }",
  );
  await expect(resolved(even)).resolves.toBeDefined();
});

test("a placement by EPLB is the engine's load balancer", async () => {
  const uneven = minimal
    .replace("qwen3-30b-a3b", "qwen1.5-moe-a2.7b")
    .replace("traffic:", "parallel: { tp: 8, ep: 8 }\ntraffic:")
    .replace(
      "routing: { kind: uniform }",
      "routing: { kind: parametric, rows: 100 }\npolicy: { placement: { kind: eplb } }",
    );
  expect((await refusalOf(uneven)).message).toContain("parallel.ep: expected a divisor of 60 experts, found 8");
  await expect(resolved(uneven.replace("eplb", "round-robin"))).resolves.toBeDefined();
});

const folders = ["scenarios", "test/fixtures/scenarios"];
const bundled = folders.flatMap((folder) =>
  readdirSync(folder, { recursive: true, encoding: "utf8" })
    .filter((name) => name.endsWith(".yaml"))
    .map((name) => join(folder, name)),
);

test.each(bundled)("%s starts", async (file) => {
  const text = readFileSync(file, "utf8");
  const params = Object.fromEntries([...text.matchAll(/\$\{(\w+)\}/g)].map(([, name]) => [name, "data"]));
  const scenario = parseScenario(text, file, { params });
  for (const pool of poolScenarios(scenario)) expect((await resolvePoolShape(pool, noFiles)).refusals).toEqual([]);
});
