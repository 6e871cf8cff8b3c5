import { timeComponents } from "../../sim/result.ts";
import type { StepAccounts } from "../../sim/step/step-accounts.ts";

/** What is booked in the accounts of a pool between one reading and the next. */
export class BookedTime {
  /** [time components] ns. */
  readonly part = new Float64Array(timeComponents.length);
  /** Of transfers between devices, ns and bytes of a device. */
  linkNs = 0;
  linkBytes = 0;
  private readonly accounts: StepAccounts;
  private readonly before = new Float64Array(timeComponents.length);
  private busyNs = 0;
  private bytes = 0;

  constructor(accounts: StepAccounts) {
    this.accounts = accounts;
  }

  /** What was booked so far is not asked for. */
  skip(): void {
    const { components, links } = this.accounts;
    this.before.set(components);
    this.busyNs = links.busyNs;
    this.bytes = links.bytes;
  }

  /** Reads what was booked since the last time. */
  take(): void {
    const { components, links } = this.accounts;
    const { part, before } = this;
    for (let i = 0; i < part.length; i++) part[i] = components[i]! - before[i]!;
    this.linkNs = links.busyNs - this.busyNs;
    this.linkBytes = links.bytes - this.bytes;
    this.skip();
  }
}
