import { expect, test } from "vitest";
import { InvalidInputError } from "../../src/core/errors.ts";
import { engineProfileNamed, parseEngineProfile } from "../../src/engine/catalogue.ts";
import { resolveScenario } from "../../src/resolve/resolve-scenario.ts";
import { parseScenario } from "../../src/scenario/parse-scenario.ts";
import { minimal } from "../scenario/example.ts";

const noFiles = { readText: () => Promise.reject(new Error("no file was expected")) };

/** What the ledger says of an engine on a system. */
async function engineLine(engine: string, system: string): Promise<string> {
  const text = minimal.replace("{ id: vllm }", `{ id: ${engine} }`).replace("h100-sxm-8", system);
  const { ledger } = await resolveScenario(parseScenario(text, "test.yaml"), noFiles);
  return ledger.find(({ topic }) => topic === "engine")?.detail ?? "";
}

test("an engine measured on GPUs of another platform says so", async () => {
  for (const [engine, system] of [
    ["vllm", "tpu-v7x-4"],
    ["vllm", "sn40l-16"],
    ["sglang", "xeon-amx-2s"],
    ["sglang", "cloudmatrix-384"],
  ] as const)
    expect(await engineLine(engine, system), system).toContain("figures of CUDA GPUs");
  expect(await engineLine("tensorrt-llm", "h100-sxm-8")).not.toContain("CUDA");
  expect(await engineLine("vllm", "mi300x-8")).not.toContain("figures of CUDA");
});

test("keys that are gone from engine profiles name what stands in their place", () => {
  const profile = { ...engineProfileNamed("vllm"), kernelFactor: { value: 1, kind: "estimated", source: "mine" } };
  try {
    parseEngineProfile(profile, "mine.json");
    expect.unreachable();
  } catch (error) {
    if (!(error instanceof InvalidInputError)) throw error;
    expect(error.problems[0]?.hint).toContain("kernelExcess");
  }
});
