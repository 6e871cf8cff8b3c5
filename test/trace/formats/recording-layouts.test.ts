import { mkdirSync, rmSync } from "node:fs";
import fc from "fast-check";
import { expect, test } from "vitest";
import { isAbsent } from "../../../src/trace/container/row-check.ts";
import type { ImportOptions } from "../../../src/trace/formats/importer.ts";
import { drawn } from "../../drawn.ts";
import { distinctIds, draws, importAndOpen, npy, npz, temporaryFolder } from "../routing-files.ts";
import { jsonLines } from "./opened.ts";

/** Ids and weights of one token in one layer. */
interface Choice {
  readonly ids: readonly number[];
  readonly weights: readonly number[];
}

/** What was recorded: [sequence][token][layer]. */
type Recording = readonly (readonly (readonly Choice[])[])[];

interface Shape {
  readonly seed: number;
  readonly lengths: readonly number[];
  readonly layers: number;
  readonly topK: number;
  readonly experts: number;
}

const folder = temporaryFolder();

/** Texts whose tokens keep about half of their experts from one to the next. */
function recorded({ seed, lengths, layers, topK, experts }: Shape): Recording {
  const draw = draws(seed);
  return lengths.map((tokens) => {
    let last = Array.from({ length: layers }, () => distinctIds(draw, experts, topK));
    return Array.from({ length: tokens }, () => {
      last = last.map((before) => {
        const ids = before.filter(() => draw(2) === 0);
        while (ids.length < topK) {
          const id = draw(experts);
          if (!ids.includes(id)) ids.push(id);
        }
        return ids;
      });
      return last.map((ids) => ({ ids, weights: ids.map(() => (draw(63) + 1) / 64) }));
    });
  });
}

/** What a buffer holds besides routing. */
interface Buffer {
  /** Places of dense layers before those with experts, and between them, with what fills them. */
  readonly dense: 0 | 1 | 2;
  readonly fill: 0 | -1;
  readonly fused: boolean;
  readonly type: "i1" | "i2" | "i4" | "i8";
}

/** Rows [layer][id] of a buffer of all layers, and of their weights. */
function bufferRow(row: readonly Choice[], { topK, experts }: Shape, { dense, fill, fused }: Buffer) {
  const width = topK + (fused ? 1 : 0);
  const empty = { ids: Array<number>(width).fill(fill), weights: Array<number>(width).fill(0) };
  const full = row.map(({ ids, weights }) => ({
    ids: fused ? [...ids, experts] : [...ids],
    weights: fused ? [...weights, 1] : [...weights],
  }));
  return dense === 0 ? full : dense === 1 ? [empty, ...full] : full.flatMap((layer) => [empty, layer]);
}

const typed = (ids: readonly number[], type: Buffer["type"]) =>
  type === "i1"
    ? Int8Array.from(ids)
    : type === "i2"
      ? Int16Array.from(ids)
      : type === "i4"
        ? Int32Array.from(ids)
        : BigInt64Array.from(ids, BigInt);

const shape = fc.record({
  seed: fc.integer({ min: 1, max: 1e6 }),
  lengths: fc.array(fc.integer({ min: 8, max: 24 }), { minLength: 2, maxLength: 4 }),
  layers: fc.integer({ min: 1, max: 3 }),
  topK: fc.integer({ min: 2, max: 4 }),
  experts: fc.constantFrom(16, 64, 100),
});
const buffer = fc.record({
  dense: fc.constantFrom(0, 1, 2),
  fill: fc.constantFrom(0, -1),
  fused: fc.boolean(),
  type: fc.constantFrom("i1", "i2", "i4", "i8"),
});

