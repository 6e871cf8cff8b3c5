import { formatNumber } from "../../../core/units.ts";
import { links, tiers } from "../../../hardware/catalogue.ts";
import { tierKinds } from "../../../hardware/tier-kinds.ts";
import type { Change } from "../../advice/advice-rule.ts";
import type { PurchaseRule } from "./purchase-rule.ts";

/** Faster is so much faster at least. */
const faster = 1.1;

const perSecond = (bytes: number): string => `${formatNumber(bytes / 1e9, 6)}GB/s`;

/** A slot of the next generation of PCIe, with as many lanes. */
export const fasterSlot: PurchaseRule = {
  towards: ["freeHostLink"],
  kind: "hardware",
  changes: ({ config: { node } }) => {
    const own = node.device.hostLink;
    if (own === null || !own.name.startsWith("PCIe")) return [];
    const rate = own.bytesPerSecond * own.efficiency;
    const lanes = own.name.split(" ").at(-1);
    return links()
      .filter(({ name }) => name.startsWith("PCIe") && name.split(" ").at(-1) === lanes)
      .map(({ name, bytesPerSecond, efficiency }) => ({ name, bytes: bytesPerSecond.value * efficiency.value }))
      .filter(({ bytes }) => bytes >= faster * rate)
      .sort((a, b) => a.bytes - b.bytes)
      .slice(0, 1)
      .map(
        ({ name, bytes }): Change => ({
          text: `card and slot of ${name}, ${perSecond(bytes)}`,
          set: [`hardware.hostLink.bandwidth=${perSecond(bytes)}`],
        }),
      );
  },
};

/** Tiers that can take each other's place: memory of as many channels, disks of another generation. */
const familyOf = (id: string): string => id.replace(/^ddr\d-\d+/, "ddr").replace(/^nvme-gen\d$/, "nvme");

/** The next faster tier of the table in the place of the nearest one of a kind of access. */
const fasterTier = (access: "memory" | "disk", towards: PurchaseRule["towards"]): PurchaseRule => ({
  towards,
  kind: "hardware",
  changes: ({ config: { node } }) => {
    const own = node.tiers.find(({ kind }) => tierKinds[kind].access === access);
    if (own === undefined) return [];
    const rate = own.read.bytesPerSecond * own.read.efficiency;
    return tiers()
      .filter(({ id }) => familyOf(id) === familyOf(own.id))
      .map(({ name, bytesPerSecond, efficiency }) => ({ name, bytes: bytesPerSecond.value * efficiency.value }))
      .filter(({ bytes }) => bytes >= faster * rate)
      .sort((a, b) => a.bytes - b.bytes)
      .slice(0, 1)
      .map(
        ({ name, bytes }): Change => ({
          text: `${name}, ${perSecond(bytes)}`,
          set: [`hardware.tiers.${own.kind}.bandwidth=${perSecond(bytes)}`],
        }),
      );
  },
});

export const fasterDisk = fasterTier("disk", ["freeDisk"]);
export const fasterHostMemory = fasterTier("memory", ["freeHost"]);

/** Twice as many copies of the deployment behind one router. */
export const moreReplicas: PurchaseRule = {
  towards: ["halfLoad"],
  kind: "hardware",
  changes: ({ config }) =>
    config.scaling !== undefined
      ? []
      : [
          {
            text: `${2 * config.replicas} replicas in place of ${config.replicas}, on twice the devices`,
            set: [`parallel.replicas=${2 * config.replicas}`],
          },
        ],
};
