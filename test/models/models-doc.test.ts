import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { catalogue, modelNamed } from "../../src/models/catalogue.ts";
import { families, unsupportedFamilies } from "../../src/models/families.ts";
import { parametersOf } from "../../src/models/parameters.ts";

const doc = readFileSync(new URL("../../docs/models.md", import.meta.url), "utf8");

function catalogueTable(): readonly string[] {
  return Object.values(catalogue).map((entry) => {
    const { total, active } = parametersOf(modelNamed(entry.id));
    const ids = [entry.id, ...entry.aliases].map((id) => `\`${id}\``).join(", ");
    return `| ${ids} | ${(total / 1e9).toFixed(2)} B | ${(active / 1e9).toFixed(2)} B |`;
  });
}

test("the table of docs/models.md has a row for each model of the catalogue, with its parameters", () => {
  const rows = doc.split("\n").filter((line) => line.startsWith("| `"));
  expect(rows).toEqual(catalogueTable());
});

test("docs/models.md names every model type that is resolved, and those that are refused by name", () => {
  const named = (heading: string): readonly string[] => {
    const line = doc.split("\n").find((text) => text.startsWith(heading)) ?? "";
    return [...line.matchAll(/`([a-z0-9_]+)`/g)].map((match) => match[1] ?? "");
  };
  expect(named("Resolved:")).toEqual(Object.keys(families));
  expect(named("Refused by name:")).toEqual(Object.keys(unsupportedFamilies));
});
