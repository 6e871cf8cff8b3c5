import { expect, test } from "vitest";
import { openRoutingTrace } from "../../../src/trace/container/open-trace.ts";
import { absentIds } from "../../../src/trace/container/row-check.ts";
import { writeRoutingTrace } from "../../../src/trace/container/write-trace.ts";
import { type LoadRoutingOptions, loadRoutingTable } from "../../../src/trace/load-routing.ts";
import { firstLayers, longSequences } from "../../../src/trace/parts-of-table.ts";
import type { RoutingTable } from "../../../src/trace/routing-table.ts";
import { rowsOfDomain } from "../../../src/trace/rows-of-domain.ts";
import { saveRoutingTable } from "../../../src/trace/save-routing.ts";
import { arrangedByParts } from "../../../src/trace/synthesis/sequence-parts.ts";
import { distinctIds, draws, headerOf, temporaryFolder } from "../routing-files.ts";

const folder = temporaryFolder();
const rows = 240;
const sequences = 7;
const layers = 3;

/**
 * Sequences mixed as batch steps mix them; a row's weights say its ids, its phase says its position. Some rows are
 * absent.
 */
async function written(): Promise<string> {
  const draw = draws(5);
  const path = folder.path("columns.safetensors");
  const header = headerOf({ domains: ["a", "b"] });
  const columns = ["sequence", "position", "phase", "domain", "token"] as const;
  const sequence = Uint32Array.from({ length: rows }, (_, row) => (row < sequences ? row : draw(sequences)));
  const next = Uint32Array.from({ length: sequences }, (_, s) => 10 * s);
  const position = sequence.map((s) => next[s]!++);
  await writeRoutingTrace(path, { header, rows, columns, weights: "f16", scores: "f32" }, async (writer) => {
    await writer.column("sequence", 0, sequence);
    await writer.column("position", 0, position);
    await writer.column("phase", 0, position.map(phaseOf));
    await writer.column(
      "domain",
      0,
      sequence.map((s) => s % 2),
    );
    await writer.column("token", 0, position.map(tokenOf));
    for (let layer = 0; layer < layers; layer++) {
      const ids = absentIds(rows * 2, header.experts, 2);
      for (let row = 0; row < rows; row++) if (draw(20) > 0) ids.set(distinctIds(draw, 8, 2), row * 2);
      await writer.experts(layer, 0, ids);
      await writer.weights(layer, 0, Float32Array.from(ids, weightOf));
      await writer.scores(
        layer,
        0,
        Float32Array.from({ length: rows * 8 }, (_, at) => scoreOf(position[at >> 3]!, layer, at & 7)),
      );
    }
  });
  return path;
}

const scoreOf = (position: number, layer: number, expert: number) => position * 100 + layer * 10 + expert;
const phaseOf = (position: number) => (position % 10 < 4 ? 1 : 2);
const tokenOf = (position: number) => 100_000 + 7 * position;
const weightOf = (id: number) => (id === 0xff ? 0 : (id + 1) / 16);

async function load(path: string, options: LoadRoutingOptions): Promise<RoutingTable> {
  const file = await openRoutingTrace(path);
  try {
    return await loadRoutingTable(file, options);
  } finally {
    await file.close();
  }
}

/** Every value stands beside those of its own row. */
function judge(table: RoutingTable): void {
  expect(table.ids.length).toBe(table.rows * table.layers * table.topK);
  expect([...table.weights!]).toEqual(Array.from(table.ids, weightOf));
  expect([...table.phases!]).toEqual(Array.from(table.positions!, phaseOf));
  expect([...table.tokens!]).toEqual(Array.from(table.positions!, tokenOf));
  expect(table.positions).toHaveLength(table.rows);
  const scores = Array.from(table.positions!, (position) =>
    Array.from({ length: table.layers * 8 }, (_, at) => scoreOf(position, at >> 3, at & 7)),
  );
  expect([...table.scores!]).toEqual(scores.flat());
  for (let s = 0; s + 1 < table.sequenceStarts.length; s++)
    for (let row = table.sequenceStarts[s]! + 1; row < table.sequenceStarts[s + 1]!; row++)
      expect(table.positions![row]).toBeGreaterThan(table.positions![row - 1]!);
}

test("weights, positions, phases and tokens stay beside the ids of their row, in every part of a table", async () => {
  const table = await load(await written(), { also: new Set(["weights", "scores"]) });
  expect(table.rows).toBeLessThan(rows);
  judge(table);
  judge(rowsOfDomain(table, "b"));
  judge(firstLayers(table, 2));
  judge(longSequences(table, 32));
  judge(arrangedByParts(table, [{ domain: 1, sequences: [...Array(sequences).keys()].reverse() }]));
});

test("weights and scores are loaded only where they are asked for, and count in the memory budget", async () => {
  const path = await written();
  for (const column of ["weights", "scores"]) expect(await load(path, {})).not.toHaveProperty(column);
  const idBytes = layers * 2;
  const columnBytes = 4 + 1 + 4;
  const scoreBytes = layers * 8 * 4;
  const cases: [LoadRoutingOptions, number][] = [
    [{}, idBytes + columnBytes],
    [{ also: new Set(["weights"]) }, 5 * idBytes + columnBytes],
    [{ also: new Set(["scores"]) }, idBytes + scoreBytes + columnBytes],
    [{ also: new Set(["weights", "scores"]), copies: 2 }, 15 * idBytes + scoreBytes + columnBytes],
  ];
  for (const [options, bytes] of cases) {
    const { origin } = await load(path, { ...options, bytesMax: 100 * bytes });
    const [, fits] = /(\d+) of 240 rows fit/.exec(origin.notes.join()) ?? [];
    expect(Number(fits)).toBeLessThanOrEqual(100);
    expect(Number(fits)).toBeGreaterThan(50);
  }
});

test("a saved table keeps positions, phases and tokens as they were recorded", async () => {
  const table = await load(await written(), {});
  const copy = folder.path("copy.safetensors");
  await saveRoutingTable(table, "m", copy);
  const again = await load(copy, {});
  expect([...again.positions!]).toEqual([...table.positions!]);
  expect([...again.phases!]).toEqual([...table.phases!]);
  expect([...again.tokens!]).toEqual([...table.tokens!]);
});
