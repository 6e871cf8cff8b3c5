import { isSourced, type SourceKind, sourceKinds } from "../hardware/sourced.ts";

/** How many numbers of a profile have each kind of source, in words: `12 vendor, 3 measured, 5 estimated`. */
export function provenanceOf(profile: unknown): string {
  const counts = new Map<SourceKind, number>();
  const walk = (value: unknown): void => {
    if (isSourced(value)) counts.set(value.kind, (counts.get(value.kind) ?? 0) + 1);
    else if (typeof value === "object" && value !== null) for (const item of Object.values(value)) walk(item);
  };
  walk(profile);
  const words = { measured: "measured", vendor: "vendor", thirdParty: "third party", estimated: "estimated" } as const;
  const parts = sourceKinds.flatMap((kind) => (counts.has(kind) ? [`${counts.get(kind)} ${words[kind]}`] : []));
  return `${parts.join(", ")} (numbers by source)`;
}
