import { refuse } from "./errors.ts";
import { closest } from "./suggest.ts";
import { wordLines } from "./word-lines.ts";

/** Ids that a message has room for in its line. */
const idsInLine = 12;

/**
 * The entry `id` of a table of `what`; refuses an unknown one with the nearest. `others` are ids of other kinds, which the
 * hint says.
 */
export function lookUp(table: Record<string, unknown>, id: string, what: string, others: readonly string[]): unknown {
  if (Object.hasOwn(table, id)) return table[id];
  const ids = Object.keys(table);
  const near = closest(id, ids);
  const hint = others.includes(id)
    ? `"${id}" names another kind of profile`
    : near === null
      ? undefined
      : `did you mean "${near}"?`;
  const few = ids.length <= idsInLine;
  refuse({
    at: what,
    expected: few ? `one of ${ids.join(", ")}` : "a known id",
    found: id,
    ...(hint === undefined ? {} : { hint }),
    ...(few || hint !== undefined ? {} : { below: ["known:", ...wordLines(ids).map((line) => `  ${line}`)] }),
  });
}
