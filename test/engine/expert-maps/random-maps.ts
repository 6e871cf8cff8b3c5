import fc from "fast-check";
import { type ExpertMap, emptySlot, type MapContext } from "../../../src/engine/expert-maps/expert-map.ts";

/** A map with the model that it is of. */
export interface MapCase {
  readonly map: ExpertMap;
  readonly context: MapContext;
}

/** What a drawn map may have. */
interface Traits {
  readonly copies: boolean;
  readonly twins: boolean;
  /** Slots that hold nothing, at the ends of ranks. */
  readonly empty: boolean;
}

/**
 * Random maps: experts in any order, dense layers before and among those with experts, and as many copies, twins and empty slots as
 * `traits` allow. Every expert has a slot.
 */
export const anyMap = (traits: Traits): fc.Arbitrary<MapCase> =>
  fc
    .record({
      dense: fc.array(fc.boolean(), { minLength: 1, maxLength: 5 }),
      experts: fc.integer({ min: 1, max: 20 }),
      ranks: fc.integer({ min: 1, max: 5 }),
      extra: fc.integer({ min: 0, max: 3 }),
      keys: fc.array(fc.nat(1_000_000), { minLength: 40, maxLength: 40 }),
    })
    .map(({ dense, experts, ranks: most, extra, keys }) => {
      const ranks = Math.min(most, experts);
      const least = Math.ceil(experts / ranks);
      // Without empty slots and copies the slots are the experts, so ranks must divide them.
      const whole = traits.empty || traits.copies ? experts : least * ranks;
      const perRank = least + (traits.copies ? extra : traits.empty ? extra : 0);
      const moeLayers = [...dense.keys()].filter((layer) => layer === 0 || dense[layer]);
      const slots = perRank * ranks;
      const logicalExperts = new Uint16Array(moeLayers.length * slots).fill(emptySlot);
      for (const [layer] of moeLayers.entries()) {
        const order = Array.from({ length: whole }, (_, i) => i).sort(
          (a, b) => keys[(a + layer) % 40]! - keys[(b + layer) % 40]! || a - b,
        );
        const held: number[][] = Array.from({ length: ranks }, () => []);
        for (const [i, expert] of order.entries()) held[i % ranks]!.push(expert);
        for (const [rank, one] of held.entries())
          for (
            let expert = keys[layer]! % whole, tried = 0;
            traits.copies && one.length < perRank && tried < 3 * whole;
            tried++
          ) {
            expert = (expert + 1) % whole;
            if (traits.twins || !one.includes(expert)) one.push(expert);
            if (traits.empty && keys[rank]! % 3 === 0) break;
          }
        for (const [rank, one] of held.entries()) logicalExperts.set(one, layer * slots + rank * perRank);
      }
      const context: MapContext = { file: "map", layers: dense.length, moeLayers, experts: whole, groups: 1, ranks };
      return { map: { layers: moeLayers.length, experts: whole, slots, ranks, logicalExperts, notes: [] }, context };
    });
