import type { Link, MemoryTier } from "../device.ts";
import { transferNs } from "../link-transfer.ts";
import type { CopyOp } from "../op.ts";
import { type CostContext, missing, type OpCost } from "./context.ts";

/** Copies over one link that nothing else uses. */
export function copyCost({ device, node }: CostContext): OpCost<CopyOp> {
  const near: Link | null = device.scaleUp ?? device.hostLink;
  const disk = node.tiers.find((tier: MemoryTier) => tier.kind === "nvme")?.read ?? null;
  return (op) => {
    switch (op.link) {
      case "hostToDevice":
      case "deviceToHost":
        // Unified memory: the device reads in place.
        return device.hostLink === null ? 0 : transferNs(device.hostLink, op.bytes);
      case "disk":
        return transferNs(disk ?? missing("an NVMe tier", device), op.bytes);
      case "scaleUp":
        return transferNs(near ?? missing("a link between devices", device), op.bytes);
      case "scaleOut":
        return transferNs(device.scaleOut ?? missing("a scale-out link", device), op.bytes);
    }
  };
}
