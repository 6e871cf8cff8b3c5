import type { Device, Node } from "../../../hardware/device.ts";
import { nodeNamed, systemIds, systemProfileNamed } from "../../../hardware/named-profiles.ts";
import type { Change, Situation } from "../../advice/advice-rule.ts";
import type { IdealName } from "../ideals/ideals.ts";
import type { PurchaseRule } from "./purchase-rule.ts";

/** A figure of a device of which more is wanted. */
type Figure = (device: Device) => number;

const memory: Figure = ({ memoryBytes }) => memoryBytes;
const bandwidth: Figure = ({ memoryBytesPerSecond }) => memoryBytesPerSecond;
const flops: Figure = ({ peak }) => peak.bf16 ?? 0;
const betweenDevices: Figure = ({ scaleUp }) => (scaleUp === null ? 0 : scaleUp.bytesPerSecond * scaleUp.efficiency);
const all: readonly Figure[] = [memory, bandwidth, flops, betweenDevices];

/** More of a figure is so much more at least; less of another one is what is below this share of it. */
const more = 1.1;
const asMuch = 0.95;
/** Systems that are tried, at most. */
const systemsMax = 2;

/** Whether a node can stand where another one does: as many devices of the same kind, joined to the host alike. */
const alike = (node: Node, own: Node): boolean =>
  node.devicesPerNode === own.devicesPerNode &&
  node.device.kind === own.device.kind &&
  node.device.platform === own.device.platform &&
  (node.device.hostLink === null) === (own.device.hostLink === null);

/** Systems of the catalogue with more of a figure and as much of the others, the least increase first. */
function systemsWithMore({ config }: Situation, figure: Figure): { id: string; node: Node }[] {
  const { node: own } = config;
  return systemIds
    .map((id) => ({ id, node: nodeNamed(id) }))
    .filter(
      ({ node }) =>
        alike(node, own) &&
        figure(node.device) >= more * figure(own.device) &&
        all.every((other) => other(node.device) >= asMuch * other(own.device)),
    )
    .sort((a, b) => figure(a.node.device) - figure(b.node.device))
    .slice(0, systemsMax);
}

/** The settings that put another system in the place of the scenario's. */
const placed = (id: string): string[] => [`hardware.system=${id}`];

const withMore = (figure: Figure, towards: readonly IdealName[], settings: readonly string[] = []): PurchaseRule => ({
  towards,
  kind: "hardware",
  changes: (situation) =>
    situation.config.node.device.scaleUp === null && figure === betweenDevices
      ? []
      : systemsWithMore(situation, figure).map(
          ({ id }): Change => ({
            text: `the system ${systemProfileNamed(id).name}`,
            set: [...placed(id), ...settings],
          }),
        ),
});

export const fasterMemory = withMore(bandwidth, ["infiniteMemory"]);
export const moreFlops = withMore(flops, ["infiniteCompute"]);
export const fasterLinks = withMore(betweenDevices, ["freeExchange", "freeHandover"]);
export const largerMemory = withMore(memory, ["twiceKv"]);
/** Devices that hold all experts have no use for a cache. */
export const roomForExperts: PurchaseRule = {
  towards: ["residentExperts"],
  kind: "hardware",
  changes: (situation) =>
    situation.config.offload === null
      ? []
      : withMore(memory, [], ["policy.offload=null"])
          .changes(situation)
          .map(({ text, set }) => ({ text: `${text}, all experts in device memory`, set })),
};
