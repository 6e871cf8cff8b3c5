import { expect, test } from "vitest";
import { checkPoint } from "../../../src/calibrate/likeness/point-likeness.ts";
import { ProblemList } from "../../../src/calibrate/measured/problem-list.ts";
import { InvalidInputError } from "../../../src/core/errors.ts";
import { resolveScenario } from "../../../src/resolve/resolve-scenario.ts";
import { parseScenario } from "../../../src/scenario/parse-scenario.ts";
import { minimal } from "../../scenario/example.ts";
import { servingPoint } from "../example-points.ts";

const noFiles = { readText: () => Promise.reject(new Error("no file was expected")) };

/** Places of what makes a point of `engine` no observation of vLLM on eight MI300X. */
async function differences(engine: string): Promise<(string | undefined)[]> {
  const text = minimal.replace("h100-sxm-8", "mi300x-8");
  const { config } = await resolveScenario(parseScenario(text, "test.yaml"), noFiles);
  const point = servingPoint({ model: "Qwen/Qwen3-30B-A3B", system: "mi300x-8", precision: "bf16", engine });
  const problems = new ProblemList("points.csv");
  checkPoint(config, point, problems);
  try {
    problems.settle();
  } catch (error) {
    if (error instanceof InvalidInputError) return error.problems.map(({ at }) => at);
    throw error;
  }
  return [];
}

test("the name of an engine stands for its build on the device", async () => {
  for (const engine of ["vllm", "vllm-rocm"]) expect(await differences(engine)).not.toContain("backend");
  for (const engine of ["sglang", "tensorrt-llm"]) expect(await differences(engine)).toContain("backend");
});
