import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { launchers } from "../../../src/engine/launch/launchers.ts";
import { choiceRows } from "../../../src/plan/deploy/choice-classes.ts";

const page = readFileSync("docs/deploy.md", "utf8");

/** Columns of the table: launchers by the first of their engines. */
const head = launchers.map(({ engines }) => engines[0]!);

const ofClass = (as: string) => Object.entries(choiceRows).filter(([, row]) => row.as === as);

test("the page says which engine is told which key", () => {
  const rows = ofClass("launched").map(
    ([path]) =>
      `| \`${path}\` | ${launchers.map(({ expresses }) => (expresses.includes(path) ? "yes" : "refused")).join(" | ")} |`,
  );
  const table = [
    `| key | ${head.map((name) => `\`${name}\``).join(" | ")} |`,
    `|---|${head.map(() => "---|").join("")}`,
    ...rows,
  ].join("\n");
  expect(page).toContain(`\n${table}\n`);
});

test("the page says what no file says", () => {
  const rows = ofClass("refused").map(([path, { why }]) => `| \`${path}\` | ${why} |`);
  expect(page).toContain(`\n${["| key | reason |", "|---|---|", ...rows].join("\n")}\n`);
});
