import { mkdirSync } from "node:fs";
import { expect, test } from "vitest";
import type { ImportOptions } from "../../../src/trace/formats/importer.ts";
import { distinctIds, draws, importAndOpen, npy, npz, safetensors, temporaryFolder } from "../routing-files.ts";
import { column, layer, openedIn, recording } from "./opened.ts";

const folder = temporaryFolder();
const open = openedIn(folder);
const tokens = (count: number) =>
  npy(
    BigInt64Array.from({ length: count }, (_value, i) => BigInt(900 + i)),
    [count],
  );
const ids = (seed: number, rows: number) => npy(Int16Array.from(recording(seed, rows, 2, 16, 2)), [rows, 2, 2]);

async function phases(arrays: Readonly<Record<string, Uint8Array>>, options: ImportOptions = { experts: 16 }) {
  const { file, warnings } = await open([folder.write("r.npz", npz(arrays))], options);
  const found = { phase: await column(file, "phase"), position: await column(file, "position"), warnings };
  await file.close();
  return found;
}

test("tokens of prompt and output beside the ids say which rows are of the prompt", async () => {
  const last = await phases({ routed_experts: ids(1, 6), prompt_token_ids: tokens(4), output_token_ids: tokens(3) });
  expect(last).toEqual({ phase: [1, 1, 1, 1, 2, 2], position: [0, 1, 2, 3, 4, 5], warnings: [] });
  const all = await phases({ routed_experts: ids(1, 6), prompt_token_ids: tokens(4), output_token_ids: tokens(2) });
  expect(all.phase).toEqual([1, 1, 1, 1, 2, 2]);
  const output = await phases({ routed_experts: ids(1, 6), prompt_token_ids: tokens(40), output_token_ids: tokens(7) });
  expect(output).toMatchObject({ phase: [2, 2, 2, 2, 2, 2], position: [40, 41, 42, 43, 44, 45] });
  const length = await phases({ routed_experts: ids(1, 6), num_prompt_tokens: npy(Int32Array.of(2), []) });
  expect(length.phase).toEqual([1, 1, 2, 2, 2, 2]);
  const neither = await phases({
    routed_experts: ids(1, 6),
    prompt_token_ids: tokens(90),
    output_token_ids: tokens(90),
  });
  expect(neither.phase).toEqual([0, 0, 0, 0, 0, 0]);
});

test("text, pickled objects and unknown arrays beside the ids are named, not read", async () => {
  const { warnings } = await phases({
    routed_experts: ids(2, 6),
    request_id: npy(new Uint8Array(16), [], { descr: "<U4" }),
    meta: npy(new Uint8Array(8), [1], { descr: "|O" }),
    mask: npy(new Uint8Array(6), [6], { descr: "|b1" }),
    temperature: npy(Float32Array.of(0.7), []),
    block_table: npy(Int32Array.from(recording(5, 6, 2, 16, 2)), [6, 2, 2]),
    router_logits: npy(new Float32Array(6 * 2 * 16), [6, 2, 16]),
  });
  expect([...warnings].sort()).toEqual(
    ["block_table", "mask", "meta", "request_id", "router_logits", "temperature"].map((name) => `not used: ${name}`),
  );
});

test("a sequence of tokens is not the sequence of each row", async () => {
  const { file, warnings } = await open([folder.write("s.npz", npz({ expert_ids: ids(2, 6), sequence: tokens(6) }))], {
    experts: 16,
  });
  expect(await column(file, "sequence")).toEqual([0, 0, 0, 0, 0, 0]);
  expect(warnings).toEqual(["not used: sequence"]);
  await file.close();
  const named = await open([folder.write("s.npz", npz({ expert_ids: ids(2, 6), request_id: tokens(6) }))], {
    experts: 16,
  });
  expect(await column(named.file, "sequence")).toEqual([0, 1, 2, 3, 4, 5]);
  await named.file.close();
});

test("numbers of experts beside the ids count, and are refused where they contradict them", async () => {
  const stated = (experts: number, topK: number) =>
    folder.write(
      "stated.npz",
      npz({
        expert_ids: ids(3, 6),
        num_experts: npy(Int32Array.of(experts), []),
        top_k: npy(Int32Array.of(topK), [1]),
      }),
    );
  const { file, warnings } = await open([stated(64, 2)]);
  expect(file.header.experts).toBe(64);
  expect(warnings).toEqual([]);
  await file.close();
  await expect(open([stated(64, 4)])).rejects.toThrow(/4 experts per token, as stated, found "2 ids per row"/);
  await expect(open([stated(64, 2)], { experts: 32 })).rejects.toThrow(/32 experts, as stated/);
  await expect(open([stated(4, 2)])).rejects.toThrow(/expert ids below 4/);
});

