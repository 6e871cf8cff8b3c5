import type { TableStore } from "../../resolve/file-reader.ts";
import type { RoutingTable } from "../../trace/routing-table.ts";

/** Tables that are kept: the same object, so that what is derived from it is kept too. Few, as runs come grouped. */
const keptMax = 4;

/** The routing tables that were asked for last, each made once. */
export class KeptTables implements TableStore {
  readonly #kept = new Map<string, Promise<RoutingTable>>();

  table(key: string, make: () => Promise<RoutingTable>): Promise<RoutingTable> {
    const kept = this.#kept.get(key) ?? make();
    this.#kept.delete(key);
    this.#kept.set(key, kept);
    for (const oldest of this.#kept.keys()) {
      if (this.#kept.size <= keptMax) break;
      this.#kept.delete(oldest);
    }
    kept.catch(() => this.#kept.delete(key));
    return kept;
  }
}
