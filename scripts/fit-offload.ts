/**
 * Fits what published hybrids of device and host leave open: npm run fit:offload -- <data folder>. Of all tables together, never
 * of a row: the share of the memory bandwidth that expert kernels of a Xeon reach with the time of a layer call, the decode
 * overheads of llama.cpp, and its own kernels on prompts. Prints the figures and the mean squared log error beside those of the
 * profiles, and the errors of a series that is left out.
 */
import { engineNamed } from "../src/engine/catalogue.ts";
import type { EngineProfile } from "../src/engine/engine-profile.ts";
import { deviceNamed } from "../src/hardware/named-profiles.ts";
import { desktopRows, placementRows, type Row, socketRows, sparkRows } from "./data-checks/hybrid-tables.ts";

const errorOf = (rows: readonly Row[], weight: (row: Row) => number): number =>
  rows.reduce((sum, row) => sum + weight(row) * Math.log(row.forecast / row.measured) ** 2, 0) /
  rows.reduce((sum, row) => sum + weight(row), 0);

/** Values from `from` to `to` in steps of `by`. */
const range = (from: number, to: number, by: number): number[] =>
  Array.from({ length: Math.round((to - from) / by) + 1 }, (_, i) => from + i * by);

async function fitHost(tables: string): Promise<void> {
  const share = deviceNamed("xeon-6454s").efficiency.groupedGemmMemory;
  // Placements that need no trace, and two sockets as much as all of them.
  const rowsAt = async (memoryShare: number, callNs: number): Promise<Row[]> => {
    const figures = { memoryFactor: share / memoryShare, callNs };
    return [...(await placementRows(tables, figures)), ...(await socketRows(figures))].filter(
      ({ name, forecast }) => !Number.isNaN(forecast) && !name.includes("frequency"),
    );
  };
  const weight = ({ name }: Row) => (name.startsWith("DeepSeek") ? 9 : 1);
  let best = { error: Number.POSITIVE_INFINITY, memoryShare: 0, callNs: 0 };
  for (const memoryShare of range(0.3, 0.46, 0.02))
    for (const callNs of range(50_000, 150_000, 10_000)) {
      const error = errorOf(await rowsAt(memoryShare, callNs), weight);
      if (error < best.error) best = { error, memoryShare, callNs };
    }
  process.stdout.write(
    `host: groupedGemmMemory ${best.memoryShare.toFixed(2)}, layer call ${best.callNs / 1000} us: ${best.error.toFixed(5)}\n`,
  );
}

type Figures = Partial<EngineProfile>;

/** What the rows of one series have in common: the machine, and the model on it. */
const seriesOf = ({ name }: Row): string => /RTX 4090|.* on GB10/.exec(name)?.[0] ?? name;

/** All of GB10 together counts about as much as the one row of the RTX 4090 counts six times. */
const weightOf = ({ name }: Row): number => (name.includes("GB10") ? 1 : 6);

/**
 * The best of some figures over all rows, and over the rows without one series, whose errors are then those of a deployment that
 * the fit has not seen.
 */
async function fitSeries(
  what: string,
  candidates: readonly Figures[],
  rowsAt: (figures: Figures) => Promise<Row[]>,
): Promise<void> {
  const tried: { readonly figures: Figures; readonly rows: readonly Row[] }[] = [];
  for (const figures of candidates) tried.push({ figures, rows: await rowsAt(figures) });
  const best = (keep: (row: Row) => boolean) =>
    tried.reduce((a, b) => (errorOf(b.rows.filter(keep), weightOf) < errorOf(a.rows.filter(keep), weightOf) ? b : a));
  const own = await rowsAt({});
  const all = best(() => true);
  process.stdout.write(
    `llama.cpp, ${what}: ${JSON.stringify(all.figures)}: ${errorOf(all.rows, weightOf).toFixed(5)}; the profile's: ${errorOf(own, weightOf).toFixed(5)}, ${errorsText(own)}\n`,
  );
  for (const left of new Set(own.map(seriesOf))) {
    const { figures, rows } = best((row) => seriesOf(row) !== left);
    const errors = errorsText(rows.filter((row) => seriesOf(row) === left));
    process.stdout.write(`  without ${left}: ${JSON.stringify(figures)}; that one is forecast with ${errors}\n`);
  }
}

/** Least, mean absolute and largest error. */
function errorsText(rows: readonly Row[]): string {
  const errors = rows.map(({ forecast, measured }) => 100 * (forecast / measured - 1));
  const mean = errors.reduce((sum, error) => sum + Math.abs(error), 0) / errors.length;
  return `${Math.min(...errors).toFixed(0)} to ${Math.max(...errors).toFixed(0)} % (mean ${mean.toFixed(0)} %, ${errors.length} rows)`;
}

async function fitLlamaCpp(tables: string): Promise<void> {
  const rowsOf = async (figures: Figures, kind: RegExp): Promise<Row[]> =>
    [...(await desktopRows(tables, figures)), ...(await sparkRows(tables, figures))].filter(
      ({ name, within }) => within !== undefined && kind.test(name),
    );
  const decodes: Figures[] = [];
  for (const kernelExcess of range(0.1, 0.7, 0.1))
    for (const kernelOverheadNs of range(250, 2000, 250))
      for (const stepOverheadNs of range(0, 200_000, 100_000))
        decodes.push({ kernelExcess, kernelOverheadNs, stepOverheadNs });
  await fitSeries("decodes", decodes, (figures) => rowsOf(figures, /(?:GB10|RTX 4090), decode/));
  const { ownKernels } = engineNamed("llama.cpp");
  if (ownKernels === undefined) throw new Error("a profile with kernels of its own was expected");
  const prompts: Figures[] = [];
  for (const integerCompute of range(0.14, 0.3, 0.02))
    for (const attentionCompute of range(0.34, 0.5, 0.04))
      prompts.push({ ownKernels: { ...ownKernels, integerCompute, attentionCompute } });
  await fitSeries("prompts", prompts, (figures) => rowsOf(figures, /(?:GB10|RTX 4090), .*prompt/));
}

const [folder] = process.argv.slice(2);
if (folder === undefined) {
  process.stderr.write("usage: npm run fit:offload -- <data folder>\n");
  process.exit(2);
}
await fitHost(`${folder}/offload_tables`);
await fitLlamaCpp(`${folder}/offload_tables`);
