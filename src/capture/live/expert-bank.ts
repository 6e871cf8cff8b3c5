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
  /** The same weights for another thread, which opens them by {@link openBank}; not copied where they are in shared memory. */
  readonly lent: LentBank;
  /** Weights of an expert; from a file they are read now, into memory that the next call reuses. */
  read(expert: number): ExpertWeights;
  close(): void;
}

/** What a thread needs to read a bank that another one made and closes. */
export interface LentBank {
  readonly shape: LiveShape;
  /** The sets of weights, or the file that has one behind the other. */
  readonly weights: readonly Float32Array[] | { readonly file: string; readonly sets: number };
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

/**
 * A bank for so many experts. Weights are uniform and small, so that no value overflows or vanishes. `shared` host memory is seen
 * by other threads.
 */
export function createBank(
  shape: LiveShape,
  experts: number,
  place: BankPlace,
  { shared = false }: { readonly shared?: boolean } = {},
): ExpertBank {
  const sets = setsOf(shape, experts);
  const bytes = expertBytes(shape);
  if (place === "host")
    return openBank({
      shape,
      weights: Array.from({ length: sets }, (_, set) =>
        randomValues(shared ? new SharedArrayBuffer(bytes) : new ArrayBuffer(bytes), set),
      ),
    });
  const dir = temporary(mkdtempSync(join(tmpdir(), "moecast-experts-")));
  const name = join(dir, "experts.bin");
  const file = openSync(name, "w");
  for (let set = 0; set < sets; set++) writeWhole(file, bytesOf(randomValues(new ArrayBuffer(bytes), set)), dir);
  closeSync(file);
  const bank = openBank({ shape, weights: { file: name, sets } });
  return {
    ...bank,
    close() {
      bank.close();
      rmSync(dir, { recursive: true, force: true });
      forgotten(dir);
    },
  };
}

/** Reads a bank that exists; closing it leaves the weights where they are. */
export function openBank(lent: LentBank): ExpertBank {
  const { shape, weights } = lent;
  const bytes = expertBytes(shape);
  if (!("file" in weights)) {
    const sets = weights.length;
    const read = (expert: number) => viewOf(weights[expert % sets]!, shape);
    return { shape, expertBytes: bytes, sets, lent, read, close: () => {} };
  }
  const { sets } = weights;
  const file = openSync(weights.file, "r");
  const buffer = new Float32Array(bytes / bytesPerValue);
  return {
    shape,
    expertBytes: bytes,
    sets,
    lent,
    read(expert) {
      readSync(file, bytesOf(buffer), 0, bytes, (expert % sets) * bytes);
      return viewOf(buffer, shape);
    },
    close: () => closeSync(file),
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

function randomValues(memory: ArrayBufferLike, set: number): Float32Array {
  const stream = new RandomStream(set, "live-weights");
  const out = new Float32Array(memory);
  const count = out.length;
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
