import { describe, expect, test } from "vitest";
import { InvalidInputError, type Problem } from "../../src/core/errors.ts";
import { isSourced } from "../../src/core/sourced.ts";
import { engineIds, engineProfileNamed, parseEngineProfile } from "../../src/engine/catalogue.ts";
import { deviceProfileNamed, systemProfileNamed } from "../../src/hardware/named-profiles.ts";
import { parseDeviceProfile, parseSystemProfile } from "../../src/hardware/read-profiles.ts";

type Path = readonly (string | number)[];
type Parse = (json: unknown, file: string) => unknown;

/** Paths of the sourced numbers of a profile. */
function numbersOf(value: unknown, at: Path = []): Path[] {
  if (isSourced(value)) return typeof value.value === "number" ? [[...at, "value"]] : [];
  if (typeof value !== "object" || value === null) return [];
  return Object.entries(value).flatMap(([key, item]) =>
    numbersOf(item, [...at, Array.isArray(value) ? Number(key) : key]),
  );
}

function changed(profile: unknown, path: Path, to: unknown): unknown {
  const [key, ...rest] = path;
  if (key === undefined) return to;
  const copy: unknown = Array.isArray(profile) ? [...(profile as unknown[])] : { ...(profile as object) };
  (copy as Record<string | number, unknown>)[key] = changed(
    (profile as Record<string | number, unknown>)[key],
    rest,
    to,
  );
  return copy;
}

function problemsOf(parse: Parse, json: unknown): readonly Problem[] {
  try {
    parse(json, "own.json");
    return [];
  } catch (error) {
    if (error instanceof InvalidInputError) return error.problems;
    throw error;
  }
}

const profiles: [string, unknown, Parse][] = [
  ...engineIds.map((id): [string, unknown, Parse] => [id, engineProfileNamed(id), parseEngineProfile]),
  ["mi300x", deviceProfileNamed("mi300x"), parseDeviceProfile],
  ["m2-ultra", deviceProfileNamed("m2-ultra"), parseDeviceProfile],
  ["h100-sxm-8", systemProfileNamed("h100-sxm-8"), parseSystemProfile],
];

describe.each(profiles)("each figure of %s", (_id, profile, parse) => {
  test.each([1e300, -1, "8", null])("as %j is refused in one message with its place and the value", (value) => {
    const paths = numbersOf(profile);
    expect(paths.length).toBeGreaterThan(2);
    for (const path of paths) {
      const problems = problemsOf(parse, changed(profile, path, value));
      expect(problems, path.join(".")).toHaveLength(1);
      expect(problems[0]).toMatchObject({ file: "own.json", at: path.join("."), found: value });
    }
  });
});
