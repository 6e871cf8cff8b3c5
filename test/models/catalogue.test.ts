import { describe, expect, test } from "vitest";
import { agrees, catalogue, countedAs, entryNamed, modelNamed } from "../../src/models/catalogue.ts";
import { parametersOf } from "../../src/models/parameters.ts";
import { resolveConfig } from "../../src/models/resolve.ts";

const entries = Object.entries(catalogue);

describe("published figures", () => {
  test.each(entries)("%s holds its published total within half a unit of the last digit", (id, { published }) => {
    const { byClass } = parametersOf(modelNamed(id));
    expect(agrees(byClass, published.total, published.elsewhere?.value)).toBe(true);
  });

  test.each(entries)("%s uses its published active parameters for a token, or says why not", (id, entry) => {
    const figure = entry.published.active;
    const met = agrees(parametersOf(modelNamed(id)).activeByClass, figure);
    expect(met).toBe(figure.unmet !== true);
    if (!met || figure.without !== undefined) expect(entry.note ?? entry.published.source).toMatch(/embedding|router/);
  });

  test("a figure agrees up to half of its last digit and no further", () => {
    const byClass = parametersOf(modelNamed("mixtral-8x7b")).byClass;
    const counted = countedAs(byClass, { value: 0, unit: 1 });
    expect(agrees(byClass, { value: counted + 50, unit: 100 })).toBe(true);
    expect(agrees(byClass, { value: counted + 51, unit: 100 })).toBe(false);
    expect(agrees(byClass, { value: counted - byClass.head, unit: 0, without: ["head"] })).toBe(true);
  });

  // Tensor counts of the released checkpoints, which hold nothing but the language model.
  test.each([
    ["mixtral-8x7b", 46_702_792_704],
    ["qwen3-30b-a3b", 30_532_122_624],
    ["olmoe-1b-7b", 6_919_161_856],
    ["llama-4-scout", 108_641_793_536 - 871_932_416],
    ["gpt-oss-120b", 116_829_156_672],
  ])("%s holds exactly the parameters of its checkpoint", (id, total) => {
    expect(parametersOf(modelNamed(id)).total).toBe(total);
  });

  test("Pangu Pro MoE has 71.99 B parameters, 16.50 B active; DeepSeekMoE 16B has 16.38 B", () => {
    const pangu = parametersOf(modelNamed("pangu-pro-moe"));
    expect((pangu.total / 1e9).toFixed(2)).toBe("71.99");
    expect((pangu.active / 1e9).toFixed(2)).toBe("16.50");
    expect((parametersOf(modelNamed("deepseek-moe-16b")).total / 1e9).toFixed(2)).toBe("16.38");
  });
});

describe("entries", () => {
  test.each(entries)("%s is listed under its own id, with a source, and resolves with nothing ignored", (id, entry) => {
    expect(entry.id).toBe(id);
    expect(entry.source.length).toBeGreaterThan(20);
    const { ignored, assumptions } = resolveConfig(entry.config, { file: id });
    expect(ignored.filter((key) => !key.startsWith("intermediate_size"))).toEqual([]);
    expect(assumptions.filter((text) => !/alternate|chunks/.test(text))).toEqual([]);
  });

  test("the models that every user asks for are there", () => {
    const wanted =
      "mixtral-8x7b mixtral-8x22b deepseek-v2-lite deepseek-v3 deepseek-r1 qwen1.5-moe-a2.7b qwen3-30b-a3b qwen3-235b-a22b qwen3.5-397b-a17b olmoe-1b-7b gpt-oss-20b gpt-oss-120b llama-4-scout kimi-k2 glm-5 minimax-m2.5 pangu-pro-moe";
    for (const id of wanted.split(" ")) expect(modelNamed(id).layers.length).toBeGreaterThan(0);
  });

  test("ids and aliases name one model each", () => {
    const names = entries.flatMap(([, entry]) => [entry.id, ...entry.aliases]);
    expect(new Set(names).size).toBe(names.length);
    expect(modelNamed("deepseek-r1")).toBe(modelNamed("deepseek-v3"));
    expect(modelNamed("deepseek-v3").name).toBe("DeepSeek-V3");
  });

  test("an unknown model is refused with the nearest, or with all", () => {
    expect(() => entryNamed("mixtral-8x7")).toThrow(/did you mean mixtral-8x7b\?/);
    expect(() => entryNamed("something-else-entirely-x")).toThrow(/models of the catalogue:\n +mixtral-8x7b/);
    expect(() => entryNamed("__proto__")).toThrow(/expected a model of the catalogue/);
  });
});

describe("shapes", () => {
  test("Qwen3.5 mixes 45 linear with 15 full layers, gpt-oss 12 windows with 12 full", () => {
    const kinds = (id: string): Record<string, number> => {
      const counts: Record<string, number> = {};
      for (const { attention } of modelNamed(id).layers) {
        const kind = attention.kind === "gqa" && attention.windowTokens !== null ? "window" : attention.kind;
        counts[kind] = (counts[kind] ?? 0) + 1;
      }
      return counts;
    };
    expect(kinds("qwen3.5-397b-a17b")).toEqual({ linear: 45, gqa: 15 });
    expect(kinds("gpt-oss-20b")).toEqual({ window: 12, gqa: 12 });
    expect(kinds("nemotron-3-nano-30b-a3b")).toEqual({ linear: 23, none: 23, gqa: 6 });
  });

  test("dense prefixes: 3 of 61 in DeepSeek-V3, 1 of 61 in Kimi-K2, 3 of 78 in GLM-5, 1 of 9 in FLAME-MoE", () => {
    const dense = (id: string): string => {
      const { layers } = modelNamed(id);
      return `${layers.filter(({ feedForward }) => feedForward.kind === "dense").length}/${layers.length}`;
    };
    expect(["deepseek-v3", "kimi-k2", "glm-5", "flame-moe-290m"].map(dense)).toEqual(["3/61", "1/61", "3/78", "1/9"]);
  });
});
