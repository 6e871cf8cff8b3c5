import { join } from "node:path";
import { refuse, UsageError } from "../../core/errors.ts";
import { closest } from "../../core/suggest.ts";
import { exists } from "../../files/read-input.ts";
import { pathsOf, pointCount } from "../design/design.ts";
import { type JobStatus, jobStatuses } from "../job/job.ts";
import { type OutcomeFigure, outcomeFigures } from "../job/outcome-figures.ts";
import { ResultFile } from "../results/result-file.ts";
import { pointsIn } from "./shard.ts";
import { readManifest } from "./sweep-folder.ts";

/** What a person sees of a sweep first. */
export interface SweepListing {
  readonly scenario: string;
  /** Configurations in all, of this shard; those without a row have no result yet. */
  readonly configurations: number;
  readonly rows: number;
  readonly counts: Readonly<Record<JobStatus, number>>;
  /** Rows whose SLOs of level error all hold; null where the scenario has none that a row was judged by. */
  readonly passed: number | null;
  readonly overloaded: number;
  readonly paths: readonly string[];
  /** What rows are sorted by, then what is shown beside it. */
  readonly figures: readonly OutcomeFigure[];
  /** The best first: those whose SLOs hold before the others, the overloaded last. */
  readonly best: readonly ListedRow[];
  /** Why configurations have no forecast, the most frequent first. */
  readonly reasons: readonly { readonly status: string; readonly reason: string; readonly count: number }[];
}

export interface ListedRow {
  readonly point: number;
  readonly values: readonly (string | number | null)[];
  readonly load: string;
  readonly passed: boolean;
  readonly figures: readonly (number | null)[];
}

export interface ListOptions {
  /** Figure that rows are sorted by; default cost, else throughput of a device. */
  readonly sort?: string;
  readonly top: number;
}

/** Shown beside what rows are sorted by. */
const beside = ["throughputPerDevice", "ttft.p99", "tpot.p50", "costUsdPerMtok"];
const reasonsMax = 10;

/**
 * Reads the table that a sweep wrote, of it what is shown alone. Throws UsageError for an unknown figure, InvalidInputError for a
 * folder without a table.
 */
export async function listResults(folder: string, { sort, top }: ListOptions): Promise<SweepListing> {
  const { design, scenario, shard } = await readManifest(folder);
  const table = join(folder, "results.parquet");
  if (!(await exists(table)))
    refuse({
      file: table,
      expected: "a file that exists",
      hint: "the sweep was killed: the same command goes on with it",
    });
  const paths = pathsOf(design);
  const file = await ResultFile.open(table);
  const status = await file.column("status");
  const load = await file.column("load");
  const passed = await file.column("passed");
  const by = await sortedBy(file, sort);
  const figures = [by, ...beside.filter((name) => name !== by.name).map(figureNamed)];
  const best = bestRows(await file.column(by.name), by, { status, load, passed }, top);
  const shown = await Promise.all(
    ["point", "load", "passed", ...paths, ...figures.map(({ name }) => name)].map((name) => file.values(name, best)),
  );
  const [point = [], loads = [], pass = [], ...values] = shown;
  const judged = passed.some((one) => one !== null);
  return {
    scenario,
    configurations: pointsIn(shard, pointCount(design)),
    rows: file.rows,
    counts: Object.fromEntries(jobStatuses.map((name) => [name, count(status, name)])) as SweepListing["counts"],
    passed: judged ? count(passed, true) : null,
    overloaded: count(load, "overloaded"),
    paths,
    figures,
    best: best.map((_, i) => ({
      point: point[i] as number,
      values: values.slice(0, paths.length).map((column) => column[i] as string | number | null),
      load: loads[i] as string,
      passed: pass[i] === true,
      figures: values.slice(paths.length).map((column) => column[i] as number | null),
    })),
    reasons: await reasonsOf(file, status),
  };
}

const count = (column: readonly unknown[], value: unknown): number =>
  column.reduce((sum: number, one) => sum + Number(one === value), 0);

/** The best rows with a forecast, so many of them, the very best first. */
function bestRows(
  values: readonly unknown[],
  { better }: OutcomeFigure,
  { status, load, passed }: Readonly<Record<"status" | "load" | "passed", readonly unknown[]>>,
  top: number,
): number[] {
  const sign = better === "higher" ? -1 : 1;
  // Rows without the value come last.
  const keyOf = (row: number): number => {
    const value = values[row];
    return typeof value === "number" ? sign * value : Number.POSITIVE_INFINITY;
  };
  const ranks: number[][] = [[], [], []];
  for (const [row, one] of status.entries())
    if (one === "done") ranks[load[row] === "overloaded" ? 2 : passed[row] === true ? 0 : 1]!.push(row);
  const best: number[] = [];
  for (const rows of ranks) {
    const wanted = Math.min(top - best.length, rows.length);
    if (wanted === 0) continue;
    // Numbers alone are sorted far faster than rows by their numbers.
    const limit = Float64Array.from(rows, keyOf).sort()[wanted - 1]!;
    const kept = rows.filter((row) => keyOf(row) <= limit);
    best.push(...kept.sort((a, b) => (keyOf(a) < keyOf(b) ? -1 : keyOf(a) > keyOf(b) ? 1 : a - b)).slice(0, wanted));
  }
  return best;
}

function figureNamed(name: string): OutcomeFigure {
  const found = outcomeFigures.find((figure) => figure.name === name);
  if (found !== undefined) return found;
  const names = outcomeFigures.map((figure) => figure.name);
  const near = closest(name, names);
  throw new UsageError(
    `--sort: unknown figure "${name}"${near === null ? "" : `, did you mean "${near}"?`} (one of ${names.join(", ")})`,
  );
}

async function sortedBy(file: ResultFile, sort: string | undefined): Promise<OutcomeFigure> {
  if (sort !== undefined) return figureNamed(sort);
  const cost = await file.column("costUsdPerMtok");
  return figureNamed(cost.some((value) => value !== null) ? "costUsdPerMtok" : "throughputPerDevice");
}

async function reasonsOf(file: ResultFile, status: readonly unknown[]): Promise<SweepListing["reasons"]> {
  if (status.every((one) => one === "done")) return [];
  const reason = await file.column("reason");
  const counts = new Map<string, { status: string; reason: string; count: number }>();
  for (const [row, why] of reason.entries()) {
    if (typeof why !== "string") continue;
    const found = counts.get(why) ?? { status: status[row] as string, reason: why, count: 0 };
    counts.set(why, { ...found, count: found.count + 1 });
  }
  return [...counts.values()].sort((a, b) => b.count - a.count).slice(0, reasonsMax);
}