test("a matrix of ids is one layer, and rows [layers x k] are several where k is stated", async () => {
  const one = recording(4, 300, 1, 64, 4);
  const { file } = await open([folder.write("one.npy", npy(Uint8Array.from(one), [300, 4]))], { experts: 64 });
  expect([file.header.layers, file.header.topK, file.rows]).toEqual([[0], 4, 300]);
  expect(await layer(file, 0)).toEqual(one);
  await file.close();
  const several = recording(5, 40, 5, 64, 4);
  const flat = folder.write("flat.npy", npy(Int32Array.from(several), [40, 20]));
  await expect(open([flat])).rejects.toThrow(/\[40,20\], which may be either.*--kind tokens or --kind counts/);
  const split = await open([flat], { experts: 64, topK: 4 });
  expect(split.file.header).toMatchObject({ topK: 4, layers: [0, 1, 2, 3, 4] });
  expect(await layer(split.file, 2)).toEqual(several.filter((_id, i) => Math.floor(i / 4) % 5 === 2));
  await split.file.close();
});

test("weights as bfloat16 in safetensors come along", async () => {
  const half = [0.5, 0.25, 1, 2].map((value) => new Uint32Array(Float32Array.of(value).buffer)[0]! >>> 16);
  const header = {
    expert_ids: { dtype: "U8", shape: [2, 1, 2], data_offsets: [0, 4] },
    topk_weights: { dtype: "BF16", shape: [2, 1, 2], data_offsets: [4, 12] },
    mask: { dtype: "BOOL", shape: [2], data_offsets: [12, 14] },
  };
  const data = Uint8Array.of(1, 2, 3, 0, ...new Uint8Array(Uint16Array.from(half).buffer), 1, 1);
  const { file, warnings } = await open([folder.write("w.safetensors", safetensors(header, data))], { experts: 4 });
  expect([...(await file.readWeights(0, 0, 2))]).toEqual([0.5, 0.25, 1, 2]);
  expect(warnings).toEqual(["not used: mask"]);
  await file.close();
});

test("arrays that are no ids are refused by name", async () => {
  const refused = (name: string, bytes: Uint8Array) => expect(open([folder.write(name, bytes)])).rejects;
  const values = recording(6, 10, 2, 16, 2);
  const shape = [10, 2, 2];
  await refused("f4.npy", npy(Float32Array.from(values), shape)).toThrow(
    /f4\.npy: expected integers as ids, found "<f4"/,
  );
  await refused("nan.npy", npy(Float64Array.from(values).fill(Number.NaN, 0, 1), shape)).toThrow(/integers as ids/);
  await refused("big.npy", npy(Int16Array.from(values), shape, { descr: ">i2" })).toThrow(/big-endian.*astype/);
  await refused("order.npy", npy(Int16Array.from(values), shape, { fortran: true })).toThrow(
    /row-major.*ascontiguousarray/,
  );
  await refused("objects.npy", npy(new Uint8Array(80), [10], { descr: "|O" })).toThrow(/pickled.*never loaded/);
  await refused("flat.npy", npy(Int32Array.from(values), [40])).toThrow(/ids \[tokens, layers, k\], found \[40\]/);
  const inside = npz({
    routed_experts: npy(Int16Array.from(values), shape, { fortran: true }),
    name: npy(new Uint8Array(16), [], { descr: "<U4" }),
  });
  await refused("inside.npz", inside).toThrow(/routed_experts: expected row-major order/);
});

/** A folder of recordings by name; returns its path. */
function recordings(name: string, files: Readonly<Record<string, Uint8Array>>): string {
  mkdirSync(folder.path(name));
  for (const [file, bytes] of Object.entries(files)) folder.write(`${name}/${file}`, bytes);
  return folder.path(name);
}

