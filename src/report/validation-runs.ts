import { formatNumber } from "../core/units.ts";
import type { RunsValidation } from "../validate/run/run-validation.ts";
import { deploymentLine } from "./labels.ts";
import type { PageSection } from "./page.ts";
import { counted, inputsSection, listSection, quietLines, signedLabel } from "./validation-labels.ts";
import type { DataCell, ValidationPage } from "./validation-page.ts";
import { runPage } from "./validation-run.ts";

/** Figures that stand side by side. */
const shown = [
  { header: "TPOT", metric: "tpot", statistic: "mean", unit: "ms" },
  { header: "TTFT p50", metric: "ttft", statistic: "p50", unit: "ms" },
  { header: "output tok/s", metric: "outputThroughput", statistic: null, unit: "" },
] as const;

/** All runs of a file, one a row. */
export function runsPage({ runs, skipped }: RunsValidation, file: string): ValidationPage {
  const [first] = runs;
  const pages = runs.map(({ run, validation }) => ({ run, page: runPage(validation) }));
  const columns = shown.filter(({ metric, statistic }) =>
    runs.some(({ validation }) =>
      validation.figures.some((figure) => figure.metric === metric && figure.statistic === statistic),
    ),
  );
  const rows = runs.map(({ run, validation }) => [
    String(run),
    ...columns.flatMap(({ metric, statistic }) => {
      const found = validation.figures.find((figure) => figure.metric === metric && figure.statistic === statistic);
      const value = (number: number | null | undefined) => (number == null ? "n/a" : formatNumber(number, 4));
      return [value(found?.measured), value(found?.predicted), signedLabel(found?.errorPercent ?? null)];
    }),
  ]);
  const table: PageSection = {
    kind: "table",
    title: "Runs",
    note: "measured, forecast and error of each; --run-index shows one in full",
    columns: [
      { header: "run", align: "right" },
      ...columns.flatMap(({ header, unit }) => [
        { header: unit === "" ? header : `${header}, ${unit}`, align: "right" } as const,
        { header: "forecast", align: "right" } as const,
        { header: "error", align: "right" } as const,
      ]),
    ],
    rows,
  };
  return {
    title: `Validation of ${first?.validation.forecast.scenario.name ?? file} on ${counted(runs.length, "run")} of ${file}`,
    subtitle: first === undefined ? [] : quietLines([deploymentLine(first.validation.forecast)]),
    headline: [`${runs.length} of ${runs.length + skipped.length} runs compared`],
    sections: [
      table,
      ...listSection(
        "Not compared",
        skipped.map(({ run, reason }) => `run ${run}: ${reason}`),
      ),
      ...listSection(
        "The measurement",
        runs.flatMap(({ run, validation }) => validation.notes.map((note) => `run ${run}: ${note}`)),
      ),
      ...(first === undefined ? [] : [inputsSection(first.validation.inputs)]),
    ],
    data: {
      header: ["run", ...(pages[0]?.page.data.header ?? [])],
      rows: pages.flatMap(({ run, page }) => page.data.rows.map((row): DataCell[] => [run, ...row])),
    },
  };
}
