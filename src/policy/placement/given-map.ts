import { z } from "zod";
import { InvalidInputError, refuse } from "../../core/errors.ts";
import { expertMapFormatNames } from "../../engine/expert-maps/expert-map-formats.ts";
import type { Placement, PlacementInput, PlacementPolicy } from "./placement.ts";
import { placementProblems } from "./placement-measures.ts";

const parameters = {
  file: z.string().min(1).describe("The map, in a file that a serving engine takes: docs/expert-maps.md."),
  format: z
    .enum(["auto", ...expertMapFormatNames])
    .default("auto")
    .describe("Format of the file; auto looks at how it begins."),
};

/** The map of a file, such as the one in production. It decides nothing: whoever resolves it reads the file. */
export const givenMap: PlacementPolicy<typeof parameters> = {
  name: "file",
  rule: "the expert map of a file, as serving engines take it",
  parameters,
  needs: ["map"],
  makesCopies: true,
  place: (input) => placed(input),
};

/** The map that is given, once it is known to be one of the layers, experts and ranks that are asked for. */
function placed({ map, layers, experts, ranks, physicalExperts }: PlacementInput): Placement {
  if (map === undefined) return refuse({ at: "placement.map", expected: "a map", found: "none" });
  const fits = map.layers === layers && map.experts === experts && map.ranks === ranks;
  if (!fits || map.physicalExpertsPerRank * ranks !== physicalExperts)
    refuse({
      at: "placement.map",
      expected: `${layers} layers of ${experts} experts in ${physicalExperts} slots on ${ranks} ranks`,
      found: `${map.layers} of ${map.experts} in ${map.physicalExpertsPerRank * map.ranks} on ${map.ranks}`,
    });
  const problems = placementProblems(map, "placement.map");
  if (problems.length > 0) throw new InvalidInputError(problems);
  return map;
}
