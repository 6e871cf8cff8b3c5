import { refuse, UsageError } from "../core/errors.ts";
import { jsonDocument } from "../core/json.ts";
import { oneLine } from "../core/printable.ts";
import { formatCount, formatPercent } from "../core/units.ts";
import { type OutputNeeds, prepareOutput } from "../files/prepare-output.ts";
import { inOneStretch } from "../files/signals.ts";
import { type PrefetchQuality, prefetchQuality } from "../policy/prefetch/prefetch-quality.ts";
import type { PrefetchPolicy } from "../policy/prefetch/prefetcher.ts";
import { defaultsOf, type PrefetcherName, prefetchers } from "../policy/prefetch/prefetchers.ts";
import { qualityDocument } from "../policy/prefetch/quality-document.ts";
import { splitSequences } from "../policy/prefetch/training-rows.ts";
import { textTable } from "../report/text-table.ts";
import { openRoutingTrace } from "../trace/container/open-trace.ts";
import { loadRoutingTable } from "../trace/load-routing.ts";
import type { RoutingTable } from "../trace/routing-table.ts";
import { rowsOfDomain } from "../trace/rows-of-domain.ts";
import { processIo } from "./io.ts";
import { inStages, type StagesOptions } from "./stages.ts";
import { oneOf } from "./words.ts";

export interface PrefetchCliOptions extends OutputNeeds, StagesOptions {
  readonly prefetcher?: string;
  readonly distance: number;
  readonly budget?: number;
  readonly batch: number;
  readonly trainShare: number;
  readonly domain?: string;
  readonly output?: string;
  readonly json?: boolean;
}

/** Every row is judged once for each prefetcher; a longer trace is loaded in part, as its sequences say. */
const bytesMax = 16 * 1024 * 1024;
/** Prefetchers that guess from what they see. Emulated ones have the quality that they are given. */
const judged = (Object.keys(prefetchers) as PrefetcherName[]).filter(
  (name) => !prefetchers[name].emulated && name !== "none",
);

/** How often prefetchers are right on one part of a trace after learning from the other. */
export async function tracePrefetch(file: string, options: PrefetchCliOptions): Promise<void> {
  const io = processIo(true);
  const { prefetcher, distance, trainShare, domain, output } = options;
  const chosen = prefetcher === undefined ? null : oneOf(prefetcher, judged, "--prefetcher");
  if (!(trainShare > 0 && trainShare < 100))
    throw new UsageError("--train-share: expected more than 0 and less than 100 %");
  if (output !== undefined && chosen === null)
    throw new UsageError("--output: the quality of one prefetcher is written; choose it by --prefetcher");
  if (output !== undefined) await prepareOutput(output, options);
  const loaded = await inStages(io, file, options, () => load(file));
  const table = domain === undefined ? loaded : rowsOfDomain(loaded, domain, { file, at: "--domain" });
  const split = splitSequences(table, trainShare / 100);
  if (split === null)
    refuse({
      file,
      at: "--train-share",
      expected: "a share that leaves whole sequences to learn from and to be judged on, or of a lone one rows",
      found: `${trainShare} % of ${formatCount(table.rows)} rows, sequences: ${formatCount(table.sequenceStarts.length - 1)}`,
    });
  // No more sequences run side by side than there are.
  const batch = Math.min(options.batch, split.test.sequenceStarts.length - 1);
  const missing = (policy: PrefetchPolicy) => policy.needs.includes("tokens") && table.tokens === undefined;
  if (chosen !== null && missing(prefetchers[chosen]))
    refuse({
      file,
      expected: `the token of each row, which ${chosen} learns by`,
      hint: "moecast capture records tokens; trace import takes them from token_ids beside the experts, and of a table with --map tokenId=column",
    });
  const names = chosen === null ? judged.filter((name) => !missing(prefetchers[name])) : [chosen];
  const budget = Math.min(options.budget ?? table.topK, table.experts);
  const results = await inStages(io, file, options, async (say) => {
    say("judging prefetchers");
    return inOneStretch(() =>
      names.map((name) => {
        const policy: PrefetchPolicy = prefetchers[name];
        return prefetchQuality(split, policy, defaultsOf(policy), { distance, budget, batch });
      }),
    );
  });
  if (output !== undefined) await io.writeText(output, jsonDocument(qualityDocument(results[0]!)));
  if (options.json === true) return io.out(jsonDocument(results));
  const rows = [
    `learned from ${formatCount(split.training.rows)} tokens, judged on ${formatCount(split.test.rows)}`,
    ...(split.cut ? ["one sequence: its end is judged after its beginning, which flatters"] : []),
    ...recordedLayers(table),
    ...(batch < options.batch ? [`what is judged has too few sequences for ${options.batch} side by side`] : []),
    ...(loaded.rows < loaded.origin.sourceRows
      ? [`${formatCount(loaded.rows)} of ${formatCount(loaded.origin.sourceRows)} tokens are looked at`]
      : []),
    ...(chosen === null && names.length < judged.length
      ? ["token-id is left out: the trace does not say its tokens"]
      : []),
    `${budget} guesses a layer, ${batch} ${batch === 1 ? "sequence" : "sequences"} a step; chance is right in ${formatPercent(chance(table, batch))} of its guesses`,
  ];
  const width = io.width === undefined ? {} : { width: io.width };
  const lines = [
    ...textTable(summary(results, distance), { indent: "", ...width }),
    ...(chosen === null ? [] : ["", ...textTable(byLayer(results[0]!), { indent: "", ...width })]),
  ];
  io.out(`${[oneLine(table.origin.name), ...rows.map((row) => `  ${row}`), "", ...lines].join("\n")}\n`);
  if (output !== undefined) io.err(`${oneLine(output)}: recall and precision for the prefetcher gate\n`);
}

