import { expect, test } from "vitest";
import { InvalidInputError } from "../../../src/core/errors.ts";
import { loadRoutingTable } from "../../../src/trace/load-routing.ts";
import { distinctIds, draws, importAndOpen, npy, npz, temporaryFolder } from "../routing-files.ts";
import { column, layer, openedIn, recording } from "./opened.ts";

const folder = temporaryFolder();
const open = openedIn(folder);

test("each returned array is one sequence, in one npz or in several files", async () => {
  const a = recording(1, 20, 3, 16, 4);
  const b = recording(2, 7, 3, 16, 4);
  const together = folder.write(
    "both.npz",
    npz({ req0: npy(Int16Array.from(a), [20, 3, 4]), req1: npy(Int16Array.from(b), [7, 3, 4]) }),
  );
  const { file, format } = await open([together], { experts: 16, domains: ["chat"], model: "toy" });
  expect(format).toBe("routed-experts");
  expect(file.header).toMatchObject({ model: "toy", experts: 16, topK: 4, layers: [0, 1, 2], domains: ["chat"] });
  const table = await loadRoutingTable(file);
  expect([...table.sequenceStarts]).toEqual([0, 20, 27]);
  expect([...table.ids]).toEqual([...a, ...b]);
  await file.close();

  const apart = [
    folder.write("req0.npy", npy(BigInt64Array.from(a, BigInt), [20, 3, 4])),
    folder.write("req1.npy", npy(Uint8Array.from(b), [7, 3, 4])),
  ];
  const split = await open(apart, { experts: 16, domains: ["chat"], model: "toy" });
  const same = await loadRoutingTable(split.file);
  expect({ ...same, origin: null }).toEqual({ ...table, origin: null });
  await split.file.close();
});

test("the prompt part of a request comes before its generated part, whatever their order in the file", async () => {
  const prompt = recording(3, 5, 2, 8, 2);
  const generated = recording(4, 4, 2, 8, 2);
  const path = folder.write(
    "parts.npz",
    npz({
      routed_experts: npy(Int16Array.from(generated), [4, 2, 2]),
      prompt_routed_experts: npy(Int16Array.from(prompt), [5, 2, 2]),
    }),
  );
  const { file } = await open([path], { experts: 8 });
  expect(await column(file, "sequence")).toEqual(Array(9).fill(0));
  expect(await column(file, "position")).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8]);
  expect(await column(file, "phase")).toEqual([1, 1, 1, 1, 1, 2, 2, 2, 2]);
  const table = await loadRoutingTable(file);
  expect([...table.ids]).toEqual([...prompt, ...generated]);
  expect(table.origin.phase).toBe("mixed");
  await file.close();
});

test("interleaved streams are taken apart, and are noticed when nobody says so", async () => {
  const draw = draws(5);
  // Four texts whose tokens keep most experts of the token before; row i is token floor(i / 4) of text i mod 4.
  const texts = [0, 1, 2, 3].map(() => {
    let last = distinctIds(draw, 32, 4);
    return Array.from({ length: 100 }, () => {
      last = [
        ...last.slice(1),
        ...distinctIds(draw, 32, 32)
          .filter((id) => !last.includes(id))
          .slice(0, 1),
      ];
      return last;
    });
  });
  const rows = Array.from({ length: 400 }, (_value, i) => texts[i % 4]![Math.floor(i / 4)]!);
  const path = folder.write(
    "streams.npz",
    npz({
      expert_ids: npy(Uint8Array.from(rows.flat()), [400, 1, 4]),
      weights: npy(
        Float32Array.from(rows.flat(), (id) => id / 64),
        [400, 1, 4],
      ),
      layers: npy(Int32Array.of(2), [1]),
    }),
  );
  const plain = await open([path], { experts: 32 });
  expect(plain.warnings.join("\n")).toContain("interleaved = 4");
  await plain.file.close();

  const { file, warnings } = await open([path], { experts: 32, interleaved: 4 });
  expect(warnings).toEqual([]);
  expect(file.header.layers).toEqual([2]);
  expect(file.header.provenance.grouping).toContain("stream i mod 4");
  const table = await loadRoutingTable(file);
  expect([...table.ids]).toEqual(texts.flat(2));
  expect([...table.sequenceStarts]).toEqual([0, 100, 200, 300, 400]);
  expect((await file.readWeights(0, 1, 2))[0]).toBe(texts[1]![0]![0]! / 64);
  await file.close();
});

