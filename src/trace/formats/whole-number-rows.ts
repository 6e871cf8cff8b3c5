import { refuse } from "../../core/errors.ts";
import { textLines } from "../text-lines.ts";

export interface CsvRow {
  readonly line: number;
  readonly values: readonly number[];
}

/**
 * Rows of whole numbers from a CSV file with the given columns; a header line with their names may come first, blank
 * lines are skipped. Refuses any other row with its line.
 */
export async function* wholeNumberRows(
  path: string,
  columns: readonly string[],
  isHead = (text: string) => isHeader(text, columns),
): AsyncGenerator<CsvRow> {
  for await (const { lines, firstLine } of textLines(path))
    for (const [i, text] of lines.entries()) {
      const line = firstLine + i;
      if (text.trim() === "" || (line === 1 && isHead(text))) continue;
      const cells = text.split(",").map((cell) => cell.trim());
      if (cells.length !== columns.length || !cells.every((cell) => /^[0-9]{1,10}$/.test(cell)))
        refuse({ file: path, line, expected: `whole numbers ${columns.join(",")}`, found: text });
      yield { line, values: cells.map(Number) };
    }
}

export function isHeader(text: string, columns: readonly string[]): boolean {
  return (
    text
      .replaceAll(" ", "")
      .replace(/^\ufeff/, "")
      .trim() === columns.join(",")
  );
}
