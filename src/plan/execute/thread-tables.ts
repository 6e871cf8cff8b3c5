import type { TableStore } from "../../resolve/file-reader.ts";
import type { RoutingTable } from "../../trace/routing-table.ts";
import { KeptTables } from "./kept-tables.ts";
import { sharedTable } from "./shared-table.ts";
import type { ThreadReport } from "./thread-messages.ts";

/** The tables of a thread: its own, else those of the shelf of all threads, else made here for all. */
export class ThreadTables implements TableStore {
  readonly #say: (report: ThreadReport) => void;
  readonly #kept = new KeptTables();
  /** Who waits for the shelf, by key, the first to ask first: answers come in the order of questions. */
  readonly #asked = new Map<string, ((table: RoutingTable | null) => void)[]>();

  constructor(say: (report: ThreadReport) => void) {
    this.#say = say;
  }

  table(key: string, make: () => Promise<RoutingTable>): Promise<RoutingTable> {
    return this.#kept.table(key, () => this.#fetched(key, make));
  }

  /** The shelf answers. */
  answer(key: string, table: RoutingTable | null): void {
    this.#asked.get(key)?.shift()?.(table);
  }

  async #fetched(key: string, make: () => Promise<RoutingTable>): Promise<RoutingTable> {
    const there = await new Promise<RoutingTable | null>((resolve) => {
      const asked = this.#asked.get(key);
      if (asked === undefined) this.#asked.set(key, [resolve]);
      else asked.push(resolve);
      this.#say({ kind: "wants", key });
    });
    if (there !== null) return there;
    try {
      const table = sharedTable(await make());
      this.#say({ kind: "made", key, table });
      return table;
    } catch (error) {
      this.#say({ kind: "made", key, table: null });
      throw error;
    }
  }
}
