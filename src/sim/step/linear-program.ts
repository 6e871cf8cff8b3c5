import { storedBytes } from "../../core/dtype.ts";
import { activationBytes } from "../../hardware/cost/context.ts";
import type { ElementwiseOp, LinearScanOp, StateUpdateOp } from "../../hardware/op.ts";
import { aroundScanBytes, scanWork } from "../../models/linear-scan.ts";
import type { LinearAttention } from "../../models/spec.ts";
import {
  type AttentionContext,
  type AttentionProgram,
  elementwiseNs,
  GemmChain,
  residualPasses,
} from "./attention-parts.ts";

/**
 * Linear attention: projections in and out, then prompts as a scan in chunks and decoded tokens as updates of the
 * state. A decoding sequence reads its state once and writes it for each of its tokens, so that drafts can be taken
 * back; a prompt reads and writes it once a step. Nothing depends on the context.
 */
export function linearProgram(spec: LinearAttention, context: AttentionContext): AttentionProgram {
  const { hidden, tp, cost } = context;
  const { heads, valueDim } = spec.scan;
  const outputs = heads * valueDim;
  const inputs = spec.projectionParameters / hidden - outputs;
  const chain = new GemmChain(
    [
      [hidden, Math.max(0, inputs) / tp],
      [outputs / tp, hidden],
    ],
    context,
  );
  const stateFormat = spec.stateFormat ?? context.kvFormat;
  const stateBytes = storedBytes(spec.stateValues, stateFormat) / tp;
  const work = scanWork(spec.scan);
  const scan: LinearScanOp = {
    kind: "linearScan",
    tokens: 0,
    longestTokens: 0,
    chunkTokens: spec.scan.chunkTokens,
    bytesPerToken: (work.bytes * heads) / tp,
    flopsPerToken: (work.flops * heads) / tp,
    walkShare: work.walkShare,
    math: "bf16",
  };
  const update: StateUpdateOp = { kind: "stateUpdate", bytes: 0, stateFormat };
  const elementwise: ElementwiseOp = { kind: "elementwise", bytes: 0 };
  const bytesPerToken = residualPasses * hidden * activationBytes + aroundScanBytes(spec.scan) / tp;
  return {
    weightValues: spec.projectionParameters / tp,
    caches: [{ kind: "state", bytes: stateBytes }],
    ns: (batch) => {
      scan.tokens = batch.prefillTokens;
      scan.longestTokens = batch.longestPrompt;
      const prompts = batch.sequences - batch.decodeSequences;
      update.bytes = (batch.decodeSequences + batch.decodeTokens + 2 * prompts) * stateBytes;
      return (
        chain.ns(batch.tokens) +
        cost.opNs(scan) +
        cost.opNs(update) +
        elementwiseNs(cost, elementwise, batch.tokens * bytesPerToken)
      );
    },
    productsNs: (batch) => chain.ns(batch.tokens),
    prepareNs: (batch) => chain.ns(batch.tokens, 0, 1),
  };
}
