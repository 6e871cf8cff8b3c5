import type { Problem } from "../core/errors.ts";
import type { Json } from "../core/json.ts";
import { closest } from "../core/suggest.ts";

/** What may be said of a field of a table, by its name. */
export interface FieldRule {
  readonly required?: true;
  /** Whether several columns may make up the field, such as one for each expert of a token. */
  readonly several?: true;
}

/** A step on the way to a value inside a record: a key, one entry of a list, or every entry of a list or object. */
export type PathStep =
  | { readonly kind: "key"; readonly key: string }
  | { readonly kind: "index"; readonly index: number }
  /** `field` takes the number of the entry in its list, or its key in its object. */
  | { readonly kind: "each"; readonly field: string | null };

/** A column as a person names it. */
export interface Column {
  /** As written, for messages. */
  readonly text: string;
  /** Name in a header line, or of a key with dots. */
  readonly name: string;
  /** The way to it in a nested record. */
  readonly path: readonly PathStep[];
  /** Place among the columns, from 1, where it was written as `#1`; else null. */
  readonly number: number | null;
}

/** The columns of each field; a field that is not mapped is absent. */
export type ColumnMap<Field extends string> = Readonly<Partial<Record<Field, readonly [Column, ...Column[]]>>>;

export interface ReadColumnMap<Field extends string> {
  readonly map: ColumnMap<Field>;
  /** Everything that is wrong with it, the place relative to the map; the map holds only what is right. */
  readonly problems: readonly Problem[];
}

/**
 * Reads `field=column,field=column+column`. A column is a name, `#n` for the n-th, or a path into nested records such as
 * `routing.experts`, `layers[0].experts` or `tokens[token].layers[layer].experts`, where `[]` stands for every entry and
 * a word in it for the field that numbers them. In flat tables `e[]` stands for columns that differ by a number. Double quotes take commas, dots and the like as letters; a quote within
 * is doubled.
 */
export function parseColumnMap<Field extends string>(
  text: string,
  fields: Readonly<Record<Field, FieldRule>>,
): ReadColumnMap<Field> {
  const problems: Problem[] = [];
  const entries: [string, string[]][] = [];
  for (const entry of splitOutsideQuotes(text, ",")) {
    const [field = "", columns, ...more] = splitOutsideQuotes(entry, "=").map((part) => part.trim());
    if (columns === undefined || more.length > 0 || field === "")
      problems.push({
        expected: "field=column, separated by commas",
        found: entry.trim(),
        hint: 'a name with a comma, plus, equals sign, dot or bracket goes in double quotes: field="a,b"',
      });
    else entries.push([field, [columns]]);
  }
  return readEntries(entries, fields, problems);
}

/** Reads the same from a mapping: a column, or a list of columns, by field. Commas and equals signs are letters. */
export function columnMapOf<Field extends string>(
  mapping: Readonly<Record<string, string | readonly string[]>>,
  fields: Readonly<Record<Field, FieldRule>>,
): ReadColumnMap<Field> {
  const entries = Object.entries(mapping).map(([field, columns]): [string, string[]] => [field, [columns].flat()]);
  return readEntries(entries, fields, []);
}

function readEntries<Field extends string>(
  entries: readonly (readonly [string, readonly string[]])[],
  fields: Readonly<Record<Field, FieldRule>>,
  problems: Problem[],
): ReadColumnMap<Field> {
  const known = Object.keys(fields);
  const isField = (name: string): name is Field => known.includes(name);
  const columnsOf = new Map<Field, readonly [Column, ...Column[]]>();
  const given = new Set<string>();
  for (const [field, texts] of entries) {
    if (!isField(field)) {
      // A slip is one problem: the field that was meant counts as given.
      const near = closest(field, known);
      if (near !== null) given.add(near);
      const hint = near === null ? {} : { hint: `did you mean ${near}?` };
      problems.push({ expected: `one of the fields ${known.join(", ")}`, found: field, ...hint });
      continue;
    }
    if (columnsOf.has(field)) {
      problems.push({
        at: field,
        expected: "a field once",
        found: texts.join("+"),
        ...(fields[field].several ? { hint: "several columns of one field are joined by +" } : {}),
      });
      continue;
    }
    given.add(field);
    const own: Column[] = [];
    for (const text of texts.flatMap((joined) => splitOutsideQuotes(joined, "+"))) {
      const column = parseColumn(text, known);
      if ("expected" in column) problems.push({ at: field, ...column });
      else if (own.some(({ name, number }) => name === column.name && number === column.number))
        problems.push({ at: field, expected: "each column once", found: column.text });
      else own.push(column);
    }
    if (own.length > 1 && !fields[field].several)
      problems.push({ at: field, expected: "one column", found: own.map((column) => column.text).join("+") });
    const [first, ...rest] = own;
    if (first !== undefined) columnsOf.set(field, [first, ...rest]);
  }
  // A field that only numbers the entries of a list is given too: experts=layers[layer].
  for (const { path } of [...columnsOf.values()].flat())
    for (const step of path) if (step.kind === "each" && step.field !== null) given.add(step.field);
  const missing = known.filter((field) => isField(field) && fields[field].required && !given.has(field));
  if (missing.length > 0) problems.push({ expected: `a column for ${missing.join(", ")}`, found: "none" });
  return { map: Object.fromEntries(columnsOf) as ColumnMap<Field>, problems };
}

