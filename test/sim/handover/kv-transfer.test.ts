import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { storageFormats } from "../../../src/core/dtype.ts";
import { formatNumber } from "../../../src/core/units.ts";
import { deviceNamed } from "../../../src/hardware/named-profiles.ts";
import { catalogue, modelNamed } from "../../../src/models/catalogue.ts";
import type { ModelSpec } from "../../../src/models/spec.ts";
import { undisturbedNs } from "../../../src/sim/handover/kv-path.ts";
import { type KvSide, KvTransfer } from "../../../src/sim/handover/kv-transfer.ts";
import { mappingProblems } from "../../../src/sim/mapping.ts";
import { planMemory } from "../../../src/sim/memory/memory-plan.ts";
import { draftConfig } from "../../../src/sim/step/draft-model.ts";
import { singleDevice, testEngine, tinyMla, tinyModel } from "../build.ts";
import { programsOf, sideConfig, sideOf } from "./sides.ts";

/** Bytes that a device of a side keeps for the first `tokens` tokens, from its own caches alone. */
function keptBytes({ layers, tp }: KvSide, device: number, tokens: number): number {
  const stage = Math.floor(device / tp);
  let bytes = 0;
  for (const layer of layers)
    if (layer.stage === stage)
      for (const cache of layer.caches) {
        if (cache.kind === "full") bytes += cache.bytesPerToken * tokens;
        else if (cache.kind === "state") bytes += cache.bytes;
        else bytes += cache.bytesPerToken * Math.min(tokens, cache.windowTokens - 1);
      }
  return bytes;
}

const devicesOf = ({ tp, pp }: KvSide) => Array.from({ length: tp * pp }, (_, device) => device);
const total = (values: readonly number[]) => values.reduce((sum, value) => sum + value, 0);
const close = (found: number, expected: number) => expect(found / expected).toBeCloseTo(1, 10);

/** Tensor-parallel ranks and stages of either side, one of the ranks a multiple of the other. */
const degrees = [1, 2, 3, 4, 8, 16];
const pairs = degrees.flatMap((tp) =>
  degrees
    .filter((toTp) => tp % toTp === 0 || toTp % tp === 0)
    .map((toTp) => ({ tp, pp: tp === 4 ? 3 : 1, toTp, toPp: toTp === 2 ? 4 : 1 })),
);

const divides = (model: ModelSpec, tp: number, pp: number) =>
  pp <= model.layers.length &&
  mappingProblems({ ...singleDevice, tp, pp }, model).every(({ at }) => !/[.](tp|pp)$/.test(at ?? ""));

describe.each(Object.keys(catalogue))("%s", (id) => {
  const model = modelNamed(id);
  const sides = new Map<string, KvSide>();
  const side = (tp: number, pp: number): KvSide => {
    const known = sides.get(`${tp} ${pp}`) ?? sideOf(sideConfig(model, tp, pp));
    sides.set(`${tp} ${pp}`, known);
    return known;
  };

  test("every device receives what it keeps, whatever the mappings; as much is sent", () => {
    for (const { tp, pp, toTp, toPp } of pairs) {
      if (!divides(model, tp, pp) || !divides(model, toTp, toPp)) continue;
      const [from, to] = [side(tp, pp), side(toTp, toPp)];
      const transfer = new KvTransfer(from, to);
      for (const tokens of [1, 1000, 20_000]) {
        const received = devicesOf(to).map((device) => transfer.received[device]!.bytes(tokens));
        for (const device of devicesOf(to)) expect(received[device]).toBeCloseTo(keptBytes(to, device, tokens), 3);
        const sent = devicesOf(from).map((device) => transfer.sent[device]!.bytes(tokens));
        close(total(sent), total(received));
        close(transfer.totalBytes(tokens), total(received));
        expect(transfer.receivedBytes(tokens)).toBe(Math.max(...received));
        expect(transfer.sentBytes(tokens)).toBe(Math.max(...sent));
        close(total(transfer.flows.map(({ amount }) => amount.bytes(tokens))), total(sent));
      }
    }
  });

  test("with equal mappings every device sends what it keeps, to its counterpart alone", () => {
    for (const [tp, pp] of [
      [1, 1],
      [8, 1],
      [2, 3],
    ] as const) {
      if (!divides(model, tp, pp)) continue;
      const transfer = new KvTransfer(side(tp, pp), side(tp, pp));
      expect(transfer.flows.every(({ source, destination }) => source === destination)).toBe(true);
      for (const device of devicesOf(side(tp, pp)))
        expect(transfer.sent[device]!.bytes(5000)).toBeCloseTo(keptBytes(side(tp, pp), device, 5000), 3);
    }
  });

  test("past every window a token is as many bytes as the memory plan counts; those that the receiver has are left out", () => {
    const config = sideConfig(model, 1, 1);
    const { kvBytesPerToken } = planMemory(config, programsOf(config)).map;
    const transfer = new KvTransfer(side(1, 1), side(1, 1));
    const tokens = 40_000;
    expect(transfer.totalBytes(2 * tokens) - transfer.totalBytes(tokens)).toBeCloseTo(tokens * kvBytesPerToken, 2);
    expect(transfer.totalBytes(9000) - transfer.totalBytes(9000, 4000)).toBeCloseTo(4000 * kvBytesPerToken, 2);
    expect(transfer.totalBytes(0)).toBe(0);
  });
});

