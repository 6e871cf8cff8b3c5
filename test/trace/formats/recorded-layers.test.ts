import { expect, test } from "vitest";
import type { ImportOptions } from "../../../src/trace/formats/importer.ts";
import { distinctIds, draws, npy, npz, temporaryFolder } from "../routing-files.ts";
import { layer, openedIn, recording } from "./opened.ts";

const folder = temporaryFolder();
const open = openedIn(folder);

/** Ids [tokens, layers, k] in which `fill` says what a layer holds instead of its ids. */
function buffer(tokens: number, layers: number, topK: number, fill: (layer: number) => number | null, experts = 64) {
  const ids = recording(tokens, tokens, layers, experts, topK);
  return ids.map((id, i) => fill(Math.floor(i / topK) % layers) ?? id);
}

const write = (ids: readonly number[], shape: readonly number[]) =>
  folder.write("a.npy", npy(Int16Array.from(ids), shape));

async function imported(ids: readonly number[], shape: readonly number[], options: ImportOptions = { experts: 64 }) {
  const { file, warnings } = await open([write(ids, shape)], options);
  const found = { header: file.header, warnings: warnings.join("\n"), first: await layer(file, 0), rows: file.rows };
  await file.close();
  return found;
}

test("layers of zeros in a buffer of all layers are dense: left out with their places in the input", async () => {
  const ids = buffer(20, 6, 4, (at) => (at < 2 ? 0 : null));
  const { header, warnings, first } = await imported(ids, [20, 6, 4]);
  expect(header.layers).toEqual([2, 3, 4, 5]);
  expect(warnings).toBe("layers 0-1 of the input: only zeros, as in dense layers; left out");
  expect(header.provenance.notes).toContain(warnings);
  expect(first).toEqual(ids.filter((_id, i) => Math.floor(i / 4) % 6 === 2));
});

test("top-1 layers that are id 0 throughout are dense as well, where the recording is long enough to tell", async () => {
  const ids = buffer(200, 8, 1, (at) => (at % 2 === 0 ? 0 : null));
  const { header, warnings } = await imported(ids, [200, 8, 1]);
  expect(header.layers).toEqual([1, 3, 5, 7]);
  expect(warnings).toBe("layers 0, 2, .. 6 of the input: only zeros in 200 rows, as in dense layers; left out");
});

test("a top-1 layer of zeros in a short recording is kept with a warning, and left out when that is stated", async () => {
  const ids = buffer(12, 4, 1, (at) => (at === 0 ? 0 : null));
  const short = await imported(ids, [12, 4, 1]);
  expect(short.header.layers).toEqual([0, 1, 2, 3]);
  expect(short.warnings).toMatch(/layer 0 of the input: id 0 in all 12 rows, too few .* --model-layers/);
  const stated = await imported(ids, [12, 4, 1], { experts: 64, modelLayers: [1, 2, 3] });
  expect(stated.header.layers).toEqual([1, 2, 3]);
  expect(stated.warnings).toBe("layer 0 of the input: no routing, as in dense layers; left out");
  const model = await imported(ids, [12, 4, 1], { experts: 64, shape: { layers: 4, moeLayers: [1, 2, 3] } });
  expect(model.header.layers).toEqual([1, 2, 3]);
});

test("a collapsed top-1 layer is kept where experts are known to be, and another constant id anywhere", async () => {
  const ids = buffer(100, 3, 1, (at) => (at === 1 ? 0 : null));
  const known = await imported(ids, [100, 3, 1], { experts: 64, shape: { layers: 6, moeLayers: [1, 3, 5] } });
  expect(known.header.layers).toEqual([1, 3, 5]);
  expect(known.warnings).toContain(
    "layer 1 of the input: id 0 in all 100 rows, although experts are known to be there; kept",
  );
  const seven = await imported(
    buffer(100, 3, 1, (at) => (at === 1 ? 7 : null)),
    [100, 3, 1],
  );
  expect(seven.header.layers).toEqual([0, 1, 2]);
});

test("layers that contradict what is stated are named", async () => {
  const ids = buffer(20, 4, 2, (at) => (at === 3 ? 0 : null));
  const { header, warnings } = await imported(ids, [20, 4, 2], { experts: 64, modelLayers: [1, 3] });
  expect(header.layers).toEqual([1]);
  expect(warnings).toContain("layer 3 of the input: no routing, although experts are stated there; left out");
  expect(warnings).toContain("layers 0, 2 of the input: routing, although no experts are stated there; left out");
});

test("layers of -1, and of -1 that was stored unsigned, are left out", async () => {
  const ids = buffer(10, 3, 2, (at) => (at === 0 ? -1 : null));
  expect((await imported(ids, [10, 3, 2])).header.layers).toEqual([1, 2]);
  for (const unsigned of [Uint8Array.from(ids), Uint16Array.from(ids), Uint32Array.from(ids)]) {
    const { file, warnings } = await open([folder.write("u.npy", npy(unsigned, [10, 3, 2]))], { experts: 64 });
    expect(file.header.layers).toEqual([1, 2]);
    expect(warnings.join()).toContain("layer 0 of the input: no ids; left out");
    await file.close();
  }
});

test("ids beyond 32 bits are no padding unless they fill a row", async () => {
  const wide = BigInt64Array.from([1n << 40n, 2n, 3n, 4n]);
  await expect(open([folder.write("w.npy", npy(wide, [2, 1, 2]))], { experts: 64 })).rejects.toThrow(
    /expert ids below 64/,
  );
});

