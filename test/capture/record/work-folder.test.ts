import { spawn } from "node:child_process";
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { hostname } from "node:os";
import { describe, expect, test } from "vitest";
import { journalText, parseJournal } from "../../../src/capture/record/journal.ts";
import { markOf, RowWriter } from "../../../src/capture/record/row-files.ts";
import { openWorkFolder } from "../../../src/capture/record/work-folder.ts";
import { temporaryFolder } from "../../trace/routing-files.ts";

const folder = temporaryFolder();
const begin = { inputs: { model: "abc", "--layers": "all" }, startedAt: "2026-01-02T03:04:05.000Z" };

describe("a work folder", () => {
  test("is locked against other processes that live, and taken over from those that do not", async () => {
    const path = folder.path("locked");
    mkdirSync(path);
    const other = spawn(process.execPath, ["-e", "setTimeout(() => {}, 60_000)"]);
    writeFileSync(`${path}/lock`, `${other.pid} ${hostname()}\n`);
    await expect(openWorkFolder(path, begin, false)).rejects.toThrow(`found "process ${other.pid} on ${hostname()}"`);
    const ended = new Promise((resolve) => other.on("exit", resolve));
    other.kill("SIGKILL");
    await ended;
    const opened = await openWorkFolder(path, begin, false);
    expect(readFileSync(`${path}/lock`, "utf8")).toBe(`${process.pid} ${hostname()}\n`);
    await opened.release();
    expect(existsSync(`${path}/lock`)).toBe(false);
  });

  test("locked on another host is refused, as nobody can tell whether that process lives", async () => {
    const path = folder.path("elsewhere");
    mkdirSync(path);
    writeFileSync(`${path}/lock`, "1 another-host\n");
    await expect(openWorkFolder(path, begin, false)).rejects.toThrow(/process 1 on another-host.*remove this file/);
  });

  test("of another recording is refused with each difference, and begun anew on demand", async () => {
    const path = folder.path("other");
    const first = await openWorkFolder(path, begin, false);
    await first.save({ ...first.journal, states: { bytes: 0, sha256: "x" } });
    await first.release();
    const changed = { ...begin, inputs: { model: "def", "--layers": "all", "--scores": "yes" } };
    const refused = openWorkFolder(path, changed, false);
    await expect(refused).rejects.toThrow(/model: expected "?abc, as when the recording was begun"?, found "def"/);
    await expect(openWorkFolder(path, changed, false)).rejects.toThrow(/--scores: expected none, .* found "yes"/);
    const again = await openWorkFolder(path, begin, false);
    expect(again.journal.states).toEqual({ bytes: 0, sha256: "x" });
    await again.release();
    const anew = await openWorkFolder(path, changed, true);
    expect(anew.journal).toEqual({ ...changed, decoded: [], states: null, layers: [] });
    await anew.remove();
    expect(existsSync(path)).toBe(false);
  });

  test("with anything else in it is refused, and what is not the recording's stays", async () => {
    const path = folder.path("mine");
    mkdirSync(path);
    writeFileSync(`${path}/notes.txt`, "mine");
    await expect(openWorkFolder(path, begin, true)).rejects.toThrow(/expected an empty folder.*notes\.txt/);
    expect(readdirSync(path)).toEqual(["notes.txt"]);
  });
});

test("a journal reads back as it was written, and a damaged one is refused", () => {
  const mark = { bytes: 12, sha256: "aa" };
  const journal = {
    ...begin,
    decoded: [{ steps: 4, file: mark }],
    states: mark,
    layers: [
      { routing: null, nearTies: 0, decodedOtherwise: 0 },
      { routing: { experts: mark, weights: mark, scores: null }, nearTies: 3, decodedOtherwise: 1 },
    ],
  };
  expect(parseJournal(journalText(journal), "journal.json")).toEqual(journal);
  for (const [from, to] of [
    ['"version": 1', '"version": 2'],
    ['"nearTies": 3', '"nearTies": -1'],
    ['"bytes": 12', '"bytes": "12"'],
    ['"model": "abc"', '"model": 5'],
  ])
    expect(() => parseJournal(journalText(journal).replace(from ?? "", to ?? ""), "journal.json")).toThrow(
      /journal\.json: .*--restart begins anew/,
    );
});

test("rows that are written have the mark of their file", async () => {
  const path = folder.path("rows");
  const writer = await RowWriter.create(path);
  await writer.append(Float32Array.of(1, 2));
  await writer.append(new Float32Array(8).subarray(2, 5));
  expect(await writer.finish()).toEqual(await markOf(path));
  expect(readFileSync(path).length).toBe(20);
});
