/** One range of layers: `7`, `0-2`, or `3-47/4` for every fourth. */
const range = /^(\d{1,6})(?:\s*-\s*(\d{1,6})(?:\s*\/\s*(\d{1,6}))?)?$/;

/** How ranges are written, for messages. */
export const rangesForm = "layers counted from 0, such as 0-2, 3-47/4 (every fourth) or 0, 5, 9-11";

/** The layers that a text such as `0-2, 7` names; null where it names none of `count` layers, or one twice. */
export function layersNamed(text: string, count: number): readonly number[] | null {
  const layers: number[] = [];
  for (const part of text.split(",")) {
    const match = range.exec(part.trim());
    if (match === null) return null;
    const first = Number(match[1]);
    const last = Number(match[2] ?? match[1]);
    const step = Number(match[3] ?? 1);
    if (last < first || last >= count || step === 0) return null;
    for (let layer = first; layer <= last; layer += step) layers.push(layer);
    if (layers.length > count) return null;
  }
  return new Set(layers).size === layers.length ? layers : null;
}

/** The shortest text of ranges that names these layers, which ascend: runs of one step each. */
export function rangesOf(layers: readonly number[]): string {
  const parts: string[] = [];
  let from = 0;
  while (from < layers.length) {
    const first = layers[from]!;
    const step = (layers[from + 1] ?? first) - first;
    let to = from;
    while (to + 1 < layers.length && layers[to + 1]! - layers[to]! === step) to += 1;
    // Two layers apart are no run of a step.
    if (step > 1 && to === from + 1) to = from;
    const last = layers[to]!;
    parts.push(last === first ? `${first}` : `${first}-${last}${step > 1 ? `/${step}` : ""}`);
    from = to + 1;
  }
  return parts.join(", ");
}
