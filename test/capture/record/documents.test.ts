import { gzipSync } from "node:zlib";
import { describe, expect, test } from "vitest";
import { idDocuments, plainDocumentChars, textDocuments } from "../../../src/capture/record/documents.ts";
import { domainFile } from "../../../src/capture/record/domain-files.ts";
import { temporaryFolder } from "../../trace/routing-files.ts";

const folder = temporaryFolder();

async function all<T>(items: AsyncIterable<T>): Promise<T[]> {
  const found: T[] = [];
  for await (const item of items) found.push(item);
  return found;
}

describe("texts", () => {
  test("JSON lines hold a document each: strings, `text` or `prompt`, plain or gzipped", async () => {
    const lines = '"one\\ntwo"\n\n{"text": "three", "id": 1}\n{"prompt": "four"}\n';
    const plain = folder.write("a.jsonl", lines);
    const zipped = folder.write("a.jsonl.gz", gzipSync(lines));
    expect(await all(textDocuments(plain))).toEqual(["one\ntwo", "three", "four"]);
    expect(await all(textDocuments(zipped))).toEqual(["one\ntwo", "three", "four"]);
  });

  test("a line without a text is refused with its number", async () => {
    const wrong = folder.write("wrong.jsonl", '"ok"\n{"body": "no"}\n');
    await expect(all(textDocuments(wrong))).rejects.toThrow(/wrong\.jsonl:2: expected a text/);
    await expect(all(textDocuments(folder.path("missing.txt")))).rejects.toThrow(
      /missing\.txt: expected a file that exists/,
    );
  });

  test("plain text is cut at line ends, and its parts are the whole text", async () => {
    const line = `${"é".repeat(99)}\n`;
    const text = `${line.repeat(Math.ceil((2.5 * plainDocumentChars) / 100))}the end`;
    const parts = await all(textDocuments(folder.write("long.txt", text)));
    expect(parts.join("")).toBe(text);
    expect(parts.map(({ length }) => Math.ceil(plainDocumentChars / 100) * 100 === length)).toEqual([
      true,
      true,
      false,
    ]);
    expect(parts.slice(0, -1).every((part) => part.endsWith("\n"))).toBe(true);
    expect(await all(textDocuments(folder.write("empty.txt", "")))).toEqual([]);
  });

  test("what is not UTF-8 is refused", async () => {
    const binary = folder.write("binary.txt", Uint8Array.of(0x61, 0xff, 0xfe));
    await expect(all(textDocuments(binary))).rejects.toThrow(/binary\.txt: expected UTF-8 text/);
  });
});

describe("token ids", () => {
  test("are lists of whole numbers below the vocabulary's size", async () => {
    expect(await all(idDocuments(folder.write("ids.jsonl", "[1, 2]\n[]\n[9]\n"), 10))).toEqual([[1, 2], [], [9]]);
    for (const wrong of ["[10]", "[1.5]", "[-1]", '["1"]', '{"ids": [1]}'])
      await expect(all(idDocuments(folder.write("bad.jsonl", `[1]\n${wrong}\n`), 10))).rejects.toThrow(
        /bad\.jsonl:2: expected a list of token ids from 0 to 9/,
      );
  });
});

test("a domain is named before the path, or by the base name of its file", () => {
  expect(domainFile("code=src/a.txt")).toEqual({ domain: "code", path: "src/a.txt" });
  expect(domainFile("data/math.jsonl.gz")).toEqual({ domain: "math", path: "data/math.jsonl.gz" });
  expect(domainFile("README")).toEqual({ domain: "README", path: "README" });
  expect(domainFile(".txt")).toEqual({ domain: ".txt", path: ".txt" });
});
