import { expect, test } from "vitest";
import { readForecast } from "../../src/forecast/read-forecast.ts";
import { cacheSection } from "../../src/report/forecast-system.ts";
import { cellsOf } from "../../src/report/page.ts";
import { forecast } from "./build.ts";

const { cache } = forecast();
const rowsOf = (more: object) => {
  const [section] = cacheSection(forecast({ cache: { ...cache!, ...more } }));
  return section?.kind === "table" ? section.rows.map(cellsOf) : [];
};

test("the wait for experts is told by what was waited for, the longest first, trifles left out", () => {
  const rows = rowsOf({ stallBy: { NVMe: 5e8, "host link": 1.5e9 - 1e5, "write-back": 1e5 } });
  const at = rows.findIndex(([name]) => name === "waited");
  expect(rows.slice(at).map(([name, , share]) => [name, share])).toEqual([
    ["waited", "devices stood still for experts"],
    ["- for host link", "75.00%"],
    ["- for NVMe", "25.00%"],
  ]);
  // Results of earlier releases say how long alone, and nobody waited for nothing.
  for (const none of [{}, { stallNs: 0, stallBy: {} }])
    expect(rowsOf(none).filter(([name]) => String(name).startsWith("- for"))).toEqual([]);
});

test("what moved is told where something could", () => {
  const names = rowsOf({ writtenBackBytes: 2 ** 30, promotions: 3, pageCacheHits: 7 }).map(([name]) => name);
  expect(names).toEqual(expect.arrayContaining(["written back", "moved nearer"]));
  expect(rowsOf({}).map(([name]) => name)).not.toContain("written back");
  expect(rowsOf({ pageCacheHits: 7 }).find(([name]) => name === "fetched")![2]).toBe(
    "400 misses, 40 from NVMe, 7 from the page cache",
  );
});

test.each([
  ["stallBy", { NVMe: "long" }, "an object of numbers or absent"],
  ["stallBy", "NVMe", "an object of numbers or absent"],
  ["pageCacheHits", "many", "a number or absent"],
])("a saved result whose %s is %j is refused at its place", (key, value, expected) => {
  const text = JSON.stringify(forecast({ cache: { ...cache!, [key]: value } }));
  expect(() => readForecast(text, "result.json")).toThrow(`result.json: cache.${key}: expected ${expected}`);
});
