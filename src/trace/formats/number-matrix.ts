import { refuse } from "../../core/errors.ts";
import { type Json, parseJson } from "../../core/json.ts";
import { textLines } from "../text-lines.ts";
import { roleOf } from "./array-roles.ts";

/** Numbers of one step after another, [layers][experts], as a text file holds them. */
export interface NumberMatrix {
  readonly steps: readonly (readonly (readonly number[])[])[];
  /** Layer numbers that the file states. */
  readonly layers: readonly number[] | null;
  /** Name that the numbers have in the file. */
  readonly name: string;
  /** Names of what else the file holds. */
  readonly unused: readonly string[];
}

const bytesMax = 256 * 1024 * 1024;

const layerName = /^(?:layer|l|model\.layers\.|layers\.|blk\.)?[_ ]?(\d{1,6})(?:\..*)?$/i;

/** A header of CSV: `layer` or nothing for an index, then a number or an expert for each column. */
const indexHeader = /^"?(|layer|layers|layer[_ ]?(id|idx|index|number)?|index)"?$/i;
const expertHeader = /^"?(?:expert|exp|e)?[_ ]?(\d{1,6})"?$/i;

export async function readMatrix(file: string): Promise<NumberMatrix> {
  const lines: string[] = [];
  for await (const batch of textLines(file, { bytesMax })) lines.push(...batch.lines);
  const start = lines.find((line) => line.trim() !== "")?.trim() ?? "";
  return /^\ufeff?[[{]/.test(start)
    ? jsonMatrix(parseJson(lines.join("\n").replace(/^\ufeff/, ""), file), file)
    : csvMatrix(lines, file);
}

function jsonMatrix(value: Json, file: string): NumberMatrix {
  if (Array.isArray(value)) return { ...nested(value, file, ""), name: "", layers: null, unused: [] };
  const fields = Object.entries(value as { readonly [key: string]: Json });
  const layers = fields.map(([key]) => layerName.exec(key)?.[1]);
  if (layers.length > 0 && layers.every((layer) => layer !== undefined))
    return byLayer(fields, layers.map(Number), file);
  const counts = fields.filter(([key, of]) => roleOf(key) === "counts" && !/physical/i.test(key) && Array.isArray(of));
  const [[name, found] = ["", null]] = [...counts.filter(([key]) => key === "logical_count"), ...counts];
  if (found === null)
    refuse({
      file,
      expected: "counts: logical_count, or a list of counts for each layer",
      found: fields.map(([key]) => key),
      ...(fields.some(([key]) => /physical_to_logical/.test(key))
        ? { hint: "a placement of experts counts nothing" }
        : {}),
    });
  const unused = fields.map(([key]) => key).filter((key) => key !== name);
  return { ...nested(found, file, name), name, layers: null, unused };
}

/** A list [layers][experts], or one of them for each step. */
function nested(value: Json, file: string, at: string): { steps: NumberMatrix["steps"] } {
  const isRow = (row: Json): row is readonly number[] =>
    Array.isArray(row) && row.length > 0 && row.every((number) => typeof number === "number");
  const isMatrix = (rows: Json): rows is readonly (readonly number[])[] =>
    Array.isArray(rows) && rows.length > 0 && (rows as readonly Json[]).every(isRow);
  if (isMatrix(value)) return { steps: [value] };
  if (Array.isArray(value) && value.length > 0 && (value as readonly Json[]).every(isMatrix))
    return { steps: value as unknown as NumberMatrix["steps"] };
  return refuse({ file, at, expected: "numbers [layers][experts] or [steps][layers][experts]", found: value });
}

/** `{"3": [1, 2, ..]}` or `{"3": {"0": 1, "17": 2}}`: experts that were never chosen may be left out of the latter. */
function byLayer(fields: readonly (readonly [string, Json])[], layers: readonly number[], file: string): NumberMatrix {
  const rows = fields.map(([key, value]): number[] => {
    const counts: number[] = [];
    if (typeof value !== "object" || value === null)
      return refuse({ file, at: key, expected: "counts of experts", found: value });
    for (const [expert, count] of Object.entries(value as { readonly [key: string]: Json })) {
      if (!/^\d{1,5}$/.test(expert) || typeof count !== "number")
        refuse({ file, at: `${key}.${expert}`, expected: "a count of an expert below 65536", found: count });
      counts[Number(expert)] = count;
    }
    return counts;
  });
  const experts = Math.max(...rows.map((row) => row.length));
  const filled = rows.map((row) => Array.from({ length: experts }, (_value, expert) => row[expert] ?? 0));
  const order = [...layers.keys()].sort((a, b) => (layers[a] ?? 0) - (layers[b] ?? 0));
  return {
    steps: [order.map((i) => filled[i]!)],
    layers: order.map((i) => layers[i]!),
    name: "",
    unused: [],
  };
}

function csvMatrix(lines: readonly string[], file: string): NumberMatrix {
  const rows: { line: number; cells: string[] }[] = [];
  for (const [i, text] of lines.entries())
    if (text.trim() !== "" && !text.startsWith("#")) rows.push({ line: i + 1, cells: cellsOf(text) });
  const [first] = rows;
  if (first === undefined) refuse({ file, expected: "rows of numbers", found: "none" });
  const header = headerOf(first.cells);
  const body = (header === null ? rows : rows.slice(1)).map(({ line, cells }) => {
    const numbers = cells.map((cell) => (cell === "" ? Number.NaN : Number(cell)));
    if (cells.length !== first.cells.length || numbers.some((number) => !Number.isFinite(number)))
      refuse({ file, line, expected: `${first.cells.length} numbers`, found: cells.join(",") });
    return numbers;
  });
  if (body.length === 0) refuse({ file, expected: "rows of numbers below the header", found: "none" });
  const indexed = header === null ? hasIndex(body) : header === "indexed";
  return {
    steps: [indexed ? body.map((row) => row.slice(1)) : body],
    layers: indexed ? body.map((row) => row[0]!) : null,
    name: "",
    unused: [],
  };
}

/** Cells of a line, separated by commas, semicolons, tabs or, as NumPy writes text, by spaces. */
export function cellsOf(text: string): string[] {
  const separator = [",", ";", "\t"].find((mark) => text.includes(mark)) ?? /\s+/;
  return text
    .trim()
    .replace(/^\ufeff/, "")
    .split(separator)
    .map((cell) => cell.trim());
}

/** Whether cells head a matrix of counts, with a column of layers before them or without; null for numbers. */
export function headerOf(cells: readonly string[]): "indexed" | "plain" | null {
  const numbered = (from: number) =>
    cells.length > from + 1 && cells.slice(from).every((cell, i) => expertHeader.exec(cell)?.[1] === String(i));
  if (indexHeader.test(cells[0] ?? "") && numbered(1)) return "indexed";
  return numbered(0) ? "plain" : null;
}

/** Whether the first column numbers the rows: then the rest of each row, and not all of it, has one sum. */
function hasIndex(rows: readonly (readonly number[])[]): boolean {
  const sum = (row: readonly number[]) => row.reduce((total, number) => total + number, 0);
  const equal = (of: readonly (readonly number[])[]) => of.every((row) => sum(row) === sum(of[0] ?? []));
  const ascending = rows.every((row, i) => i === 0 || (row[0] ?? 0) > (rows[i - 1]?.[0] ?? 0));
  return rows.length >= 2 && ascending && !equal(rows) && equal(rows.map((row) => row.slice(1)));
}
