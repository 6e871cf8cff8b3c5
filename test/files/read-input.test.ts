import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, symlinkSync, truncateSync, writeFileSync } from "node:fs";
import { open } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as wait } from "node:timers/promises";
import { gzipSync } from "node:zlib";
import { afterAll, describe, expect, test } from "vitest";
import { openTable } from "../../src/calibrate/kernel-tables/open-table.ts";
import { InvalidInputError } from "../../src/core/errors.ts";
import { parseJson } from "../../src/core/json.ts";
import { inputBytesMax } from "../../src/files/input-limits.ts";
import { type PipePatience, pipeToWrite } from "../../src/files/named-pipe.ts";
import { readBytes, readText, readTextIfThere } from "../../src/files/read-input.ts";
import { fileSource } from "../../src/trace/byte-source.ts";
import { plainBytes } from "../../src/trace/text-lines.ts";

const folder = mkdtempSync(join(tmpdir(), "moecast-inputs-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));
const path = (name: string) => join(folder, name);
const write = (name: string, data: string | Uint8Array) => {
  writeFileSync(path(name), data);
  return path(name);
};
const posix = process.platform !== "win32";

describe("a file read as a whole", () => {
  test("gives its text, and null where there is none", async () => {
    expect(await readText(write("text", "straße"), 100)).toBe("straße");
    expect(await readTextIfThere(path("none"), 100)).toBeNull();
    expect(await readTextIfThere(join(path("text"), "none"), 100)).toBeNull();
    await expect(readText(path("none"), 100)).rejects.toThrow(`${path("none")}: expected a file that exists`);
    await expect(readText(folder, 100)).rejects.toThrow("expected a file, not a folder");
  });

  test("of more than its limit is refused without reading it, and the limit is named", async () => {
    const large = write("large", "");
    truncateSync(large, 2 ** 40);
    await expect(readText(large, 64 * 2 ** 20)).rejects.toThrow("expected at most 64 MiB, found 1 TiB");
  });

  test("that is not UTF-8 is refused at its place, the second line of a long text", async () => {
    const bytes = Buffer.concat([Buffer.from("fine\nab"), Buffer.of(0xff), Buffer.from("\nfine")]);
    await expect(readText(write("latin", bytes), 100)).rejects.toThrow(":2:3: expected UTF-8 text");
  });

  test.runIf(posix)("of an endless device, or a link to one, stops at the limit", async () => {
    symlinkSync("/dev/zero", path("zero"));
    await expect(readBytes(path("zero"), 1 << 20)).rejects.toThrow("expected at most 1 MiB, found more");
    await expect(readBytes("/dev/null", 1 << 20)).resolves.toHaveLength(0);
  });
});

describe.runIf(posix)("a named pipe", () => {
  const said: string[] = [];
  const patience: PipePatience = { noticeMs: 100, timeoutMs: 400, say: (line) => void said.push(line) };
  const pipe = path("pipe");
  const late = path("late");
  const nobody = path("nobody");
  execFileSync("mkfifo", [pipe, late, nobody]);

  test("is read to its end, though its writer pauses", async () => {
    const reading = readText(pipe, 1000, patience);
    const writer = await open(pipe, "w");
    await writer.write("name: ");
    await wait(120);
    await writer.write("small\n");
    await writer.close();
    expect(await reading).toBe("name: small\n");
  });

  test("that nothing comes through is waited for aloud, and not for ever", async () => {
    await expect(readText(nobody, 1000, patience)).rejects.toThrow(
      `${nobody}: expected an input (nothing came in 400 ms)`,
    );
    expect(said.splice(0)).toEqual([`waiting for input from ${nobody}`]);
    await expect(pipeToWrite(nobody, patience)).rejects.toThrow("nobody read from it in 400 ms");
    expect(said.splice(0)).toEqual([`waiting for somebody to read from the named pipe ${nobody}`]);
  });

  test("that is not ended in time is refused", async () => {
    const reading = expect(readText(late, 1000, patience)).rejects.toThrow("its end did not come in 400 ms");
    const writer = await open(late, "w");
    await writer.write("half");
    await reading;
    await writer.close();
  });

  test("is refused at once where bytes are read by their place", async () => {
    await expect(fileSource(nobody)).rejects.toThrow('expected a regular file, found "a named pipe"');
    await expect(fileSource(folder)).rejects.toThrow('expected a regular file, found "a folder"');
  });
});

describe("a bomb is refused by its limit", () => {
  test("a kernel table that decompresses to much", async () => {
    const bomb = write("bomb.csv.gz", gzipSync(Buffer.alloc(inputBytesMax.kernelTable + 1, "0\n")));
    await expect(openTable(bomb)).rejects.toThrow("expected at most 64 MiB after decompression");
  });

  test("a text that was compressed further than text can be", async () => {
    const bomb = write("bomb.jsonl.gz", gzipSync(Buffer.alloc(80 * 2 ** 20)));
    const read = async () => {
      for await (const _ of plainBytes(bomb));
    };
    await expect(read()).rejects.toThrow("expected text that is compressed to no less than 1/200");
  });

  test("a table of too many rows", async () => {
    await expect(openTable(write("rows.csv", `a\n${"1\n".repeat(250_001)}`))).rejects.toThrow(
      "expected at most 250,000 rows",
    );
  });

  test.each([
    ["containers", `[${"{},".repeat(3_000_000)}{}]`],
    ["keys", `{${Array.from({ length: 1_200_000 }, (_, i) => `"${i}":1`).join()}}`],
    ["items", `[${"1,".repeat(8_500_000)}1]`],
  ])("JSON of %s that would take hundreds of MiB", (_what, text) => {
    expect(() => parseJson(text, "x.json")).toThrow(
      /^x.json: expected JSON that takes at most 256 MiB of memory, found/,
    );
  });

  test("but JSON whose long strings hold what looks like structure is read", () => {
    const text = JSON.stringify({ text: '{,:["\\'.repeat(400_000) });
    expect(() => parseJson(text, "x.json")).not.toThrow(InvalidInputError);
  });
});

test("a file read in one piece has the bytes of the file", async () => {
  const bytes = Buffer.from(Array.from({ length: 3_000_000 }, (_, i) => (i * 31) % 251));
  const file = write("bytes", bytes);
  expect((await readBytes(file, 1 << 24)).equals(readFileSync(file))).toBe(true);
});