test("a latent has 576 values per token and layer, and is sent to each rank that holds it", () => {
  const model = modelNamed("deepseek-v3");
  const bits = storageFormats[model.kvFormat].bitsPerValue;
  const latent = (61 * 576 * bits) / 8;
  const transfer = (tp: number, toTp: number) =>
    new KvTransfer(sideOf(sideConfig(model, tp, 1)), sideOf(sideConfig(model, toTp, 1)));
  expect(transfer(1, 1).totalBytes(1)).toBeCloseTo(latent, 6);
  // Equal ranks: each sends its copy. More on either side: those beyond are spread, or send nothing.
  expect([8, 1, 8].map((tp, i) => transfer(tp, [8, 8, 1][i]!).totalBytes(1) / latent)).toEqual([8, 8, 1]);
  expect(transfer(1, 8).sentBytes(1) / latent).toBeCloseTo(8, 9);
  expect(transfer(8, 1).sent.map((amount) => amount.bytes(1) / latent)).toEqual([1, 0, 0, 0, 0, 0, 0, 0]);
  expect(transfer(2, 8).sent.map((amount) => amount.bytes(1) / latent)).toEqual([4, 4]);
});

test("the table of docs/disaggregation.md", () => {
  const rows = [...readFileSync("docs/disaggregation.md", "utf8").matchAll(/^\| (\d) to (\d)\D.*$/gm)];
  expect(rows).toHaveLength(5);
  const ndr = deviceNamed("h200-sxm").scaleOut!;
  for (const [row, tp, toTp] of rows) {
    const [from, to] = [tp, toTp].map((ranks) => sideOf(sideConfig(modelNamed("deepseek-v3"), Number(ranks), 1)));
    const transfer = new KvTransfer(from!, to!);
    const ms = undisturbedNs({ transfer, links: { sending: ndr, receiving: ndr }, layers: 61 }, 8192) / 1e6;
    const megabytes = [transfer.totalBytes(8192), transfer.sentBytes(8192), transfer.receivedBytes(8192)];
    const cells = [
      ...megabytes.map((bytes) => `${formatNumber(Math.round(bytes / 1e6))} MB`),
      `${ms < 100 ? ms.toFixed(1) : ms.toFixed(0)} ms`,
    ];
    expect(row).toContain(`| ${cells.join(" | ")} |`);
  }
});

describe("heads of grouped-query attention by rank, worked out by hand: 4 heads of 64 values, 4 layers in 16 bits", () => {
  const head = 4 * 64 * 2;
  const matrix = (tp: number, toTp: number) => {
    const transfer = new KvTransfer(sideOf(sideConfig(tinyModel(), tp, 1)), sideOf(sideConfig(tinyModel(), toTp, 1)));
    const rows = Array.from({ length: tp }, () => Array.from({ length: toTp }, () => 0));
    for (const { source, destination, amount } of transfer.flows) rows[source]![destination] = amount.bytes(1) / head;
    return rows;
  };

  test("each rank reads its heads from the ranks that have them", () => {
    expect(matrix(4, 2)).toEqual([
      [1, 0],
      [1, 0],
      [0, 1],
      [0, 1],
    ]);
    expect(matrix(1, 4)).toEqual([[1, 1, 1, 1]]);
  });

  test("of ranks with copies of a head, one sends where the receiver has fewer", () => {
    expect(matrix(8, 2)).toEqual([
      [1, 0],
      [0, 0],
      [1, 0],
      [0, 0],
      [0, 1],
      [0, 0],
      [0, 1],
      [0, 0],
    ]);
    expect(matrix(2, 8)).toEqual([
      [1, 1, 1, 1, 0, 0, 0, 0],
      [0, 0, 0, 0, 1, 1, 1, 1],
    ]);
  });
});

test("layers go from the stage that computed them to the stage that decodes with them", () => {
  const transfer = new KvTransfer(sideOf(sideConfig(tinyModel(), 1, 2)), sideOf(sideConfig(tinyModel(), 1, 4)));
  const routes = transfer.flows.map(({ source, destination }) => [source, destination]);
  expect(routes).toEqual([
    [0, 0],
    [0, 1],
    [1, 2],
    [1, 3],
  ]);
});

test("windows that the engine keeps whole are sent whole", () => {
  const layers = tinyModel().layers.map((layer) => ({
    ...layer,
    attention: { ...layer.attention, windowTokens: 101, chunked: true } as typeof layer.attention,
  }));
  const model = tinyModel({ layers });
  const bytes = (chunks: "shared" | "full") => {
    const engine = testEngine({ caches: { windows: "shared", chunks, states: "shared", statesPerSequence: 1 } });
    const side = sideOf(sideConfig(model, 1, 1, { engine }));
    return new KvTransfer(side, side).totalBytes(1000);
  };
  expect(bytes("full") / bytes("shared")).toBe(10);
});

test("the caches of a draft module go from the last stage to the last", () => {
  const attention = tinyModel().layers.map((layer) => ({ ...layer, attention: tinyMla }));
  const model = tinyModel({ layers: attention, mtpLayers: 1 });
  const speculation = {
    draftTokens: 2,
    acceptance: Float64Array.of(0.8, 0.6),
    draft: { kind: "mtp", layersPerToken: 1 } as const,
  };
  const side = (pp: number, drafts: boolean) => {
    const config = sideConfig(model, 1, pp, drafts ? { speculation } : {});
    const module = draftConfig(config);
    return sideOf(config, module === null ? [] : programsOf(module));
  };
  const drafted = new KvTransfer(side(2, true), side(4, true));
  const plain = new KvTransfer(side(2, false), side(4, false));
  expect(drafted.totalBytes(100) / plain.totalBytes(100)).toBeCloseTo(5 / 4, 12);
  expect(drafted.received.map((amount) => amount.bytes(1) / plain.received[0]!.bytes(1))).toEqual([1, 1, 1, 2]);
  // Modules that only one side has are not sent.
  expect(new KvTransfer(side(2, false), side(4, true)).totalBytes(100)).toBe(plain.totalBytes(100));
});