test("a file of a folder that cannot be read is left out by name, one that was named is refused", async () => {
  const good = Object.fromEntries([1, 2, 3, 4, 5].map((i) => [`good_${i}.npz`, npz({ routed_experts: ids(i, 6) })]));
  const bad = {
    "broken.npz": npz({ routed_experts: ids(9, 6) }).subarray(0, 90),
    "failed.npz": npz({ routed_experts: npy(new Int16Array(24), [6, 2, 2]) }),
    "other.npz": npz({ routed_experts: npy(Int16Array.from(recording(1, 6, 3, 16, 2)), [6, 3, 2]) }),
    "twice.npy": npy(Int16Array.of(1, 1, 2, 3), [1, 2, 2]),
  };
  const path = recordings("mixed", { ...good, ...bad });
  const { file, warnings } = await importAndOpen(folder.path("out.safetensors"), [path], { experts: 16 });
  expect(file.rows).toBe(30);
  expect(file.header.provenance.files?.map(({ name }) => name)).toEqual(Object.keys(good));
  expect(warnings).toHaveLength(4);
  expect(warnings.join("\n")).toMatch(/^left out, cannot be read: broken\.npz/m);
  expect(warnings.join("\n")).toMatch(/^left out, cannot be read: failed\.npz: .*capture failed/m);
  expect(warnings.join("\n")).toMatch(
    /^left out, cannot be read: other\.npz: routed_experts: expected 2 layers of 2 experts/m,
  );
  expect(warnings.join("\n")).toMatch(/^left out, cannot be read: twice\.npy.*2 different ids/m);
  await file.close();
  for (const name of Object.keys(bad))
    await expect(open([path, `${path}/${name}`].reverse(), { experts: 16 }), name).rejects.toThrow(name);
});

test("a folder of which most or all cannot be read is refused with the reasons", async () => {
  const zeros = npy(new Int16Array(24), [6, 2, 2]);
  const most = recordings("most", { "a.npy": zeros, "b.npy": zeros, "c.npy": ids(1, 6) });
  await expect(open([most])).rejects.toThrow(/a\.npy.*capture failed[\s\S]*b\.npy.*capture failed/);
  await expect(open([recordings("all", { "a.npy": zeros, "b.npy": zeros })])).rejects.toThrow(/capture failed/);
});

test("matrices named by their layers are one recording, others are not told from requests", async () => {
  const whole = recording(7, 300, 3, 64, 4);
  const of = (at: number) => whole.filter((_id, i) => Math.floor(i / 4) % 3 === at);
  const weights = (at: number) =>
    npy(
      Float32Array.from(of(at), (id) => id / 64),
      [300, 4],
    );
  const matrix = (at: number) => npy(Int32Array.from(of(at)), [300, 4]);
  const names = ["model.layers.10.mlp.topk_ids", "model.layers.3.mlp.topk_ids", "model.layers.4.mlp.topk_ids"];
  const path = folder.write(
    "layers.npz",
    npz(
      Object.fromEntries(
        [2, 0, 1].flatMap((at, i) => [
          [names[i], matrix(at)],
          [`${names[i]!.slice(0, -3)}weights`, weights(at)],
        ]),
      ),
    ),
  );
  const { file, warnings } = await open([path], { experts: 64 });
  expect(file.header.layers).toEqual([3, 4, 10]);
  expect(warnings).toEqual([]);
  expect(new Set(await column(file, "sequence")).size).toBe(1);
  expect(await layer(file, 2)).toEqual(of(2));
  expect([...(await file.readWeights(1, 5, 6))]).toEqual(
    of(1)
      .slice(20, 24)
      .map((id) => id / 64),
  );
  await file.close();
  const unnamed = folder.write("unnamed.npz", npz({ arr_0: matrix(0), arr_1: matrix(1) }));
  await expect(open([unnamed], { experts: 64 })).rejects.toThrow(/matrices \[tokens, k\] named by their layers/);
});

test("files named by their layers are not read as requests of one layer", async () => {
  const paths = [0, 1].map((i) =>
    folder.write(`layer_${i}.npy`, npy(Uint8Array.from(recording(i + 1, 300, 1, 64, 4)), [300, 4])),
  );
  await expect(open(paths, { experts: 64 })).rejects.toThrow(/2 files named by their layers.*numpy\.stack/);
});

