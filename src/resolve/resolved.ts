import type { SimConfig } from "../sim/config.ts";
import type { LedgerEntry } from "../sim/result.ts";
import type { InputRow } from "./input-row.ts";
import type { Price } from "./price.ts";
import type { ResolvedPool } from "./resolve-pool.ts";
import type { ResolvedRouting } from "./resolve-routing.ts";

/**
 * A scenario with every name resolved: the configuration that the simulator runs, and its origin for the forecast.
 * Price and policies are those of the first pool.
 */
export interface ResolvedScenario {
  readonly config: SimConfig;
  readonly inputs: readonly InputRow[];
  readonly price: Price | null;
  /** Names of the policies as the scenario chose them. */
  readonly placement: string;
  readonly offload: string | null;
  /** The pools beside the first one; absent: none. */
  readonly otherPools?: readonly ResolvedPool[];
  /** Whether the engine was adjusted to measured points of the deployment; absent: false. */
  readonly observed?: boolean;
  /** Observed figures that the adjusted deployment does not show, in words; absent where it shows all. */
  readonly unreached?: string;
  /** The routing as it was read or synthesised, for further runs that replay it; absent: it is resolved anew. */
  readonly routed?: ResolvedRouting;
  /** How the inputs came about. */
  readonly ledger: readonly LedgerEntry[];
}