async function load(file: string): Promise<RoutingTable> {
  const trace = await openRoutingTrace(file);
  try {
    return await loadRoutingTable(trace, { bytesMax });
  } finally {
    await trace.close();
  }
}

/** Which layers were recorded, where not each is the next of the one before it. */
function recordedLayers({ modelLayers }: RoutingTable): string[] {
  if (modelLayers.every((layer, at) => at === 0 || layer === modelLayers[at - 1]! + 1)) return [];
  return [`recorded are layers ${listed(modelLayers)}: one layer ahead is the next of them`];
}

function listed(layers: readonly number[]): string {
  const shown = layers.slice(0, 4).join(", ");
  return layers.length > 4 ? `${shown}, ... ${layers.at(-1)!}` : shown;
}

/** Share of the experts that a step of so many tokens asks for if they choose evenly. */
function chance({ experts, topK }: RoutingTable, batch: number): number {
  let left = 1;
  for (let token = 0; token < batch; token++) left *= 1 - topK / experts;
  return 1 - left;
}

const percent = (share: number | null): string => (share === null ? "" : formatPercent(share));

const aheadOf = (distance: number): string[] =>
  Array.from({ length: distance }, (_, d) => [`recall, ${d + 1} ahead`, `precision, ${d + 1} ahead`]).flat();

function summary(results: readonly PrefetchQuality[], distance: number): string[][] {
  const distances = Array.from({ length: distance }, (_, d) => d);
  return [
    ["prefetcher", ...aheadOf(distance)],
    ...results.map(({ prefetcher, recallByDistance, precisionByDistance }) => [
      prefetcher,
      ...distances.flatMap((d) => [percent(recallByDistance[d]!), percent(precisionByDistance[d]!)]),
    ]),
  ];
}

function byLayer({ modelLayers, recall, precision }: PrefetchQuality): string[][] {
  const distances = recall[0]?.length ?? 0;
  return [
    ["guessed layer", ...aheadOf(distances)],
    ...modelLayers.map((layer, at) => [
      String(layer),
      ...Array.from({ length: distances }, (_, d) => [percent(recall[at]![d]!), percent(precision[at]![d]!)]).flat(),
    ]),
  ];
}
