/** A table of whole numbers as a result document holds it: one text a row, numbers between spaces. */
export type NumberRows = readonly string[];

/** The text of a row; its numbers are rounded. */
export const numberRow = (values: ArrayLike<number>): string =>
  Array.from(values, (value) => String(Math.round(value))).join(" ");

/** The numbers of the rows; empty where a row is not one of whole numbers, or rows differ in their length. */
export function numbersOf(rows: NumberRows): number[][] {
  const numbers = rows.map((row) => (/^\d{1,9}(?: \d{1,9})*$/.test(row) ? row.split(" ").map(Number) : []));
  const width = numbers[0]?.length ?? 0;
  return width === 0 || numbers.some((row) => row.length !== width) ? [] : numbers;
}
