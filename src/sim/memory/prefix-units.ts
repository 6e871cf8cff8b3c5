import type { PrefixIds } from "./kv-blocks.ts";

/**
 * Prefix blocks joined to units of whole KV blocks: the least common multiple of both sizes. Engines share whole KV
 * blocks only, so a unit is shared when all its prefix blocks are equal. Unchanged where sizes already fit.
 */
export function prefixUnits(prefix: PrefixIds, blockTokens: number): PrefixIds {
  const perUnit = blockTokens / greatestCommonDivisor(prefix.blockTokens, blockTokens);
  if (perUnit === 1) return prefix;
  const requests = prefix.offsets.length - 1;
  const offsets = new Uint32Array(requests + 1);
  const ids: number[] = [];
  const known = new Map<string, number>();
  for (let request = 0; request < requests; request++) {
    const end = prefix.offsets[request + 1]!;
    for (let at = prefix.offsets[request]!; at < end; at += perUnit) {
      const name = prefix.ids.subarray(at, Math.min(at + perUnit, end)).join(",");
      const id = known.get(name) ?? known.size;
      known.set(name, id);
      ids.push(id);
    }
    offsets[request + 1] = ids.length;
  }
  return { blockTokens: prefix.blockTokens * perUnit, offsets, ids: Uint32Array.from(ids) };
}

function greatestCommonDivisor(a: number, b: number): number {
  return b === 0 ? a : greatestCommonDivisor(b, a % b);
}
