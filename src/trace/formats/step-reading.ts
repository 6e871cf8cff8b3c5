import { formatPercent } from "../../core/units.ts";
import type { StepGrouping } from "./importer.ts";
import { decodeSizeMax, groupingRules } from "./step-grouping.ts";
import {
  interleavedBy,
  type LayerRows,
  type Locality,
  neighbourLocality,
  slotLocality,
  surely,
} from "./step-locality.ts";

/** How the steps of a log become sequences. */
export interface StepReading {
  readonly grouping: StepGrouping;
  /** The rule, as the header of the trace states it. */
  readonly rule: string;
  readonly warnings: readonly string[];
}

const inOrder =
  "rows carry no request id; where the token index begins again a sequence begins, and its rows are in order";

/**
 * Reads steps without request ids. An index that begins again may begin a step of a batch, or the next request; one that
 * runs on is rows in order. Sizes do not tell them apart, so the rows are looked at: neighbours of one text share more
 * experts than others of their step, and so do rows at the same place of successive steps of one batch.
 */
export function readSteps(sizes: readonly number[], layers: readonly LayerRows[], given: StepGrouping): StepReading {
  if (given !== "auto") return { grouping: given, rule: groupingRules[given], warnings: [] };
  const rows = layers.reduce((max, { ids, topK }) => Math.max(max, ids.length / topK), 0);
  const batches: { from: number; to: number }[] = [];
  const batchMax = decodeSizeMax(sizes);
  let from = 0;
  for (const size of sizes) {
    if (size <= batchMax && from + size <= rows) batches.push({ from, to: from + size });
    from += size;
  }
  // Steps of one row are in order under either reading.
  if (batches.length > 0 && batches.every((step) => step.to - step.from === 1)) return batched([]);
  // A log longer than the sample may be one step.
  if (batches.length === 0 && sizes.length === 1) batches.push({ from: 0, to: rows });
  const neighbours = neighbourLocality(layers, batches);
  const slots = slotLocality(layers, batches);
  const ordered = neighbours.z >= surely;
  const placed = slots.z >= surely;
  const apart = `neighbouring rows share ${shares(neighbours)}`;
  if (ordered && (!placed || gain(neighbours) > gain(slots)))
    return rowsInOrder([
      `${apart}: read as rows of a text in order${placed ? "; places in the batch show some reuse too" : ""}`,
    ]);
  if (placed) return batched([]);
  const interleaved = interleavedBy(layers, batches);
  if (interleaved !== null)
    return rowsInOrder([
      `rows ${interleaved} apart share most experts: ${interleaved} requests seem to be in turn; import with --interleaved ${interleaved}`,
    ]);
  const hint = "state it with --grouping slots (a request for each place in the batch) or steps (rows in order)";
  if (slots.pairs === 0)
    return rowsInOrder([`nothing shows how rows become sequences (${apart}): read as rows in order; ${hint}`]);
  return batched([
    `nothing shows how rows become sequences (${apart}, the same places of successive steps ${shares(slots)}): ` +
      `places in the batch are followed; ${hint}`,
  ]);
}

const batched = (warnings: readonly string[]): StepReading => ({
  grouping: "auto",
  rule: groupingRules.auto,
  warnings,
});
const rowsInOrder = (warnings: readonly string[]): StepReading => ({ grouping: "steps", rule: inOrder, warnings });
const gain = ({ share, chance }: Locality): number => share - chance;

function shares({ share, chance, pairs }: Locality): string {
  return pairs === 0
    ? "nothing that can be compared"
    : `${formatPercent(share)} of their experts, any rows of a step ${formatPercent(chance)}`;
}
