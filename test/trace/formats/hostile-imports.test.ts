import { gzipSync } from "node:zlib";
import { expect, test } from "vitest";
import { InvalidInputError } from "../../../src/core/errors.ts";
import { printable } from "../../../src/core/printable.ts";
import { importers, type TraceFormat } from "../../../src/trace/formats/importers.ts";
import { npy, npz, temporaryFolder } from "../routing-files.ts";
import { attempt, importDamaged, text, validFiles } from "./valid-files.ts";

const folder = temporaryFolder();
const formats = Object.keys(importers) as TraceFormat[];

test.each(formats)(
  "%s: recognised, and with changed bytes imported or refused, never anything else",
  async (format) => {
    const { name, bytes } = validFiles[format];
    expect((await attempt(folder, "auto", folder.write(name, bytes))).format).toBe(format);
    await importDamaged(folder, format, 15);
  },
);

test("every importer has a valid file in this test", () => {
  expect(Object.keys(validFiles).sort()).toEqual(Object.keys(importers).sort());
});

test("a file of one format is refused by the importers of the others", async () => {
  for (const [format, { name, bytes }] of Object.entries(validFiles))
    for (const other of Object.keys(importers) as TraceFormat[]) {
      if (other === format) continue;
      const error = await attempt(folder, other, folder.write(name, bytes)).catch((caught: unknown) => caught);
      if (error instanceof Error) expect(error, `${name} as ${other}`).toBeInstanceOf(InvalidInputError);
    }
});

test("a compressed log that unfolds to gigabytes of one line is refused without keeping it", async () => {
  const bomb = gzipSync(Buffer.alloc(100 << 20, "x"));
  await expect(attempt(folder, "problem-log", folder.write("bomb.jsonl.gz", bomb))).rejects.toThrow(/characters/);
});

test("a token number that would make a huge empty trace is refused", async () => {
  const line = { dataset: "d", problem_id: 1, layer: 0, token_idx: 4_000_000_000, experts: [1, 2] };
  await expect(attempt(folder, "problem-log", folder.write("far.jsonl", text([line])))).rejects.toThrow(
    InvalidInputError,
  );
});

test("names with escape sequences do not reach the message", async () => {
  const path = folder.write("esc.npz", npz({ "\u001b[31mids": npy(Uint8Array.of(1, 1), [1, 1, 2]) }));
  const error = (await attempt(folder, "auto", path).catch((caught: unknown) => caught)) as Error;
  expect(error).toBeInstanceOf(InvalidInputError);
  expect(error.message).toBe(printable(error.message));
});
