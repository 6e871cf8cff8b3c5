import { expect, test } from "vitest";
import { resolveScenario } from "../../src/resolve/resolve-scenario.ts";
import { parseScenario } from "../../src/scenario/parse-scenario.ts";
import { minimal } from "../scenario/example.ts";

const noFiles = {
  readText: () => Promise.reject(new Error("no files here")),
  whatIs: () => Promise.resolve("nothing" as const),
  list: () => Promise.resolve([]),
};

const resolved = (...settings: string[]) =>
  resolveScenario(parseScenario(minimal, "s.yaml", { settings: ["hardware.system=h100-sxm-8", ...settings] }), noFiles);

const kept = async (engine: string) => {
  const { config } = await resolved("parallel={cp: 2, ep: 2}", `engine={id: ${engine}}`);
  return config.cpKvCache;
};

test("the cache of context-parallel ranks is replicated, or sharded where the engine has Helix", async () => {
  expect(await kept("vllm")).toBe("replicated");
  expect(await kept("sglang")).toBe("replicated");
  expect(await kept("tensorrt-llm")).toBe("sharded");
  expect((await resolved("parallel={cp: 2, ep: 2, cpKvCache: sharded}")).config.cpKvCache).toBe("sharded");
  expect((await resolved()).config.cpKvCache).toBeUndefined();
});

test("the ledger names the flags and what is assumed", async () => {
  const { ledger } = await resolved("parallel={cp: 2, ep: 2, cpKvCache: sharded}");
  const said = ledger.find(({ topic }) => topic === "context parallelism")?.detail;
  expect(said).toContain("--prefill-context-parallel-size 2 --decode-context-parallel-size 2");
  expect(said).toContain("zig-zag");
  const copies = await resolved("parallel={cp: 2, edp: 2}", "engine={id: sglang}");
  expect(copies.ledger.find(({ topic }) => topic === "expert data parallelism")?.detail).toContain("2 copies");
});

const refusals: readonly (readonly [settings: readonly string[], line: string])[] = [
  [["parallel={cpKvCache: sharded}"], "parallel.cpKvCache: expected nothing: parallel.cp is 1"],
  [
    ["model.id=deepseek-v4-flash", "parallel={cp: 8, ep: 8, cpKvCache: sharded}"],
    "parallel.cpKvCache: expected replicated: attention that selects or compresses keys",
  ],
  [["model.id=qwen3-next-80b-a3b", "parallel={cp: 2, ep: 2}"], "parallel.cp: expected 1: a scan of linear attention"],
  [["parallel={tp: 2, edp: 2}"], "parallel.edp: expected a divisor of cp*dp 1"],
  [["parallel={cp: 3, ep: 2}"], "parallel.ep: expected tp*cp*dp == etp*ep*edp, here 3 == 2"],
  [["parallel={dp: 4, ep: 2, edp: 2}"], "has no option for copies of all of them"],
];

test.each(refusals)("%j is refused in one message", async (settings, line) => {
  await expect(resolved(...settings)).rejects.toThrow(line);
});
