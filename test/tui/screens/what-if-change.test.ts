import { readFileSync } from "node:fs";
import { join } from "node:path";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { type FormField, formFields } from "../../../src/scenario/form-fields.ts";
import { statedValues } from "../../../src/scenario/parse-scenario.ts";
import {
  firstPaths,
  orderedFields,
  settingFor,
  stepped,
  withSetting,
  withUnit,
} from "../../../src/tui/screens/what-if-change.ts";
import { sampleOf, sampleSettings, shorter } from "../../../src/tui/screens/what-if-sample.ts";
import type { RunRecord } from "../../../src/tui/state/run-record.ts";

const files = ["quickstart", "cluster-ep8", "offload-4090"].map((name) => join("scenarios", `${name}.yaml`));
const textOf = (file: string) => readFileSync(file, "utf8");
const fieldsOf = (text: string, settings: readonly string[] = []) =>
  formFields(statedValues(text, "a.yaml", { settings }));
const at = (fields: readonly FormField[], path: string) => fields.find((one) => one.path === path);

/** A text for a field, that means what it says. */
const sampled = ({ kind, choices, minimum, stated }: FormField): string =>
  kind === "choice"
    ? choices.at(-1)!
    : kind === "flag"
      ? stated === "true"
        ? "false"
        : "true"
      : kind === "text"
        ? "something else"
        : String((minimum ?? 1) + 1);

describe.each(files)("%s", (file) => {
  const text = textOf(file);
  const fields = fieldsOf(text);

  test("what is entered is what the form then shows, and what is taken away is not there any more", () => {
    for (const field of fields) {
      const value = sampled(field);
      expect(at(fieldsOf(text, [settingFor(field, value)]), field.path)?.stated, field.path).toBe(value);
      if (field.stated === null) continue;
      const cleared = fieldsOf(text, [settingFor(field, "")]);
      expect(at(cleared, field.path)?.stated ?? null, field.path).toBeNull();
    }
  });

  test("the keys that matter first come first, and every key is there once", () => {
    const ordered = orderedFields(fields, "");
    expect(new Set(ordered).size).toBe(fields.length);
    expect(ordered).toHaveLength(fields.length);
    const first = ordered.map(({ path }) => path).filter((path) => firstPaths.includes(path));
    expect(ordered.slice(0, first.length).map(({ path }) => path)).toEqual(first);
    for (const { path, description } of orderedFields(fields, " CACHE "))
      expect(`${path} ${description}`.toLowerCase()).toContain("cache");
  });

  test("a step stays within the limits of a field, and back again is what it was", () => {
    for (const field of fields) {
      for (const direction of [1, -1] as const) {
        const next = stepped(field, direction);
        if (next === null || field.kind === "flag" || field.kind === "choice") continue;
        const number = Number.parseFloat(next);
        expect(number, field.path).toBeGreaterThanOrEqual(field.minimum ?? 0);
        expect(number, field.path).toBeLessThanOrEqual(field.maximum ?? Number.POSITIVE_INFINITY);
        if (field.kind === "integer") expect(Number.isInteger(number), field.path).toBe(true);
      }
      const forth = field.kind === "flag" || field.kind === "choice" ? stepped(field, 1) : null;
      if (forth !== null && field.stated !== null)
        expect(stepped({ ...field, stated: forth }, -1), field.path).toBe(field.stated);
    }
  });
});

const number = (
  stated: string,
  kind: "integer" | "number" | "text" = "number",
  rest: Partial<FormField> = {},
): FormField => ({
  path: "a.b",
  kind,
  choices: [],
  minimum: null,
  maximum: null,
  byDefault: null,
  example: null,
  description: "",
  stated,
  kindSettings: [],
  ...rest,
});

