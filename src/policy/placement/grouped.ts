import { InvalidInputError, type Problem } from "../../core/errors.ts";
import type { LivePlacementPolicy, PlacementInput } from "./placement.ts";
import { checkPlacementInput, placementFromRanks } from "./placement-input.ts";
import { rankRooms } from "./rank-rooms.ts";

/**
 * Mixture of Grouped Experts (Pangu Pro MoE, arXiv 2505.21411): a router that takes equally many experts of each group gives
 * ranks of whole groups the same load with every token. Each rank holds one group, or several that follow one another.
 * Groups that ranks do not divide would break that, and are refused.
 */
export const grouped: LivePlacementPolicy = {
  name: "grouped",
  rule: "whole groups of the router on each rank, in order",
  parameters: {},
  needs: [],
  makesCopies: false,
  place: (input) => {
    checkPlacementInput(input);
    checkGroups(input);
    const { experts, ranks } = input;
    return placementFromRanks(input, () =>
      Uint16Array.from({ length: experts }, (_, expert) => Math.floor((expert * ranks) / experts)),
    );
  },
};

function checkGroups(input: PlacementInput): void {
  const { experts, groups, ranks } = input;
  const problems: Problem[] = [];
  if (groups % ranks !== 0)
    problems.push({
      at: "placement.groups",
      expected: `groups of the router that ${ranks} ranks divide, for grouped`,
      found: groups,
    });
  if (experts % groups !== 0)
    problems.push({
      at: "placement.experts",
      expected: `experts that ${groups} groups of the router divide, for grouped`,
      found: experts,
    });
  if (problems.length > 0) throw new InvalidInputError(problems);
  const perRank = experts / ranks;
  const rooms = rankRooms(input);
  const small = rooms.findIndex((room) => room < perRank);
  if (small >= 0)
    throw new InvalidInputError([
      {
        at: `placement.rankCopiesMax[${small % ranks}]`,
        expected: `room for the ${perRank} experts of its groups`,
        found: rooms[small],
      },
    ]);
}
