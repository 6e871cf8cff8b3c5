import type { Device } from "../hardware/device.ts";
import type { Cost, Figures } from "../metrics/figures.ts";
import type { Price } from "../resolve/price.ts";
import type { LedgerEntry, RunResult } from "../sim/result.ts";

/** What a price is set against. Input tokens are those of the prompts of completed requests, cached ones included. */
export interface Served {
  readonly devices: number;
  readonly inputTokensPerSecond: number;
  readonly outputTokensPerSecond: number;
  /** Share of the time of steps that went into prompts. */
  readonly promptTimeShare: number;
}

/** Dollars for the deployment; null without a price or without output. */
export function costOf(price: Price | null, served: Served): Cost | null {
  const { devices, inputTokensPerSecond, outputTokensPerSecond, promptTimeShare } = served;
  if (price === null || !(outputTokensPerSecond > 0)) return null;
  const { usdPerDeviceHour, source } = price;
  const usdPerHour = usdPerDeviceHour * devices;
  const perMillion = (usd: number, tokensPerSecond: number) => (usd / 3600 / tokensPerSecond) * 1e6;
  const share = inputTokensPerSecond > 0 ? promptTimeShare : 0;
  return {
    usdPerHour,
    price: { usdPerDeviceHour, source },
    usdPerMillionOutputTokens: perMillion(usdPerHour, outputTokensPerSecond),
    usdPerMillionTokens: perMillion(usdPerHour, inputTokensPerSecond + outputTokensPerSecond),
    divided: {
      promptTimeShare: share,
      usdPerMillionInputTokens: inputTokensPerSecond > 0 ? perMillion(usdPerHour * share, inputTokensPerSecond) : null,
      usdPerMillionOutputTokens: perMillion(usdPerHour * (1 - share), outputTokensPerSecond),
    },
  };
}

/** How long the devices of a pool worked. */
export interface DeviceWork {
  readonly device: Device;
  readonly devicesPerReplica: number;
  readonly replicaBusyNs: readonly number[];
  /** Time that each replica had devices; absent: all of the run. */
  readonly replicaOnNs?: readonly number[];
}

/**
 * Energy of the devices alone: board power while a step runs, idle power between steps, and none while a replica is off.
 * Both ends are those of the device's profile; null if one states no power. Host, network and cooling are left out.
 */
export function energyOf(
  works: readonly DeviceWork[],
  { endNs, outputTokens }: Pick<RunResult, "endNs" | "outputTokens">,
): { readonly energy: Figures["energy"]; readonly ledger: LedgerEntry[] } {
  const none = { energy: null, ledger: [] };
  if (endNs <= 0 || outputTokens === 0) return none;
  const seconds = endNs / 1e9;
  let joules = 0;
  const powers: string[] = [];
  for (const { device, devicesPerReplica, replicaBusyNs, replicaOnNs } of works) {
    const { powerW, idlePowerW } = device;
    if (powerW === null) return none;
    const idleW = idlePowerW ?? 0;
    joules += replicaBusyNs.reduce((sum, busyNs, replica) => {
      const busy = Math.min(busyNs, endNs) / 1e9;
      const on = replicaOnNs === undefined ? seconds : replicaOnNs[replica]! / 1e9;
      return sum + devicesPerReplica * (powerW * busy + idleW * Math.max(0, on - busy));
    }, 0);
    const idle = idlePowerW === null ? "0 W between steps, for lack of a figure" : `${idleW} W between steps`;
    powers.push(`${powerW} W (board power) while a step runs, ${idle}`);
  }
  return {
    energy: { joulesPerOutputToken: joules / outputTokens, averageW: joules / seconds },
    ledger: [{ topic: "energy", fidelity: "assumed", detail: `devices only: ${[...new Set(powers)].join("; ")}` }],
  };
}
