import { statSync, truncateSync, utimesSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { jsonExport } from "../../../src/report/json.ts";
import { readResult, savedResults, saveResult } from "../../../src/tui/library/saved-results.ts";
import { scratch } from "../../cli/command.ts";
import { forecast } from "../example.ts";

const { path } = scratch();
const mebibyte = 1024 * 1024;

/** A result that says the same and takes so many bytes. */
const padded = (bytes: number): string => jsonExport.render([forecast]).trimEnd().padEnd(bytes, " ");

test("a file that is too large for a result is not listed, and opens all the same", async () => {
  const folder = path("large");
  const file = await saveResult(folder, forecast, 0);
  expect(statSync(file).size).toBeLessThan(mebibyte);
  writeFileSync(join(folder, "most.json"), padded(4 * mebibyte));
  writeFileSync(join(folder, "larger.json"), padded(4 * mebibyte + 1));
  const listed = (await savedResults(folder)).map((entry) => entry.file);
  expect(listed.toSorted()).toEqual([file, join(folder, "most.json")].toSorted());
  expect((await readResult(join(folder, "larger.json"))).scenario.name).toBe(forecast.scenario.name);
});

test("such files take no place among the fifty that are listed", async () => {
  const folder = path("crowded");
  const file = await saveResult(folder, forecast, 0);
  utimesSync(file, 1, 1);
  for (let i = 0; i < 60; i++) {
    const large = join(folder, `large-${i}.json`);
    writeFileSync(large, "{");
    truncateSync(large, 60 * mebibyte);
  }
  expect((await savedResults(folder)).map((entry) => entry.file)).toEqual([file]);
});

test("others are served between two files", async () => {
  const folder = path("many");
  for (let i = 0; i < 12; i++) await saveResult(folder, forecast, i);
  let turns = 0;
  let listing = true;
  const serve = () => {
    turns++;
    if (listing) setImmediate(serve);
  };
  setImmediate(serve);
  const entries = await savedResults(folder);
  listing = false;
  expect(entries).toHaveLength(12);
  expect(turns).toBeGreaterThan(12);
});
