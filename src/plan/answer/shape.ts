import type { Problem } from "../../core/errors.ts";

/** Problems of a document that are listed; one that is wrong in every row would have as many as rows. */
const problemsMax = 50;

/** A walk through a document: where it is, and what was wrong so far. */
export class ShapeCheck {
  readonly problems: Problem[] = [];
  /** Keys and indices on the way; they become text only for a problem. */
  readonly path: (string | number)[] = [];

  wrong(expected: string, found: unknown): void {
    const at = this.path
      .map((step, i) => (typeof step === "number" ? `[${step}]` : i === 0 ? step : `.${step}`))
      .join("");
    this.problems.push({ at, expected, found });
  }

  /** Whether enough was found to stop. */
  get isFull(): boolean {
    return this.problems.length >= problemsMax;
  }
}

/** What a value has to be: notes in the walk what is wrong with it. */
export type Shape = (value: unknown, check: ShapeCheck) => void;

const leaf =
  (expected: string, test: (value: unknown) => boolean): Shape =>
  (value, check) => {
    if (!test(value)) check.wrong(expected, value);
  };

export const text = leaf("a text", (value) => typeof value === "string");
export const number = leaf("a number", (value) => typeof value === "number");
export const flag = leaf("true or false", (value) => typeof value === "boolean");
export const oneOf = (words: readonly string[]): Shape =>
  leaf(`one of ${words.join(", ")}`, (value) => typeof value === "string" && words.includes(value));

/** The shape, or null. */
export const orNull =
  (shape: Shape): Shape =>
  (value, check) => {
    if (value !== null) shape(value, check);
  };

export const items =
  (item: Shape): Shape =>
  (value, check) => {
    if (!Array.isArray(value)) return check.wrong("a list", value);
    for (let i = 0; i < value.length && !check.isFull; i++) {
      check.path.push(i);
      item(value[i], check);
      check.path.pop();
    }
  };

/** An object with these fields, and others that nobody reads. */
export function fields(shapes: Readonly<Record<string, Shape>>): Shape {
  const entries = Object.entries(shapes);
  return (value, check) => {
    if (!isObject(value)) return check.wrong("an object", value);
    for (const [key, shape] of entries) {
      check.path.push(key);
      shape(value[key], check);
      check.path.pop();
    }
  };
}

/** An object with any keys, whose values have a shape. */
export const recordOf =
  (item: Shape): Shape =>
  (value, check) => {
    if (!isObject(value)) return check.wrong("an object", value);
    for (const key of Object.keys(value)) {
      if (check.isFull) return;
      check.path.push(key);
      item(value[key], check);
      check.path.pop();
    }
  };

const isObject = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === "object" && value !== null && !Array.isArray(value);
