import { describe, expect, test } from "vitest";
import { InvalidInputError, type Problem } from "../../src/core/errors.ts";
import { forecastScenario } from "../../src/forecast/forecast-scenario.ts";
import { resolveScenario } from "../../src/resolve/resolve-scenario.ts";
import { parseScenario } from "../../src/scenario/parse-scenario.ts";
import { minimal, placeOf, problemsOf } from "../scenario/example.ts";

const noFiles = { readText: () => Promise.reject(new Error("no file was expected")) };
const withDrafts = (section: string, model = "deepseek-v3") =>
  minimal.replace("qwen3-30b-a3b", model).replace("{ id: vllm }", `{ id: vllm, speculative: { ${section} } }`);
const resolve = (text: string) => resolveScenario(parseScenario(text, "test.yaml"), noFiles);

async function refused(text: string): Promise<readonly Problem[]> {
  const error: unknown = await resolve(text).catch((thrown: unknown) => thrown);
  return error instanceof InvalidInputError ? error.problems : [];
}

describe("speculative decoding of a scenario", () => {
  const speculation = async (section: string, model?: string) =>
    (await resolve(withDrafts(section, model))).config.speculation;

  test("is off unless stated", async () => {
    expect((await resolve(minimal)).config.speculation).toBeNull();
  });

  test("takes one probability for all draft tokens, one for each, or a published curve", async () => {
    expect((await speculation("method: mtp, draftTokens: 3, acceptance: 0.7"))?.acceptance).toEqual(
      Float64Array.of(0.7, 0.7, 0.7),
    );
    expect((await speculation("method: mtp, draftTokens: 2, acceptance: [0.9, 0.5]"))?.acceptance).toEqual(
      Float64Array.of(0.9, 0.5),
    );
    const published = await speculation("method: mtp, draftTokens: 2, acceptance: qwen3.5-mtp");
    expect(published?.acceptance[0]).toBeCloseTo(0.93, 12);
    expect(published?.acceptance[1]).toBeCloseTo(0.8 / 0.93, 12);
  });

  test("drafts with the model's own layers, a head, or the text", async () => {
    const draft = async (section: string, model?: string) =>
      (await speculation(`${section}, draftTokens: 1, acceptance: 0.5`, model))?.draft;
    expect(await draft("method: mtp")).toEqual({ kind: "mtp", layersPerToken: 1 });
    expect(await draft("method: mtp, draftLayers: 2", "qwen3-30b-a3b")).toEqual({ kind: "mtp", layersPerToken: 2 });
    expect(await draft("method: eagle", "qwen3-30b-a3b")).toEqual({ kind: "eagle", layersPerToken: 1 });
    expect(await draft("method: ngram", "qwen3-30b-a3b")).toEqual({ kind: "free" });
  });

  test("says in the ledger where its acceptance comes from", async () => {
    const entry = async (acceptance: string) =>
      (await resolve(withDrafts(`method: mtp, draftTokens: 2, acceptance: ${acceptance}`))).ledger.find(
        ({ topic }) => topic === "draft acceptance",
      );
    expect(await entry("0.5")).toMatchObject({ fidelity: "assumed", detail: expect.stringContaining("1.75 tokens") });
    expect(await entry("qwen3.5-mtp")).toMatchObject({
      fidelity: "thirdParty",
      detail: expect.stringMatching(/^2\.73 tokens.*Qwen3\.5.*InferenceX/),
    });
  });

  test("gives its acceptance length with the results", async () => {
    const speculation = async (text: string) =>
      (await forecastScenario(parseScenario(text, "test.yaml"), noFiles)).speculation;
    expect(await speculation(minimal)).toBeNull();
    // Of two drafts the first is always right and the second never: 100 requests emit 9 tokens by twos after their first.
    const drafting = withDrafts("method: ngram, draftTokens: 2, acceptance: [1, 0]", "qwen3-30b-a3b");
    expect(await speculation(drafting)).toEqual({
      verifications: 500,
      drafted: 1000,
      accepted: 500,
      acceptanceLength: 2,
    });
  });

  test("shortens the time per output token of a small batch", async () => {
    const tpot = async (text: string) =>
      (await forecastScenario(parseScenario(text, "t", { settings: ["traffic.requests=40"] }), noFiles)).latency.tpot
        .mean;
    const plain = await tpot(minimal);
    const drafting = await tpot(withDrafts("method: eagle, draftTokens: 2, acceptance: 0.9", "qwen3-30b-a3b"));
    expect(drafting!).toBeLessThan(plain! * 0.8);
  });
});

describe("a problem is placed in the scenario", () => {
  const at = (text: string, piece: string) => ({ file: "test.yaml", ...placeOf(text, piece) });

  test("multi-token prediction of a model without such layers", async () => {
    const text = withDrafts("method: mtp, draftTokens: 1, acceptance: 0.5", "qwen3-30b-a3b");
    expect(await refused(text)).toMatchObject([
      { ...at(text, "mtp,"), at: "engine.speculative.method", hint: expect.stringContaining("draftLayers") },
    ]);
  });

  test("layers of drafts that pass none", async () => {
    const text = withDrafts("method: ngram, draftTokens: 1, acceptance: 0.5, draftLayers: 2");
    expect(await refused(text)).toMatchObject([{ ...at(text, "2 } }"), at: "engine.speculative.draftLayers" }]);
  });

  test("another number of probabilities than draft tokens", async () => {
    const text = withDrafts("method: mtp, draftTokens: 3, acceptance: [0.9, 0.5]");
    expect(await refused(text)).toMatchObject([{ ...at(text, "[0.9"), at: "engine.speculative.acceptance", found: 2 }]);
  });

  test("a curve that does not exist, or does not reach as far", async () => {
    const unknown = withDrafts("method: mtp, draftTokens: 3, acceptance: kimi-k2.5-eagle");
    expect(await refused(unknown)).toMatchObject([
      { ...at(unknown, "kimi-k2.5-eagle"), hint: "did you mean kimi-k2.5-eagle3?" },
    ]);
    const long = withDrafts("method: mtp, draftTokens: 9, acceptance: qwen3.5-mtp");
    expect(await refused(long)).toMatchObject([{ ...at(long, "9,"), at: "engine.speculative.draftTokens", found: 9 }]);
  });

  test("values out of range, unknown methods and missing keys", () => {
    const paths = (section: string) => problemsOf(withDrafts(section)).map((problem) => problem.at);
    expect(paths("method: mtp, draftTokens: 0, acceptance: 0.5")).toEqual(["engine.speculative.draftTokens"]);
    expect(paths("method: medusa, draftTokens: 1, acceptance: 0.5")).toEqual(["engine.speculative.method"]);
    expect(paths("method: mtp, draftTokens: 1, acceptance: 1.5")).toEqual(["engine.speculative.acceptance"]);
    expect(paths("method: mtp, draftTokens: 1")).toEqual(["engine.speculative.acceptance"]);
  });
});
