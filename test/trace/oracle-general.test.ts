import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { writeOracleGeneral } from "../../src/trace/export/oracle-general.ts";
import { tableOf } from "./markov-routing.ts";
import { temporaryFolder } from "./routing-files.ts";

const folder = temporaryFolder();

test("an access is 24 bytes, little-endian: time, object from 1, size 1, index of its next access or -1", async () => {
  // Two tokens, two layers of three experts, top-2; expert 3 is none.
  const ids = Uint8Array.from([0, 1, 2, 0, 1, 3, 2, 1]);
  const table = tableOf(ids, { experts: 3, topK: 2, layers: 2, sequenceTokens: 2 });
  const path = folder.path("trace.oracleGeneral");
  await writeOracleGeneral(table, "a model", path);
  const bytes = readFileSync(path);
  const rows = Array.from({ length: bytes.length / 24 }, (_, row) => [
    bytes.readUInt32LE(24 * row),
    Number(bytes.readBigUInt64LE(24 * row + 4)),
    bytes.readUInt32LE(24 * row + 12),
    Number(bytes.readBigInt64LE(24 * row + 16)),
  ]);
  expect(rows).toEqual([
    [0, 1, 1, -1],
    [0, 2, 1, 4],
    [0, 6, 1, 5],
    [0, 4, 1, -1],
    [1, 2, 1, -1],
    [1, 6, 1, -1],
    [1, 5, 1, -1],
  ]);
});
