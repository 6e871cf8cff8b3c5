import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { parseDocument } from "yaml";
import { pathText, type ValuePath } from "../../src/scenario/yaml-source.ts";
import { problemsOf } from "./example.ts";

/** Paths of the numbers of a value. */
function numbersOf(value: unknown, at: ValuePath = []): ValuePath[] {
  if (typeof value === "number") return [at];
  if (typeof value !== "object" || value === null) return [];
  return Object.entries(value).flatMap(([key, item]) =>
    numbersOf(item, [...at, Array.isArray(value) ? Number(key) : key]),
  );
}

describe.each(["speculative-mtp", "mooncake-prefix", "quickstart"])("each number of %s", (name) => {
  const document = parseDocument(readFileSync(`scenarios/${name}.yaml`, "utf8"));
  const options = name === "mooncake-prefix" ? { params: { DATA: "data" } } : {};
  const paths = numbersOf(document.toJS());

  test.each([1e300, -1e300, Number.NaN, Number.NEGATIVE_INFINITY, 1.5])(
    "as %d gives at most one message, with its place",
    (value) => {
      const refused = paths.filter((path) => {
        const changed = document.clone();
        changed.setIn(path, value);
        const problems = problemsOf(String(changed), options);
        if (problems.length === 0) return false;
        expect(problems, pathText(path)).toHaveLength(1);
        expect(problems[0]!.at).toBe(pathText(path));
        expect(problems[0]!.line).toBeGreaterThan(0);
        return true;
      });
      if (value !== 1.5) expect(refused).toEqual(paths);
    },
  );
});
