import type { Device, HostProcessors, Node } from "./device.ts";
import { tierKinds } from "./tier-kinds.ts";

/**
 * All processors of a host as one device that computes what lies in the first memory tier; null where they are not known,
 * or where the node has no memory apart from its devices. Each socket reads its own part of the memory: weights are cut
 * over the sockets, or every socket has a copy, so that nothing crosses between them. Kernels reach the share of the
 * bandwidth that the profile of the processor says, or all of a bandwidth that is stated as reached (efficiency 1).
 */
export function hostDevice({ host, tiers }: Node): Device | null {
  const [tier] = tiers;
  if (host === undefined || tier === undefined || tierKinds[tier.kind].access === "disk") return null;
  const { device, count } = host;
  const { efficiency } = device;
  const memoryBytesPerSecond = tier.read.bytesPerSecond;
  const reached = (share: number) => (tier.read.efficiency === 1 ? 1 : share);
  const cores = coreBound(device, count, memoryBytesPerSecond);
  return {
    ...device,
    name: count === 1 ? device.name : `${count} x ${device.name}`,
    peak: scaled(device.peak, count),
    ...(device.vectorFlopsPerSecond === undefined ? {} : { vectorFlopsPerSecond: device.vectorFlopsPerSecond * count }),
    memoryBytes: tier.bytes,
    memoryBytesPerSecond,
    efficiency: {
      ...efficiency,
      gemmMemory: Math.min(reached(efficiency.gemmMemory), cores),
      groupedGemmMemory: Math.min(reached(efficiency.groupedGemmMemory), cores),
    },
  };
}

/** Share of the bandwidth that the cores of `count` processors can read at most. */
function coreBound({ cores, coreBytesPerSecond }: Device, count: number, memoryBytesPerSecond: number): number {
  if (cores === undefined || coreBytesPerSecond === undefined) return 1;
  return Math.min(1, (cores * count * coreBytesPerSecond) / memoryBytesPerSecond);
}

/** Processors of which `threads` cores, over all of them, compute experts; the other ones are the engine's own. */
export function withThreads(host: HostProcessors, threads: number): HostProcessors {
  const { device, count } = host;
  if (device.cores === undefined) return host;
  const cores = Math.min(device.cores, threads / count);
  return { count, device: { ...device, cores, peak: scaled(device.peak, cores / device.cores) } };
}

function scaled(peak: Device["peak"], factor: number): Device["peak"] {
  return Object.fromEntries(Object.entries(peak).map(([math, rate]) => [math, rate * factor]));
}
