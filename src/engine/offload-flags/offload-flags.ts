import type { ExpertMatrix } from "./expert-parts.ts";

/** The layers of a model as flags number them. */
export interface ExpertShape {
  /** All layers. */
  readonly layers: number;
  /** [MoE layers] number of each among all. */
  readonly moeLayers: readonly number[];
  /** Routed experts of a layer. */
  readonly experts: number;
  /** Matrices of an expert: 3, or 2 without a gate. */
  readonly matrices: 2 | 3;
}

/** Layers that are the host's with all that belongs to them, and caches of others. */
export interface HostSide {
  /** First layers whose weights and caches are in host memory, and which its processors compute. */
  readonly layers: number;
  /** Whether the LM head is there too. */
  readonly head: boolean;
  /** Whether the caches of all layers are there, and its processors compute their scores. */
  readonly allCaches: boolean;
}

/** Which experts a device holds for good, and what is done about the others. */
export interface StaticSplit {
  /** [MoE layers x experts] 1: the device holds it. */
  readonly resident: Uint8Array;
  /** [MoE layers] matrices that host memory holds of experts that are in two places; none where experts are whole. */
  readonly hostMatrices: readonly (readonly ExpertMatrix[])[];
  /** What of the model beside experts the host computes; null: nothing. */
  readonly host: HostSide | null;
  /** Tokens of a step from which the device computes all experts; null: never. */
  readonly deviceFrom: number | null;
  /** Last choices of a token that the host may add a layer later. */
  readonly deferred: number;
  /** As flags say it: see {@link FlaggedSplit}. */
  readonly loading?: FlaggedSplit["loading"];
}

/** A split as flags say it. */
export interface FlaggedSplit {
  /** How experts are chosen: by the flags themselves, or so many of a layer in a way that needs their popularity. */
  readonly chosen:
    | ({ readonly kind: "named" } & Pick<StaticSplit, "resident" | "hostMatrices">)
    | { readonly kind: "counted"; readonly perLayer: number; readonly strategy: string; readonly chosenAnew: boolean };
  /** As in {@link StaticSplit}. */
  readonly host: HostSide | null;
  readonly deviceFrom: number | null;
  readonly deferred: number;
  /**
   * How the host's experts come into its memory: `mapped`, as pages of the model's file, which need not fit; or `whole`, before the
   * engine starts. Absent where flags do not say it.
   */
  readonly loading?: "mapped" | "whole";
  /** Flags that say nothing of where experts are. */
  readonly unread: readonly string[];
}

/** Flags of a serving engine that divide experts between device and host: one file each, listed in `flag-dialects.ts`. */
export interface FlagDialect {
  /** Engine whose flags they are. */
  readonly engine: string;
  /** Throws InvalidInputError for flags that contradict the model, match nothing, or ask for what is not simulated. */
  read(words: readonly string[], shape: ExpertShape): FlaggedSplit;
  /** Throws InvalidInputError for a split that the engine cannot be told. */
  write(split: StaticSplit, shape: ExpertShape): string[];
}
