import type { Link, MemoryTier } from "../device.ts";
import { transferNs } from "../link-transfer.ts";
import type { CopyOp } from "../op.ts";
import { tierKinds } from "../tier-kinds.ts";
import { type CostContext, missing, nsPerSecond, type OpCost } from "./context.ts";

/** The link that a copy crosses; null in unified memory, where the device reads in place. */
function linkOf({ device, node }: CostContext): (op: CopyOp) => Link | null {
  const near: Link | null = device.scaleUp ?? device.hostLink;
  const disk = node.tiers.find((tier: MemoryTier) => tierKinds[tier.kind].access === "disk")?.read ?? null;
  return (op) => {
    switch (op.link) {
      case "hostToDevice":
      case "deviceToHost":
        return device.hostLink;
      case "disk":
        return disk ?? missing("an NVMe tier", device);
      case "scaleUp":
        return near ?? missing("a link between devices", device);
      case "scaleOut":
        return device.scaleOut ?? missing("a scale-out link", device);
    }
  };
}

/** Copies over one link that nothing else uses. */
export function copyCost(context: CostContext): OpCost<CopyOp> {
  const linkFor = linkOf(context);
  return (op) => {
    const link = linkFor(op);
    return link === null ? 0 : transferNs(link, op.bytes);
  };
}

/** The bytes at the nominal rate of the link. */
export function copyFloor(context: CostContext): OpCost<CopyOp> {
  const linkFor = linkOf(context);
  return (op) => {
    const link = linkFor(op);
    return link === null ? 0 : (op.bytes * nsPerSecond) / link.bytesPerSecond;
  };
}
