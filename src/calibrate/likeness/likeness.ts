import type { Problem } from "../../core/errors.ts";

/** How far a measurement is one of what a scenario describes. */
export interface Likeness {
  /** What it states otherwise than the scenario, place by place. */
  readonly differences: readonly Problem[];
  /** What it does not tell, and what is taken for it, in words. */
  readonly assumptions: readonly string[];
}

/** Gathers both. */
export class LikenessNotes {
  readonly differences: Problem[] = [];
  readonly assumptions: string[] = [];

  differs(at: string, expected: string, found: unknown): void {
    this.differences.push({ at, expected: `${expected}, as the scenario has it`, found });
  }

  assume(text: string): void {
    this.assumptions.push(text);
  }
}

export const bothLikenesses = (...parts: readonly Likeness[]): Likeness => ({
  differences: parts.flatMap(({ differences }) => differences),
  assumptions: parts.flatMap(({ assumptions }) => assumptions),
});
