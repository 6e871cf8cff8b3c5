import fc from "fast-check";
import { beforeAll, describe, expect, test } from "vitest";
import { InvalidInputError } from "../../../src/core/errors.ts";
import { jsonDocument } from "../../../src/core/json.ts";
import type { PlanDocument } from "../../../src/plan/answer/plan-document.ts";
import { readPlan } from "../../../src/plan/answer/read-plan.ts";
import { drawn } from "../../drawn.ts";
import { done } from "../outcomes.ts";
import { planIn, type World, WorldExecutor } from "../worlds.ts";

/** Six requests/s a device. */
const world: World = ({ devices, requests, rate, clients }) => {
  const load = clients === null ? (20 * rate) / (6 * devices) : 0.1;
  return done(
    { devices, requests, rejected: 0, "tpot.p50": 10 * (1 + load), throughputPerDevice: 20 * (1 + load) },
    { verdict: load > 1 ? "overloaded" : "stable", passed: load <= 1, strain: load, strainAtBest: load },
  );
};

let plan: PlanDocument;

beforeAll(async () => {
  const found = await planIn(new WorldExecutor(world), [
    "plan.budget.devices=8",
    "plan.objectives=[cost, rate, frontier]",
  ]);
  const [best] = found.objectives[0]!.found;
  // Everything that a plan may hold, beside what a search alone brings.
  plan = {
    ...found,
    scenario: { ...found.scenario, params: { TRACE: "trace.csv" } },
    objectives: [
      ...found.objectives,
      { name: "energy", title: "least energy", found: [], closest: { id: best!.id, shortfall: "by 3%" } },
    ],
    finalists: [
      {
        id: best!.id,
        chances: [{ slo: "ttft p(50)<1s", chance: 0.7, slowestFactor: null }],
        bottleneck: { component: "experts", share: 0.4 },
        unvalidated: "nothing like it was measured",
      },
    ],
    sensitivity: [
      { change: "outputs x 0.75", outcome: null },
      {
        change: "as it is",
        outcome: { meets: false, broken: "it", binding: "b", strain: 2, tpotP50Ms: 1, ttftP99Ms: null, usdPerMtok: 3 },
      },
    ],
    baseline: {
      file: "today.yaml",
      devices: 8,
      usdPerHour: null,
      meets: true,
      broken: null,
      values: { cost: 3, rate: null },
    },
    space: { ...found.space, leftOut: [{ name: "h200", reason: "unknown" }] },
    frontier: found.frontier!.slice(0, 4),
  };
});

const read = (document: unknown) => readPlan(JSON.stringify(document), "plan.json");
const problemsOf = (document: unknown) => {
  try {
    read(document);
  } catch (error) {
    if (error instanceof InvalidInputError) return error.problems;
    throw error;
  }
  return [];
};

type Path = readonly (string | number)[];

/** Paths of all values below one, of lists only those of the first and the last item. */
function pathsOf(value: unknown, path: Path = []): Path[] {
  if (typeof value !== "object" || value === null) return [path];
  const keys = Array.isArray(value)
    ? [...new Set([0, value.length - 1])].filter((i) => i >= 0 && i in value)
    : Object.keys(value);
  return [path, ...keys.flatMap((key) => pathsOf((value as Record<string | number, unknown>)[key], [...path, key]))];
}

/** A copy with another value at a path; undefined: none. */
function withValue(document: unknown, path: Path, value: unknown): unknown {
  const copy = JSON.parse(JSON.stringify({ root: document })) as { root: unknown };
  let at = copy as unknown as Record<string | number, unknown>;
  for (const key of ["root", ...path].slice(0, -1)) at = at[key] as typeof at;
  at[path.at(-1) ?? "root"] = value;
  return copy.root;
}

const textOf = (path: Path): string =>
  path.map((step, i) => (typeof step === "number" ? `[${step}]` : i === 0 ? step : `.${step}`)).join("");

test("what a plan writes is read back", () => {
  expect(readPlan(jsonDocument(plan), "plan.json")).toEqual(plan);
  expect(read({ ...plan, later: { is: "not read" } })).toMatchObject(plan);
});

test("a value of another kind is refused with its place, whatever it is", () => {
  const paths = pathsOf(plan).filter((path) => path.length > 0);
  expect(paths.length).toBeGreaterThan(200);
  for (const path of paths) {
    const [problem] = problemsOf(withValue(plan, path, { hostile: ["\u001b[2J"] }));
    expect(problem?.file, textOf(path)).toBe("plan.json");
    // Of an object the first of its fields is missed.
    expect(problem?.at, textOf(path)).satisfy((at: string) => at.startsWith(textOf(path)));
  }
});