test("rows of zeros are padding, zeros of one layer among rows are absent, both counted", async () => {
  const ids = buffer(10, 2, 2, () => null);
  ids.fill(0, 0, 8);
  ids.fill(0, 9 * 4, 9 * 4 + 2);
  const { header, warnings, first, rows } = await imported(ids, [10, 2, 2]);
  expect(rows).toBe(8);
  expect(header.provenance.droppedRows).toBe(2);
  expect(first.slice(-2)).toEqual([255, 255]);
  expect(warnings).toContain("1 rows of layers hold zeros among rows that do not: marked absent");
});

test("a recording of nothing but zeros or -1 says that the capture failed", async () => {
  const only = (value: number, topK: number) => imported(Array(64 * 3 * topK).fill(value), [64, 3, topK]);
  await expect(only(0, 4)).rejects.toThrow(/a\.npy: expected routing, found "only zeros: the capture failed"/);
  await expect(only(0, 1)).rejects.toThrow(/the capture failed/);
  await expect(only(-1, 4)).rejects.toThrow(/no row with ids .*the capture failed/);
  await expect(only(-1, 1)).rejects.toThrow(/the capture failed/);
  const two = [
    npy(Int16Array.from(Array(48).fill(0)), [4, 3, 4]),
    npy(Int16Array.from(recording(1, 4, 3, 64, 4)), [4, 3, 4]),
  ];
  const paths = two.map((bytes, i) => folder.write(`file${i}.npy`, bytes));
  await expect(open(paths)).rejects.toThrow(/file0\.npy.*the capture failed/);
});

test("an id above all others at the end of every row is a fused shared expert", async () => {
  const rows = recording(3, 30, 4, 64, 4);
  const fused = Array.from({ length: 30 * 4 }, (_value, row) => [...rows.slice(row * 4, row * 4 + 4), 64]).flat();
  const weights = Float32Array.from(fused, (_id, i) => (i % 5 === 4 ? 1 : (i % 5) / 8));
  const path = folder.write(
    "fused.npz",
    npz({ expert_ids: npy(Int32Array.from(fused), [30, 4, 5]), weights: npy(weights, [30, 4, 5]) }),
  );
  const { file, warnings } = await open([path]);
  expect(file.header).toMatchObject({ experts: 64, topK: 4, layers: [0, 1, 2, 3] });
  expect(warnings).toEqual([
    "the last id of every row (64) is a shared expert that the engine fuses with the routed ones: left out, which leaves top-4 of 64 experts",
  ]);
  expect(await layer(file, 1)).toEqual(rows.filter((_id, i) => Math.floor(i / 4) % 4 === 1));
  expect([...(await file.readWeights(0, 0, 1))]).toEqual([0, 0.125, 0.25, 0.375]);
  await file.close();
});

test("ids of groups in order, of which the last are the largest, are routed experts", async () => {
  const draw = draws(8);
  const ids = Array.from({ length: 100 * 4 }, (_value, i) => 8 * (i % 4) + draw(8));
  const { header, warnings } = await imported(ids, [100, 1, 4], {});
  expect(header).toMatchObject({ topK: 4, experts: 32 });
  expect(warnings).not.toContain("fuses");
});

test("a constant last id is a fused expert only if it is none of the experts stated; few rows ask", async () => {
  const rows = (count: number) =>
    Array.from({ length: count }, (_value, i) => [...distinctIds(draws(i + 1), 16, 2), 16]).flat();
  const two = await imported(rows(2), [2, 1, 3], {});
  expect(two.header.topK).toBe(3);
  expect(two.warnings).toContain("the last of the 3 ids of a row is 16 throughout");
  expect((await imported(rows(2), [2, 1, 3], { experts: 16 })).header).toMatchObject({ topK: 2, experts: 16 });
  expect((await imported(rows(2), [2, 1, 3], { topK: 2 })).header).toMatchObject({ topK: 2, experts: 16 });
  const counted = await imported(rows(40), [40, 1, 3], { experts: 17 });
  expect(counted.header).toMatchObject({ topK: 3, experts: 17 });
  expect(counted.warnings).toContain("the last of the 3 ids of a row is 16 throughout");
  // Ids far above those stated are wrong, wherever they stand.
  await expect(imported([1, 2, 90, 3, 4, 70], [2, 1, 3], { experts: 16 })).rejects.toThrow(
    /expert ids below 16, found 90/,
  );
});

test("wrong rows are named by row and layer of the input", async () => {
  const twice = buffer(10, 3, 2, () => null);
  twice[4 * 6 + 2] = 9;
  twice[4 * 6 + 3] = 9;
  await expect(imported(twice, [10, 3, 2])).rejects.toThrow(
    /a\.npy: row 4, layer 1 of the input: expected 2 different ids, found \[9,9\]/,
  );
  const overflown = recording(1, 10, 2, 200, 2).map((id) => (id > 127 ? id - 256 : id));
  const path = folder.write("i8.npy", npy(Int8Array.from(overflown), [10, 2, 2]));
  await expect(open([path])).rejects.toThrow(/signed bytes/);
  const weights = Float32Array.from({ length: 8 }, (_value, i) => (i === 5 ? Number.NaN : 0.5));
  const nan = npz({
    expert_ids: npy(Uint8Array.of(1, 2, 3, 4, 5, 6, 7, 8), [2, 2, 2]),
    weights: npy(weights, [2, 2, 2]),
  });
  await expect(open([folder.write("nan.npz", nan)])).rejects.toThrow(
    /row 1, layer 0 of the input: expected finite weights, found "NaN"/,
  );
});

test("top-1 rows of zeros in all layers may be padding: kept with a warning", async () => {
  const ids = buffer(40, 10, 1, () => null).map((id, i) => (i < 30 ? 0 : id));
  const { rows, warnings } = await imported(ids, [40, 10, 1]);
  expect(rows).toBe(40);
  expect(warnings).toContain("3 rows are id 0 in all 10 layers, which padding would be: they are kept as tokens");
});
