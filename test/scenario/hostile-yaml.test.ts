import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { formatProblem, InvalidInputError } from "../../src/core/errors.ts";
import { parseScenario } from "../../src/scenario/parse-scenario.ts";
import { drawn } from "../drawn.ts";
import { minimal, placeOf, problemsOf } from "./example.ts";

describe("YAML that is refused", () => {
  test("duplicate keys, at the second one", () => {
    const text = `${minimal}name: twice\n`;
    expect(problemsOf(text)).toMatchObject([{ ...placeOf(text, "name: twice"), expected: "valid YAML" }]);
  });

  test("tabs as indentation", () => {
    expect(problemsOf("version: 1\nmodel:\n\t- x\n")[0]).toMatchObject({ line: 3, column: 1, expected: "valid YAML" });
  });

  test("several documents, unknown tags, unresolved aliases", () => {
    expect(problemsOf(`${minimal}---\na: 1\n`)[0]?.hint).toContain("multiple documents");
    expect(problemsOf(`${minimal}seed: !!js/function 3\n`)[0]?.expected).toBe("valid YAML");
    expect(problemsOf(`${minimal}seed: *nowhere\n`)[0]?.expected).toBe("an alias of an earlier anchor");
  });

  test.each(["1e999", "-1e999", ".nan", ".inf", "-.INF"])("the number %s", (number) => {
    const text = `${minimal}seed: ${number}\n`;
    expect(problemsOf(text)).toContainEqual(
      expect.objectContaining({ ...placeOf(text, number), at: "seed", expected: "a finite number" }),
    );
  });

  test.each(["__proto__", "constructor", "prototype"])("the key %s, wherever it stands", (key) => {
    for (const text of [`${minimal}${key}: { polluted: 1 }\n`, `${minimal}params: { ${key}: x }\n`])
      expect(problemsOf(text)).toContainEqual(
        expect.objectContaining({ ...placeOf(text, key), expected: "an ordinary key" }),
      );
    expect(({} as Record<string, unknown>)["polluted"]).toBeUndefined();
  });

  test("alias bombs, before they are expanded", () => {
    let bomb = "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n";
    for (let level = 1; level <= 12; level += 1)
      bomb += `a${level}: &a${level} [${Array.from({ length: 10 }, () => `*a${level - 1}`).join(", ")}]\n`;
    expect(problemsOf(bomb)).toMatchObject([{ expected: "aliases that stay small when expanded" }]);
  });

  test("aliases inside their own anchor", () => {
    expect(problemsOf(`${minimal}params: &p { a: *p }\n`)).toContainEqual(
      expect.objectContaining({ expected: "an alias of an earlier anchor" }),
    );
  });

  test("nesting that would exhaust the stack, before it is parsed", () => {
    for (const opening of ["[", "{a: ", "- ", "? "])
      expect(problemsOf(opening.repeat(100_000))).toEqual([
        { file: "test.yaml", line: 1, expected: "fewer levels of nesting" },
      ]);
    expect(problemsOf(`${minimal}params: ${"[".repeat(60)}${"]".repeat(60)}\n`)).toContainEqual(
      expect.objectContaining({ expected: "at most 50 levels of nesting" }),
    );
  });

  test("piles of anchors, tags and tokens, before they are parsed", () => {
    expect(problemsOf("&a ".repeat(100_000))).toMatchObject([{ expected: "at most 1000 anchors, aliases and tags" }]);
    expect(problemsOf("!x ".repeat(100_000))).toMatchObject([{ expected: "at most 1000 anchors, aliases and tags" }]);
    expect(problemsOf("k: 1\n".repeat(100_000))).toMatchObject([{ expected: "a scenario of at most 50000 tokens" }]);
    expect(problemsOf("]".repeat(100_000))).toMatchObject([{ expected: "a scenario of at most 50000 tokens" }]);
  });

  test("more than 1 MiB", () => {
    expect(problemsOf(`${minimal}# ${"x".repeat(1024 * 1024)}\n`)).toMatchObject([
      { expected: "a scenario of at most 1 MiB" },
    ]);
  });

  test("keys that are not plain text, and nothing at all", () => {
    expect(problemsOf(`${minimal}? [a, b]\n: 3\n`)).toContainEqual(
      expect.objectContaining({ expected: "a plain text key" }),
    );
    expect(problemsOf("")).toMatchObject([{ expected: "a mapping" }]);
    expect(problemsOf("- 1\n")).toMatchObject([{ expected: "a mapping" }]);
  });
});

test("control characters in names are refused, and no message carries them to the terminal", () => {
  const text = minimal.replace("name: example", 'name: "a\\e[31mred\\e]0;title\\a"');
  const problems = problemsOf(text);
  expect(problems).toMatchObject([{ at: "name", expected: "text without control characters" }]);
  const shown = problemsOf(`${minimal}"\\e[2Jkey": 1\n`).map(formatProblem).join("\n");
  expect(shown).toContain("key");
  expect(/[^\P{Cc}\n]/u.test(shown)).toBe(false);
});

test("aliases of small things are allowed", () => {
  const text = minimal.replace("isl: { kind: fixed, tokens: 100 }", "isl: &len { kind: fixed, tokens: 100 }");
  const shared = parseScenario(text.replace("osl: { kind: fixed, tokens: 10 }", "osl: *len"), "test.yaml");
  expect(shared.traffic).toMatchObject({ isl: { tokens: 100 }, osl: { tokens: 100 } });
});

test("no mutation of a valid file gives anything but a scenario or a list of problems", () => {
  fc.assert(
    fc.property(
      fc.nat(minimal.length),
      fc.nat(6),
      fc.oneof(
        fc.string({ maxLength: 8 }),
        fc.constantFrom("&a ", "*a", "!!x ", "{", "[", "\t", ": ", "- ", "|\n", "\0"),
      ),
      (at, cut, piece) => {
        const text = minimal.slice(0, at) + piece + minimal.slice(at + cut);
        try {
          parseScenario(text, "fuzz.yaml");
        } catch (error) {
          expect(error).toBeInstanceOf(InvalidInputError);
          expect((error as InvalidInputError).problems.length).toBeGreaterThan(0);
        }
      },
    ),
    { numRuns: drawn(300) },
  );
});
