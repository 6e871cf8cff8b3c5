import { numberedName } from "./values.ts";

/** Experts by name: all names of a table have the same beginning, or the same number would mean two experts. */
export class ExpertNames {
  #prefix: string | null = null;

  idOf(entry: string | number): number | null {
    const named = numberedName(entry);
    if (named === null) return null;
    this.#prefix ??= named.prefix;
    return named.prefix === this.#prefix ? named.number : null;
  }
}
