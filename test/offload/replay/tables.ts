import fc from "fast-check";
import type { RoutedCalls } from "../../../src/offload/replay/routed-calls.ts";
import type { RoutingTable } from "../../../src/trace/routing-table.ts";

/** Tokens as [layer][choices], in sequences of these lengths, all of one domain. */
export function tokensTable(
  tokens: readonly (readonly (readonly number[])[])[],
  experts: number,
  lengths: readonly number[],
): RoutingTable {
  const topK = tokens[0]![0]!.length;
  const layers = tokens[0]!.length;
  const starts = [0];
  for (const length of lengths) starts.push(starts.at(-1)! + length);
  return {
    experts,
    topK,
    layers,
    rows: tokens.length,
    ids: Uint8Array.from(tokens.flat(2)),
    sequenceStarts: Uint32Array.from(starts),
    domains: ["all"],
    domainStarts: Uint32Array.of(0, tokens.length),
    modelLayers: Array.from({ length: layers }, (_, layer) => layer),
    origin: { kind: "synthesised", name: "t", digest: "", sourceRows: tokens.length, phase: "decode", notes: [] },
  };
}

/** Random tables: 2 to 6 sequences over 1 to 3 layers, choices skewed towards low ids. */
export const anyTable: fc.Arbitrary<RoutingTable> = fc
  .record({
    experts: fc.integer({ min: 3, max: 9 }),
    layers: fc.integer({ min: 1, max: 3 }),
    lengths: fc.array(fc.integer({ min: 1, max: 12 }), { minLength: 2, maxLength: 6 }),
  })
  .chain(({ experts, layers, lengths }) => {
    const rows = lengths.reduce((sum, length) => sum + length, 0);
    const expert = fc.oneof(fc.nat(experts - 1), fc.nat(Math.ceil(experts / 3)));
    const choice = fc.uniqueArray(expert, { minLength: 2, maxLength: 2 });
    const layer = fc.array(choice, { minLength: layers, maxLength: layers });
    return fc.array(layer, { minLength: rows, maxLength: rows }).map((tokens) => tokensTable(tokens, experts, lengths));
  });

/** The calls as lists of keys. */
export const callsOf = ({ keys, starts, calls }: RoutedCalls): number[][] =>
  Array.from({ length: calls }, (_, call) => [...keys.subarray(starts[call], starts[call + 1])]);

/** The choices of a token in a layer. */
export const choicesOf = ({ ids, layers, topK }: RoutingTable, row: number, layer: number): number[] => [
  ...ids.subarray((row * layers + layer) * topK, (row * layers + layer + 1) * topK),
];
