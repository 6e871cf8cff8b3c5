import { poolsOf, type SimConfig } from "../../sim/config.ts";

/**
 * Whether measurements can adjust a deployment: it has one pool, whose replicas all run from start to end. Of several pools a
 * latency does not say which engine made it, and a point is one replica's.
 */
export const isObservable = (config: SimConfig): boolean =>
  poolsOf(config).length === 1 && config.scaling === undefined;
