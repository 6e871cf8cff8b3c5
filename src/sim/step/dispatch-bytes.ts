import { storageFormats } from "../../core/dtype.ts";
import { activationsFor } from "../../hardware/math-format.ts";
import type { PoolConfig } from "../config.ts";

/** Bytes of a value on its way to the experts: in the format in which they multiply it, scales included. */
export const dispatchValueBytes = ({ formats, node }: PoolConfig): number =>
  storageFormats[activationsFor(formats.experts, node.device)].bitsPerValue / 8;