/** A quoted name, an unquoted one, a dot, brackets with what is in them; or one character that is none of these. */
const tokens = /"(?<quoted>(?:[^"]|"")*)"|(?<plain>[^".[\]]+)|(?<dot>\.)|\[(?<inside>[^\]"[]*)\]|(?<stray>.)/gsu;

function parseColumn(written: string, fields: readonly string[]): Column | Problem {
  const text = written.trim();
  const number = /^#([1-9]\d{0,8})$/.exec(text)?.[1];
  if (number !== undefined) return { text, name: text, path: [], number: Number(number) };
  const path: PathStep[] = [];
  let key: string | null = null;
  let name = "";
  let expectsKey = true;
  const close = () => {
    if (key !== null) path.push({ kind: "key", key: key.trim() });
    key = null;
  };
  const wrong = (expected: string): Problem => ({
    expected,
    found: text,
    hint: "dots lead into nested records, brackets to entries of lists; in double quotes both are letters",
  });
  for (const { groups = {} } of text.matchAll(tokens)) {
    const { quoted, plain, dot, inside, stray } = groups;
    if (stray !== undefined) return wrong(stray === '"' ? "a closing quote" : "a closing bracket");
    const letters: string | undefined = quoted?.replaceAll('""', '"') ?? plain;
    if (letters !== undefined) {
      key = (key ?? "") + letters;
      name += letters;
      expectsKey = false;
    } else if (dot !== undefined) {
      if (expectsKey) return wrong("a name before and after each dot");
      close();
      name += ".";
      expectsKey = true;
    } else {
      if (expectsKey && path.length > 0) return wrong("a name before and after each dot");
      close();
      const entry = (inside ?? "").trim();
      name += `[${entry}]`;
      expectsKey = false;
      if (/^\d{1,9}$/.test(entry)) path.push({ kind: "index", index: Number(entry) });
      else if (entry === "") path.push({ kind: "each", field: null });
      else if (fields.includes(entry)) path.push({ kind: "each", field: entry });
      else {
        const near = closest(entry, fields);
        return {
          expected: `in brackets nothing, a number, or a field (${fields.join(", ")})`,
          found: text,
          ...(near === null ? {} : { hint: `did you mean [${near}]?` }),
        };
      }
    }
  }
  if (expectsKey) return wrong(text === "" ? "the name of a column" : "a name before and after each dot");
  close();
  return { text, name: name.trim(), path, number: null };
}

/** Pieces of a text between separators that are not in double quotes. */
function splitOutsideQuotes(text: string, separator: string): string[] {
  const pieces = [""];
  let quoted = false;
  for (const char of text) {
    if (char === '"') quoted = !quoted;
    if (char === separator && !quoted) pieces.push("");
    else pieces[pieces.length - 1] += char;
  }
  return pieces;
}

/** The value of a column in a JSON record: by the key of its name if there is one, else along its path. */
export function valueAt(record: Json, { name, path }: Column): Json | undefined {
  if (isRecord(record) && record[name] !== undefined) return record[name];
  let value: Json | undefined = record;
  for (const step of path) {
    if (step.kind === "key" && isRecord(value)) value = value[step.key];
    else if (step.kind === "index" && Array.isArray(value)) value = (value as readonly Json[])[step.index];
    else return undefined;
  }
  return path.length === 0 ? undefined : value;
}

const isRecord = (value: Json | undefined): value is { readonly [key: string]: Json } =>
  typeof value === "object" && value !== null && !Array.isArray(value);
