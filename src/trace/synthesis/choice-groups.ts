/** How choices of a token lie in groups: contiguous ones of as many experts each. */
export interface ChoiceGroups {
  /** 1: no groups. */
  readonly groups: number;
  /**
   * Groups that the experts of a token may lie in (group-limited routers, DeepSeek-V3); absent: as many experts from each group
   * (grouped top-k, MoGE).
   */
  readonly groupsKept?: number;
}

/** Whether every group gives equally many experts. */
export const givesEqually = ({ groups, groupsKept }: ChoiceGroups): boolean => groups > 1 && groupsKept === undefined;

/** Whether a token may not have experts of all groups. */
export const limitsGroups = ({ groups, groupsKept }: ChoiceGroups): boolean =>
  groupsKept !== undefined && groupsKept < groups;
