import { expect, test } from "vitest";
import { resolveScenario } from "../../src/resolve/resolve-scenario.ts";
import { parseScenario } from "../../src/scenario/parse-scenario.ts";
import type { LedgerEntry } from "../../src/sim/result.ts";
import { minimal } from "../scenario/example.ts";

const noFiles = { readText: () => Promise.reject(new Error("no file was expected")) };

/** What the ledger says of kernels on prompts, of an engine on a system. */
async function promptsLine(engine: string, system: string): Promise<LedgerEntry | undefined> {
  const text = minimal.replace("{ id: vllm }", `{ id: ${engine} }`).replace("h100-sxm-8", system);
  const { ledger } = await resolveScenario(parseScenario(text, "test.yaml"), noFiles);
  return ledger.find(({ topic }) => topic === "kernels on prompts");
}

test("a run says where its engine's own kernels were measured, and where they were not that others stand in", async () => {
  expect(await promptsLine("llama.cpp", "dgx-spark")).toMatchObject({ fidelity: "fitted" });
  const elsewhere = await promptsLine("llama.cpp", "rtx5090-desktop");
  expect(elsewhere).toMatchObject({ fidelity: "assumed" });
  expect(elsewhere?.detail).toContain("fitted on gb10 and rtx-4090");
  for (const system of ["mac-m2-ultra", "strix-halo"]) {
    const foreign = await promptsLine("llama.cpp", system);
    expect(foreign, system).toMatchObject({ fidelity: "assumed" });
    expect(foreign?.detail, system).toContain("others stand in");
  }
  expect(await promptsLine("vllm", "h100-sxm-8")).toBeUndefined();
});
