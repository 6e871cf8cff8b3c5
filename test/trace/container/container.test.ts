import { readdirSync, readFileSync } from "node:fs";
import { dirname } from "node:path";
import fc from "fast-check";
import { expect, test } from "vitest";
import { InvalidInputError, InvariantError } from "../../../src/core/errors.ts";
import { openRoutingTrace } from "../../../src/trace/container/open-trace.ts";
import { idBytes } from "../../../src/trace/container/row-check.ts";
import { writeRoutingTrace } from "../../../src/trace/container/write-trace.ts";
import { drawn } from "../../drawn.ts";
import { distinctIds, draws, headerOf, temporaryFolder, writeRows } from "../routing-files.ts";

const folder = temporaryFolder();

test("a trace reads back as it was written, whatever the order of the writes", async () => {
  const shape = fc.record({
    seed: fc.nat(),
    rows: fc.integer({ min: 1, max: 24 }),
    experts: fc.constantFrom(4, 255, 256, 257, 1000),
    topK: fc.integer({ min: 1, max: 4 }),
    block: fc.integer({ min: 1, max: 20 }),
    weights: fc.constantFrom("f16", "f32"),
    backwards: fc.boolean(),
  });
  await fc.assert(
    fc.asyncProperty(shape, async ({ seed, rows, experts, topK, block, weights, backwards }) => {
      const draw = draws(seed);
      const header = headerOf({ experts, topK, layers: [3, 17] });
      const narrow = idBytes(experts, topK) === 1;
      const ids = header.layers.map(() =>
        (narrow ? Uint8Array : Uint16Array).from(
          Array.from({ length: rows }, () => distinctIds(draw, experts, topK)).flat(),
        ),
      );
      const floats = (count: number) => Float32Array.from({ length: count }, () => draw(1024) / 1024);
      const weighed = header.layers.map(() => floats(rows * topK));
      const scored = header.layers.map(() => floats(rows * experts));
      const position = Uint32Array.from({ length: rows }, () => draw(1e9));
      const path = folder.path("round.safetensors");
      await writeRoutingTrace(
        path,
        { header, rows, columns: ["sequence", "position"], weights: weights as "f16" | "f32", scores: "f32" },
        async (writer) => {
          await writer.column("position", 0, position);
          const starts = Array.from({ length: Math.ceil(rows / block) }, (_value, i) => i * block);
          for (const from of backwards ? starts.reverse() : starts)
            for (const layer of [1, 0]) {
              const to = Math.min(rows, from + block);
              await writer.experts(layer, from, ids[layer]!.subarray(from * topK, to * topK));
              await writer.weights(layer, from, weighed[layer]!.subarray(from * topK, to * topK));
              await writer.scores(layer, from, scored[layer]!.subarray(from * experts, to * experts));
            }
          await writer.column("sequence", 0, new Uint32Array(rows));
        },
      );
      const file = await openRoutingTrace(path);
      expect(file.header).toEqual(header);
      expect([file.rows, file.columns, file.hasWeights, file.hasScores]).toEqual([
        rows,
        ["sequence", "position"],
        true,
        true,
      ]);
      const middle = Math.floor(rows / 2);
      for (const layer of [0, 1]) {
        expect(await file.readLayer(layer, 0, rows)).toEqual(ids[layer]);
        expect(await file.readLayer(layer, middle, rows)).toEqual(ids[layer]!.slice(middle * topK));
        expect(await file.readWeights(layer, 0, rows)).toEqual(weighed[layer]);
        expect(await file.readScores(layer, 0, rows)).toEqual(scored[layer]);
      }
      expect(await file.readColumn("position", 0, rows)).toEqual(position);
      await file.close();
    }),
    { numRuns: drawn(20) },
  );
});

