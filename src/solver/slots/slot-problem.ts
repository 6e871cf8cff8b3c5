import type { Problem } from "../../core/errors.ts";

/**
 * Slots of layers that share a memory, so that they miss least together: all `total` are given out, each layer gets from `least`
 * to `most`. The allocation of AdapMoE (ICCAD 2024), for any curves.
 */
export interface SlotProblem {
  /** Of each layer its misses with 0, 1 ... `most` slots. */
  readonly misses: readonly ArrayLike<number>[];
  readonly total: number;
  readonly least: number;
  readonly most: number;
}

/** [layers] */
export type Slots = Uint32Array;

export function slotProblems({ misses, total, least, most }: SlotProblem): Problem[] {
  const problems: Problem[] = [];
  const expect = (holds: boolean, at: string, expected: string, found: unknown): void => {
    if (!holds) problems.push({ at, expected, found });
  };
  const layers = misses.length;
  expect(layers > 0, "misses", "one layer or more", layers);
  expect(Number.isInteger(least) && least >= 0 && least <= most, "least", `a whole number up to ${most}`, least);
  const right = Number.isInteger(total) && total >= layers * least && total <= layers * most;
  expect(right, "total", `from ${layers * least} to ${layers * most} slots for ${layers} layers`, total);
  for (const [layer, curve] of misses.entries()) {
    const values = Array.from({ length: most + 1 }, (_, slots) => curve[slots]);
    const bad = values.findIndex((value) => value === undefined || !(value >= 0 && value < Infinity));
    if (bad >= 0)
      problems.push({ at: `misses[${layer}][${bad}]`, expected: "a finite number >= 0", found: values[bad] });
  }
  return problems;
}

export const missesOf = ({ misses }: SlotProblem, slots: Slots): number =>
  misses.reduce((sum, curve, layer) => sum + curve[slots[layer]!]!, 0);

export function slotViolation({ misses, total, least, most }: SlotProblem, slots: Slots): string | null {
  if (slots.length !== misses.length) return `${slots.length} layers of ${misses.length}`;
  const given = slots.reduce((sum, count) => sum + count, 0);
  if (given !== total) return `${given} slots of ${total}`;
  const outside = slots.find((count) => count < least || count > most);
  return outside === undefined ? null : `${outside} slots in a layer`;
}

/** Every layer with the number of slots at which it misses least. */
export const freeMisses = ({ misses, least, most }: SlotProblem): number =>
  misses.reduce((sum, curve) => {
    let fewest = Infinity;
    for (let slots = least; slots <= most; slots++) fewest = Math.min(fewest, curve[slots]!);
    return sum + fewest;
  }, 0);
