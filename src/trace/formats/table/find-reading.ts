import { refuse } from "../../../core/errors.ts";
import type { Stated } from "./cell-census.ts";
import { scanTable } from "./scan-table.ts";
import type { TableCell } from "./table-cell.ts";
import type { TableReading, TableShape } from "./table-shape.ts";

/**
 * Scans a table for what its tokens are numbered in: first taken as numbered through each request, then, where numbers come
 * again, anew in each step.
 */
export async function findReading(
  cells: (reading: TableReading) => AsyncIterable<readonly TableCell[]>,
  files: number,
  hasRequests: boolean,
  file: string,
  stated: Stated,
): Promise<{ shape: TableShape; reading: TableReading }> {
  let reading: TableReading = { unit: "request", filesApart: !hasRequests && files > 1 };
  for (;;) {
    const shape = await scanTable(cells(reading), reading, file, stated);
    const next = otherReading(shape, reading, files);
    if (next === null) return { shape, reading };
    reading = next;
  }
}

function otherReading(shape: TableShape, reading: TableReading, files: number): TableReading | null {
  const { unit, filesApart } = reading;
  const layers = shape.layersOfFiles.flatMap((own) => [...own]);
  const everyLayerOnce = new Set(layers).size === layers.length;
  // Files of different layers hold the same tokens.
  if (files > 1 && filesApart && !shape.hasRequests && everyLayerOnce) return { ...reading, filesApart: false };
  if (shape.repeat === null) return null;
  if (unit === "request" && shape.hasSteps) return { unit: "step", filesApart };
  if (files > 1 && !filesApart && shape.hasRequests) return { unit: "request", filesApart: true };
  if (unit === "request" && shape.restartsOnly) return { unit: "pass", filesApart };
  return refusedRepeat(shape);
}

/** Refuses tokens that come again; where rows are in no order, the second reading finds out which, and nothing is said here. */
function refusedRepeat({ repeat, restartsOnly }: TableShape): null {
  if (!restartsOnly) return null;
  return refuse({
    file: repeat?.file ?? "",
    ...(repeat === null ? {} : { line: repeat.line }),
    at: `layer ${repeat?.layer}`,
    expected: "each token once in a layer",
    found: `token ${repeat?.token} again`,
    hint: "name what tells such tokens apart: --map request=... or step=...; rows of one token and layer have to follow one another",
  });
}
