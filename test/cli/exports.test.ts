import { readFileSync } from "node:fs";
import { join } from "node:path";
import { parquetReadObjects } from "hyparquet";
import { expect, test } from "vitest";
import { exportFormats } from "../../src/report/export-formats.ts";
import { validSarif } from "../report/valid-sarif.ts";
import { scratch } from "./command.ts";
import { moecast } from "./in-process.ts";

const { folder, path } = scratch();
const small = join(import.meta.dirname, "..", "fixtures", "scenarios", "small.yaml");

test("a run writes every format, and the same bytes again", async () => {
  const formats = Object.keys(exportFormats);
  const written: Buffer[][] = [];
  for (const run of ["a", "b"]) {
    const exports = formats.flatMap((format) => ["--export", `${format}=${path(`${run}.${format}`)}`]);
    const { code } = await moecast(["run", small, "-q", "--no-advice", ...exports], { cwd: folder });
    expect(code).toBe(0);
    written.push(formats.map((format) => readFileSync(path(`${run}.${format}`))));
  }
  const [first, second] = written;
  for (const [i, format] of formats.entries()) {
    expect(first![i]!.length, format).toBeGreaterThan(0);
    expect(Buffer.compare(first![i]!, second![i]!), format).toBe(0);
  }
  const file = Uint8Array.from(readFileSync(path("a.parquet"))).buffer;
  expect(await parquetReadObjects({ file })).toHaveLength(60);
  expect(validSarif(readFileSync(path("a.sarif"), "utf8")).results).toEqual([]);
});
