import { flopsPerToken } from "../../models/flops.ts";
import type { ModelSpec } from "../../models/spec.ts";
import type { PoolConfig } from "../../sim/config.ts";

/** The highest peak of a device over all arithmetics, FLOP/s: no kernel is faster, whatever the formats. */
export const peakFlops = ({ node }: Pick<PoolConfig, "node">): number =>
  Math.max(0, ...Object.values(node.device.peak));

/** FLOPs of a prompt. */
export const promptFlops = (model: ModelSpec, tokens: number): number =>
  tokens * flopsPerToken(model, { contextTokens: tokens, phase: "prefill", logits: false }).total;

/** FLOPs of an output token that sees a context; of all drafts that may be verified with it only its own are counted. */
export const outputFlops = (model: ModelSpec, contextTokens: number): number =>
  flopsPerToken(model, { contextTokens, phase: "decode", logits: true }).total;