/** Imports what was written into a folder and takes it apart again: the layers, and rows by sequence in order of position. */
async function readBack(name: string, options: ImportOptions) {
  const { file } = await importAndOpen(folder.path("trace.safetensors"), [folder.path(name)], options);
  const { topK, layers, experts } = file.header;
  const sequence = await file.readColumn("sequence", 0, file.rows);
  const position = await file.readColumn("position", 0, file.rows);
  const sequences: { position: number; row: (Choice | null)[] }[][] = [];
  for (let row = 0; row < file.rows; row++) {
    sequences[sequence[row]!] ??= [];
    sequences[sequence[row]!]!.push({ position: position[row]!, row: [] });
  }
  for (const layer of layers.keys()) {
    const ids = await file.readLayer(layer, 0, file.rows);
    const weights = file.hasWeights ? await file.readWeights(layer, 0, file.rows) : null;
    const next = sequences.map(() => 0);
    for (let row = 0; row < file.rows; row++) {
      const of = sequence[row]!;
      const at = row * topK!;
      sequences[of]![next[of]!]!.row.push(
        isAbsent(ids, row, topK!)
          ? null
          : { ids: [...ids.subarray(at, at + topK!)], weights: [...(weights?.subarray(at, at + topK!) ?? [])] },
      );
      next[of]! += 1;
    }
  }
  await file.close();
  const positions = sequences.map((rows) => rows.map(({ position }) => position));
  return { layers, experts, topK, positions, recording: sequences.map((rows) => rows.map(({ row }) => row)) };
}

const withoutWeights = (recording: Recording) =>
  recording.map((rows) => rows.map((row) => row.map(({ ids }) => ({ ids: [...ids], weights: [] as number[] }))));
const layersOf = ({ layers }: Shape, { dense }: Buffer) =>
  Array.from({ length: layers }, (_value, i) => (dense === 2 ? 2 * i + 1 : i + dense));
const upTo = (count: number) => [...Array(count).keys()];

function fresh(name: string): void {
  rmSync(folder.path(name), { recursive: true, force: true });
  mkdirSync(folder.path(name));
}

test("arrays of requests in files of their own import to what was recorded, whatever else is in them", async () => {
  await fc.assert(
    fc.asyncProperty(shape, buffer, fc.boolean(), async (given, of, beside) => {
      const texts = recorded(given);
      fresh("requests");
      for (const [request, rows] of texts.entries()) {
        const written = rows.map((row) => bufferRow(row, given, of));
        const dims = [rows.length, written[0]!.length, written[0]![0]!.ids.length];
        const ids = npy(
          typed(
            written.flat().flatMap((layer) => layer.ids),
            of.type,
          ),
          dims,
        );
        const extra = {
          weights: npy(Float32Array.from(written.flat().flatMap((layer) => layer.weights)), dims),
          prompt: npy(new Uint8Array(16), [], { descr: "<U4" }),
          request_id: npy(Int32Array.of(request), []),
          prompt_token_ids: npy(Int32Array.from(upTo(5)), [5]),
          output_token_ids: npy(Int32Array.from(upTo(rows.length - 4)), [rows.length - 4]),
          logits: npy(Float32Array.from(upTo(rows.length * 2)), [rows.length, 2]),
        };
        folder.write(`requests/request_${request}.npz`, npz({ routed_experts: ids, ...(beside ? extra : {}) }));
      }
      const found = await readBack("requests", of.fused ? {} : { experts: given.experts });
      expect(found).toEqual({
        layers: layersOf(given, of),
        experts: given.experts,
        topK: given.topK,
        positions: texts.map((rows) => upTo(rows.length)),
        recording: beside ? texts : withoutWeights(texts),
      });
    }),
    { numRuns: drawn(8) },
  );
});

test("one array whose rows name their sequence and position imports to what was recorded, in any order of sequences", async () => {
  await fc.assert(
    fc.asyncProperty(shape, buffer, fc.constantFrom(1, 3), async (given, of, from) => {
      const texts = recorded(given);
      const draw = draws(given.seed + 7);
      const left = texts.map(() => 0);
      const rows: { sequence: number; token: number }[] = [];
      while (rows.length < given.lengths.reduce((sum, length) => sum + length, 0)) {
        const sequence = draw(texts.length);
        if (left[sequence]! < texts[sequence]!.length) rows.push({ sequence, token: left[sequence]!++ });
      }
      const written = rows.map(({ sequence, token }) => bufferRow(texts[sequence]![token]!, given, of));
      const dims = [rows.length, written[0]!.length, written[0]![0]!.ids.length];
      folder.write(
        "rows.npz",
        npz({
          position: npy(
            Int32Array.from(rows, ({ token }) => token + from),
            [rows.length],
          ),
          sequence: npy(
            BigInt64Array.from(rows, ({ sequence }) => BigInt(100 - sequence)),
            [rows.length],
          ),
          expert_ids: npy(
            typed(
              written.flat().flatMap((layer) => layer.ids),
              of.type,
            ),
            dims,
          ),
          gate_weights: npy(Float32Array.from(written.flat().flatMap((layer) => layer.weights)), dims),
        }),
      );
      const found = await readBack("rows.npz", { experts: given.experts });
      const order = [...new Set(rows.map(({ sequence }) => sequence))];
      expect(found.recording).toEqual(order.map((sequence) => texts[sequence]));
      expect(found.positions).toEqual(order.map((sequence) => upTo(texts[sequence]!.length).map((i) => i + from)));
    }),
    { numRuns: drawn(8) },
  );
});

