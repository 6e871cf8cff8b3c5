import { assignment } from "./assignment/assignment.ts";
import { bitAllocation } from "./bit-allocation/bit-allocation.ts";
import { chain } from "./chain/chain.ts";
import { lplb } from "./lplb/lplb.ts";
import { merging } from "./merging/merging.ts";
import { mixture } from "./mixture/mixture.ts";
import { partition } from "./partition/partition.ts";
import { slotsOverLayers } from "./slots/slots.ts";
import type { Optimisation } from "./solver.ts";

/** Kinds of problems by name, so that another thread can be told which one it is given. */
export const optimisations: Readonly<Record<string, Optimisation<never, unknown>>> = Object.fromEntries(
  [assignment, bitAllocation, chain, lplb, merging, mixture, partition, slotsOverLayers].map((kind) => [
    kind.name,
    kind as unknown as Optimisation<never, unknown>,
  ]),
);
