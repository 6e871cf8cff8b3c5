import { closeSync, mkdtempSync, openSync, readSync, rmSync, writeSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { LiveShape } from "../../calibrate/measured/live-measurements.ts";
import { OutputError } from "../../core/errors.ts";
import { RandomStream } from "../../core/random.ts";
import { causeOf } from "../../files/system-error.ts";
import { forgotten, temporary } from "../../files/temporaries.ts";
import type { ExpertWeights } from "../decoder/weights.ts";

/** Where the weights of experts that are not on the device are. */
export type BankPlace = "host" | "disk";

/** Random float32 weights of experts, in host memory or in a temporary file. */
export interface ExpertBank {
  readonly shape: LiveShape;
  /** Bytes of one expert. */
  readonly expertBytes: number;
  /** Different sets of weights; expert n has set n modulo this. */
  readonly sets: number;
  /** Weights of an expert; from a file they are read now, into memory that the next call reuses. */
  read(expert: number): ExpertWeights;
  close(): void;
}

const bytesPerValue = 4;

export const expertBytes = ({ hidden, width }: LiveShape): number => 3 * hidden * width * bytesPerValue;

/** Different weights that a bank has: experts share them beyond that, which changes no time. */
const setsMax = 64;
const bankBytesMax = 4 * 2 ** 30;

const setsOf = (shape: LiveShape, experts: number): number =>
  Math.max(2, Math.min(setsMax, experts, Math.floor(bankBytesMax / expertBytes(shape))));

/** Bytes of a bank for so many experts. */
export const bankBytes = (shape: LiveShape, experts: number): number => setsOf(shape, experts) * expertBytes(shape);

/** A bank for so many experts. Weights are uniform and small, so that no value overflows or vanishes. */
export function createBank(shape: LiveShape, experts: number, place: BankPlace, folder = tmpdir()): ExpertBank {
  const sets = setsOf(shape, experts);
  const values = expertBytes(shape) / bytesPerValue;
  const common = { shape, expertBytes: expertBytes(shape), sets };
  if (place === "host") {
    const all = Array.from({ length: sets }, (_, set) => randomValues(values, set));
    return { ...common, read: (expert) => viewOf(all[expert % sets]!, shape), close: () => {} };
  }
  const dir = temporary(mkdtempSync(join(folder, "moecast-experts-")));
  const file = openSync(join(dir, "experts.bin"), "w+");
  for (let set = 0; set < sets; set++) writeWhole(file, bytesOf(randomValues(values, set)), dir);
  const buffer = new Float32Array(values);
  return {
    ...common,
    read(expert) {
      readSync(file, bytesOf(buffer), 0, common.expertBytes, (expert % sets) * common.expertBytes);
      return viewOf(buffer, shape);
    },
    close() {
      closeSync(file);
      rmSync(dir, { recursive: true, force: true });
      forgotten(dir);
    },
  };
}

/** Experts on a full disk would be read as zeros, or not at all. */
function writeWhole(file: number, bytes: Uint8Array, folder: string): void {
  try {
    for (let done = 0; done < bytes.length; ) done += writeSync(file, bytes, done);
  } catch (error) {
    closeSync(file);
    rmSync(folder, { recursive: true, force: true });
    forgotten(folder);
    throw new OutputError(folder, causeOf(error));
  }
}

const bytesOf = (values: Float32Array): Uint8Array =>
  new Uint8Array(values.buffer, values.byteOffset, values.byteLength);

function randomValues(count: number, set: number): Float32Array {
  const stream = new RandomStream(set, "live-weights");
  const out = new Float32Array(count);
  // One draw serves a run of values: what they are does not matter, only that they are ordinary numbers.
  for (let i = 0; i < count; i += 64) out.fill((stream.uniform() - 0.5) / 16, i, Math.min(count, i + 64));
  return out;
}

function viewOf(values: Float32Array, { hidden, width }: LiveShape): ExpertWeights {
  const cut = 2 * hidden * width;
  return {
    hidden,
    width,
    gateUp: values.subarray(0, cut),
    gateUpBias: null,
    down: values.subarray(cut),
    downBias: null,
  };
}
