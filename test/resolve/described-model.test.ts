import { expect, test } from "vitest";
import { modelNamed } from "../../src/models/catalogue.ts";
import { shapeDocument } from "../../src/models/shape-document.ts";
import { resolveScenario } from "../../src/resolve/resolve-scenario.ts";
import { parseScenario } from "../../src/scenario/parse-scenario.ts";
import { simulate } from "../../src/sim/simulate.ts";
import { minimal } from "../scenario/example.ts";

const noFiles = { readText: () => Promise.reject(new Error("no file was expected")) };
const few = minimal
  .replace("requests: 100", "requests: 12")
  .replace("{ kind: uniform }", "{ kind: parametric, rows: 100 }");
const resolve = (text: string) => resolveScenario(parseScenario(text, "test.yaml"), noFiles);

/** The scenario with the description of a model in the place of its id. */
const described = (id: string): string =>
  few.replace("model: { id: qwen3-30b-a3b }", shapeDocument(modelNamed(id)).trimEnd());

test.each(["qwen3-30b-a3b", "nemotron-3-nano-30b-a3b"])(
  "%s described by hand runs exactly as by its id, on the same routing",
  async (id) => {
    const [byId, byHand] = [await resolve(few.replace("qwen3-30b-a3b", id)), await resolve(described(id))];
    const bare = ({ config }: typeof byId) => JSON.stringify(simulate(config));
    expect(bare(byHand)).toBe(bare(byId));
    expect(byHand.config.model.name).toBe(`${id} by hand`);
  },
);

test("the ledger says that a person described the model, and which of its formats the scenario changed", async () => {
  const text = described("qwen3-30b-a3b").replace(
    "hardware:",
    "  dtypes: { experts: fp8 }\n  kvCacheDtype: fp8\nhardware:",
  );
  const { ledger, config, inputs } = await resolve(text);
  expect(ledger[0]).toEqual({
    topic: "model",
    fidelity: "assumed",
    detail: "qwen3-30b-a3b by hand: described by hand in model.shape",
  });
  expect(ledger.find(({ topic }) => topic === "formats")?.detail).toBe(
    "as the scenario states: experts fp8, KV cache fp8",
  );
  expect(config.formats).toMatchObject({ experts: "fp8", attention: "bf16" });
  expect(inputs.map(({ role }) => role)).not.toContain("model configuration");
});
