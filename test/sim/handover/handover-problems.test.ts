import { describe, expect, test } from "vitest";
import { engineNamed } from "../../../src/engine/catalogue.ts";
import type { SimConfig } from "../../../src/sim/config.ts";
import { handoverProblems } from "../../../src/sim/handover/handover-problems.ts";
import { testNode, tinyModel } from "../build.ts";
import { sideConfig } from "./sides.ts";

const engine = engineNamed("vllm");
const pool = (at: string, tp = 4, overrides: Partial<SimConfig> = {}) => ({
  at,
  config: sideConfig(tinyModel(), tp, 1, { engine, ...overrides }),
});
const places = (prefill: ReturnType<typeof pool>, decode: ReturnType<typeof pool>, together = false) =>
  handoverProblems(prefill, decode, together).map(({ at, found }) => [at, found]);
const drafting = (kind: "mtp" | "eagle") => ({
  speculation: { draftTokens: 1, acceptance: Float64Array.of(0.8), draft: { kind, layersPerToken: 1 } },
});

describe("pools between which caches cannot be handed over", () => {
  test("equal ones, and mappings of which one divides the other, are no problem", () => {
    for (const tp of [1, 2, 4, 8]) expect(places(pool("pools.0"), pool("pools.1", tp))).toEqual([]);
  });

  test("engines that hand nothing over, at their place", () => {
    const llamaCpp = pool("pools.0", 4, { engine: engineNamed("llama.cpp") });
    expect(places(llamaCpp, { ...llamaCpp, at: "pools.1" })).toEqual([
      ["pools.0.engine", "llama.cpp"],
      ["pools.1.engine", "llama.cpp"],
    ]);
  });

  test("another model, another format, ranks that do not divide, another draft module", () => {
    const other = pool("pools.1", 6, { kvFormat: "fp8", model: tinyModel({ id: "other" }), ...drafting("mtp") });
    expect(places(pool("pools.0"), other)).toEqual([
      ["pools.1.model", "other"],
      ["pools.1.model.kvCacheDtype", "fp8"],
      ["pools.1.parallel.tp", 6],
      ["pools.1.engine.speculative", "mtp"],
    ]);
    expect(places(pool("pools.0", 4, drafting("mtp")), pool("pools.1", 4, drafting("eagle")))).toEqual([
      ["pools.1.engine.speculative", "eagle"],
    ]);
  });

  test("devices without a link between them", () => {
    const alone = pool("pools.1", 4, { node: testNode({ scaleOut: null }) });
    expect(places(pool("pools.0"), alone)).toEqual([["pools.1.hardware", "test"]]);
    expect(places(pool("pools.0"), alone, true)).toEqual([]);
  });

  test("drafts that need no module may be on one side alone", () => {
    const free = { draftTokens: 2, acceptance: Float64Array.of(0.5, 0.5), draft: { kind: "free" } as const };
    expect(places(pool("pools.0"), pool("pools.1", 4, { speculation: free }))).toEqual([]);
  });
});
