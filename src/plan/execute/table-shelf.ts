import type { RoutingTable } from "../../trace/routing-table.ts";
import { tableBytes } from "./shared-table.ts";

/** Bytes of tables that are kept, beside the one that is in use. */
const keptBytesMax = 2 ** 30;

/** Who asks. */
type Asker = object;

interface Wanted {
  /** Who makes it. */
  maker: Asker;
  readonly waiting: { readonly asker: Asker; readonly answer: (table: RoutingTable | null) => void }[];
}

/**
 * Routing tables that threads share. The first thread that wants one makes it, while the others that want it wait. The tables that
 * were wanted last are kept; a thread that still uses another one keeps it alive itself.
 */
export class TableShelf {
  /** The most recently wanted last. */
  readonly #tables = new Map<string, RoutingTable>();
  readonly #wanted = new Map<string, Wanted>();
  readonly #bytesMax: number;

  constructor(bytesMax: number = keptBytesMax) {
    this.#bytesMax = bytesMax;
  }

  /** `answer` gets the table, or null where the asker is to make it and report with {@link made}. */
  want(key: string, asker: Asker, answer: (table: RoutingTable | null) => void): void {
    const table = this.#tables.get(key);
    if (table !== undefined) {
      this.#tables.delete(key);
      this.#tables.set(key, table);
      answer(table);
      return;
    }
    const wanted = this.#wanted.get(key);
    if (wanted !== undefined) {
      wanted.waiting.push({ asker, answer });
      return;
    }
    this.#wanted.set(key, { maker: asker, waiting: [] });
    answer(null);
  }

  /** A table that was made; null: that failed, and the next one that waits for it tries. */
  made(key: string, table: RoutingTable | null): void {
    const wanted = this.#wanted.get(key);
    if (table !== null) {
      this.#wanted.delete(key);
      this.#tables.set(key, table);
      this.#dropOldest();
      for (const { answer } of wanted?.waiting ?? []) answer(table);
      return;
    }
    const next = wanted?.waiting.shift();
    if (next === undefined) {
      this.#wanted.delete(key);
      return;
    }
    wanted!.maker = next.asker;
    next.answer(null);
  }

  /** An asker that is no more: it waits for nothing, and what it was making is made by the next. */
  gone(asker: Asker): void {
    for (const [key, { maker, waiting }] of this.#wanted) {
      for (let i = waiting.length - 1; i >= 0; i--) if (waiting[i]!.asker === asker) waiting.splice(i, 1);
      if (maker === asker) this.made(key, null);
    }
  }

  #dropOldest(): void {
    let bytes = [...this.#tables.values()].reduce((sum, table) => sum + tableBytes(table), 0);
    for (const [key, table] of this.#tables) {
      if (bytes <= this.#bytesMax || this.#tables.size === 1) return;
      this.#tables.delete(key);
      bytes -= tableBytes(table);
    }
  }
}
