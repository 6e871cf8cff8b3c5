import type { LinearScan } from "./spec.ts";

/** What one prompt token of linear attention moves and computes in one state head, by the chunked algorithms. */
export interface ScanWork {
  readonly bytes: number;
  readonly flops: number;
  /** Share of the bytes that the walk from chunk to chunk moves. */
  readonly walkShare: number;
}

/** Values between kernels are 16 bits wide, gates and triangular systems 32. */
const narrow = 2;
const wide = 4;

/**
 * Work per token and state head. The chunked delta rule follows Gated DeltaNet (arXiv 2412.06464, section 3.3) in the
 * five kernels of flash-linear-attention, which hand their results on through memory; SSD follows Mamba-2
 * (arXiv 2405.21060, section 6). FLOPs are of whole tiles: the masked half of a chunk is computed too.
 */
export function scanWork(scan: LinearScan): ScanWork {
  switch (scan.rule) {
    case "delta":
      return deltaRule(scan);
    case "channelDelta": {
      const { bytes, flops, walkShare } = deltaRule(scan);
      // The decay of every channel is summed in fp32, read by three kernels, and folded into a copy of the keys. The
      // products inside a chunk run in sub-chunks of TF32, at half the rate.
      const gates = (narrow + 4 * wide + 2 * narrow) * scan.keyDim;
      return {
        bytes: bytes + gates,
        flops: flops + insideChunk(scan),
        walkShare: (walkShare * bytes) / (bytes + gates),
      };
    }
    case "decay":
      return stateSpaceDual(scan);
    case "lightning":
      return fixedDecay(scan);
    case "convolution":
      // The gate before the convolution reads two vectors and writes one. A multiply-add per value of the kernel.
      return { bytes: 3 * narrow, flops: 2 * (scan.keyDim + 1), walkShare: 0 };
    case "selective":
      // Input, step, gate and result of a channel; its states are updated on the fly: decay, input, update, output.
      return { bytes: 4 * narrow, flops: 9 * scan.keyDim, walkShare: 1 };
  }
}

/** FLOPs of scores, of the two transforms by the inverse, and of scores over values. */
function insideChunk({ keyDim, valueDim, chunkTokens }: LinearScan): number {
  return 2 * chunkTokens * (3 * keyDim + 2 * valueDim);
}

function deltaRule(scan: LinearScan): ScanWork {
  const { keyDim, valueDim, chunkTokens } = scan;
  const state = (narrow * keyDim * valueDim) / chunkTokens;
  // Scores of keys; their triangular inverse; transformed keys and values. A row of a chunk's matrix per token.
  const transform = narrow * (3 * keyDim + 2 * valueDim) + chunkTokens * (2 * wide + 2 * narrow);
  const walk = narrow * (2 * keyDim + 2 * valueDim) + state;
  const output = narrow * (2 * keyDim + 2 * valueDim) + state;
  const bytes = transform + walk + output;
  return { bytes, flops: 6 * keyDim * valueDim + insideChunk(scan), walkShare: walk / bytes };
}

function stateSpaceDual({ heads, keyHeads, keyDim, valueDim, chunkTokens }: LinearScan): ScanWork {
  const shared = keyHeads / heads;
  const state = (wide * keyDim * valueDim) / chunkTokens;
  // States of the chunks are written, passed on (read and written), and read.
  const walk = 2 * state;
  const bytes = narrow * 3 * valueDim + 4 * wide + shared * narrow * 4 * keyDim + 2 * state + walk;
  const flops = 2 * chunkTokens * (shared * keyDim + valueDim) + 4 * keyDim * valueDim;
  return { bytes, flops, walkShare: walk / bytes };
}

/** Rows of queries that the kernel for the inside of a chunk takes at a time (CBLOCK of vLLM's lightning_attn.py). */
const lightningTile = 32;

/**
 * Lightning attention in the four kernels of vLLM's lightning_attn.py: the inside of chunks, of which tiles beyond the
 * diagonal are left out; states of the chunks, written and passed on; and what a chunk reads of the state before it.
 */
function fixedDecay({ keyDim, valueDim, chunkTokens }: LinearScan): ScanWork {
  const state = (wide * keyDim * valueDim) / chunkTokens;
  const walk = 2 * state;
  const bytes = narrow * (4 * keyDim + 5 * valueDim) + 2 * state + walk;
  const inside = (chunkTokens + Math.min(lightningTile, chunkTokens)) / 2;
  const flops = 2 * inside * (keyDim + valueDim) + 4 * keyDim * valueDim;
  return { bytes, flops, walkShare: walk / bytes };
}

/** Bytes of the kernels around the scan, per token of all heads: short convolution, gate and output norm. */
export function aroundScanBytes({ heads, valueDim, convolved }: LinearScan): number {
  return narrow * (2 * convolved + 3 * heads * valueDim);
}
