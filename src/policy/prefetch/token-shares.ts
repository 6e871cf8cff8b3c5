import type { RoutingTable } from "../../trace/routing-table.ts";

/** What the tokens of a table chose, by token of the vocabulary and recorded layer. */
export interface TokenShares {
  /** Place of each token that occurs. */
  readonly placeOf: ReadonlyMap<number, number>;
  /** [places x layers + 1] where the experts of a token in a layer begin: at place x layers + layer. */
  readonly starts: Uint32Array;
  readonly experts: Uint16Array;
  /** Share of the token's rows that chose the expert. */
  readonly shares: Float32Array;
}

/** Counts over the rows of a table: room for as many experts as it has choices, at most. */
export function tokenShares({ ids, rows, layers, topK, experts }: RoutingTable, tokens: Uint32Array): TokenShares {
  const byToken = Uint32Array.from({ length: rows }, (_, row) => row).sort((a, b) => tokens[a]! - tokens[b]! || a - b);
  const placeOf = new Map<number, number>();
  for (const row of byToken) if (!placeOf.has(tokens[row]!)) placeOf.set(tokens[row]!, placeOf.size);
  const starts = new Uint32Array(placeOf.size * layers + 1);
  const listed = new Uint16Array(rows * layers * topK);
  const shares = new Float32Array(rows * layers * topK);
  const counts = new Uint32Array(experts);
  let end = 0;
  let place = 0;
  for (let from = 0; from < rows; place++) {
    let to = from;
    while (to < rows && tokens[byToken[to]!] === tokens[byToken[from]!]) to++;
    for (let layer = 0; layer < layers; layer++) {
      starts[place * layers + layer] = end;
      counts.fill(0);
      for (let i = from; i < to; i++) {
        const first = (byToken[i]! * layers + layer) * topK;
        for (let at = first; at < first + topK; at++) if (ids[at]! < experts) counts[ids[at]!]!++;
      }
      for (let expert = 0; expert < experts; expert++) {
        if (counts[expert] === 0) continue;
        listed[end] = expert;
        shares[end++] = counts[expert]! / (to - from);
      }
    }
    from = to;
  }
  starts[place * layers] = end;
  return { placeOf, starts, experts: listed.slice(0, end), shares: shares.slice(0, end) };
}
