/** How many slots the layers get together, and how many each one at least and at most. */
export interface SlotBounds {
  readonly total: number;
  readonly least: number;
  readonly most: number;
}

/**
 * Slots of each layer that make the fewest misses together: misses[layer][s] are those of a layer with s slots, s = 0 to `most`.
 * Dynamic programming over the layers, as AdapMoE allots its cache (ICCAD 2024), for any curves. Of equal allotments, the one with
 * fewer slots in later layers. All slots are given out: layers x least <= total <= layers x most.
 */
export function slotsByMisses(misses: readonly ArrayLike<number>[], { total, least, most }: SlotBounds): Uint32Array {
  const layers = misses.length;
  /** [slots given out so far] fewest misses of the layers so far, and [layers x (total + 1)] what the last of them then has. */
  let fewest = new Float64Array(total + 1).fill(Number.POSITIVE_INFINITY);
  fewest[0] = 0;
  const chosen = new Uint32Array(layers * (total + 1));
  for (const [layer, curve] of misses.entries()) {
    const next = new Float64Array(total + 1).fill(Number.POSITIVE_INFINITY);
    const given = Math.min(total, (layer + 1) * most);
    for (let sum = (layer + 1) * least; sum <= given; sum++)
      for (let slots = least; slots <= Math.min(most, sum); slots++) {
        const found = fewest[sum - slots]! + curve[slots]!;
        if (found >= next[sum]!) continue;
        next[sum] = found;
        chosen[layer * (total + 1) + sum] = slots;
      }
    fewest = next;
  }
  const slots = new Uint32Array(layers);
  for (let layer = layers - 1, left = total; layer >= 0; layer--) {
    slots[layer] = chosen[layer * (total + 1) + left]!;
    left -= slots[layer]!;
  }
  return slots;
}

/**
 * Slots of each layer in proportion to its demand, within the bounds: after `least` for everybody, each slot goes to the layer
 * that is farthest below its share (Sainte-Laguë), ties to the first.
 */
export function slotsByDemand(demand: ArrayLike<number>, { total, least, most }: SlotBounds): Uint32Array {
  const slots = new Uint32Array(demand.length).fill(least);
  for (let left = total - demand.length * least; left > 0; left--) {
    let neediest = -1;
    for (let layer = 0; layer < slots.length; layer++) {
      if (slots[layer]! >= most) continue;
      if (neediest < 0 || claim(demand[layer]!, slots[layer]!) > claim(demand[neediest]!, slots[neediest]!))
        neediest = layer;
    }
    slots[neediest]!++;
  }
  return slots;
}

const claim = (demand: number, slots: number): number => demand / (slots + 0.5);

/** Every layer within the bounds, and as even as the total allows: what is left over goes to the first layers. */
export function evenSlots(layers: number, { total, most }: SlotBounds): Uint32Array {
  const each = Math.min(most, Math.floor(total / layers));
  const over = each === most ? 0 : total - each * layers;
  return Uint32Array.from({ length: layers }, (_, layer) => each + (layer < over ? 1 : 0));
}
