import fc from "fast-check";
import { expect, test } from "vitest";
import { formatProblem } from "../../src/core/errors.ts";
import { type Column, columnMapOf, parseColumnMap, valueAt } from "../../src/trace/column-map.ts";

const fields = { prompt: { required: true }, output: { required: true }, class: {}, ids: { several: true } } as const;

const namesIn = (text: string) => {
  const { map, problems } = parseColumnMap(text, fields);
  expect(problems).toEqual([]);
  return Object.fromEntries(Object.entries(map).map(([field, columns]) => [field, columns.map(({ name }) => name)]));
};
const problemsOf = (text: string) => parseColumnMap(text, fields).problems.map(formatProblem);
const columnOf = (text: string): Column => {
  const { map, problems } = parseColumnMap(`prompt=${text},output=o`, fields);
  expect(problems).toEqual([]);
  return map.prompt![0];
};

test("fields are separated by commas, columns of one field by plus", () => {
  expect(namesIn("prompt=ContextTokens, output = Generated tokens ,ids=e0+e1+e2")).toEqual({
    prompt: ["ContextTokens"],
    output: ["Generated tokens"],
    ids: ["e0", "e1", "e2"],
  });
});

test("separators in double quotes are letters, a quote is doubled", () => {
  expect(namesIn('prompt="a,b=c+d",output="say ""o""."')).toEqual({ prompt: ["a,b=c+d"], output: ['say "o".'] });
});

test("a number sign and a number is a place, from 1", () => {
  expect(columnOf("#12").number).toBe(12);
  expect(columnOf('"#12"')).toMatchObject({ number: null, name: "#12" });
});

test("any name survives when it is quoted", () => {
  const name = fc.string({ minLength: 1, unit: "grapheme" }).filter((text) => text.trim() === text);
  fc.assert(
    fc.property(name, name, (prompt, output) => {
      const quote = (text: string) => `"${text.replaceAll('"', '""')}"`;
      const { map, problems } = parseColumnMap(`prompt=${quote(prompt)},output=${quote(output)}`, fields);
      expect(problems).toEqual([]);
      expect([map.prompt![0].name, map.output![0].name]).toEqual([prompt, output]);
      expect(valueAt({ [prompt]: 7 }, map.prompt![0])).toBe(7);
    }),
  );
});

test("dots and brackets lead into nested records", () => {
  const record = { a: { "b.c": [4, { d: 5 }] }, "x.y": 6, x: { y: 7 }, z: null };
  expect(valueAt(record, columnOf('a."b.c"[0]'))).toBe(4);
  expect(valueAt(record, columnOf('a."b.c"[1].d'))).toBe(5);
  expect(valueAt(record, columnOf("a.b.c"))).toBeUndefined();
  expect(valueAt(record, columnOf("x.y"))).toBe(6);
  expect(valueAt(record, columnOf('"x".y'))).toBe(6);
  expect(valueAt(record, columnOf("z"))).toBeNull();
  expect(valueAt(record, columnOf("z.y"))).toBeUndefined();
  expect(valueAt([8, 9], columnOf("#2"))).toBeUndefined();
});

test("empty brackets are every entry, a field in brackets is what numbers them", () => {
  expect(columnOf("turns[class].ids[]").path).toEqual([
    { kind: "key", key: "turns" },
    { kind: "each", field: "class" },
    { kind: "key", key: "ids" },
    { kind: "each", field: null },
  ]);
  expect(columnOf("l[class]_e[]").name).toBe("l[class]_e[]");
  expect(columnOf("[].n").path.map(({ kind }) => kind)).toEqual(["each", "key"]);
});

test("a field that numbers entries needs no column of its own", () => {
  expect(parseColumnMap("prompt=turns[output].n", fields).problems).toEqual([]);
});

test("everything wrong with a map is said at once", () => {
  expect(problemsOf("promt=a,class=b,class=c,ids=e0+e0,class")).toEqual([
    expect.stringContaining('expected field=column, separated by commas, found "class"'),
    'expected one of the fields prompt, output, class, ids, found "promt" (did you mean prompt?)',
    'class: expected a field once, found "c"',
    'ids: expected each column once, found "e0"',
    'expected a column for output, found "none"',
  ]);
});

test.each([
  ["", 'expected field=column, separated by commas, found ""'],
  ["prompt=a=b,output=o", "expected field=column"],
  ["prompt=a+b,output=o", 'prompt: expected one column, found "a+b"'],
  ["prompt=,output=o", "prompt: expected the name of a column"],
  ["prompt=a..b,output=o", "prompt: expected a name before and after each dot"],
  ["prompt=.a,output=o", "prompt: expected a name before and after each dot"],
  ["prompt=a.,output=o", "prompt: expected a name before and after each dot"],
  ["prompt=a.[0],output=o", "prompt: expected a name before and after each dot"],
  ["prompt=a[,output=o", "prompt: expected a closing bracket"],
  ["prompt=a],output=o", "prompt: expected a closing bracket"],
  ["prompt=a[clas],output=o", "did you mean [class]?"],
  ['output=o,prompt="a', "prompt: expected a closing quote"],
])("%j is refused", (text, message) => {
  expect(problemsOf(text)[0]).toContain(message);
});

test("a mapping says the same: a column or a list of columns", () => {
  const { map, problems } = columnMapOf({ prompt: "a,b", output: "o", ids: ["e0", "e1+e2"] }, fields);
  expect(problems).toEqual([]);
  expect(map.prompt!.map(({ name }) => name)).toEqual(["a,b"]);
  expect(map.ids!.map(({ name }) => name)).toEqual(["e0", "e1", "e2"]);
  expect(columnMapOf({ prompts: "a" }, fields).problems).toHaveLength(2);
});
