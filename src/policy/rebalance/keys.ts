import { z } from "zod";
import { livePlacementNames } from "../placement/live-placements.ts";

/** Forward passes that a run may count up to. */
const passesMax = 1e9;

export const passes = () => z.int().min(1).max(passesMax);

/** Who makes the new map. */
export const placementKey = () =>
  z
    .enum(livePlacementNames)
    .default("eplb")
    .describe("Algorithm that makes the new map from the loads, with its parameters where it is placement.kind too.");

/** All layers of a model, by number. */
export const allLayers = (layers: number): number[] => Array.from({ length: layers }, (_, layer) => layer);