test("an array [layers, tokens, k] is refused by its neighbours, or by the layers of the model", async () => {
  const draw = draws(12);
  // 40 tokens of 5 layers; each keeps 6 of its 8 experts from token to token.
  const rows = Array.from({ length: 5 }, () => {
    let last = distinctIds(draw, 64, 8);
    return Array.from({ length: 40 }, () => {
      last = [
        ...last.slice(2),
        ...distinctIds(draw, 64, 64)
          .filter((id) => !last.includes(id))
          .slice(0, 2),
      ];
      return last;
    });
  });
  const turned = folder.write("turned.npy", npy(Uint8Array.from(rows.flat(2)), [5, 40, 8]));
  await expect(open([turned])).rejects.toThrow(/expected \[tokens, layers, k\].*transpose\(1, 0, 2\)/);
  const right = rows[0]!.flatMap((_row, token) => rows.flatMap((of) => of[token]!));
  for (const dense of [[], [0, 1, 2]]) {
    const ids = right.map((id, i) => (dense.includes(Math.floor(i / 8) % 5) ? 0 : id));
    const { file } = await open([folder.write("right.npy", npy(Uint8Array.from(ids), [40, 5, 8]))]);
    expect(file.rows).toBe(40);
    await file.close();
  }
  const few = folder.write("few.npy", npy(Uint8Array.from(recording(3, 20, 6, 64, 2)), [6, 20, 2]));
  const shape = { layers: 8, moeLayers: [2, 3, 4, 5, 6, 7] };
  await expect(open([few], { experts: 64, shape })).rejects.toThrow(/first size is the number of layers of the model/);
});

test("an array of several sequences is refused where its tokens run along another size, or the layers of the model do", async () => {
  const draw = draws(13);
  const [sequences, count, layers, k] = [3, 24, 20, 4] as const;
  // Each token keeps 3 of the 4 experts of the one before.
  const texts = Array.from({ length: sequences * layers }, () => {
    let last = distinctIds(draw, 64, k);
    return Array.from({ length: count }, () => {
      const others = distinctIds(draw, 64, 64).filter((id) => !last.includes(id));
      last = [...last.slice(1), others[0]!];
      return last;
    });
  });
  const at = (sequence: number, token: number, layer: number) => texts[sequence * layers + layer]![token]!;
  const write = (shape: readonly number[], of: (a: number, b: number, c: number) => number[]) => {
    const [first, second, third] = shape as [number, number, number];
    const rows = Array.from({ length: first * second * third }, (_value, i) =>
      of(Math.floor(i / (second * third)), Math.floor(i / third) % second, i % third),
    );
    return folder.write("four.npy", npy(Uint8Array.from(rows.flat()), [...shape, k]));
  };
  const { file } = await open([write([sequences, count, layers], at)]);
  expect(file.rows).toBe(sequences * count);
  await file.close();
  const refused = async (path: string, hint: RegExp, options: ImportOptions = {}) =>
    await expect(open([path], options)).rejects.toThrow(hint);
  const byLayer = write([layers, sequences, count], (l, s, t) => at(s, t, l));
  await refused(byLayer, /expected \[sequences, tokens, layers, k\].*third size.*transpose\(1, 2, 0, 3\)/);
  await refused(
    write([layers, 1, count], (l, _s, t) => at(0, t, l)),
    /third size/,
  );
  await refused(
    write([1, layers, count], (s, l, t) => at(s, t, l)),
    /third size.*transpose\(0, 2, 1, 3\)/,
  );
  await refused(
    write([count, sequences, layers], (t, s, l) => at(s, t, l)),
    /first size.*transpose\(1, 0, 2, 3\)/,
  );
  await refused(
    write([count, 1, layers], (t, s, l) => at(s, t, l)),
    /first size/,
  );
  const shape = { layers: 5, moeLayers: [0, 1, 2, 3, 4] };
  const short = write([5, 2, 6], (l, s, t) => at(s, t, l));
  await refused(short, /first size is the number of layers of the model/, { shape });
});

test("ids in a byte are refused where there are more experts, as larger ids were wrapped", async () => {
  const rows = recording(7, 30, 2, 384, 2);
  const bytes = folder.write("wrapped.npy", npy(Uint8Array.from(rows), [30, 2, 2]));
  await expect(open([bytes], { experts: 384 })).rejects.toThrow(/ids of 384 experts, found "\|u1, which holds 256"/);
  const layers = npz({
    layer_1_topk_ids: npy(Uint8Array.from(rows.slice(0, 60)), [30, 2]),
    layer_2_topk_ids: npy(Uint8Array.from(rows.slice(60)), [30, 2]),
  });
  await expect(open([folder.write("layers.npz", layers)], { experts: 384 })).rejects.toThrow(/which holds 256/);
  const signed = folder.write(
    "signed.npy",
    npy(
      Int8Array.from(rows, (id) => id % 128),
      [30, 2, 2],
    ),
  );
  await expect(open([signed], { experts: 160 })).rejects.toThrow(/\|i1, which holds 128/);
  const all = Uint8Array.from({ length: 120 }, (_value, i) => (i % 2 === 0 ? 255 : i));
  const { file } = await open([folder.write("fits.npy", npy(all, [30, 2, 2]))], { experts: 256 });
  expect(file.header.experts).toBe(256);
  await file.close();
});

