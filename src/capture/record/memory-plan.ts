import { InfeasibleError } from "../../core/errors.ts";
import { formatBytes } from "../../core/units.ts";
import type { LayerPlan } from "../decoder/plan.ts";
import { groupSequences, longest } from "./groups.ts";
import { type Holding, type Load, layerHoldings } from "./layer-memory.ts";

/** How each layer is executed within a limit on memory, and the most that is held at any moment. */
export interface MemoryPlan {
  readonly layers: readonly LayerSchedule[];
  /** What is held when most is held. */
  readonly peak: MemoryItems;
  /** The most that is on the backend at any moment. */
  readonly tensorBytes: number;
}

export interface LayerSchedule {
  /** Most tokens that go through the layer together. */
  readonly groupTokens: number;
  /** Groups that all tokens make. */
  readonly groups: number;
  /** Experts stay in memory between the groups. */
  readonly keepsExperts: boolean;
}

/** Bytes in memory by what they are. */
export interface MemoryItems {
  readonly weights: number;
  readonly states: number;
  readonly activations: number;
  readonly scores: number;
  readonly tokens: number;
}

export interface MemoryLimits {
  readonly bytes: number;
  /** Bytes of tensors the backend can hold; null where it does not say. */
  readonly backendBytes: number | null;
  /** Bytes that one tensor may take there; null where only memory limits it. */
  readonly tensorBytesMax: number | null;
  /** Copies of a matrix that the backend makes to multiply with it. */
  readonly matrixCopies: number;
}

/** Backends whose matrix product packs a copy of its right side and keeps it as long as the tensor: XNNPACK under wasm. */
export const matrixCopiesOf = (backendId: string): number => (backendId === "wasm" ? 1 : 0);

export const totalBytes = (items: MemoryItems): number =>
  Object.values(items).reduce((total: number, bytes: number) => total + bytes, 0);

/**
 * Chooses for each layer how many tokens go through it together: all of them if the memory allows, as then every expert
 * is read once; else as few groups as fit, the experts kept in memory between them where that fits too. Throws
 * InfeasibleError with the sum where not even one sequence and one expert fit.
 */
export function planMemory(
  layers: readonly LayerPlan[],
  hiddenSize: number,
  starts: Uint32Array,
  limits: MemoryLimits,
): MemoryPlan {
  const tokens = starts.at(-1) ?? 0;
  const sequenceTokens = longest(starts);
  const holdingsOf = (layer: LayerPlan, groupTokens: number, keepsExperts: boolean): Held[] => {
    const runsExperts = layer !== layers.at(-1);
    const { matrixCopies } = limits;
    const load: Load = { hiddenSize, sequenceTokens, groupTokens, keepsExperts, runsExperts, matrixCopies };
    return layerHoldings(layer, load).map((holding) => heldOf(holding, tokens));
  };
  const fits = (held: readonly Held[]) =>
    held.every(
      ({ items, tensorBytes, largestBytes }) =>
        totalBytes(items) <= limits.bytes &&
        tensorBytes <= (limits.backendBytes ?? Number.POSITIVE_INFINITY) &&
        largestBytes <= (limits.tensorBytesMax ?? Number.POSITIVE_INFINITY),
    );
  const schedules: LayerSchedule[] = [];
  const held: Held[] = [];
  for (const layer of layers) {
    const chosen = candidates(starts, sequenceTokens)
      .flatMap((groupTokens) => {
        const groups = groupSequences(starts, groupTokens).length;
        const keeps = groups > 1 && layer.feedForward.kind === "moe" ? [true, false] : [false];
        return keeps.map((keepsExperts) => ({ groupTokens, groups, keepsExperts }));
      })
      .sort((a, b) => readsOf(a) - readsOf(b) || b.groupTokens - a.groupTokens)
      .find(({ groupTokens, keepsExperts }) => fits(holdingsOf(layer, groupTokens, keepsExperts)));
    if (chosen === undefined) refuseLayer(layer, holdingsOf(layer, sequenceTokens, false), limits);
    schedules.push(chosen);
    held.push(...holdingsOf(layer, chosen.groupTokens, chosen.keepsExperts));
  }
  return {
    layers: schedules,
    peak: largest(held).items,
    tensorBytes: Math.max(...held.map(({ tensorBytes }) => tensorBytes)),
  };
}

/** Times that each expert of a layer is read. */
export const readsOf = ({ groups, keepsExperts }: LayerSchedule): number => (keepsExperts ? 1 : groups);

interface Held {
  readonly items: MemoryItems;
  readonly tensorBytes: number;
  readonly largestBytes: number;
}

function heldOf({ tensors, arrays, largest }: Holding, tokens: number): Held {
  const items = {
    weights: 4 * (tensors.weights + arrays.weights),
    states: 4 * arrays.states,
    activations: 4 * tensors.activations,
    scores: 4 * tensors.scores,
    tokens: 4 * tokens,
  };
  return {
    items,
    tensorBytes: 4 * (tensors.weights + tensors.activations + tensors.scores),
    largestBytes: 4 * largest,
  };
}

function largest(held: readonly Held[]): Held {
  return held.reduce((most, next) => (totalBytes(next.items) > totalBytes(most.items) ? next : most));
}

/** Sizes of groups from all tokens, by halves, down to the longest sequence. */
function candidates(starts: Uint32Array, sequenceTokens: number): number[] {
  const sizes: number[] = [];
  for (let size = starts.at(-1) ?? 0; size > sequenceTokens; size = Math.ceil(size / 2)) sizes.push(size);
  return [...sizes, sequenceTokens];
}

/** The sum of what is held, such as `1.2 GiB weights + 3 MiB states = 1.2 GiB`. */
export function memorySum(items: MemoryItems): string {
  const parts = Object.entries(items).filter(([, bytes]) => bytes > 0);
  return `${parts.map(([what, bytes]) => `${formatBytes(bytes)} ${what}`).join(" + ")} = ${formatBytes(totalBytes(items))}`;
}

function refuseLayer(layer: LayerPlan, held: readonly Held[], limits: MemoryLimits): never {
  const { items, tensorBytes } = largest(held);
  const largestBytes = Math.max(...held.map((one) => one.largestBytes));
  const limit =
    totalBytes(items) > limits.bytes
      ? `--memory allows ${formatBytes(limits.bytes)}`
      : tensorBytes > (limits.backendBytes ?? Number.POSITIVE_INFINITY)
        ? `${formatBytes(tensorBytes)} of it are tensors, and the backend holds ${formatBytes(limits.backendBytes ?? 0)}`
        : `one tensor takes ${formatBytes(largestBytes)}, and the backend allows ${formatBytes(limits.tensorBytesMax ?? 0)}`;
  throw new InfeasibleError(
    `layer ${layer.index} does not fit in memory even for one sequence and one expert at a time:\n` +
      `  ${memorySum(items)}, but ${limit}\n` +
      "shorter sequences (--max-length) need less: activations grow with their length, scores with its square up to 64 MiB an array",
  );
}
