import { refuse } from "../../core/errors.ts";
import type { RoutingTable } from "../../trace/routing-table.ts";

/** Which rows of a trace the steps of a run read: `batch` requests decode side by side, each for `tokensPerRequest` tokens. */
export interface StepPlan {
  readonly batch: number;
  readonly tokensPerRequest: number;
  readonly requests: number;
  /** Rows of each step, [steps][batch]. */
  readonly steps: readonly Uint32Array[];
}

const tokensPerRequestMax = 256;

/**
 * At least `stepsWanted` steps: requests take the trace's sequences in turn, from their first row on. All are as long as
 * the shortest sequence (at most 256 tokens, and no more than the steps), so that none wraps and all of a batch end together.
 */
export function planSteps(table: RoutingTable, batch: number, stepsWanted: number): StepPlan {
  const sequences = table.sequenceStarts.length - 1;
  let shortest = Math.min(tokensPerRequestMax, Math.max(2, stepsWanted));
  for (let s = 0; s < sequences; s++)
    shortest = Math.min(shortest, table.sequenceStarts[s + 1]! - table.sequenceStarts[s]!);
  if (shortest < 2)
    refuse({ file: table.origin.name, expected: "sequences of at least 2 tokens", found: `one of ${shortest}` });
  const waves = Math.ceil(stepsWanted / shortest);
  const steps: Uint32Array[] = [];
  for (let wave = 0; wave < waves; wave++)
    for (let position = 0; position < shortest; position++)
      steps.push(
        Uint32Array.from(
          { length: batch },
          (_, slot) => table.sequenceStarts[(wave * batch + slot) % sequences]! + position,
        ),
      );
  return { batch, tokensPerRequest: shortest, requests: waves * batch, steps };
}

/** One layer call: its distinct experts in the order the batch meets them, each with the batch slots that chose it. */
export interface LayerCall {
  readonly experts: readonly number[];
  readonly slots: readonly (readonly number[])[];
}

export function layerCall(table: RoutingTable, layer: number, rows: Uint32Array): LayerCall {
  const { ids, layers, topK, experts } = table;
  const slotsOf = new Map<number, number[]>();
  for (const [slot, row] of rows.entries())
    for (let k = 0; k < topK; k++) {
      const expert = ids[(row * layers + layer) * topK + k]!;
      if (expert >= experts) continue;
      const slots = slotsOf.get(expert);
      if (slots === undefined) slotsOf.set(expert, [slot]);
      else slots.push(slot);
    }
  return { experts: [...slotsOf.keys()], slots: [...slotsOf.values()] };
}