describe("a step", () => {
  test.each([
    ["8", 1, "16"],
    ["8", -1, "4"],
    ["1", 1, "2"],
    ["10", 1, "11"],
    ["220", 1, "240"],
    ["220", -1, "200"],
    ["5/s", 1, "5.5/s"],
    ["7GB/s", -1, "6.3GB/s"],
    ["16GiB", 1, "32GiB"],
    ["90%", -1, "81%"],
    ["0.93", 1, "1.02"],
  ] as const)("%s by %i: %s", (stated, direction, next) => {
    expect(stepped(number(stated, "text"), direction)).toBe(next);
  });

  test("of whole numbers is by one at least", () => {
    expect(stepped(number("3", "integer"), 1)).toBe("4");
    expect(stepped(number("3", "integer"), -1)).toBe("2");
    expect(stepped(number("5", "integer"), 1)).toBe("6");
    expect(stepped(number("2", "integer"), 1)).toBe("3");
    expect(stepped(number("1", "integer"), -1)).toBe("0");
    expect(stepped(number("0", "integer"), 1)).toBe("1");
  });

  test("every small count is reached, up and down", () => {
    for (let i = 0; i < 16; i++) {
      expect(stepped(number(String(i), "integer"), 1)).toBe(String(i + 1));
      expect(stepped(number(String(i + 1), "integer"), -1)).toBe(String(i));
    }
  });

  test("of a degree goes from power to power", () => {
    expect(stepped(number("4", "integer", { path: "parallel.ep" }), 1)).toBe("8");
    expect(stepped(number("4", "integer", { path: "parallel.ep" }), -1)).toBe("2");
    expect(stepped(number("4", "integer", { path: "parallel.replicas" }), 1)).toBe("5");
  });

  test("of what stands behind a flag leaves the flag as it is", () => {
    expect(stepped(number("--n-cpu-moe 4", "text"), 1)).toBe("--n-cpu-moe 5");
    expect(stepped(number("-ngl=99", "text"), -1)).toBe("-ngl=89");
    expect(stepped(number("--n-cpu-moe 0", "text"), -1)).toBeNull();
  });

  test("leaves no limit behind, and nothing that is no number", () => {
    expect(stepped(number("8", "integer", { maximum: 8 }), 1)).toBeNull();
    expect(stepped(number("1", "integer", { minimum: 1 }), -1)).toBeNull();
    for (const text of ["p(99)<1s", "h100-sxm-8", "{kind: lru}", "--n-cpu-moe 2 -fa 1", ""])
      expect(stepped(number(text, "text"), 1), text).toBeNull();
  });

  test("up and down again is no further than a tenth away", () => {
    fc.assert(
      fc.property(fc.integer({ min: 2, max: 1_000_000 }), (value) => {
        const up = stepped(number(String(value), "integer"), 1)!;
        const back = Number(stepped(number(up, "integer"), -1));
        expect(Number(up)).toBeGreaterThan(value);
        expect(Math.abs(back - value) / value).toBeLessThanOrEqual(0.5);
      }),
    );
  });
});

describe("settings that are laid over one another", () => {
  test("one takes the place of that of its key, and of keys within it", () => {
    const changes = withSetting(withSetting(["a.b=1", "a.bc=2", "x=3"], "a.b.c=4"), "a.b=5");
    expect(changes).toEqual(["a.bc=2", "x=3", "a.b=5"]);
  });

  test("the last of each key holds, and there is one of each", () => {
    const settings = fc.array(fc.tuple(fc.constantFrom("a", "a.b", "a.b.c", "b"), fc.nat(9)), { maxLength: 12 });
    fc.assert(
      fc.property(settings, (list) => {
        const texts = list.map(([path, value]) => `${path}=${value}`);
        const changes = texts.reduce<readonly string[]>(withSetting, []);
        const paths = changes.map((change) => change.split("=")[0]);
        expect(new Set(paths).size).toBe(paths.length);
        expect(changes.at(-1)).toBe(texts.at(-1));
        for (const change of changes) expect(texts).toContain(change);
      }),
    );
  });
});

describe("a sample", () => {
  const run = (total: number, wallMs: number, least = 100) =>
    ({ forecast: { requests: { total } }, snapshot: null, wallMs, leastSample: least }) as unknown as RunRecord;

  test("is all of a short run, and never longer than the run", () => {
    expect(sampleOf(run(220, 300))).toEqual({ of: 220, requests: 220, least: 100 });
    expect(sampleOf(run(2000, 90_000, Number.POSITIVE_INFINITY))).toMatchObject({ of: 2000, requests: 2000 });
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 2_000_000 }), fc.nat(500_000), fc.nat(9999), (total, wallMs, least) => {
        const sample = sampleOf(run(total, wallMs, least))!;
        expect(sample.of).toBe(total);
        expect(sample.requests).toBeLessThanOrEqual(total);
        expect(sample.requests).toBeGreaterThanOrEqual(Math.min(total, least));
        const again = shorter(sample, wallMs);
        expect(again.requests).toBeLessThanOrEqual(sample.requests);
        expect(again.requests).toBeGreaterThanOrEqual(Math.min(total, least));
      }),
    );
  });

  test("goes by how far a run is that goes on, and is not known before its first request", () => {
    const going = (completed: number) =>
      ({
        forecast: null,
        snapshot: { requests: { total: 100_000, completed, rejected: 0 } },
        wallMs: 7000,
        leastSample: 100,
      }) as unknown as RunRecord;
    expect(sampleOf(going(10_000))).toEqual({ of: 100_000, requests: 790, least: 100 });
    expect(sampleOf({ forecast: null, snapshot: null, wallMs: 0 } as unknown as RunRecord)).toBeNull();
  });

  test("is stated as a setting where it is not all", () => {
    expect(sampleSettings({ requests: 100, of: 100, least: 1 })).toEqual([]);
    expect(sampleSettings({ requests: 100, of: 220, least: 1 })).toEqual(["traffic.requests=100"]);
  });
});

test("a number that is typed for a value with a unit has the same one", () => {
  expect(withUnit("6", "16/s")).toBe("6/s");
  expect(withUnit("0.5", "800ms")).toBe("0.5ms");
  expect(withUnit("6", "512")).toBe("6");
  expect(withUnit("6", "p(99)<1s")).toBe("6");
  expect(withUnit("6", null)).toBe("6");
  expect(withUnit("6/min", "16/s")).toBe("6/min");
});
