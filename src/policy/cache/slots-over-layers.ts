/** How many slots the layers get together, and how many each one at least and at most. */
export interface SlotBounds {
  readonly total: number;
  readonly least: number;
  readonly most: number;
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