test("ids of arrays that never name expert 0 may be counted from 1; a copy of a file is told", async () => {
  const rows = recording(8, 200, 2, 16, 2).map((id) => id + 1);
  const whole = npy(Uint8Array.from(rows), [200, 2, 2]);
  const one = await open([folder.write("one.npy", whole)]);
  expect(one.warnings).toContain(
    "expert 0 is never chosen and the largest id is 16: ids may be counted from 1, which makes one expert too many",
  );
  await one.file.close();
  const copies = [folder.write("one.npy", whole), folder.write("one (1).npy", whole)];
  const two = await open(copies, { experts: 32 });
  expect(two.file.rows).toBe(400);
  expect(two.warnings.join()).toContain("one (1).npy has the bytes of one.npy: a copy counts twice");
  await two.file.close();
});

test("matrices of two ids named by their layers are ids together, or refused in one message", async () => {
  const rows = recording(9, 50, 12, 16, 2);
  const ofLayer = (at: number) => rows.filter((_id, i) => Math.floor(i / 2) % 12 === at);
  const matrices = (count: number) =>
    npz(
      Object.fromEntries(
        Array.from({ length: count }, (_value, at) => [`layer_${at}`, npy(Int32Array.from(ofLayer(at)), [50, 2])]),
      ),
    );
  const { file } = await open([folder.write("mixtral.npz", matrices(12))], { experts: 16 });
  expect(file.header).toMatchObject({ layers: [...Array(12).keys()], topK: 2 });
  expect(await layer(file, 11)).toEqual(ofLayer(11));
  await file.close();
  await expect(open([folder.write("few.npz", matrices(2))])).rejects.toThrow(
    /few\.npz: layer_0: expected ids of tokens or counts of experts, found "\[50,2\], and 1 other arrays, which may be either"/,
  );
});

test("positions that begin anew begin a sequence; those of sequences in turn need a name", async () => {
  const rows = ids(11, 9);
  const at = (values: readonly number[]) => npy(Int32Array.from(values), [9]);
  const anew = [0, 1, 2, 3, 0, 1, 0, 1, 2];
  const write = (arrays: Readonly<Record<string, Uint8Array>>) =>
    folder.write("p.npz", npz({ topk_ids: rows, ...arrays }));
  const sequences = async (arrays: Readonly<Record<string, Uint8Array>>) => {
    const { file } = await open([write(arrays)], { experts: 16 });
    const found = [await column(file, "sequence"), await column(file, "position"), file.header.provenance.grouping];
    await file.close();
    return found;
  };
  const begun = [0, 0, 0, 0, 1, 1, 2, 2, 2];
  expect(await sequences({ positions: at(anew) })).toEqual([
    begun,
    anew,
    "a sequence begins where the positions begin anew",
  ]);
  const on = [5, 6, 7, 9, 12, 13, 14, 15, 16];
  expect((await sequences({ positions: at(on) })).slice(0, 2)).toEqual([Array(9).fill(0), on]);
  const turns = at([5, 40, 9, 6, 41, 10, 7, 42, 11]);
  await expect(open([write({ positions: turns })])).rejects.toThrow(
    /positions row 2: .*found "9 after 40".*request_id/,
  );
  const together = at([0, 0, 0, 1, 1, 1, 2, 2, 2]);
  await expect(open([write({ positions: together })])).rejects.toThrow(/positions row 4: .*found "1 after 1"/);
  const told = await open([write({ positions: together })], { experts: 16, interleaved: 3 });
  expect(await column(told.file, "sequence")).toEqual([0, 1, 2, 0, 1, 2, 0, 1, 2]);
  await told.file.close();
  const request = at([0, 1, 2, 0, 1, 2, 0, 1, 2]);
  expect((await sequences({ positions: turns, request_id: request }))[0]).toEqual([0, 1, 2, 0, 1, 2, 0, 1, 2]);
});
