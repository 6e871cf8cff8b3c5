import { refuse } from "./errors.ts";
import { closest } from "./suggest.ts";

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
  refuse({
    at: what,
    expected: `one of ${ids.join(", ")}`,
    found: id,
    ...(hint === undefined ? {} : { hint }),
  });
}
