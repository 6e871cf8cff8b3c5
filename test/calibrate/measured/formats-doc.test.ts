import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { benchmarkFormats } from "../../../src/calibrate/measured/benchmark-results.ts";
import { consistencyLaws } from "../../../src/calibrate/measured/consistency.ts";

const page = readFileSync("docs/validation.md", "utf8");

test("the page names every format and every law", () => {
  for (const name of Object.keys(benchmarkFormats)) expect(page).toContain(`\`${name}\``);
  for (const { name } of consistencyLaws) expect(page).toContain(`| ${name} |`);
});
