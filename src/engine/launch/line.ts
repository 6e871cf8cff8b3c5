import { InvalidInputError } from "../../core/errors.ts";
import type { Refusal } from "./launch.ts";
import type { Word } from "./shell-words.ts";

/** A command line in the making, and what it cannot say. */
export class Line {
  readonly words: Word[] = [];
  readonly refused: Refusal[] = [];

  /** A flag and its value. Nothing where there is no value. */
  flag(name: string, value: Word | number | undefined): void {
    if (value !== undefined) this.words.push(name, typeof value === "number" ? String(value) : value);
  }

  /** A flag alone. */
  on(name: string, on = true): void {
    if (on) this.words.push(name);
  }

  refuse(choice: string, reason: string): void {
    this.refused.push({ choice, reason });
  }

  /** The value of a table by a choice, which is refused where the table has none. */
  among<T>(table: Readonly<Record<string, T>>, choice: string, value: string, reason: string): T | undefined {
    if (Object.hasOwn(table, value)) return table[value];
    this.refuse(choice, reason);
    return undefined;
  }

  /** What is made, or undefined where that is refused as a wrong input is. */
  attempt<T>(choice: string, make: () => T): T | undefined {
    try {
      return make();
    } catch (error) {
      if (!(error instanceof InvalidInputError)) throw error;
      const [{ expected, found, hint } = { expected: "something else" }] = error.problems;
      this.refuse(
        choice,
        `expected ${expected}${found === undefined ? "" : `, found ${typeof found === "string" ? found : JSON.stringify(found)}`}${hint === undefined ? "" : ` (${hint})`}`,
      );
      return undefined;
    }
  }
}
