import type { FormField } from "../../scenario/form-fields.ts";

/** Keys that decide most, in the order in which a form shows them before all others. */
export const firstPaths: readonly string[] = [
  "hardware.system",
  "parallel.replicas",
  "parallel.tp",
  "parallel.dp",
  "parallel.ep",
  "parallel.etp",
  "parallel.pp",
  "engine.maxNumSeqs",
  "engine.maxNumBatchedTokens",
  "policy.placement.kind",
  "policy.placement.redundant",
  "policy.offload.kind",
  "policy.offload.slots",
  "policy.offload.flags",
  "policy.offload.prefetch.kind",
  "traffic.arrivals.requestRate",
  "traffic.arrivals.maxConcurrency",
];

/** The fields that matter first, then the others as the schema has them; those whose path or meaning holds what was typed. */
export function orderedFields(fields: readonly FormField[], filter: string): readonly FormField[] {
  const wanted = filter.trim().toLowerCase();
  const first = firstPaths.flatMap((path) => fields.filter((field) => field.path === path));
  return [...first, ...fields.filter((field) => !first.includes(field))].filter(
    ({ path, description }) => wanted === "" || `${path} ${description}`.toLowerCase().includes(wanted),
  );
}

const pathOf = (setting: string): string => setting.slice(0, setting.indexOf("="));

/** Settings with one more: it takes the place of those of the same key, and of keys within it. */
export function withSetting(changes: readonly string[], setting: string): readonly string[] {
  const path = pathOf(setting);
  return [...changes.filter((change) => pathOf(change) !== path && !pathOf(change).startsWith(`${path}.`)), setting];
}

/** Fields as they are once these settings are laid over the scenario that they were told of. */
export function changedFields(fields: readonly FormField[], changes: readonly string[]): readonly FormField[] {
  if (changes.length === 0) return fields;
  const values = new Map(changes.map((change) => [pathOf(change), change.slice(change.indexOf("=") + 1)]));
  return fields.map((field) => {
    const own = field.kindSettings.length > 0 ? kindIn(values.get(mappingOf(field))) : values.get(field.path);
    return own === undefined ? field : { ...field, stated: own === "null" ? null : own };
  });
}

/** The mapping that a field says the kind of. */
const mappingOf = ({ path }: FormField): string => path.slice(0, path.lastIndexOf("."));

/** The kind of a mapping that a setting gives; undefined where it gives none. */
const kindIn = (value: string | undefined): string | undefined =>
  value === undefined ? undefined : (/^\{"kind":"([^"]+)"/.exec(value)?.[1] ?? value);

/** A setting as people read it: of a mapping its kind alone. */
export function settingText(setting: string): string {
  const kind = /^([\w.]+)=\{"kind":"([^"]+)"/.exec(setting);
  return kind === null ? setting : `${kind[1]}.kind=${kind[2]}`;
}

/** The setting that gives a field a value; "" takes the key away, so that its default holds. */
export function settingFor({ path, choices, kindSettings }: FormField, text: string): string {
  const value = text.trim();
  if (kindSettings.length === 0) return `${path}=${value === "" ? "null" : value}`;
  const at = choices.indexOf(value);
  const mapping = path.slice(0, path.lastIndexOf("."));
  return kindSettings[at] ?? `${mapping}=${value === "" ? "null" : value}`;
}

/** Degrees that split a model, which powers of two divide. */
const degrees = /^parallel\.(?!replicas)/;

/** A number alone, with a unit, or behind a flag: words before it, digits, unit. */
const numberIn = /^\s*((?:--?[a-z][\w-]*[\s=]+)?)(\d+(?:\.\d+)?(?:e[+-]?\d+)?)\s*([^\d\s-].*)?$/i;

/** The next larger (1) or smaller (-1) value of a field, as text; null where there is none. */
export function stepped(
  { path, kind, choices, minimum, maximum, stated, byDefault }: FormField,
  direction: 1 | -1,
): string | null {
  const now = stated ?? byDefault;
  if (kind === "flag") return now === "true" ? "false" : "true";
  if (kind === "choice") {
    const at = choices.indexOf(now ?? "");
    return choices[at < 0 ? 0 : (at + direction + choices.length) % choices.length] ?? null;
  }
  const [, words = "", number, unit = ""] = numberIn.exec(now ?? "1") ?? [];
  if (number === undefined) return null;
  // What stands behind a flag counts things.
  const whole = kind === "integer" || words !== "";
  const next = nextNumber(Number(number), direction, whole, degrees.test(path));
  if (next < (minimum ?? 0) || next > (maximum ?? Number.POSITIVE_INFINITY)) return null;
  return `${words}${next}${unit}`;
}

/** Counts up to this one go by one. */
const fewest = 16;

/** Small counts go by one, degrees and other powers of two to the next power, other numbers by a tenth in two digits. */
function nextNumber(value: number, direction: 1 | -1, whole: boolean, isDegree: boolean): number {
  const isPower = value >= 1 && Number.isInteger(Math.log2(value));
  const isSmall = whole && !isDegree && value + direction <= fewest;
  if (isPower && !isSmall && (direction === 1 || value > 1)) return direction === 1 ? value * 2 : value / 2;
  const step = Number((value / 10).toPrecision(1));
  const by = isSmall ? 1 : whole ? Math.max(1, Math.round(step)) : step;
  const next = Number((value + direction * by).toPrecision(4));
  return whole ? Math.round(next) : next;
}

/** A number that is typed for a value with a unit has the same one. */
export function withUnit(text: string, stated: string | null): string {
  const [, unit] = /^\s*\d+(?:\.\d+)?\s*([^\d\s"'.].*)$/.exec(stated ?? "") ?? [];
  return unit !== undefined && /^\d+(?:\.\d+)?$/.test(text) ? `${text}${unit}` : text;
}
