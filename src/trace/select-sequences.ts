/** What the loader knows of the sequences of a trace before it reads any ids. */
export interface SequenceFacts {
  /** Rows of each sequence. */
  readonly lengths: readonly number[];
  /** Domain index of each sequence. */
  readonly domainOf: readonly number[];
}

/** The rows to take of each sequence: its first `rows`, 0 for none. */
export interface SequenceSelection {
  readonly rows: readonly number[];
  readonly rowsTotal: number;
  /** Sequences of which only a leading part was taken, because no whole one fitted its domain's share. */
  readonly cut: number;
}

/**
 * Whole sequences up to `rowsMax` rows, shared evenly between the domains: a domain that needs less than its share
 * leaves the rest to the others. Inside a domain sequences are tried in bit-reversed order of their number, which
 * spreads any leading part of that order over the whole recording. Deterministic.
 */
export function selectSequences(facts: SequenceFacts, rowsMax: number): SequenceSelection {
  const { lengths, domainOf } = facts;
  const byDomain = new Map<number, number[]>();
  for (const [sequence, domain] of domainOf.entries()) {
    const members = byDomain.get(domain);
    if (members === undefined) byDomain.set(domain, [sequence]);
    else members.push(sequence);
  }
  const total = lengths.reduce((sum, length) => sum + length, 0);
  if (total <= rowsMax) return { rows: lengths, rowsTotal: total, cut: 0 };

  const rows = lengths.map(() => 0);
  let rowsTotal = 0;
  let cut = 0;
  for (const { members, share } of shares(byDomain, lengths, rowsMax)) {
    let left = share;
    for (const place of bitReversedOrder(members.length)) {
      const sequence = members[place] ?? 0;
      const length = lengths[sequence] ?? 0;
      if (length > left) continue;
      rows[sequence] = length;
      left -= length;
    }
    const first = members[0] ?? 0;
    if (left === share && share > 0) {
      rows[first] = share;
      left = 0;
      cut += 1;
    }
    rowsTotal += share - left;
  }
  return { rows, rowsTotal, cut };
}

/** Splits the budget over the domains, smallest first, so that what a small one leaves goes to the larger ones. */
function shares(byDomain: ReadonlyMap<number, number[]>, lengths: readonly number[], rowsMax: number) {
  const domains = [...byDomain.values()].map((members) => ({
    members,
    need: members.reduce((sum, sequence) => sum + (lengths[sequence] ?? 0), 0),
  }));
  domains.sort((a, b) => a.need - b.need);
  let left = rowsMax;
  return domains.map(({ members, need }, i) => {
    const share = Math.min(need, Math.floor(left / (domains.length - i)));
    left -= share;
    return { members, share };
  });
}

/** 0 .. count-1 in the order of their reversed bits (van der Corput): 0, 4, 2, 6, 1, 5, 3, 7 for 8. */
export function* bitReversedOrder(count: number): Generator<number> {
  let bits = 0;
  while (1 << bits < count) bits += 1;
  for (let i = 0; i < 1 << bits; i++) {
    let reversed = 0;
    for (let bit = 0; bit < bits; bit++) if ((i >> bit) & 1) reversed |= 1 << (bits - 1 - bit);
    if (reversed < count) yield reversed;
  }
}
