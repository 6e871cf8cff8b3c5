import parsePrometheus from "parse-prometheus-text-format";

export interface OpenMetricsSample {
  readonly name: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly value: number;
}

const name = "[a-zA-Z_:][a-zA-Z0-9_:]*";
const escaped = '(?:[^"\\\\\n]|\\\\["\\\\n])*';
const label = `[a-zA-Z_][a-zA-Z0-9_]*="${escaped}"`;
const number = "[+-]?\\d+(?:\\.\\d+)?(?:e[+-]?\\d+)?";
const metadata = new RegExp(`^# (TYPE|UNIT|HELP) (${name}) (${escaped})$`);
const sample = new RegExp(`^(${name})\\{(?:${label}(?:,${label})*)?\\} (${number})$`);
const parts: Readonly<Record<string, readonly string[]>> = {
  gauge: [""],
  summary: ["", "_sum", "_count"],
  info: ["_info"],
};

/**
 * A strict reader of the OpenMetrics text that moecast writes: the rules of families and lines by the grammar of OpenMetrics 1.0, names,
 * labels and values by the package's parser. That one folds summaries of several label sets into one, so it sees gauges.
 */
export function parseOpenMetrics(text: string): readonly OpenMetricsSample[] {
  if (!text.endsWith("\n# EOF\n")) throw new Error("no # EOF at the end");
  const lines = text.slice(0, -"# EOF\n".length).split("\n").slice(0, -1);
  const families = new Map<string, Record<string, string>>();
  const series = new Set<string>();
  let current = "";
  for (const line of lines) {
    const [, kind, family = "", value = ""] = metadata.exec(line) ?? [];
    if (kind !== undefined) {
      if (family !== current && families.has(family)) throw new Error(`${family} is interrupted`);
      current = family;
      const known = families.get(family) ?? {};
      if (known[kind] !== undefined) throw new Error(`${kind} of ${family} twice`);
      families.set(family, { ...known, [kind]: value });
      if (kind === "UNIT" && !family.endsWith(`_${value}`)) throw new Error(`${family} does not end with ${value}`);
      continue;
    }
    const [, found] = sample.exec(line) ?? [];
    if (found === undefined) throw new Error(`neither metadata nor a sample: ${line}`);
    const { TYPE: type = "", HELP: help } = families.get(current) ?? {};
    if (help === undefined || !parts[type]?.some((part) => found === current + part))
      throw new Error(`${found} does not belong to ${current}`);
    const key = line.slice(0, line.lastIndexOf(" "));
    if (series.has(key)) throw new Error(`twice: ${key}`);
    series.add(key);
  }
  return parsePrometheus(text.replace(/^(# TYPE \S+) .*$/gm, "$1 gauge")).flatMap(({ name: of, metrics }) =>
    metrics.map(({ labels = {}, value = "" }) => ({ name: of, labels, value: Number(value) })),
  );
}
