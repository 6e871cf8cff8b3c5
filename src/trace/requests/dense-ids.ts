import type { BlockName } from "./request-format.ts";

/** Numbers names from 0 in the order in which they come; equal names have one number. */
export class DenseIds {
  readonly #ids = new Map<BlockName, number>();

  get count(): number {
    return this.#ids.size;
  }

  idOf(name: BlockName): number {
    const known = this.#ids.get(name);
    if (known !== undefined) return known;
    const id = this.#ids.size;
    this.#ids.set(name, id);
    return id;
  }
}
