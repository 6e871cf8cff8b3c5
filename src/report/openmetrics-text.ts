import { oneLine } from "../core/printable.ts";

export type Labels = Readonly<Record<string, string>>;

/** A value with its labels; `part` of a summary is its count or sum. */
export interface MetricSample {
  readonly part?: "count" | "sum" | "info";
  readonly labels: Labels;
  readonly value: number;
}

/** A metric family of OpenMetrics. The name ends with the unit, where it has one. */
export interface MetricFamily {
  readonly name: string;
  readonly type: "gauge" | "summary" | "info";
  readonly unit: string | null;
  readonly help: string;
  readonly samples: readonly MetricSample[];
}

/** Families as OpenMetrics 1.0 text. Those without samples are left out, and of samples with equal labels all but the first. */
export function openMetricsText(families: readonly MetricFamily[]): string {
  const lines = families.flatMap(({ name, type, unit, help, samples }) => {
    if (samples.length === 0) return [];
    const written = new Map<string, string>();
    for (const { part, labels, value } of samples) {
      const series = `${name}${part === undefined ? "" : `_${part}`}${labelText(labels)}`;
      if (!written.has(series)) written.set(series, `${series} ${value}`);
    }
    return [
      `# TYPE ${name} ${type}`,
      ...(unit === null ? [] : [`# UNIT ${name} ${unit}`]),
      `# HELP ${name} ${escaped(help)}`,
      ...written.values(),
    ];
  });
  return [...lines, "# EOF", ""].join("\n");
}

const labelText = (labels: Labels): string =>
  `{${Object.entries(labels)
    .map(([name, value]) => `${name}="${escaped(value)}"`)
    .join(",")}}`;

const escaped = (text: string): string => oneLine(text).replaceAll("\\", "\\\\").replaceAll('"', '\\"');
