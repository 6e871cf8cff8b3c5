import type { Device } from "../hardware/device.ts";
import type { LedgerEntry } from "../sim/result.ts";
import type { Forecast } from "./forecast.ts";

/** Price per device and hour, and where it comes from. */
export interface Price {
  readonly usdPerDeviceHour: number;
  readonly source: string;
  readonly fidelity: LedgerEntry["fidelity"];
}

/** Dollars for the deployment; null without a price or without output. */
export function costOf(price: Price | null, devices: number, outputTokensPerSecond: number): Forecast["cost"] {
  if (price === null || !(outputTokensPerSecond > 0)) return null;
  const usdPerHour = price.usdPerDeviceHour * devices;
  return { usdPerHour, usdPerMillionOutputTokens: (usdPerHour / 3600 / outputTokensPerSecond) * 1e6 };
}

/** How long devices worked. */
export interface DeviceWork {
  readonly device: Device;
  readonly devicesPerReplica: number;
  readonly replicaBusyNs: readonly number[];
  readonly endNs: number;
  readonly outputTokens: number;
}

/**
 * Energy of the devices alone: board power while a step runs, idle power between steps. Both ends are those of the
 * device's profile; null if it states no power. Host, network and cooling are left out.
 */
export function energyOf(work: DeviceWork): { readonly energy: Forecast["energy"]; readonly ledger: LedgerEntry[] } {
  const { powerW, idlePowerW } = work.device;
  if (powerW === null || work.endNs <= 0 || work.outputTokens === 0) return { energy: null, ledger: [] };
  const idleW = idlePowerW ?? 0;
  const seconds = work.endNs / 1e9;
  const joules = work.replicaBusyNs.reduce((sum, busyNs) => {
    const busy = Math.min(busyNs, work.endNs) / 1e9;
    return sum + work.devicesPerReplica * (powerW * busy + idleW * (seconds - busy));
  }, 0);
  const idle = idlePowerW === null ? "0 W between steps, for lack of a figure" : `${idleW} W between steps`;
  return {
    energy: { joulesPerOutputToken: joules / work.outputTokens, averageW: joules / seconds },
    ledger: [
      {
        topic: "energy",
        fidelity: "assumed",
        detail: `devices only: ${powerW} W (board power) while a step runs, ${idle}`,
      },
    ],
  };
}