test("sequences padded to one length with zeros or -1 import without their padding", async () => {
  await fc.assert(
    fc.asyncProperty(shape, buffer, fc.constantFrom(0, -1), async (given, of, padding) => {
      const texts = recorded(given);
      const longest = Math.max(...given.lengths);
      const width = given.topK + (of.fused ? 1 : 0);
      const count = bufferRow(texts[0]![0]!, given, of).length;
      const ids = texts.flatMap((rows) => [
        ...rows.flatMap((row) => bufferRow(row, given, of).flatMap((layer) => layer.ids)),
        ...Array<number>((longest - rows.length) * count * width).fill(padding),
      ]);
      folder.write("padded.npy", npy(typed(ids, of.type), [texts.length, longest, count, width]));
      const found = await readBack("padded.npy", { experts: given.experts });
      expect(found.recording).toEqual(withoutWeights(texts));
      expect(found.layers).toEqual(layersOf(given, of));
    }),
    { numRuns: drawn(8) },
  );
});

test("logs import to what was recorded: by request, by batch, by place in the batch, or row by row", async () => {
  const log = fc.constantFrom("requests", "batches", "places", "restarts", "runs on");
  await fc.assert(
    fc.asyncProperty(shape, log, fc.boolean(), async (given, kind, fused) => {
      const lengths =
        kind === "runs on"
          ? [500]
          : kind === "restarts"
            ? [200, 230, 210]
            : kind === "places"
              ? Array(6).fill(80)
              : given.lengths;
      const sized = { ...given, topK: 4, experts: 64, lengths };
      const texts = recorded(sized);
      const line = (request: string, index: number, layer: number, { ids, weights }: Choice) => ({
        type: "route",
        req_id: request,
        token_idx: index,
        layer,
        topk_ids: fused ? [...ids, sized.experts] : ids,
        topk_weights: fused ? [...weights, 1] : weights,
      });
      // Rows in the order of the engine: request after request, or step after step.
      const rows: { request: string; index: number; row: readonly Choice[] }[] = [];
      const longest = Math.max(...lengths);
      if (kind === "places" || kind === "requests")
        for (let token = 0; token < longest; token++)
          for (const [place, text] of texts.entries())
            if (token < text.length)
              rows.push({
                request: kind === "places" ? "r1" : `q${place}`,
                index: kind === "places" ? place : token,
                row: text[token]!,
              });
      if (kind === "restarts" || kind === "runs on")
        for (const text of texts)
          for (const [token, row] of text.entries()) rows.push({ request: "r1", index: token, row });
      const lines: object[] =
        kind === "batches"
          ? texts.flatMap((text, batch) =>
              upTo(given.layers).map((layer) => ({
                layer,
                batch_id: batch,
                request_id: `q${batch}`,
                origin_rows: text.map(() => 0),
                topk_experts: text.map((row) => (fused ? [...row[layer]!.ids, sized.experts] : row[layer]!.ids)),
                topk_weights: text.map((row) => (fused ? [...row[layer]!.weights, 1] : row[layer]!.weights)),
              })),
            )
          : upTo(given.layers).flatMap((layer) =>
              rows.map(({ request, index, row }) => line(request, index, layer, row[layer]!)),
            );
      folder.write("log.jsonl", jsonLines(lines));
      const found = await readBack("log.jsonl", fused ? {} : { experts: sized.experts });
      expect(found.recording).toEqual(texts);
      expect(found).toMatchObject({ topK: 4, experts: 64, positions: texts.map((text) => upTo(text.length)) });
    }),
    { numRuns: drawn(8) },
  );
});
