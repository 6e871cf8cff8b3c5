import { InvalidInputError, type Problem } from "../../core/errors.ts";

/** Logical expert of a slot that holds none. */
export const emptySlot = 0xffff;

/** Slots of a layer that a map may have: physical experts are counted in 16 bits. */
export const slotsMax = 0xffff;

/** Where the experts of a model are, as the file of a serving engine says it: which logical expert is in which physical slot. */
export interface ExpertMap {
  /** MoE layers that hold experts. */
  readonly layers: number;
  /** Logical experts of a layer. */
  readonly experts: number;
  /** Physical slots of a layer. With `ranks`, slot s is on rank floor(s / (slots / ranks)). */
  readonly slots: number;
  /** Expert-parallel ranks; null where the file does not say. */
  readonly ranks: number | null;
  /** [layers][slots] logical expert of each slot, or {@link emptySlot}. */
  readonly logicalExperts: Uint16Array;
  /** What the file says beyond the map, and how it was read. */
  readonly notes: readonly string[];
}

/** The model and deployment that a map is of. Formats number the layers of a model in two ways, so readers need both. */
export interface MapContext {
  /** File for messages. */
  readonly file: string;
  /** Decoder layers, dense ones included. */
  readonly layers: number;
  /** [MoE layers that hold experts] number of each among all decoder layers, ascending. */
  readonly moeLayers: readonly number[];
  readonly experts: number;
  /** Groups of experts of the router; 1 without. */
  readonly groups: number;
  /** Expert-parallel ranks of the deployment; null where nobody said. */
  readonly ranks: number | null;
}

/** A file or flags by which a serving engine is told where experts are: one file each, listed in `expert-map-formats.ts`. */
export interface ExpertMapFormat {
  readonly name: string;
  /** Engine and option that take it. */
  readonly taken: string;
  /** How names of files end that the engine takes; absent: as they like. */
  readonly suffix?: string;
  /** Whether a text looks like it. */
  detects(text: string): boolean;
  /** Throws InvalidInputError for what is broken, contradicts the model, or cannot be read as a map. */
  read(text: string, context: MapContext): ExpertMap;
  /** Throws InvalidInputError for a map that the format cannot state. What it writes it reads back. */
  write(map: ExpertMap, context: MapContext): string;
  /** Flags, or lines of a configuration, with which the engine takes `file`. */
  apply(map: ExpertMap, file: string): string;
}

/** The experts of the slots of a layer as a file lists them, and where in it. */
export interface ListedLayer {
  /** Path of the list, such as `physical_to_logical_map[3]`. */
  readonly at: string;
  readonly experts: readonly unknown[];
  /** Path of a slot where it is not `at[slot]`. */
  readonly slotAt?: (slot: number) => string;
}

/** What a reader knows beside the lists. */
interface Listed {
  /** Ranks that the file states; null: it does not. */
  readonly ranks: number | null;
  /** Whether the engine can have two copies of an expert on one rank. */
  readonly twins: boolean;
  readonly notes?: readonly string[];
}

/**
 * The map of listed layers, one for each MoE layer. Refuses, all at once: layers of another number of slots, unknown experts,
 * experts without a slot, twins where the engine forbids them, slots that ranks do not divide, other ranks than the deployment's.
 */
export function mapOf(context: MapContext, listed: readonly ListedLayer[], facts: Listed): ExpertMap {
  const { file, moeLayers, experts } = context;
  const problems: Problem[] = [];
  const slots = listed[0]!.experts.length;
  const ranks = facts.ranks ?? context.ranks;
  const say = (at: string, expected: string, found: unknown, hint?: string) =>
    problems.push({ file, at, expected, found, ...(hint === undefined ? {} : { hint }) });
  if (facts.ranks !== null && context.ranks !== null && facts.ranks !== context.ranks)
    say(listed[0]!.at, `the deployment's ${context.ranks} ranks`, `${facts.ranks} ranks`);
  if (slots > slotsMax) say(listed[0]!.at, `at most ${slotsMax} slots`, `${slots} slots`);
  if (ranks !== null && slots % ranks !== 0)
    say(listed[0]!.at, `slots that ${ranks} ranks divide`, `${slots} slots`, "each rank has as many");
  if (problems.length > 0) throw new InvalidInputError(problems);
  const logicalExperts = new Uint16Array(moeLayers.length * slots).fill(emptySlot);
  const perRank = ranks === null ? slots : slots / ranks;
  for (const [layer, { at, experts: list, slotAt = (slot: number) => `${at}[${slot}]` }] of listed.entries()) {
    if (list.length !== slots) {
      say(at, `${slots} slots, as ${listed[0]!.at} has`, `${list.length} slots`);
      continue;
    }
    const seen = new Int32Array(experts).fill(-1);
    let sound = true;
    for (const [slot, expert] of list.entries()) {
      if (expert === emptySlot) continue;
      if (typeof expert !== "number" || !Number.isInteger(expert) || expert < 0 || expert >= experts) {
        say(slotAt(slot), `an expert from 0 to ${experts - 1}`, expert);
        sound = false;
        continue;
      }
      const rank = Math.floor(slot / perRank);
      if (!facts.twins && seen[expert] === rank)
        say(slotAt(slot), "each expert at most once on a rank", `expert ${expert} again`);
      seen[expert] = rank;
      logicalExperts[layer * slots + slot] = expert;
    }
    // An expert that is missing because another value stands in its place is said once.
    const missing = sound ? [...seen.keys()].filter((expert) => seen[expert] === -1) : [];
    if (missing.length > 0) say(at, `a slot for each of ${experts} experts`, `none for ${namesOf(missing)}`);
  }
  if (problems.length > 0) throw new InvalidInputError(problems);
  return { layers: moeLayers.length, experts, slots, ranks: facts.ranks, logicalExperts, notes: facts.notes ?? [] };
}

const namesOf = (experts: readonly number[]): string =>
  `expert ${experts.slice(0, 5).join(", ")}${experts.length > 5 ? ` and ${experts.length - 5} more` : ""}`;

/** The experts in the slots of a layer; refuses an empty slot, for formats that cannot state one. */
export function fullLayer(map: ExpertMap, layer: number, format: string): number[] {
  const row = [...layerOf(map, layer)];
  const empty = row.indexOf(emptySlot);
  if (empty >= 0)
    throw new InvalidInputError([
      {
        at: `layer ${layer}, slot ${empty}`,
        expected: `an expert in every slot: ${format} cannot state an empty one`,
        found: "an empty one",
        hint: "take ranks that divide the experts, or as many redundant experts as fill every slot",
      },
    ]);
  return row;
}

/** Slots of a layer. */
export const layerOf = ({ logicalExperts, slots }: ExpertMap, layer: number): Uint16Array =>
  logicalExperts.subarray(layer * slots, (layer + 1) * slots);

/** Ranks of a map, for formats that state them or depend on them. */
export function ranksOfMap(map: ExpertMap, context: MapContext, format: string): number {
  const ranks = map.ranks ?? context.ranks;
  if (ranks === null)
    throw new InvalidInputError([
      { at: "ranks", expected: `a number of ranks: ${format} states them`, found: "none", hint: "give --ranks" },
    ]);
  return ranks;
}
