import { expect, test } from "vitest";
import { readExpert } from "../../../src/capture/checkpoint/read-expert.ts";
import type { ExpertLayout, MoePlan } from "../../../src/capture/decoder/plan.ts";
import type { WeightSource } from "../../../src/capture/decoder/weights.ts";
import { counting } from "./checkpoint-files.ts";

const [experts, hidden, width] = [3, 4, 2];

function planWith(expert: ExpertLayout): MoePlan {
  return {
    kind: "moe",
    experts,
    topK: 1,
    expertWidth: width,
    gate: { weight: "gate", bias: null, inputWidth: hidden, outputWidth: experts },
    routing: { scoring: "softmax", normalisesTopK: true, scale: 1, groups: null },
    selectionBias: null,
    expert,
    activation: "silu",
    shared: null,
    sharedGate: null,
  };
}

/** Weights in memory, each name with its values. */
function sourceOf(tensors: Readonly<Record<string, Float32Array>>): WeightSource {
  const readRange = async (name: string, shape: readonly number[], from: number, to: number) => {
    const values = tensors[name]!;
    const item = values.length / shape[0]!;
    return values.slice(from * item, to * item);
  };
  return {
    readRange,
    read: (name, shape) => readRange(name, shape, 0, shape[0]!),
    has: (name) => name in tensors,
    storedBytes: (name) => tensors[name]!.byteLength,
  };
}

/** gate[w][h], up[w][h] and down[h][w] of an expert. */
const value = (kind: number, expert: number, out: number, input: number) =>
  1000 * kind + 100 * expert + 10 * out + input;

const fill = (rows: number, columns: number, at: (row: number, column: number) => number) =>
  Float32Array.from({ length: rows * columns }, (_value, i) => at(Math.floor(i / columns), i % columns));

const separate: ExpertLayout = { kind: "separate", gate: "{}.gate", up: "{}.up", down: "{}.down" };
const separateTensors = Object.fromEntries(
  [0, 1, 2].flatMap((e) => [
    [`${e}.gate`, fill(width, hidden, (out, input) => value(1, e, out, input))],
    [`${e}.up`, fill(width, hidden, (out, input) => value(2, e, out, input))],
    [`${e}.down`, fill(hidden, width, (out, input) => value(3, e, out, input))],
  ]),
) as Record<string, Float32Array>;

test("separate matrices are transposed and joined, gates first", async () => {
  const expert = await readExpert(sourceOf(separateTensors), planWith(separate), hidden, 1);
  expect(expert).toEqual({
    hidden,
    width,
    gateUp: fill(hidden, 2 * width, (h, w) => (w < width ? value(1, 1, w, h) : value(2, 1, w - width, h))),
    gateUpBias: null,
    down: fill(width, hidden, (w, h) => value(3, 1, h, w)),
    downBias: null,
  });
});

test("fused experts, with gate and up in turns, give the same matrices", async () => {
  const stacked = (items: (e: number) => Float32Array) => Float32Array.from([0, 1, 2].flatMap((e) => [...items(e)]));
  const tensors = {
    gateUp: stacked((e) => fill(hidden, 2 * width, (h, w) => value(1 + (w % 2), e, w >> 1, h))),
    gateUpBias: stacked((e) => fill(1, 2 * width, (_row, w) => value(4 + (w % 2), e, w >> 1, 0))),
    down: stacked((e) => fill(width, hidden, (w, h) => value(3, e, h, w))),
    downBias: stacked((e) => fill(1, hidden, (_row, h) => value(6, e, h, 0))),
  };
  const fused: ExpertLayout = {
    kind: "fused",
    gateUp: "gateUp",
    gateUpBias: "gateUpBias",
    down: "down",
    downBias: "downBias",
  };
  for (const e of [0, 1, 2]) {
    const plain = await readExpert(sourceOf(separateTensors), planWith(separate), hidden, e);
    expect(await readExpert(sourceOf(tensors), planWith(fused), hidden, e)).toEqual({
      ...plain,
      gateUpBias: Float32Array.of(value(4, e, 0, 0), value(4, e, 1, 0), value(5, e, 0, 0), value(5, e, 1, 0)),
      downBias: fill(1, hidden, (_row, h) => value(6, e, h, 0)),
    });
  }
});

test("a factor on each expert's output is worked into its last matrix", async () => {
  const scale = counting(experts, 32);
  const source = sourceOf({ ...separateTensors, scale });
  const plain = await readExpert(source, planWith(separate), hidden, 2);
  const scaled = await readExpert(source, planWith({ ...separate, outputScale: "scale" }), hidden, 2);
  expect(scaled).toEqual({ ...plain, down: plain.down.map((weight) => weight * scale[2]!) });
});
