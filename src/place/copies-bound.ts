/**
 * A bound on heaviest over mean rank with `redundant` copies a layer beyond one of each expert, mean over layers: the copies of an
 * expert share its load evenly, so a rank has at least the largest share that remains when the hottest are copied first. Copying
 * the one with the largest share each time makes that least.
 * @param loads [layers][experts]
 */
export function copiesBound(loads: Float64Array, experts: number, ranks: number, redundant: number): number {
  const layers = loads.length / experts;
  let ratios = 0;
  for (let layer = 0; layer < layers; layer++) {
    const of = loads.subarray(layer * experts, (layer + 1) * experts);
    const copies = new Uint32Array(experts).fill(1);
    const hottest = () => {
      let at = 0;
      for (let e = 1; e < experts; e++) if (of[e]! / copies[e]! > of[at]! / copies[at]!) at = e;
      return at;
    };
    for (let i = 0; i < redundant; i++) copies[hottest()]! += 1;
    const at = hottest();
    let sum = 0;
    for (const load of of) sum += load;
    ratios += sum === 0 ? 1 : Math.max(1, ((of[at]! / copies[at]!) * ranks) / sum);
  }
  return layers === 0 ? 1 : ratios / layers;
}
