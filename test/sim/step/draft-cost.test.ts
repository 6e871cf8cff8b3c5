import { describe, expect, test } from "vitest";
import { CostModel } from "../../../src/hardware/cost.ts";
import { expectedDistinct } from "../../../src/models/expected-experts.ts";
import type { Draft, SimConfig } from "../../../src/sim/config.ts";
import { simulate } from "../../../src/sim/simulate.ts";
import { addChunk, emptyBatch, type RankBatch } from "../../../src/sim/step/batch.ts";
import { buildDraftCost } from "../../../src/sim/step/draft-cost.ts";
import { StepCost } from "../../../src/sim/step/step-cost.ts";
import { testConfig, testEngine, testNode, tinyModel } from "../build.ts";

const mtp: Draft = { kind: "mtp", layersPerToken: 1 };
const eagle: Draft = { kind: "eagle", layersPerToken: 1 };
const [{ attention: full, feedForward: moe }] = tinyModel().layers as [ReturnType<typeof tinyModel>["layers"][number]];
if (full.kind !== "gqa" || moe.kind !== "moe") throw new Error("unexpected tiny model");
const windowed = { ...full, windowTokens: 64 };

/** Without overheads, on a device that only computes unless told otherwise: kernels take FLOPs over 1e14 per second. */
const base = (parts: Partial<SimConfig>, device: Parameters<typeof testNode>[0] = { memoryBytesPerSecond: 1e30 }) =>
  testConfig({
    engine: testEngine({ stepOverheadNs: 0, sequenceOverheadNs: 0, kernelOverheadNs: 0 }),
    node: testNode(device),
    routing: { kind: "uniform" },
    ...parts,
  });

/** Time to draft after a step in which one sequence decodes at a context and another computes part of its prompt. */
function draftNs(config: SimConfig, draftTokens: number, draft: Draft, context = 500, emits = 1): number {
  const cost = new CostModel(config.node.device, config.node);
  const speculation = { draftTokens, acceptance: new Float64Array(draftTokens), draft };
  const { windows } = new StepCost(config, cost);
  const batch: RankBatch = emptyBatch(windows.length);
  addChunk(batch, windows, context, 1, true);
  addChunk(batch, windows, 0, 30, false);
  batch.sampled = 1;
  const drafts = emptyBatch(windows.length);
  for (let i = 0; i < emits; i++) addChunk(drafts, windows, context + 1, 1, true);
  drafts.sampled = emits;
  return buildDraftCost({ ...config, speculation }, cost, windows)!.ns([batch], [drafts]);
}

const nsPerFlop = 1e9 / 1e14;

describe("a draft pass", () => {
  test("computes logits for the sequences that emit only", () => {
    const config = base({});
    const head = 2 * 256 * 1024 * nsPerFlop;
    expect(draftNs(config, 1, mtp, 500, 1) - draftNs(config, 1, mtp, 500, 0)).toBeCloseTo(head, 9);
    expect(draftNs(config, 1, mtp, 500, 7) - draftNs(config, 1, mtp, 500, 0)).toBeCloseTo(7 * head, 9);
  });

  test("after the first computes one token per emitting sequence, each seeing one key more", () => {
    const config = base({});
    const [one, two, three] = [1, 2, 3].map((drafts) => draftNs(config, drafts, mtp)) as [number, number, number];
    const perToken = 2 * (256 * (8 * 32 + 2 * 4 * 32) + 8 * 32 * 256 + 256 * 8 + 2 * 3 * 256 * 128 + 2 * 256 * 256);
    const head = 2 * 256 * 1024;
    const perKey = 2 * 8 * 64;
    expect(two - one).toBeCloseTo((perToken + head + 502 * perKey) * nsPerFlop, 6);
    expect(three - two).toBeCloseTo(two - one + perKey * nsPerFlop, 6);
  });

  test("sees the whole context where any layer of the model does", () => {
    const layer = (attention: typeof full) => ({ attention, feedForward: moe });
    const mixed = base({ model: tinyModel({ layers: [layer(full), layer(windowed)] }) });
    const local = base({ model: tinyModel({ layers: [layer(windowed), layer(windowed)] }) });
    const growth = (config: SimConfig) => draftNs(config, 1, mtp, 900) - draftNs(config, 1, mtp, 500);
    expect(growth(mixed)).toBeCloseTo(400 * 2 * 8 * 64 * nsPerFlop, 9);
    expect(growth(local)).toBeCloseTo(0, 9);
    expect(draftNs(mixed, 1, mtp)).toBeCloseTo(draftNs(base({}), 1, mtp), 6);
  });

  test("of a module with experts touches as many as popularities of the scenario's variation make it", () => {
    const bytes = 3 * 256 * 128 * 2;
    const drafting = (popularityCv: number) =>
      draftNs(base({ routing: { kind: "uniform", popularityCv } }, { peak: { bf16: 1e30 } }), 1, mtp);
    const touched = expectedDistinct(8, 2, 31) - expectedDistinct(8, 2, 31, 1.5);
    expect(touched).toBeGreaterThan(1);
    // The device only reads: 1 ns for 1,000 bytes.
    expect(drafting(0) - drafting(1.5)).toBeCloseTo((touched * bytes) / 1000, 6);
  });

  test("of a draft head has a dense network as wide as the model's, or as a token's experts, in 16 bits", () => {
    const dense = { kind: "dense" as const, width: 512, matrices: 3 as const };
    const layers = (first: typeof dense | typeof moe) => [
      { attention: full, feedForward: first },
      { attention: full, feedForward: { ...moe, sharedWidth: 64 } },
    ];
    const feedForward = (width: number) => 31 * 2 * 3 * 256 * width * nsPerFlop;
    const own = draftNs(base({ model: tinyModel({ layers: layers(dense) }) }), 1, eagle);
    const experts = draftNs(base({ model: tinyModel({ layers: layers({ ...moe, sharedWidth: 64 }) }) }), 1, eagle);
    expect(own - experts).toBeCloseTo(feedForward(512) - feedForward(2 * 128 + 64), 6);
    // Formats of the model do not reach the head: it reads as many bytes.
    const reading = { peak: { bf16: 1e30 } };
    const quantised = { ...testConfig().formats, attention: "int4" as const, dense: "int4" as const };
    expect(draftNs(base({ formats: quantised }, reading), 1, eagle)).toBe(draftNs(base({}, reading), 1, eagle));
    expect(draftNs(base({ formats: quantised }, reading), 1, mtp)).toBeLessThan(draftNs(base({}, reading), 1, mtp));
  });
});

test("devices and links are busy with drafting too", () => {
  const run = (draft: Draft) =>
    simulate(
      base({
        mapping: { tp: 1, cp: 1, dp: 2, pp: 1, ep: 2, etp: 1, edp: 1 },
        speculation: { draftTokens: 3, acceptance: new Float64Array(3), draft },
      }),
    ).resources;
  const [module, text] = [run(mtp), run({ kind: "free" })];
  for (const name of ["experts of rank 0", "experts of rank 1", "device interconnect"]) {
    const busy = (resources: typeof text) => resources.find((use) => use.name === name)!.busyNs;
    expect(busy(module)).toBeGreaterThan(busy(text) * 1.2);
  }
});
