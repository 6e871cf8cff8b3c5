/** Sizes that groups of a number of items may have. */
export interface GroupSizes {
  /** [groups] fewest and most items of each. */
  readonly least: ArrayLike<number>;
  readonly most: ArrayLike<number>;
}

/** Relative improvement below which an exchange is rounding noise. */
const leastImprovement = 1e-9;

/**
 * Groups items so that much of their affinity is inside groups. Each group in turn grows from the item with most affinity to the
 * items that are left, by the one with most affinity to the group; exchanges and moves within the sizes then improve the whole
 * as long as one helps (Kernighan and Lin's exchanges, one at a time).
 * @param affinity [items][items] symmetric, >= 0, diagonal ignored
 * @returns [items] group of each
 */
export function groupByAffinity(affinity: Float64Array, { least, most }: GroupSizes): Uint16Array {
  const groups = most.length;
  const items = Math.round(Math.sqrt(affinity.length));
  const groupOf = new Int32Array(items).fill(-1);
  const counts = new Uint32Array(groups);
  const spare = new Array<number>(groups).fill(0);
  // Later groups need at least their least, so that a group takes no more than they leave.
  for (let group = groups - 2; group >= 0; group--) spare[group] = spare[group + 1]! + least[group + 1]!;
  let left = items;
  const inLeft = new Float64Array(items);
  for (let a = 0; a < items; a++) for (let b = 0; b < items; b++) if (a !== b) inLeft[a]! += affinity[a * items + b]!;
  for (let group = 0; group < groups; group++) {
    // An even share of what is left, within the sizes.
    const even = Math.ceil(left / (groups - group));
    const target = Math.max(
      Math.min(most[group]!, even, left - spare[group]!),
      left - sumFrom(most, group + 1),
      least[group]!,
      0,
    );
    const inGroup = new Float64Array(items);
    while (counts[group]! < target && left > 0) {
      const score = counts[group] === 0 ? inLeft : inGroup;
      let best = -1;
      for (let item = 0; item < items; item++)
        if (groupOf[item]! < 0 && (best < 0 || score[item]! > score[best]!)) best = item;
      groupOf[best] = group;
      counts[group]! += 1;
      left -= 1;
      for (let item = 0; item < items; item++) {
        inGroup[item]! += affinity[best * items + item]!;
        inLeft[item]! -= affinity[best * items + item]!;
      }
    }
  }
  const out = Uint16Array.from(groupOf);
  improveGroups(affinity, { least, most }, out, counts);
  return out;
}

function sumFrom(values: ArrayLike<number>, from: number): number {
  let sum = 0;
  for (let at = from; at < values.length; at++) sum += values[at]!;
  return sum;
}

/** Exchanges and moves items, the best partner of each in turn, until none helps. */
function improveGroups(affinity: Float64Array, { least, most }: GroupSizes, groupOf: Uint16Array, counts: Uint32Array) {
  const groups = most.length;
  const items = groupOf.length;
  /** [items][groups] affinity of an item to the other items of a group. */
  const to = new Float64Array(items * groups);
  for (let a = 0; a < items; a++)
    for (let b = 0; b < items; b++) if (a !== b) to[a * groups + groupOf[b]!]! += affinity[a * items + b]!;
  const put = (item: number, group: number) => {
    const from = groupOf[item]!;
    for (let other = 0; other < items; other++) {
      if (other === item) continue;
      to[other * groups + from]! -= affinity[other * items + item]!;
      to[other * groups + group]! += affinity[other * items + item]!;
    }
    counts[from]! -= 1;
    counts[group]! += 1;
    groupOf[item] = group;
  };
  for (let improved = true; improved; ) {
    improved = false;
    for (let item = 0; item < items; item++) {
      const mine = groupOf[item]!;
      let best = leastImprovement * (1 + to[item * groups + mine]!);
      let partner = -1;
      let target = -1;
      for (let other = 0; other < items; other++) {
        const theirs = groupOf[other]!;
        if (theirs === mine) continue;
        const gain =
          to[item * groups + theirs]! -
          to[item * groups + mine]! +
          to[other * groups + mine]! -
          to[other * groups + theirs]! -
          2 * affinity[item * items + other]!;
        if (gain <= best) continue;
        best = gain;
        partner = other;
        target = theirs;
      }
      if (counts[mine]! > least[mine]!)
        for (let group = 0; group < groups; group++) {
          if (group === mine || counts[group]! >= most[group]!) continue;
          const gain = to[item * groups + group]! - to[item * groups + mine]!;
          if (gain <= best) continue;
          best = gain;
          partner = -1;
          target = group;
        }
      if (target < 0) continue;
      improved = true;
      put(item, target);
      if (partner >= 0) put(partner, mine);
    }
  }
}

/** Share of all affinity that is inside groups; 1 where there is none. */
export function shareInside(affinity: Float64Array, groupOf: ArrayLike<number>): number {
  const items = groupOf.length;
  let inside = 0;
  let all = 0;
  for (let a = 0; a < items; a++)
    for (let b = 0; b < items; b++) {
      if (a === b) continue;
      all += affinity[a * items + b]!;
      if (groupOf[a] === groupOf[b]) inside += affinity[a * items + b]!;
    }
  return all === 0 ? 1 : inside / all;
}
