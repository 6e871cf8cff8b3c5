import type { RoutingTable } from "../../trace/routing-table.ts";
import type { JobBase, Outcome } from "../job/job.ts";

/** What a thread is told. */
export type ThreadOrder =
  | { readonly kind: "base"; readonly base: JobBase }
  | { readonly kind: "job"; readonly settings: readonly string[] }
  /** The answer to `wants`: the table, or null where the thread is to make it. */
  | { readonly kind: "table"; readonly key: string; readonly table: RoutingTable | null };

/** What a thread says. A table that it has made lies in shared memory; null: making it failed. */
export type ThreadReport =
  | { readonly kind: "outcome"; readonly outcome: Outcome }
  | { readonly kind: "wants"; readonly key: string }
  | { readonly kind: "made"; readonly key: string; readonly table: RoutingTable | null };
