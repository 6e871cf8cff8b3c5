import { biasBalance } from "./bias-balance.ts";
import { mask } from "./mask.ts";
import { merge } from "./merge.ts";
import { prune } from "./prune.ts";
import type { RoutingTransform } from "./routing-transform.ts";
import { topP } from "./top-p.ts";

/** Transforms of recorded routing by the name that a scenario uses. */
export const transforms = {
  mask,
  "top-p": topP,
  prune,
  merge,
  "bias-balance": biasBalance,
} as const satisfies Record<string, RoutingTransform>;

export type TransformName = keyof typeof transforms;

/** A transform that a scenario asks for, with its parameters. */
export type ChosenTransform = { readonly kind: TransformName; readonly [parameter: string]: unknown };
