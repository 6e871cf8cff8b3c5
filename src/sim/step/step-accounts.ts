import { type TimeComponent, timeComponents } from "../result.ts";
import type { LinkTime } from "./link-time.ts";

/** Places of the time components in {@link StepAccounts.components}. */
export const component = Object.fromEntries(timeComponents.map((name, index) => [name, index])) as Record<
  TimeComponent,
  number
>;

/** What the steps of a deployment add to, over the run. */
export interface StepAccounts {
  /** Time per component, ns. */
  readonly components: Float64Array;
  /** Transfers between devices. */
  readonly links: LinkTime;
  /** [expert ranks] compute busy time, ns. */
  readonly rankBusyNs: Float64Array;
}
