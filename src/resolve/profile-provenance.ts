import { isSourced, type SourceKind, sourceKinds } from "../core/sourced.ts";
import type { Fidelity } from "../sim/result.ts";

/** How the ledger calls a number of each kind. */
const fidelities = {
  measured: "measured",
  vendor: "vendor",
  thirdParty: "thirdParty",
  estimated: "assumed",
} as const satisfies Record<SourceKind, Fidelity>;

/** How a number of a profile came about. */
export const fidelityOf = (kind: SourceKind): Fidelity => fidelities[kind];

/**
 * How many numbers of a profile have each kind of source, in words: `12 vendor, 3 measured, 5 estimated`. Their
 * fidelity is that of the weakest: a forecast is no better founded.
 */
export function provenanceOf(profile: unknown): { readonly text: string; readonly fidelity: Fidelity } {
  const counts = new Map<SourceKind, number>();
  const walk = (value: unknown): void => {
    if (isSourced(value)) counts.set(value.kind, (counts.get(value.kind) ?? 0) + 1);
    else if (typeof value === "object" && value !== null) for (const item of Object.values(value)) walk(item);
  };
  walk(profile);
  const words = { measured: "measured", vendor: "vendor", thirdParty: "third party", estimated: "estimated" } as const;
  const present = sourceKinds.filter((kind) => counts.has(kind));
  return {
    text: `${present.map((kind) => `${counts.get(kind)} ${words[kind]}`).join(", ")} (numbers by source)`,
    // The kinds are listed from the strongest to the weakest.
    fidelity: fidelityOf(present.at(-1) ?? "estimated"),
  };
}
