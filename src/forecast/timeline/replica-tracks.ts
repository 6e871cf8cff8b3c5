import type { Pool } from "../../sim/pool.ts";
import type { Replica } from "../../sim/replica.ts";
import type { Tracks } from "./tracks.ts";

/** Tracks of a pipeline stage of a replica: of ranks those of the first, the others follow. */
export interface StageTracks {
  readonly stage: number;
  readonly interconnect: number;
  readonly attention: number;
  readonly experts: number;
}

/** Tracks of a replica. */
export interface ReplicaTracks {
  readonly process: number;
  readonly stages: readonly StageTracks[];
  /** [steps in flight] from stage to stage; none where there is one. */
  readonly handOns: readonly number[];
}

/** Adds the process of a replica with all its tracks. */
export function replicaTracks(tracks: Tracks, pool: Pool, replica: Replica): ReplicaTracks {
  const { mapping, name } = pool.config;
  const { plans } = replica;
  const process = tracks.process(`${name === undefined ? "" : `${name}: `}replica ${pool.ownIndex(replica)}`);
  const add = (text: string) => tracks.add(process, text);
  const several = (count: number, label: (i: number) => string) => {
    const first = tracks.list.length;
    for (let i = 0; i < count; i++) add(label(i));
    return first;
  };
  const stages = plans.map((_, s) => {
    const of = plans.length > 1 ? `, stage ${s}` : "";
    return {
      stage: add(plans.length > 1 ? `stage ${s}` : "steps"),
      interconnect: add(`device interconnect${of}`),
      attention: several(mapping.dp, (rank) => `data-parallel rank ${rank}${of}`),
      experts: several(mapping.ep * mapping.edp, (rank) => `expert rank ${rank}${of}`),
    };
  });
  const handOns = plans.length > 1 ? plans.map((_, slot) => add(`between stages, step slot ${slot}`)) : [];
  return { process, stages, handOns };
}
