import { expect, test } from "vitest";
import { InvalidInputError, type Problem } from "../../src/core/errors.ts";
import { engineIdOn, engineIds } from "../../src/engine/catalogue.ts";
import { deviceNamed, systemIds, systemProfileNamed } from "../../src/hardware/named-profiles.ts";
import { resolveEngine } from "../../src/resolve/resolve-engine.ts";
import { parseScenario } from "../../src/scenario/parse-scenario.ts";
import { minimal } from "../scenario/example.ts";

const noFiles = { readText: () => Promise.reject(new Error("no file was expected")) };

/** What resolving an engine on a system gives: the profile's id, or the refusal. */
async function engineOn(engine: string, system: string): Promise<string | readonly Problem[]> {
  const text = minimal.replace("{ id: vllm }", `{ id: ${engine} }`).replace("h100-sxm-8", system);
  const device = deviceNamed(systemProfileNamed(system).device);
  try {
    return (await resolveEngine(parseScenario(text, "test.yaml"), noFiles, device)).engine.id;
  } catch (error) {
    if (error instanceof InvalidInputError) return error.problems;
    throw error;
  }
}

/** Engines by platform, as their documentation lists the hardware; ids as a scenario says them. */
const built: Readonly<Record<string, readonly string[]>> = {
  cuda: ["vllm", "sglang", "tensorrt-llm", "ktransformers", "llama.cpp"],
  rocm: ["vllm", "vllm-rocm", "sglang", "sglang-rocm", "llama.cpp"],
  ascend: ["vllm", "vllm-ascend", "sglang", "llama.cpp"],
  tpu: ["vllm", "sglang"],
  gaudi: ["vllm"],
  metal: ["vllm", "sglang", "llama.cpp"],
  cpu: ["vllm", "sglang", "llama.cpp"],
  rdu: ["vllm"],
};

test.each(systemIds)("every engine on %s runs, or is refused in one way that names those that run", async (system) => {
  const { id, name, platform } = deviceNamed(systemProfileNamed(system).device);
  const expected = (built[platform ?? "cuda"] ?? []).filter(
    (engine) => id !== "t4" || (engine !== "tensorrt-llm" && engine !== "ktransformers"),
  );
  for (const engine of engineIds) {
    const found = await engineOn(engine, system);
    if (expected.includes(engine)) {
      expect(found, engine).toBe(engineIdOn(platform, engine));
      continue;
    }
    expect(found, engine).toMatchObject([{ at: "engine.id", found: engine, file: "test.yaml", line: 5 }]);
    const [problem] = found as readonly Problem[];
    expect(problem?.expected).toContain(`an engine that runs on ${name}: `);
    const named = problem?.expected.split(": ").at(-1)?.split(", ") ?? [];
    expect(new Set(named)).toEqual(new Set(expected.map((one) => engineIdOn(platform, one))));
  }
});
