import { execFile } from "node:child_process";
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { expect, test } from "vitest";
import { openRoutingTrace } from "../../src/trace/container/open-trace.ts";
import { phases } from "../../src/trace/container/trace-tensors.ts";

const layers = 24;

/** A token as the recording publishes it: every layer chooses the experts `first`, first + 1, ... of 32. */
const token = (position: number, first: number) => ({
  [`token_${position}`]: Object.fromEntries(
    Array.from({ length: layers }, (_value, layer) => [
      `layer_${layer}`,
      {
        selected_experts: [0, 1, 2, 3].map((k) => (first + layer + k) % 32),
        selected_probs: [0.5, 0.25, 0.125, 0.125],
      },
    ]),
  ),
});

test("the finished answers of the published layout become a trace, every fourth category of MMLU", async () => {
  const folder = await mkdtemp(join(tmpdir(), "moecast-select-"));
  try {
    const answer = async (set: string, category: string, file: string, first: number) => {
      await mkdir(join(folder, set, category), { recursive: true });
      const data = { router_data: [token(90, first), token(91, first + 1)] };
      await writeFile(join(folder, set, category, file), JSON.stringify(data));
    };
    await answer("gpqa_diamond", "Genetics", "True_False_examples.json", 1);
    await answer("gpqa_diamond", "Optics", "False_False_examples.json", 2);
    for (const category of ["a", "b", "c", "d", "e"]) await answer("mmlu_dev", category, "True_False_examples.json", 3);
    await answer("mmlu_pro_test", "law", "True_False_examples.json", 4);
    await answer("mmlu_pro_test", "law", "True_True_examples.json", 5);
    await answer("tulu3_persona_if", "instruction-following", "True_False_examples.json", 6);
    await writeFile(join(folder, "mmlu_dev", ".DS_Store"), "");

    const output = join(folder, "out.safetensors");
    const script = ["scripts/select-gpt-oss-trace.ts", folder, output];
    await promisify(execFile)(process.execPath, ["--import", "tsx", ...script]);

    const trace = await openRoutingTrace(output);
    try {
      expect([...(await trace.readColumn("sequence", 0, trace.rows))]).toEqual([0, 0, 1, 1, 2, 2, 3, 3, 4, 4]);
      expect([...(await trace.readColumn("domain", 0, trace.rows))]).toEqual([0, 0, 1, 1, 1, 1, 2, 2, 3, 3]);
      expect([...(await trace.readColumn("position", 0, 3))]).toEqual([90, 91, 90]);
      expect([...(await trace.readColumn("phase", 0, 1))]).toEqual([phases.decode]);
      expect([...(await trace.readLayer(5, 1, 2))]).toEqual([7, 8, 9, 10]);
      expect([...(await trace.readWeights(5, 1, 2))]).toEqual([0.5, 0.25, 0.125, 0.125]);
    } finally {
      await trace.close();
    }
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
});
