/**
 * Fits what published hybrids of device and host leave open: npm run fit:offload -- <data folder>. Of all tables together, never
 * of a row: the share of the memory bandwidth that expert kernels of a Xeon reach with the time of a layer call, and the decode
 * overheads of llama.cpp. Prints the figures and the mean squared log error beside those of the profiles.
 */
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

async function fitLlamaCpp(tables: string): Promise<void> {
  const errorAt = async (figures: Partial<EngineProfile>): Promise<number> => {
    const rows = [...(await desktopRows(tables, figures)), ...(await sparkRows(tables, figures))];
    const decodes = rows.filter(({ name }) => name.includes("GB10, decode") || name.includes("RTX 4090, decode"));
    return errorOf(decodes, ({ name }) => (name.includes("GB10") ? 1 : 6));
  };
  let best = { error: Number.POSITIVE_INFINITY, figures: {} };
  for (const kernelExcess of range(0, 0.6, 0.1))
    for (const kernelOverheadNs of range(0, 1000, 250))
      for (const stepOverheadNs of range(0, 200_000, 100_000)) {
        const figures = { kernelExcess, kernelOverheadNs, stepOverheadNs };
        const error = await errorAt(figures);
        if (error < best.error) best = { error, figures };
      }
  const own = await errorAt({});
  process.stdout.write(
    `llama.cpp: ${JSON.stringify(best.figures)}: ${best.error.toFixed(5)}; the profile's: ${own.toFixed(5)}\n`,
  );
}

const [folder] = process.argv.slice(2);
if (folder === undefined) {
  process.stderr.write("usage: npm run fit:offload -- <data folder>\n");
  process.exit(2);
}
await fitHost(`${folder}/offload_tables`);
await fitLlamaCpp(`${folder}/offload_tables`);
