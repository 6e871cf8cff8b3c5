import { join } from "node:path";
import type { CheckLine } from "./check-line.ts";
import { fiddlerRows } from "./fiddler-rows.ts";
import { desktopRows, kernelRows, placementRows, type Row, socketRows, sparkRows } from "./hybrid-tables.ts";
import { dynamicRows, fetchingRows, simulatedPlacementRows } from "./served-offload-rows.ts";

const digits = (value: number): string => (value >= 1000 ? value.toFixed(0) : value.toPrecision(4));

/** A row with its error. One that is out of reach is printed with the reason, and not judged. */
function line({ name, measured, forecast, within, reason }: Row): CheckLine {
  if (Number.isNaN(forecast))
    return { name, expected: digits(measured), found: `no forecast: ${reason ?? ""}`, ok: true };
  const error = forecast / measured - 1;
  const signed = `${error < 0 ? "-" : "+"}${Math.abs(100 * error).toFixed(0)} %`;
  const why = reason === undefined ? "" : ` (${within === undefined ? "not judged: " : ""}${reason})`;
  return {
    name,
    expected: within === undefined ? digits(measured) : `${digits(measured)} within ${(100 * within).toFixed(0)} %`,
    found: `${digits(forecast)}, ${signed}${why}`,
    ok: within === undefined || Math.abs(error) <= within,
  };
}

/** Which placement is quicker at which share of experts on the GPUs: at least so many of the pairs as published. */
function orderLine(rows: readonly Row[]): CheckLine {
  const known = rows.filter(({ forecast }) => !Number.isNaN(forecast));
  const ratioOf = ({ name }: Row) => / (\d+)%,/.exec(name)?.[1];
  let [alike, pairs] = [0, 0];
  for (const a of known)
    for (const b of known) {
      // Differences of less than 5 % are noise: equal placements differ by as much.
      if (ratioOf(a) !== ratioOf(b) || a.measured < 1.05 * b.measured) continue;
      pairs++;
      if (a.forecast >= b.forecast) alike++;
    }
  return {
    name: "KTransformers, pairs of placements in the published order",
    expected: `${pairs} of ${pairs}`,
    found: `${alike} of ${pairs}`,
    ok: alike === pairs,
  };
}

/** Published rates of hybrids of device and host against forecasts, row by row. Nothing is fitted to a row. */
export const offloadTablesCheck = {
  name: "offload-tables",
  folders: ["offload_tables"],
  async run(folder: string): Promise<readonly CheckLine[]> {
    const tables = join(folder, "offload_tables");
    const placements = await placementRows(tables);
    const rows = [
      ...placements,
      ...(await socketRows()),
      ...(await desktopRows(tables)),
      ...kernelRows(tables),
      ...(await sparkRows(tables)),
      ...(await simulatedPlacementRows()),
      ...(await dynamicRows()),
      ...(await fetchingRows()),
      ...(await fiddlerRows()),
    ];
    return [...rows.map(line), orderLine(placements)];
  },
};