/** Fields that may be null wherever they stand. */
const nullable = new Set(
  (
    "usdPerHour powerW cause figures binding strain ttftP99Ms tpotP50Ms shown closest chance slowestFactor unvalidated outcome " +
    "broken usdPerMtok ratePerSecond frontier sensitivity baseline"
  ).split(" "),
);

test("null is refused but for what need not be known", () => {
  for (const path of pathsOf(plan)) {
    if (path.length === 0) continue;
    const [above, last] = [path.at(-2), path.at(-1)];
    const may =
      nullable.has(String(last)) ||
      (path[0] === "candidates" && last === "reason") ||
      above === "figures" ||
      above === "values" ||
      (above === "baseline" && last === "devices") ||
      (above === "traffic" && last === "concurrency");
    const at = problemsOf(withValue(plan, path, null))[0]?.at;
    expect(at, textOf(path)).toBe(may ? undefined : textOf(path));
  }
});

/** Fields that earlier releases did not write, and what is read in their place. */
const unsaid: Readonly<Record<string, unknown>> = { "scenario.settings": [], "scenario.params": {} };

test("a field that is missing is refused, but for one that earlier releases lack", () => {
  for (const path of pathsOf(plan)) {
    if (typeof path.at(-1) !== "string") continue;
    const inRecord = ["figures", "values", "params"].includes(String(path.at(-2)));
    const problems = problemsOf(withValue(plan, path, undefined));
    if (inRecord) expect(problems, textOf(path)).toEqual([]);
    else if (Object.hasOwn(unsaid, textOf(path))) {
      expect(problems).toEqual([]);
      const { scenario } = read(withValue(plan, path, undefined));
      expect(scenario).toEqual({ ...plan.scenario, [path[1]!]: unsaid[textOf(path)] });
    } else expect(problems[0]?.at, textOf(path)).toBe(textOf(path));
  }
});

describe("what is none", () => {
  test("other documents and other versions are refused in words", () => {
    expect(problemsOf({ ...plan, kind: "forecast" })).toMatchObject([
      { at: "kind", expected: expect.stringContaining("moecast plan -o"), found: "forecast" },
    ]);
    for (const schemaVersion of [0, 2, "1", null])
      expect(problemsOf({ ...plan, schemaVersion })).toMatchObject([
        {
          at: "schemaVersion",
          expected: "1",
          found: schemaVersion,
          hint: expect.stringContaining("run moecast plan again"),
        },
      ]);
    for (const other of [null, 1, "plan", [], [plan], {}]) expect(problemsOf(other)[0]?.at).toBe("kind");
  });

  test("answers that name no candidate are refused", () => {
    const places = [
      ["objectives", 0, "found", 0, "id"],
      ["objectives", 3, "closest", "id"],
      ["finalists", 0, "id"],
      ["frontier", 1, "id"],
    ] as const;
    for (const path of places)
      expect(problemsOf(withValue(plan, path, "constructor"))).toEqual([
        { file: "plan.json", at: textOf(path), expected: "the id of one of the candidates", found: "constructor" },
      ]);
  });

  test("a document that is wrong in every row is refused soon", () => {
    const wrong = { ...plan, candidates: Array.from({ length: 50_000 }, () => ({ id: 1 })) };
    expect(problemsOf(wrong).length).toBeLessThan(100);
  });

  test("no text brings down the reader", () => {
    const written = JSON.stringify(plan);
    const broken = fc.oneof(
      fc.json(),
      fc.string(),
      fc.nat(written.length).map((at) => written.slice(0, at)),
      fc
        .tuple(fc.nat(written.length), fc.constantFrom("0", '"', "[", "1e999", "null", "-", "__proto__"))
        .map(([at, part]) => written.slice(0, at) + part + written.slice(at + part.length)),
      fc.constantFrom(
        "1e999",
        "[".repeat(1e5),
        '{"__proto__": 1, "kind": "plan"}',
        '{"kind":"plan","schemaVersion":1e999}',
      ),
    );
    fc.assert(
      fc.property(broken, (text) => {
        try {
          readPlan(text, "plan.json");
        } catch (error) {
          expect(error).toBeInstanceOf(InvalidInputError);
          // biome-ignore lint/suspicious/noControlCharactersInRegex: none of these may reach a terminal
          expect((error as Error).message).not.toMatch(/[\u0000-\u0009\u000b-\u001f\u007f-\u009f]/);
        }
      }),
      { numRuns: drawn(400) },
    );
  });
});
