import { join } from "node:path";
import { UsageError } from "../../core/errors.ts";
import { closest } from "../../core/suggest.ts";
import { pathsOf } from "../design/design.ts";
import { type JobStatus, jobStatuses } from "../job/job.ts";
import { type OutcomeFigure, outcomeFigures } from "../job/outcome-figures.ts";
import { ResultFile } from "../results/result-file.ts";
import { readManifest } from "./sweep-folder.ts";

/** What a person sees of a sweep first. */
export interface SweepListing {
  readonly scenario: string;
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

/** Reads the table that a sweep wrote, of it the columns that are shown alone. Throws UsageError for an unknown figure. */
export async function listResults(folder: string, { sort, top }: ListOptions): Promise<SweepListing> {
  const { design, scenario } = await readManifest(folder);
  const paths = pathsOf(design);
  const file = await ResultFile.open(join(folder, "results.parquet"));
  const [point = [], status = [], load = [], passed = []] = await file.columns(["point", "status", "load", "passed"]);
  const by = await sortedBy(file, sort);
  const figures = [by, ...beside.filter((name) => name !== by.name).map(figureNamed)];
  const [key = []] = await file.columns([by.name]);
  const sign = by.better === "higher" ? -1 : 1;
  const rank = (row: number): number => (load[row] === "overloaded" ? 2 : passed[row] === true ? 0 : 1);
  const shown = [...point.keys()]
    .filter((row) => status[row] === "done")
    .sort((a, b) => rank(a) - rank(b) || byValue(key[a], key[b], sign) || a - b)
    .slice(0, top);
  const columns = await file.columns([...paths, ...figures.map(({ name }) => name)]);
  const judged = passed.filter((one) => one !== null).length;
  return {
    scenario,
    rows: point.length,
    counts: Object.fromEntries(
      jobStatuses.map((name) => [name, status.filter((one) => one === name).length]),
    ) as unknown as SweepListing["counts"],
    passed: judged === 0 ? null : passed.filter((one) => one === true).length,
    overloaded: load.filter((one) => one === "overloaded").length,
    paths,
    figures,
    best: shown.map((row) => ({
      point: point[row] as number,
      values: columns.slice(0, paths.length).map((column) => column[row] as string | number | null),
      load: load[row] as string,
      passed: passed[row] === true,
      figures: columns.slice(paths.length).map((column) => column[row] as number | null),
    })),
    reasons: await reasonsOf(file, status),
  };
}

/** Rows without the value come last. */
function byValue(a: unknown, b: unknown, sign: 1 | -1): number {
  if (typeof a !== "number" || typeof b !== "number")
    return Number(typeof b === "number") - Number(typeof a === "number");
  return sign * (a - b);
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
  const [cost = []] = await file.columns(["costUsdPerMtok"]);
  return figureNamed(cost.some((value) => value !== null) ? "costUsdPerMtok" : "throughputPerDevice");
}

async function reasonsOf(file: ResultFile, status: readonly unknown[]): Promise<SweepListing["reasons"]> {
  if (status.every((one) => one === "done")) return [];
  const [reason = []] = await file.columns(["reason"]);
  const counts = new Map<string, { status: string; reason: string; count: number }>();
  for (const [row, why] of reason.entries()) {
    if (typeof why !== "string") continue;
    const found = counts.get(why) ?? { status: status[row] as string, reason: why, count: 0 };
    counts.set(why, { ...found, count: found.count + 1 });
  }
  return [...counts.values()].sort((a, b) => b.count - a.count).slice(0, reasonsMax);
}
