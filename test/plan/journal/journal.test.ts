import { readFileSync, statSync, writeFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { InvalidInputError } from "../../../src/core/errors.ts";
import type { Outcome } from "../../../src/plan/job/job.ts";
import { jobStatuses } from "../../../src/plan/job/job.ts";
import { Journal, readJournal } from "../../../src/plan/journal/journal.ts";
import { scratch } from "../../cli/command.ts";
import { outcomeOfKind } from "../outcomes.ts";

const { path } = scratch();
const added: [string, Outcome][] = jobStatuses.map((status, i) => [`key-${i}`, outcomeOfKind(status, i)]);
const kept = added.filter(([, { status }]) => status !== "failed");

async function journalOf(name: string, outcomes: readonly [string, Outcome][]): Promise<string> {
  const journal = await Journal.open(path(name));
  await Promise.all(outcomes.map(([key, outcome]) => journal.append(key, outcome)));
  expect(journal.bytes).toBe(statSync(path(name)).size);
  await journal.close();
  return path(name);
}

describe("a journal", () => {
  test("gives back what was added, but for failed attempts, which are made again", async () => {
    const file = await journalOf("whole", added);
    expect([...(await readJournal(file))]).toEqual(kept);
  });

  test("the last outcome of a key counts", async () => {
    const [first, second] = [outcomeOfKind("done", 1), outcomeOfKind("failed", 2)];
    expect(
      (
        await readJournal(
          await journalOf("failed-first", [
            ["k", second],
            ["k", first],
          ]),
        )
      ).get("k"),
    ).toEqual(first);
    expect(
      (
        await readJournal(
          await journalOf("failed-last", [
            ["k", first],
            ["k", second],
          ]),
        )
      ).size,
    ).toBe(0);
  });

  test("cut anywhere it opens with the outcomes of its whole lines, and goes on correctly", async () => {
    const bytes = readFileSync(await journalOf("cut", added));
    const ends = [...bytes.keys()].filter((at) => bytes[at] === 10).map((at) => at + 1);
    const more: [string, Outcome] = ["more", outcomeOfKind("done", 99)];
    const file = path("cut-here");
    const whole = (at: number) =>
      added
        .slice(0, Math.max(0, ends.filter((end) => end <= at).length - 1))
        .filter(([, { status }]) => status !== "failed");
    for (let at = ends[0]!; at <= bytes.length; at++) {
      writeFileSync(file, bytes.subarray(0, at));
      expect([...(await readJournal(file))], `cut at ${at}`).toEqual(whole(at));
    }
    for (const at of [0, 1, ends[0]! - 1, ends[0]!, ends[1]! - 1, ends[1]!, ends[1]! + 1, bytes.length]) {
      writeFileSync(file, bytes.subarray(0, at));
      const journal = await Journal.open(file);
      expect([...journal.before], `cut at ${at}`).toEqual(whole(at));
      await journal.append(...more);
      await journal.close();
      expect([...(await readJournal(file))], `cut at ${at}`).toEqual([...whole(at), more]);
    }
  });

  test.each([
    ["no JSON", "["],
    ["another list", "[1,2]"],
    ["an unknown status", `["k","gone",null,null,null,null,[]]`],
    ["too few figures", `["k","done",null,"stable",true,1,[1]]`],
    ["nothing", ""],
  ])("a line with %s is refused with its number", async (what, line) => {
    const file = await journalOf(what, added);
    const lines = readFileSync(file, "utf8").split("\n");
    writeFileSync(file, [...lines.slice(0, 3), line, ...lines.slice(3)].join("\n"));
    await expect(readJournal(file)).rejects.toThrow(`${file}:4: expected a result that moecast wrote`);
    await expect(Journal.open(file)).rejects.toThrow(InvalidInputError);
  });

  test("of another version is refused, and left as it was", async () => {
    const file = await journalOf("other", added);
    const text = readFileSync(file, "utf8").replace(/"moecastVersion":"[^"]*"/, '"moecastVersion":"9.9.9"');
    writeFileSync(file, text);
    await expect(Journal.open(file)).rejects.toThrow(
      /:1: expected results of moecast .*found "those of moecast 9\.9\.9/,
    );
    expect(readFileSync(file, "utf8")).toBe(text);
  });

  test("somebody's file is refused, and left as it was", async () => {
    for (const text of ["notes", "notes\n", "{}\n", `{"kind":"moecast-journal"}\n`]) {
      writeFileSync(path("theirs"), text);
      await expect(Journal.open(path("theirs"))).rejects.toThrow(InvalidInputError);
      expect(readFileSync(path("theirs"), "utf8")).toBe(text);
    }
  });
});