test("several sequences in one four-dimensional array keep their listed positions", async () => {
  const ids = recording(6, 3 * 5, 2, 8, 2);
  const path = folder.write(
    "four.npz",
    npz({ expert_ids: npy(Uint8Array.from(ids), [3, 5, 2, 2]), positions: npy(Int32Array.of(1, 2, 3, 4, 5), [5]) }),
  );
  const { file } = await open([path], { experts: 8 });
  expect(await column(file, "sequence")).toEqual([0, 0, 0, 0, 0, 1, 1, 1, 1, 1, 2, 2, 2, 2, 2]);
  expect((await column(file, "position")).slice(3, 8)).toEqual([4, 5, 1, 2, 3]);
  await file.close();
});

test("padding and warm-up rows are dropped and counted, a layer without ids is absent", async () => {
  const ids = recording(7, 10, 2, 8, 2);
  ids.fill(-1, 0, 8);
  ids.fill(-1, 10 * 2, 10 * 2 + 2);
  const dummy = Array.from({ length: 100 }, () => [1, 2, 3, 4]).flat();
  const path = folder.write("padded.npy", npy(Int32Array.from([...dummy, ...ids]), [110, 2, 2]));
  const { file, warnings } = await open([path], { experts: 8 });
  expect(file.rows).toBe(8);
  expect(file.header.provenance.droppedRows).toBe(102);
  expect(warnings.join("\n")).toContain("102 warm-up or padding rows were dropped, 8 are kept");
  expect((await layer(file, 0)).slice(6, 8)).toEqual([255, 255]);
  expect((await loadRoutingTable(file)).rows).toBe(7);
  await file.close();
  const partly = folder.write("partly.npy", npy(Int32Array.of(1, -1), [1, 1, 2]));
  await expect(open([partly], { experts: 8 })).rejects.toThrow(/all or none/);
});

test("without a stated number of experts the largest id decides, with a warning; a larger id is refused", async () => {
  const path = folder.write("plain.npy", npy(Uint8Array.of(0, 5, 3, 1), [2, 1, 2]));
  const { file, warnings } = await open([path]);
  expect(file.header.experts).toBe(6);
  expect(warnings.join()).toContain("6 taken from the largest id");
  await file.close();
  await expect(open([path], { experts: 5 })).rejects.toThrow(/expert ids below 5, found 5/);
});

test("files that differ by a number are one domain, named files are several", async () => {
  const ids = (seed: number) => npy(Uint8Array.from(recording(seed, 2, 1, 8, 2)), [2, 1, 2]);
  const names = ["req1.npy", "req2.npy", "code_001.npy", "code_002.npy", "math.npy", "17.npy"];
  const { file } = await open(
    names.map((name, i) => folder.write(name, ids(i))),
    { experts: 8 },
  );
  expect(file.header.domains).toEqual(["req", "code", "math", "unlabelled"]);
  expect(await column(file, "domain")).toEqual([0, 0, 0, 0, 1, 1, 1, 1, 2, 2, 3, 3]);
  await file.close();
});

test("duplicate experts in a row leave no file behind", async () => {
  const path = folder.write("duplicate.npy", npy(Uint8Array.of(3, 3), [1, 1, 2]));
  const output = folder.path("never.safetensors");
  await expect(importAndOpen(output, [path], { experts: 8 })).rejects.toThrow(InvalidInputError);
  await expect(importAndOpen(folder.path("other"), [output])).rejects.toThrow(/a file that exists/);
});

test("whole-batch steps of one layer take layer and step from the file name", async () => {
  const paths = [4, 5].map((step) =>
    folder.write(
      `toy_b6__0${step}_016.npz`,
      npz({ data: npy(BigInt64Array.from(recording(step, 6, 1, 16, 2), BigInt), [6, 2]) }),
    ),
  );
  const { file, format } = await open(paths, { experts: 16 });
  expect(format).toBe("step-routing");
  expect(file.header.layers).toEqual([16]);
  expect(await column(file, "step")).toEqual([4, 4, 4, 4, 4, 4, 5, 5, 5, 5, 5, 5]);
  expect(await column(file, "slot")).toEqual([0, 1, 2, 3, 4, 5, 0, 1, 2, 3, 4, 5]);
  expect((await loadRoutingTable(file)).sequenceStarts.length - 1).toBe(12);
  await file.close();
  const other = folder.write(
    "toy_b6__004_017.npz",
    npz({ data: npy(Uint8Array.from(recording(9, 6, 1, 16, 2)), [6, 2]) }),
  );
  await expect(open([paths[0]!, other], { experts: 16 })).rejects.toThrow(/import each layer by itself/);
});
