import { deviceIds } from "../../hardware/named-profiles.ts";

/** Forms of one chip: boards, memories and counts of cores, as device ids and drivers call them. */
const formPart = /-(sxm|pcie|nvl|40gb|duo|\d\d)$/;

/** A driver's name says by its memory which board of a chip it is: `NVIDIA H100 80GB HBM3` is the SXM one. */
const formsOf: readonly (readonly [RegExp, string])[] = [
  [/\bpcie\b/, "pcie"],
  [/\bnvl\b/, "nvl"],
  [/\bsxm\d?\b|\bhbm3\b/, "sxm"],
  [/\b40 ?gb\b/, "40gb"],
];

/** Words of drivers' names that always hold the chip too. */
const makers = /\b(nvidia|geforce|tesla|quadro|instinct|apple)\b/;

/**
 * The devices that a measurement's words may mean: all forms of the chip that they name, or those of the form they name
 * too. Empty where they are a maker's name of a chip that the catalogue lacks; null where they tell nothing.
 */
export function statedDevices(text: string): readonly string[] | null {
  const words = wordsOf(text);
  const runs = new Set(
    words.flatMap((_, from) => [1, 2, 3, 4].map((count) => words.slice(from, from + count).join(""))),
  );
  const named = deviceIds.filter((id) => runs.has(chipOf(id).replaceAll("-", "")));
  const plain = words.join(" ");
  if (named.length === 0) return makers.test(plain) ? [] : null;
  return formsOf.reduce<readonly string[]>((left, [pattern, form]) => {
    if (!pattern.test(plain)) return left;
    const ofForm = left.filter((id) => id.split("-").includes(form));
    return ofForm.length > 0 ? ofForm : left;
  }, named);
}

/** The chip of a device id: `h100` of `h100-pcie`, `m3-max` of `m3-max-30`. */
function chipOf(id: string): string {
  const shorter = id.replace(formPart, "");
  return shorter === id ? id : chipOf(shorter);
}

const wordsOf = (text: string): string[] => text.toLowerCase().match(/[a-z0-9]+/g) ?? [];
