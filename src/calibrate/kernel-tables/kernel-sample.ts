import type { KernelFamily } from "../../hardware/kernel-maps.ts";
import type { Op } from "../../hardware/op.ts";

/** One measured kernel of a table: what ran, where, and how long it took. */
export interface KernelSample {
  readonly family: KernelFamily;
  readonly op: Op;
  /** Measured time of `op` alone. */
  readonly ns: number;
  /** Id of the device profile, such as `h200-sxm`. */
  readonly device: string;
  /** Id of the serving engine whose kernel it is; null for libraries that no engine changes (NCCL). */
  readonly engine: string | null;
  /** Version of that engine or library. */
  readonly version: string;
  /** Name of the kernel as the table has it. */
  readonly kernel: string;
  /** Rows of one shape are held out together; free text that holds everything but the batch or message size. */
  readonly shape: string;
  /** Table and row, for messages. */
  readonly file: string;
  readonly row: number;
}
