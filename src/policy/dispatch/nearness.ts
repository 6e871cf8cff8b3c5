import type { DispatchTopology } from "./dispatch.ts";

/** How far an expert rank is from a device: it lies on it, shares its node, or neither. */
export type Nearness = 0 | 1 | 2;

/** Devices of a stage. */
export const devicesOfStage = ({ sources, devicesPerSource }: DispatchTopology): number => sources * devicesPerSource;

/** How far expert rank `rank` is from `device`, by the nearest of its devices. */
export function nearness(device: number, rank: number, { devicesPerRank, devicesPerNode }: DispatchTopology): Nearness {
  if (Math.floor(device / devicesPerRank) === rank) return 0;
  const node = Math.floor(device / devicesPerNode);
  const first = rank * devicesPerRank;
  const nodes = [
    Math.floor(first / devicesPerNode),
    Math.floor((first + devicesPerRank - 1) / devicesPerNode),
  ] as const;
  return nodes[0] <= node && node <= nodes[1] ? 1 : 2;
}
