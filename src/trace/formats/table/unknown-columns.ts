import { refuse } from "../../../core/errors.ts";
import type { Json } from "../../../core/json.ts";
import type { FileSample } from "../importer.ts";
import type { TableMap } from "./fields.ts";
import { guessMap } from "./guess-map.ts";
import { peekTable } from "./peek-table.ts";
import { openTable, type TableSource } from "./table-source.ts";

/** The map that the names of columns give, where they leave no doubt. */
export function mapByNames(sources: readonly TableSource[], warnings: string[]): TableMap {
  const [source] = sources;
  if (source?.first === undefined || source.first === null)
    return refuse({ file: source?.file ?? "", expected: "a table with rows" });
  const { map, text, unread } = guessMap(source.columns, source.first);
  if (map === null) refuseUnknown(source.file, source.columns, source.first);
  warnings.push(
    `columns are taken by their names: --map '${text}'${unread.length === 0 ? "" : `; not read: ${unread.join(", ")}`}`,
  );
  return map;
}

/** Refuses a table whose columns are not known by name: with what they are, and a map to begin with. */
function refuseUnknown(file: string, columns: readonly string[], first: Json): never {
  const names =
    columns[0] === "#1"
      ? `no names, ${columns.length} columns: ${JSON.stringify(first).slice(0, 80)}`
      : columns.slice(0, 40).join(", ");
  const { text, isOrderKnown } = guessMap(columns, first);
  const isKnown = !text.includes("?") && columns[0] !== "#1";
  const example = columns[0] === "#1" ? `token=#1,layer=#2,experts=${columns.slice(2, 10).join("+") || "#3"}` : text;
  refuse({
    file,
    expected: "columns whose names say what they are, or --map",
    found: names === "" ? JSON.stringify(first).slice(0, 80) : names,
    hint:
      `${isKnown ? "if it is right" : columns[0] === "#1" ? "such as" : "fill in"}: --format table --map '${example}'` +
      (example.includes("token=?")
        ? "; without a column for tokens every row of a layer is one, or every k rows with --top-k k"
        : "") +
      (isOrderKnown ? "" : "; or [layer][token], where the lists of layers are outside"),
  });
}

/** What to say of a file in no known format, if it is a table; nothing otherwise. */
export async function refuseUnknownTable({ text, fileName, arrays }: FileSample, file: string): Promise<void> {
  if (arrays !== null) return;
  const isNamed = /\.(csv|tsv|json|jsonl|ndjson)(\.gz)?$/i.test(fileName);
  const peeked = peekTable(text);
  if (peeked === null ? !isNamed : peeked.delimiter !== null && peeked.columns.length === 1 && !isNamed) return;
  const source = await openTable(file, null);
  // Whatever is wrong with the first rows is to be said first.
  for await (const records of source.records()) if (records.length > 0) break;
  refuseUnknown(source.file, source.columns, source.first);
}
