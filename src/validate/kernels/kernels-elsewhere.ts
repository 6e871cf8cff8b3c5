import type { Band } from "../../forecast/bands/band.ts";
import { relativesOf } from "../../hardware/architectures.ts";
import { groupBand } from "../serving/group-band.ts";
import type { KernelGroupError } from "./kernel-groups.ts";

/**
 * The band of kernels on a GPU of an architecture that no map had seen, from `validate --kernels --leave-out system`: levels
 * measured / forecast of each kind of kernels on each GPU without a measured relative. What is left out together is the
 * GPU. A level is that of many kernels, as a step is made of many; the scatter of single kernels averages out.
 */
export function kernelsElsewhere(groups: readonly KernelGroupError[], nominal: number): Band {
  const measured = new Set(groups.map(({ device }) => device));
  const levels = groups.flatMap(({ device, level }) => {
    if (device === null || relativesOf(device).some((relative) => relative !== device && measured.has(relative)))
      return [];
    return [{ setup: device, part: device, log: Math.log(level) }];
  });
  return groupBand(levels, nominal);
}
