import { describe, expect, test } from "vitest";
import { modelNamed } from "../../src/models/catalogue.ts";
import { layerMapOf, moeLayerIndices } from "../../src/resolve/layer-map.ts";
import type { RoutingTable } from "../../src/trace/routing-table.ts";
import { rowsOfDomain } from "../../src/trace/rows-of-domain.ts";

const qwen = modelNamed("qwen3-30b-a3b");
const deepseek = modelNamed("deepseek-v3");
const trace = (layers: number, modelLayers: readonly number[] = []) => ({ layers, modelLayers });

describe("the layer map", () => {
  test("identity goes by the layer numbers of the trace", () => {
    const indices = moeLayerIndices(deepseek);
    expect(indices[0]).toBe(3);
    expect(
      layerMapOf(
        "identity",
        trace(
          61,
          Array.from({ length: 61 }, (_, at) => at),
        ),
        deepseek,
      ),
    ).toEqual(indices);
  });

  test("identity goes by position where the trace has no matching numbers but the right depth", () => {
    const positions = Array.from({ length: 58 }, (_, at) => at);
    expect(layerMapOf("identity", trace(58, positions), deepseek)).toEqual(positions);
  });

  test("identity refuses a trace of another depth and says what would replay it", () => {
    expect(() => layerMapOf("identity", trace(32), qwen)).toThrow("routing.layerMap nearest or repeat");
  });

  test("nearest is monotone, covers the trace when the model is deeper, and is identity at equal depth", () => {
    const map = layerMapOf("nearest", trace(16), qwen);
    expect(map).toEqual([...map].sort((a, b) => a - b));
    expect(new Set(map).size).toBe(16);
    expect(layerMapOf("nearest", trace(48), qwen)).toEqual(Array.from({ length: 48 }, (_, at) => at));
  });

  test("repeat cycles through the trace", () => {
    expect(layerMapOf("repeat", trace(5), qwen).slice(0, 7)).toEqual([0, 1, 2, 3, 4, 0, 1]);
  });

  test("a list has one existing trace layer for each MoE layer", () => {
    const list = Array.from({ length: 48 }, () => 2);
    expect(layerMapOf(list, trace(3), qwen)).toEqual(list);
    expect(() => layerMapOf(list, trace(2), qwen)).toThrow("48 trace layers below 2");
    expect(() => layerMapOf([0], trace(2), qwen)).toThrow("48 trace layers below 2");
  });
});

describe("rows of a domain", () => {
  const table: RoutingTable = {
    experts: 8,
    topK: 2,
    layers: 1,
    rows: 6,
    ids: Uint8Array.from([0, 1, 2, 3, 4, 5, 6, 7, 1, 0, 3, 2]),
    sequenceStarts: Uint32Array.of(0, 2, 4, 6),
    domains: ["math", "code", "none"],
    domainStarts: Uint32Array.of(0, 2, 6, 6),
    modelLayers: [0],
    origin: { kind: "recorded", name: "toy", digest: "", sourceRows: 6, phase: "decode", notes: [] },
  };

  test("are a table of their own, with its sequences", () => {
    const code = rowsOfDomain(table, "code");
    expect(code).toMatchObject({ rows: 4, domains: ["code"] });
    expect([...code.ids]).toEqual([4, 5, 6, 7, 1, 0, 3, 2]);
    expect([...code.sequenceStarts]).toEqual([0, 2, 4]);
    expect([...code.domainStarts]).toEqual([0, 4]);
  });

  test("of all domains together are the rows of the table", () => {
    const rows = table.domains.slice(0, 2).reduce((sum, domain) => sum + rowsOfDomain(table, domain).rows, 0);
    expect(rows).toBe(table.rows);
  });

  test("of an unknown or empty domain are refused", () => {
    expect(() => rowsOfDomain(table, "mathh")).toThrow("did you mean math?");
    expect(() => rowsOfDomain(table, "none")).toThrow("a domain with rows");
  });
});
