import type { JudgedMap } from "./comparison.ts";

/**
 * The maps worth simulating, in the order of the comparison: the one in use, the one that touches the fewest ranks, and the best
 * by the balance of steps on held-out traffic, `most` beside the one in use.
 */
export function shortlist(maps: readonly JudgedMap[], most: number): JudgedMap[] {
  const others = maps.filter(({ isCurrent }) => !isCurrent);
  const stepOf = ({ heldOut, fitted }: JudgedMap) => (heldOut ?? fitted).step.maxOverMean;
  const byBalance = [...others].sort((a, b) => stepOf(a) - stepOf(b));
  const [fewest] = [...others].sort((a, b) => a.traffic.ranksTouched - b.traffic.ranksTouched);
  // The best without copies is there too: it costs no memory.
  const single = byBalance.find(({ redundant }) => redundant === 0);
  const wanted = [...new Set([single, fewest, ...byBalance].filter((map) => map !== undefined))].slice(0, most);
  return maps.filter((map) => map.isCurrent || wanted.includes(map));
}
