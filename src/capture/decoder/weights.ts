import type { MoePlan } from "./plan.ts";

/** Weights of a checkpoint as float32 values, read when asked for and never kept: `src/capture/checkpoint` reads files. */
export interface WeightSource {
  /** Values of a whole tensor, row-major. Refuses (InvalidInputError with file, tensor, expectation) what is missing, truncated, of another shape or not a finite number. */
  read(name: string, shape: readonly number[]): Promise<Float32Array>;
  /** Values of the items [from, to) along the first axis; `shape` is that of the whole tensor. */
  readRange(name: string, shape: readonly number[], from: number, to: number): Promise<Float32Array>;
  /** Whether the checkpoint has this tensor. */
  has(name: string): boolean;
  /** Bytes that the tensor takes in the checkpoint, scales included. */
  storedBytes(name: string): number;
}

/** Reads one expert of a layer. */
export type ExpertReader = (plan: MoePlan, expert: number) => Promise<ExpertWeights>;

/** An expert's matrices, ready to multiply: `gateUp` is [hidden, 2 x width] with all gates first, `down` [width, hidden]. */
export interface ExpertWeights {
  readonly hidden: number;
  readonly width: number;
  readonly gateUp: Float32Array;
  /** [2 x width], gates first; null without. */
  readonly gateUpBias: Float32Array | null;
  readonly down: Float32Array;
  readonly downBias: Float32Array | null;
}
