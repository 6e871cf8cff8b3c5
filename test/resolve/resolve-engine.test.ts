import { expect, test } from "vitest";
import { engineNamed } from "../../src/engine/catalogue.ts";
import { resolveScenario } from "../../src/resolve/resolve-scenario.ts";
import { parseScenario } from "../../src/scenario/parse-scenario.ts";
import { minimal } from "../scenario/example.ts";

const noFiles = { readText: () => Promise.reject(new Error("no file was expected")) };
const resolved = (engine: string) =>
  resolveScenario(parseScenario(minimal.replace("{ id: vllm }", engine), "test.yaml"), noFiles);

const [known = ""] = Object.keys(engineNamed("vllm").versions);

test("a scenario without a version takes the figures of all versions, and says no more", async () => {
  const { config, ledger } = await resolved("{ id: vllm }");
  expect(config.engine).toEqual(engineNamed("vllm"));
  expect(ledger.find(({ topic }) => topic === "engine")?.detail).not.toContain("version");
});

test("a fitted version applies its factors, and the ledger says so", async () => {
  const { config, ledger } = await resolved(`{ id: vllm, version: "${known}" }`);
  expect(known).not.toBe("");
  expect(config.engine).toEqual(engineNamed("vllm", known));
  expect(config.engine.kernelExcess).not.toBe(engineNamed("vllm").kernelExcess);
  const line = ledger.find(({ topic }) => topic === "engine")?.detail;
  expect(line).toContain(`vLLM ${known}: `);
  expect(line).toContain("factors of this version applied");
});

test("a version that was not fitted keeps the figures of all, and the ledger names those that were", async () => {
  const { config, ledger } = await resolved("{ id: vllm, version: 0.0.0-of-nobody }");
  expect(config.engine).toEqual({ ...engineNamed("vllm"), version: "0.0.0-of-nobody" });
  const line = ledger.find(({ topic }) => topic === "engine")?.detail;
  expect(line).toContain("not a fitted version");
  expect(line).toContain(known);
});

test("front ends are those the engine starts, one per data-parallel rank or a number, unless the scenario says how many", async () => {
  const frontEnds = async (engine: string, dp: number) => {
    const parallel = `parallel: { dp: ${dp}, ep: ${dp} }`;
    const text = minimal.replace("{ id: vllm }", engine);
    return (await resolveScenario(parseScenario(`${text}\n${parallel}\n`, "test.yaml"), noFiles)).config.frontEnds;
  };
  expect(await frontEnds("{ id: vllm }", 1)).toBe(1);
  expect(await frontEnds("{ id: vllm }", 4)).toBe(4);
  expect(await frontEnds("{ id: sglang }", 4)).toBe(1);
  expect(await frontEnds("{ id: sglang, apiServerCount: 6 }", 4)).toBe(6);
});

test("the scheduler looks for requests after every step, unless the scenario says how often", async () => {
  for (const engine of ["vllm", "sglang", "tensorrt-llm"])
    expect((await resolved(`{ id: ${engine} }`)).config.scheduler.recvInterval).toBe(1);
  const rarely = await resolved("{ id: sglang, schedulerRecvInterval: 30 }");
  expect(rarely.config.scheduler.recvInterval).toBe(30);
  for (const engine of ["vllm", "tensorrt-llm", "llama.cpp"])
    await expect(resolved(`{ id: ${engine}, schedulerRecvInterval: 30 }`)).rejects.toThrow("no interval");
});

test("the name of an engine stands for its build on the device, and the ledger says so", async () => {
  const on = async (system: string, engine: string) => {
    const text = minimal.replace("h100-sxm-8", system).replace("{ id: vllm }", `{ id: ${engine} }`);
    const { config, ledger } = await resolveScenario(parseScenario(text, "test.yaml"), noFiles);
    return { engine: config.engine, line: ledger.find(({ topic }) => topic === "engine")?.detail ?? "" };
  };
  for (const [system, asked, built] of [
    ["mi300x-8", "vllm", "vllm-rocm"],
    ["mi325x-8", "sglang", "sglang-rocm"],
    ["ascend-800i-a2-8", "vllm", "vllm-ascend"],
  ] as const) {
    const { engine, line } = await on(system, asked);
    expect(engine).toEqual(engineNamed(built));
    expect(line).toContain(`(${built}, as ${asked} is built for `);
    expect(await on(system, built)).toEqual({ engine, line: expect.not.stringContaining("as ") as string });
  }
  expect((await on("mi300x-8", "llama.cpp")).engine).toEqual(engineNamed("llama.cpp"));
  expect((await on("h100-sxm-8", "vllm")).line).not.toContain("built for");
});
