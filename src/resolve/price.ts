import type { LedgerEntry } from "../sim/result.ts";

/** Price per device and hour, and where it comes from. */
export interface Price {
  readonly usdPerDeviceHour: number;
  readonly source: string;
  readonly fidelity: LedgerEntry["fidelity"];
}
