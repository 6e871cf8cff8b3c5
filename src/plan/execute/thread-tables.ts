import type { TableStore } from "../../resolve/file-reader.ts";
import type { RoutingTable } from "../../trace/routing-table.ts";
import { sharedTable } from "./shared-table.ts";
import type { ThreadReport } from "./thread-messages.ts";

/** Tables that a thread keeps: the same object, so that what is derived from it is kept too. Few, as jobs come grouped. */
const keptMax = 4;

/** The tables of a thread: its own, else those of the shelf of all threads, else made here for all. */
export class ThreadTables implements TableStore {
  readonly #say: (report: ThreadReport) => void;
  readonly #kept = new Map<string, Promise<RoutingTable>>();
  /** Who waits for the shelf, by key, the first to ask first: answers come in the order of questions. */
  readonly #asked = new Map<string, ((table: RoutingTable | null) => void)[]>();

  constructor(say: (report: ThreadReport) => void) {
    this.#say = say;
  }

  table(key: string, make: () => Promise<RoutingTable>): Promise<RoutingTable> {
    const kept = this.#kept.get(key) ?? this.#fetched(key, make);
    this.#kept.delete(key);
    this.#kept.set(key, kept);
    for (const oldest of this.#kept.keys()) {
      if (this.#kept.size <= keptMax) break;
      this.#kept.delete(oldest);
    }
    kept.catch(() => this.#kept.delete(key));
    return kept;
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
