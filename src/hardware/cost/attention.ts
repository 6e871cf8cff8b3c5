import type { AttentionOp } from "../op.ts";
import {
  activationBytes,
  type CostContext,
  hasOwnKernels,
  nsPerByte,
  nsPerFlop,
  type OpCost,
  roofline,
} from "./context.ts";
import { computedRows } from "./few-rows.ts";
import { idealRoofline, type MappedShape, mappedByFormat, type OpWork } from "./mapped.ts";

const flopsOf = (op: AttentionOp): number => 2 * op.scorePairs * op.heads * op.widthPerPair;

/** Queries in and results out. */
const queryBytes = (op: AttentionOp): number => activationBytes * op.queryTokens * op.heads * op.widthPerPair;

/** Bytes that cross memory: the cache once, queries and results. */
const movedBytes = (op: AttentionOp): number => op.cacheTokens * op.cacheBytesPerToken + queryBytes(op);

/** Bytes with keys and values of every head, expanded, in place of the compressed cache; queries and results too. */
const expandedBytes = (op: AttentionOp): number =>
  activationBytes * op.cacheTokens * op.heads * op.widthPerPair + queryBytes(op);

/** What every attention kernel has to do: read the cache once, and compute every score pair. */
export const attentionWork: OpWork<AttentionOp> = {
  bytes: (op) => op.cacheTokens * op.cacheBytesPerToken,
  flops: flopsOf,
  math: (op) => op.math,
};

const axis = {
  bytes: { name: "bytes", of: movedBytes },
  heads: { name: "heads", of: (op: AttentionOp) => op.heads },
  group: { name: "headsPerKvHead", of: (op: AttentionOp) => op.heads / op.kvHeads },
  width: { name: "widthPerPair", of: (op: AttentionOp) => op.widthPerPair },
  sequences: { name: "sequences", of: (op: AttentionOp) => op.sequences },
  queryRows: { name: "queryRows", of: (op: AttentionOp) => op.queryTokens * op.heads },
  keysPerQuery: { name: "keysPerQuery", of: (op: AttentionOp) => op.scorePairs / op.queryTokens },
  keysPerSequence: { name: "keysPerSequence", of: (op: AttentionOp) => op.cacheTokens / op.sequences },
} as const;

function shapeOf(
  axes: MappedShape<AttentionOp>["axes"],
  bytesOf: (op: AttentionOp) => number,
): MappedShape<AttentionOp> {
  return {
    axes,
    work: { bytes: bytesOf, flops: flopsOf, math: (op) => op.math },
    idealNs: (op, rates) => idealRoofline(bytesOf(op) * rates.nsPerByte, flopsOf(op) * rates.nsPerFlop[op.math]),
  };
}

/** Threads of the largest block that writes the keys and values of a token into the cache (vLLM, csrc/cache_kernels.cu). */
const writeThreads = 512;

/**
 * Prompts have many query rows per head. Short rows of keys (short prompts, windows) leave tiles partly masked. A kernel
 * before it writes new keys and values into the cache: one block per token, with as many threads as these have values.
 */
export const attentionPrefillShape: MappedShape<AttentionOp> = {
  ...shapeOf([axis.queryRows, axis.keysPerQuery, axis.group, axis.width], movedBytes),
  writes: (op) => op.queryTokens * Math.min(1, (op.kvHeads * op.widthPerPair) / 2 / writeThreads),
};
/**
 * Decodes have one or few query rows per sequence: bandwidth decides, and the keys of a sequence, which are split when
 * there are many. Bytes over keys say how many independent pieces of work there are.
 */
export const attentionDecodeShape = shapeOf([axis.bytes, axis.keysPerSequence, axis.group, axis.width], movedBytes);
export const latentPrefillShape = shapeOf([axis.queryRows, axis.keysPerQuery, axis.heads], expandedBytes);
export const latentDecodeShape = shapeOf([axis.sequences, axis.keysPerSequence, axis.heads], movedBytes);

/**
 * Attention by measured maps where the device has them, else by a roofline after a launch: the cache is read once, and
 * every score pair is computed for every head.
 */
export function attentionCost(context: CostContext): OpCost<AttentionOp> {
  const { device } = context;
  const {
    attentionDecodeMemory,
    attentionDecodeCompute,
    attentionPrefillCompute,
    attentionLaunchNs,
    tileRows,
    rooflineNorm,
  } = device.efficiency;
  const perByte = nsPerByte(device, attentionDecodeMemory);
  const perFlop = {
    attentionPrefill: nsPerFlop(device, attentionPrefillCompute),
    attentionDecode: nsPerFlop(device, attentionDecodeCompute),
  } as const;
  const mapped = {
    attentionPrefill: mappedByFormat(context, "attentionPrefill", attentionPrefillShape),
    attentionDecode: mappedByFormat(context, "attentionDecode", attentionDecodeShape),
  } as const;
  const latent = {
    attentionPrefill: mappedByFormat(context, "latentPrefill", latentPrefillShape),
    attentionDecode: mappedByFormat(context, "latentDecode", latentDecodeShape),
  } as const;
  const { ownKernels } = context;
  const ownPerFlop =
    ownKernels === null || !hasOwnKernels(device) ? null : nsPerFlop(device, ownKernels.attentionCompute).bf16;
  return (op) => {
    const map = (op.latent ? latent : mapped)[op.kind];
    if (!(op.scorePairs > 0 && op.sequences > 0)) return 0;
    if (ownPerFlop !== null && op.kind === "attentionPrefill" && !op.latent)
      return attentionLaunchNs + roofline(movedBytes(op) * perByte, flopsOf(op) * ownPerFlop, rooflineNorm);
    if (map !== null) return map(op.cacheFormat)(op);
    const bytes = op.cacheTokens * op.cacheBytesPerToken;
    // Query rows that meet the same keys: those of a sequence in the heads of one key head.
    const rows = (op.queryTokens * op.heads) / (op.sequences * op.kvHeads);
    const flops = flopsOf(op) * (computedRows(rows, tileRows) / rows);
    return attentionLaunchNs + roofline(bytes * perByte, flops * perFlop[op.kind][op.math], rooflineNorm);
  };
}
