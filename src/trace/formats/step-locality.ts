/** Rows of one layer, [rows][topK] flattened, and where each step begins. */
export interface LayerRows {
  readonly ids: Int32Array;
  readonly topK: number;
}

/** Stretch of rows [from, to). */
interface Stretch {
  readonly from: number;
  readonly to: number;
}

/** How much more of their experts certain pairs of rows share than the rows they are taken from do in any pairing. */
export interface Locality {
  /** Mean share of the pairs. */
  readonly share: number;
  /** Mean share under every pairing of the same rows: what pairs would share if their order meant nothing. */
  readonly chance: number;
  /** The difference in standard errors; 0 without pairs. */
  readonly z: number;
  readonly pairs: number;
}

/** Differences above so many standard errors are no accident. */
export const surely = 4;

/**
 * Neighbouring rows of a step against all pairs in it. The rows of one text share more with their neighbours; those of a
 * batch, each of a request of its own, share as much with any other.
 */
export function neighbourLocality(layers: readonly LayerRows[], steps: readonly Stretch[], lag = 1): Locality {
  return pooled(layers, ({ ids, topK }, add) => {
    for (const { from, to } of steps) {
      const rows = to - from;
      if (rows < 3 || rows <= lag) continue;
      const counts = countsOf(ids.subarray(from * topK, to * topK));
      let shared = 0;
      for (const count of counts.values()) shared += (count * (count - 1)) / 2;
      const chance = shared / ((rows * (rows - 1)) / 2) / topK;
      for (let row = from; row + lag < to; row++) add(overlap(ids, row, row + lag, topK), chance);
    }
  });
}

/**
 * Rows at the same place in successive steps of equal size against all pairs of the two steps: a request keeps its place
 * in a batch that decodes.
 */
export function slotLocality(layers: readonly LayerRows[], steps: readonly Stretch[]): Locality {
  return pooled(layers, ({ ids, topK }, add) => {
    for (const [index, { from, to }] of steps.entries()) {
      const next = steps[index + 1];
      const rows = to - from;
      if (next === undefined || rows < 2 || next.to - next.from !== rows) continue;
      const counts = countsOf(ids.subarray(from * topK, to * topK));
      let shared = 0;
      for (const [id, count] of countsOf(ids.subarray(next.from * topK, next.to * topK)))
        shared += count * (counts.get(id) ?? 0);
      const chance = shared / (rows * rows) / topK;
      for (let slot = 0; slot < rows; slot++) add(overlap(ids, from + slot, next.from + slot, topK), chance);
    }
  });
}

/** Rows that are enough to see requests in turn. */
const interleavedRowsMax = 4_096;

/** The lag from 2 to `lagMax` at which rows share clearly more than at all others; null where none does. */
export function interleavedBy(layers: readonly LayerRows[], steps: readonly Stretch[], lagMax = 64): number | null {
  const sample = steps.map(({ from, to }) => ({ from, to: Math.min(to, interleavedRowsMax) }));
  const lags = Array.from({ length: lagMax }, (_value, i) => neighbourLocality(layers, sample, i + 1));
  const excess = lags.map(({ share, chance }) => share - chance);
  const best = excess.indexOf(Math.max(...excess));
  const others = excess.filter((_value, i) => (i + 1) % (best + 1) !== 0);
  if (best === 0 || (lags[best]?.z ?? 0) < surely) return null;
  return (excess[best] ?? 0) > 2 * Math.max(0, ...others) ? best + 1 : null;
}

/** Pairs of all layers together. Layers route the same tokens, so they count as one sample, not as many. */
function pooled(
  layers: readonly LayerRows[],
  visit: (layer: LayerRows, add: (share: number, chance: number) => void) => void,
): Locality {
  let pairs = 0;
  let share = 0;
  let square = 0;
  let chance = 0;
  for (const layer of layers)
    visit(layer, (own, byChance) => {
      pairs += 1;
      share += own;
      square += own * own;
      chance += byChance;
    });
  if (pairs === 0) return { share: 0, chance: 0, z: 0, pairs: 0 };
  const mean = share / pairs;
  const expected = chance / pairs;
  // Shares that hardly vary are no surer than those of draws by chance would be.
  const byChance = (expected * Math.max(0, 1 - expected)) / (layers[0]?.topK ?? 1);
  const variance = Math.max(byChance, square / pairs - mean * mean);
  const error = Math.sqrt(variance / (pairs / layers.length));
  return { share: mean, chance: expected, z: error === 0 ? 0 : (mean - expected) / error, pairs };
}

function countsOf(ids: Int32Array): Map<number, number> {
  const counts = new Map<number, number>();
  for (const id of ids) counts.set(id, (counts.get(id) ?? 0) + 1);
  return counts;
}

/** Share of a row's experts that another row has too. */
function overlap(ids: Int32Array, a: number, b: number, topK: number): number {
  let shared = 0;
  for (let i = a * topK; i < (a + 1) * topK; i++)
    for (let j = b * topK; j < (b + 1) * topK; j++) if (ids[i] === ids[j]) shared += 1;
  return shared / topK;
}
