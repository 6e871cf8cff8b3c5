import type { Problem } from "../../../core/errors.ts";
import type { ColumnMap, FieldRule } from "../../column-map.ts";

/** Fields of a table of recorded routing. */
export const tableFields = {
  token: {},
  layer: { required: true },
  experts: { required: true, several: true },
  weights: { several: true },
  request: { several: true },
  phase: {},
  step: {},
  position: {},
  domain: {},
  /** Id of the token in the vocabulary; `token` numbers tokens. */
  tokenId: {},
} as const satisfies Record<string, FieldRule>;

export type TableField = keyof typeof tableFields;
export type TableMap = ColumnMap<TableField>;

/** Fields that the entries of a list may be numbered by, in brackets. */
const numbered: readonly TableField[] = ["token", "layer", "request", "step", "position"];

/** The fields that the path of the experts gives by itself, such as `layer` in `layers[layer].ids`. */
export function labelsOf({ experts }: TableMap): TableField[] {
  return (experts?.[0].path ?? []).flatMap((step) =>
    step.kind === "each" && step.field !== null ? [step.field as TableField] : [],
  );
}

/** What a map says that a table of routing cannot mean. */
export function mapProblems(map: TableMap): Problem[] {
  const problems: Problem[] = [];
  const labels = labelsOf(map);
  const eachesOf = (path: readonly { readonly kind: string }[]) => path.filter(({ kind }) => kind === "each").length;
  const depth = eachesOf(map.experts?.[0].path ?? []);
  for (const [i, label] of labels.entries()) {
    if (!numbered.includes(label))
      problems.push({ at: "experts", expected: `one of ${numbered.join(", ")} in brackets`, found: label });
    if (labels.indexOf(label) !== i)
      problems.push({ at: "experts", expected: "each field in brackets once", found: label });
    if (map[label] !== undefined)
      problems.push({ at: label, expected: "a column, or its place in brackets", found: "both" });
  }
  for (const [field, columns] of Object.entries(map)) {
    for (const { path, text } of columns) {
      const own = eachesOf(path);
      if (own > 0 && columns.length > 1)
        problems.push({ at: field, expected: "one column where brackets stand for every entry", found: text });
      if (own > depth)
        problems.push({ at: field, expected: `no more lists than the experts are in (${depth})`, found: text });
      if (field === "experts") continue;
      const labelled = path.filter(
        (step) => step.kind === "each" && step.field !== null && !labels.includes(step.field as TableField),
      );
      if (labelled.length > 0)
        problems.push({ at: field, expected: "brackets as in the column of the experts", found: text });
    }
  }
  if (!labels.includes("layer") && map.layer === undefined)
    problems.push({
      at: "layer",
      expected: "a column, or brackets in that of the experts",
      found: "none",
      hint: "experts=routing[layer] for a list with an entry for each layer",
    });
  return problems;
}
