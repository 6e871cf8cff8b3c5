/** Consecutive sequences [from, to) that go through a layer together. */
export interface SequenceGroup {
  readonly from: number;
  readonly to: number;
}

/** Whole sequences in groups of at most `rowsMax` rows; a longer sequence is a group of its own. */
export function groupSequences(starts: Uint32Array, rowsMax: number): SequenceGroup[] {
  const groups: SequenceGroup[] = [];
  let from = 0;
  for (let to = 1; to < starts.length; to++)
    if (to + 1 === starts.length || starts[to + 1]! - starts[from]! > rowsMax) {
      groups.push({ from, to });
      from = to;
    }
  return groups;
}

/** Tokens of the longest sequence. */
export function longest(starts: Uint32Array): number {
  let tokens = 0;
  for (let s = 0; s + 1 < starts.length; s++) tokens = Math.max(tokens, starts[s + 1]! - starts[s]!);
  return tokens;
}