test("the file is plain safetensors: a length, a JSON header with string metadata, tensors by layer number", async () => {
  const rows = [{ sequence: 0, domain: 0, layers: [[1, 0], [2, 3], null] }];
  const path = await writeRows(folder.path("plain.safetensors"), headerOf({ layers: [1, 5, 9] }), rows);
  const bytes = readFileSync(path);
  const length = Number(bytes.readBigUInt64LE(0));
  const header = JSON.parse(bytes.subarray(8, 8 + length).toString());
  expect((8 + length) % 8).toBe(0);
  expect(header.__metadata__).toMatchObject({
    format: "moecast-routing",
    version: "1",
    kind: "tokens",
    experts: "8",
    top_k: "2",
    layers: "[1,5,9]",
  });
  const at = ({ data_offsets: [from, to] }: { data_offsets: [number, number] }) => [
    ...bytes.subarray(8 + length + from, 8 + length + to),
  ];
  expect(header["experts.1"]).toMatchObject({ dtype: "U8", shape: [1, 2] });
  expect(at(header["experts.5"])).toEqual([2, 3]);
  expect(at(header["experts.9"])).toEqual([0xff, 0xff]);
});

test("256 experts fit one byte as long as an absent row can be told from a recorded one", () => {
  expect([idBytes(255, 1), idBytes(256, 2), idBytes(256, 1), idBytes(257, 8)]).toEqual([1, 1, 2, 2]);
});

test("a failed write leaves the old file and nothing beside it", async () => {
  const path = folder.write("kept.safetensors", "old");
  const layout = { header: headerOf(), rows: 1, columns: ["sequence" as const] };
  const failing = writeRoutingTrace(path, layout, async () => {
    throw new Error("stopped");
  });
  await expect(failing).rejects.toThrow("stopped");
  expect(readFileSync(path, "utf8")).toBe("old");
  expect(readdirSync(dirname(path)).filter((name) => name.includes("partial"))).toEqual([]);
});

test("a column that was not filled completely, or a row beyond the end, is a broken law", async () => {
  const layout = { header: headerOf(), rows: 2, columns: ["sequence" as const] };
  const path = folder.path("broken.safetensors");
  const fill = (rows: number, from: number) =>
    writeRoutingTrace(path, layout, (writer) => writer.column("sequence", from, new Uint32Array(rows)));
  await expect(fill(1, 0)).rejects.toThrow(InvariantError);
  await expect(fill(2, 1)).rejects.toThrow(InvariantError);
  await expect(fill(2, 0)).resolves.toBeUndefined();
});

test("the writer refuses what the reader would refuse", async () => {
  const layout = { header: headerOf(), rows: 1, columns: ["sequence" as const], weights: "f32" as const };
  const path = folder.path("refused.safetensors");
  const ids = (...given: number[]) =>
    writeRoutingTrace(path, layout, (writer) => writer.experts(0, 0, Uint8Array.from(given)));
  await expect(ids(1, 1)).rejects.toThrow(InvalidInputError);
  await expect(ids(1, 8)).rejects.toThrow(InvalidInputError);
  await expect(ids(255, 1)).rejects.toThrow(InvalidInputError);
  await expect(
    writeRoutingTrace(path, layout, (writer) => writer.weights(0, 0, Float32Array.of(0.5, Number.NaN))),
  ).rejects.toThrow(InvalidInputError);
});

test("a counts trace keeps its steps, layers and experts apart", async () => {
  const header = headerOf({ kind: "counts", topK: null, domains: ["a", "b"] });
  const counts = Uint32Array.from({ length: 2 * 3 * 8 }, (_value, i) => i * 1000);
  const path = folder.path("counts.safetensors");
  await writeRoutingTrace(path, { header, rows: 2, columns: ["domain"] }, async (writer) => {
    await writer.counts(1, counts.subarray(24));
    await writer.counts(0, counts.subarray(0, 24));
    await writer.column("domain", 0, Uint32Array.of(0, 1));
  });
  const file = await openRoutingTrace(path);
  expect(file.header).toEqual(header);
  expect(await file.readCounts(0, 2)).toEqual(counts);
  expect(await file.readCounts(1, 2)).toEqual(counts.slice(24));
  await expect(file.readLayer(0, 0, 1)).rejects.toThrow(InvalidInputError);
  await file.close();
});
