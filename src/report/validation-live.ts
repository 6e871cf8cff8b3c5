import { formatBytes, formatCount, formatNumber, formatPercent } from "../core/units.ts";
import type { LiveRunFigures, LiveValidation, StepTimes } from "../forecast/validation/live-validation.ts";
import { definitionsSection, inputsSection, msLabel, signedLabel } from "./validation-labels.ts";
import type { DataCell, PageSection, ValidationPage } from "./validation-page.ts";

const statistics = ["mean", "p50", "p90", "p99"] as const satisfies readonly (keyof StepTimes)[];

/** Real expert layers against their forecast, ready to be shown. */
export function livePage(validation: LiveValidation): ValidationPage {
  const { setting, calibration, engineVersion, inputs } = validation;
  const { shape } = setting;
  return {
    title: "Live validation of expert layers",
    subtitle: [
      `moecast ${engineVersion}; ${setting.backend} on ${calibration.device}`,
      `${setting.layers} layers, top-${setting.topK} of ${setting.experts} experts of ${shape.hidden} x ${shape.width} float32 (${formatBytes(12 * shape.hidden * shape.width)} each)`,
      `${setting.cache} cache of ${setting.slots} experts a layer, the others ${setting.from === "host" ? "in host memory" : "in a file that the page cache holds"}; ` +
        `${formatCount(setting.batch)} tokens a step, ${formatCount(setting.steps)} steps, ${formatCount(setting.warmUpSteps)} of them warm-up`,
    ],
    headline: headline(validation),
    sections: [
      timeSection(validation),
      countSection(validation),
      layerSection(validation),
      calibrationSection(validation),
      definitionsSection({
        error: "100 (forecast / measured - 1), percent",
        hit: "an expert whose tensors were on the device at the start of the layer call; warm-up steps count",
        "step time": "all layers of a step, from its input to the result read back; warm-up steps left out",
        percentile: "type 7; n/a with fewer than ten steps beyond it",
      }),
      inputsSection(inputs),
    ],
    data: { header: ["run", "quantity", "measured", "forecast", "error_percent"], rows: dataRows(validation) },
  };
}

function headline({ hitsEqual, predicted, worstErrorPercent }: LiveValidation): string {
  const hits = hitsEqual ? `hits equal (${formatCount(predicted.hits)})` : "HITS DIFFER";
  const parts = statistics.map((statistic) => `${statistic} ${signedLabel(worstErrorPercent[statistic])}`);
  return `${hits}; step time, worst of the runs: ${parts.join(" | ")}`;
}

const runName = (index: number): string => `run ${index + 1}`;
const ms = (value: number | null): string => (value === null ? "n/a" : msLabel(value));

function timeSection({ predicted, runs }: LiveValidation): PageSection {
  return {
    kind: "table",
    title: "Step time",
    columns: [
      { header: "" },
      ...statistics.flatMap((statistic) => [
        { header: statistic, align: "right" as const },
        { header: "error", align: "right" as const },
      ]),
      { header: "tokens/s", align: "right" },
    ],
    rows: [
      ...runs.map((run, i) => [
        runName(i),
        ...statistics.flatMap((statistic) => [ms(run.stepMs[statistic]), signedLabel(run.errorPercent[statistic])]),
        formatNumber(run.tokensPerSecond, 3),
      ]),
      [
        "forecast",
        ...statistics.flatMap((statistic) => [ms(predicted.stepMs[statistic]), ""]),
        formatNumber(predicted.tokensPerSecond, 3),
      ],
    ],
  };
}

function countSection({ predicted, runs }: LiveValidation): PageSection {
  const row = (name: string, side: Pick<LiveRunFigures, "hits" | "misses" | "fetchShare">, verdict: string) => [
    name,
    formatCount(side.hits),
    formatCount(side.misses),
    formatPercent(side.hits / (side.hits + side.misses), 2),
    formatPercent(side.fetchShare, 1),
    verdict,
  ];
  return {
    kind: "table",
    title: "Expert cache",
    note: "fetching of a run is the upload alone, that of the forecast includes what the first use costs",
    columns: [
      { header: "" },
      { header: "hits", align: "right" },
      { header: "misses", align: "right" },
      { header: "hit rate", align: "right" },
      { header: "fetching", align: "right" },
      { header: "" },
    ],
    rows: [
      ...runs.map((run, i) => row(runName(i), run, run.hitsEqual ? "equal" : "DIFFERENT")),
      row("forecast", predicted, ""),
    ],
  };
}

function layerSection({ runs }: LiveValidation): PageSection {
  const layers = runs[0]?.layerMs.length ?? 0;
  return {
    kind: "table",
    title: "Mean time of each layer",
    columns: [{ header: "layer" }, ...runs.map((_, i) => ({ header: runName(i), align: "right" as const }))],
    rows: Array.from({ length: layers }, (_, layer) => [
      String(layer),
      ...runs.map((run) => ms(run.layerMs[layer] ?? null)),
    ]),
    quiet: true,
  };
}

function calibrationSection({ calibration }: LiveValidation): PageSection {
  return {
    kind: "table",
    title: "Calibration",
    note: `measured apart from the runs, ${calibration.date}; the line through the fetches misses them by ${formatPercent(calibration.fetchMeanError, 1)} in the mean`,
    columns: [
      { header: "rows of a resident expert" },
      { header: "time", align: "right" },
      { header: "noise", align: "right" },
    ],
    rows: calibration.expertNs.map(({ rows, ns, spread }) => [String(rows), ms(ns / 1e6), formatPercent(spread, 1)]),
    quiet: true,
  };
}

function dataRows({ predicted, runs }: LiveValidation): DataCell[][] {
  return runs.flatMap((run, i) => [
    ...statistics.map((statistic): DataCell[] => [
      runName(i),
      `step_ms_${statistic}`,
      run.stepMs[statistic],
      predicted.stepMs[statistic],
      run.errorPercent[statistic],
    ]),
    [runName(i), "hits", run.hits, predicted.hits, null],
    [runName(i), "misses", run.misses, predicted.misses, null],
    [runName(i), "tokens_per_second", run.tokensPerSecond, predicted.tokensPerSecond, null],
  ]);
}
