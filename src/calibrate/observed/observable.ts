import { poolsOf, type SimConfig } from "../../sim/config.ts";

/**
 * Whether measurements can adjust a deployment: it has one pool. Of several, a latency does not say which engine made
 * it.
 */
export const isObservable = (config: SimConfig): boolean => poolsOf(config).length === 1;
