import { formatBytes, formatCount, formatNumber, formatPercent } from "../core/units.ts";
import type { LiveGain, LiveRun, LiveValidation, StepTimes } from "../validate/live/live-validation.ts";
import type { PageSection } from "./page.ts";
import { definitionsSection, inputsSection, msLabel, quietLines, signedLabel } from "./validation-labels.ts";
import type { DataCell, ValidationPage } from "./validation-page.ts";

const statistics = ["mean", "p50", "p90", "p99"] as const satisfies readonly (keyof StepTimes)[];

/** Real expert layers against their forecast, ready to be shown. */
export function livePage(validation: LiveValidation): ValidationPage {
  const { setting, device, moecastVersion, inputs } = validation;
  const { shape } = setting;
  return {
    title: "Live validation of expert layers",
    subtitle: quietLines([
      `moecast ${moecastVersion}; ${setting.backend} on ${device}`,
      `${setting.layers} layers, top-${setting.topK} of ${setting.experts} experts of ${shape.hidden} x ${shape.width} float32 (${formatBytes(12 * shape.hidden * shape.width)} each)`,
      `${setting.cache} cache of ${setting.slots} experts a layer, the others ${setting.from === "host" ? "in host memory" : "in a file that the page cache holds"}; ` +
        `${formatCount(setting.batch)} tokens a step, ${formatCount(setting.steps)} steps, ${formatCount(setting.warmUpSteps)} of them warm-up`,
      ...prefetchLines(setting),
      ...(setting.shortSequences === 0
        ? []
        : [`${formatCount(setting.shortSequences)} sequences of the trace are too short and left out`]),
    ]),
    headline: [headline(validation), ...gainLines(validation)],
    sections: [
      timeSection(validation),
      countSection(validation),
      ...gainSections(validation),
      layerSection(validation),
      calibrationSection(validation),
      definitionsSection({
        error: "100 (forecast / measured - 1), percent",
        hit:
          setting.prefetch === null
            ? "an expert whose tensors were on the device at the start of the layer call; warm-up steps count"
            : "an expert that was on the device or on its way there at the start of the layer call; warm-up steps count",
        ...(setting.prefetch === null
          ? {}
          : {
              late: "an expert that was asked for before its upload had ended; the only count that depends on times",
              change: "100 (step time / step time on demand - 1), percent; the two are run by turns, five steps each",
            }),
        "step time": "all layers of a step, from its input to the result read back; warm-up steps left out",
        percentile: "type 7; n/a with fewer than ten steps beyond it",
      }),
      inputsSection(inputs),
    ],
    data: { header: ["run", "quantity", "measured", "forecast", "error_percent"], rows: dataRows(validation) },
  };
}

function headline({ hitsEqual, runs, worstErrorPercent }: LiveValidation): string {
  const hits = hitsEqual
    ? `hits equal (${formatCount(runs[0]?.predicted.hits ?? 0)})`
    : runs.every((run) => run.hitsEqual)
      ? "COUNTS OF WHAT WAS SENT DIFFER"
      : "HITS DIFFER";
  const parts = statistics.map((statistic) => `${statistic} ${signedLabel(worstErrorPercent[statistic])}`);
  return `${hits}; step time, worst of the runs: ${parts.join(" | ")}`;
}

/** How experts are sent ahead, in words. */
function prefetchLines({ prefetch }: LiveValidation["setting"]): string[] {
  if (prefetch === null) return [];
  const { kind, trainingRows, cut } = prefetch;
  const learned =
    trainingRows === 0
      ? ""
      : `, which learned from ${formatCount(trainingRows)} other rows${cut ? " of the same sequence" : ""}`;
  return [`two threads compute layers in turn, each uploads while the other computes what ${kind} expects${learned}`];
}

/** What it changed, of the run in which measured and forecast differ most. */
function gainLines({ runs }: LiveValidation): string[] {
  const gains = runs.flatMap(({ prefetch }) => (prefetch === null ? [] : [prefetch]));
  if (gains.length === 0) return [];
  const off = ({ measured, predicted }: LiveGain) =>
    Math.abs(predicted.changePercent.mean - measured.changePercent.mean);
  const { measured, predicted, threadOverlap } = gains.reduce((a, b) => (off(b) > off(a) ? b : a));
  const [own, forecast] = [measured, predicted].map(({ changePercent }) => signedLabel(changePercent.mean));
  return [
    `sent ahead: mean step ${own}, forecast ${forecast}, with the overlap of threads that was calibrated, ` +
      `${formatPercent(threadOverlap, 0)}${gains.length > 1 ? " (the run where the two differ most)" : ""}`,
  ];
}

function gainSections({ runs }: LiveValidation): PageSection[] {
  const row = (name: string, side: LiveGain["measured"], verdict: string) => [
    name,
    ...[side.followed, side.useful, side.late, side.evicted, side.unused, side.refused].map(formatCount),
    ms(side.onDemandMs.mean),
    signedLabel(side.changePercent.mean),
    signedLabel(side.changePercent.p50),
    verdict,
  ];
  const rows = runs.flatMap(({ prefetch }, i) =>
    prefetch === null
      ? []
      : [
          row(`${runName(i)}, measured`, prefetch.measured, prefetch.countsEqual ? "equal" : "DIFFERENT"),
          row("forecast", prefetch.predicted, ""),
        ],
  );
  if (rows.length === 0) return [];
  const right = (header: string) => ({ header, align: "right" as const });
  const numbers = ["sent", "used", "late", "evicted", "unused", "refused", "step on demand", "change, mean", "p50"];
  return [
    {
      kind: "table",
      title: "Sent ahead",
      note: "the forecast has one link that serves what is waited for first; a thread uploads what is late when its turn to compute comes",
      columns: [{ header: "" }, ...numbers.map(right), { header: "" }],
      rows,
    },
  ];
}

const runName = (index: number): string => `run ${index + 1}`;
const ms = (value: number | null): string => (value === null ? "n/a" : msLabel(value));

function timeSection({ runs }: LiveValidation): PageSection {
  const times = (name: string, side: StepTimes, tokensPerSecond: number | null) => [
    name,
    ...statistics.map((statistic) => ms(side[statistic])),
    tokensPerSecond === null ? "" : formatNumber(tokensPerSecond, 3),
  ];
  return {
    kind: "table",
    title: "Step time",
    note: "the forecast scatters about its simulated steps as work of about their length did in the calibration",
    columns: [
      { header: "" },
      ...statistics.map((statistic) => ({ header: statistic, align: "right" as const })),
      { header: "tokens/s", align: "right" },
    ],
    rows: runs.flatMap(({ measured, predicted, predictedQuiet, errorPercent }, i) => [
      times(`${runName(i)}, measured`, measured.stepMs, measured.tokensPerSecond),
      times("forecast", predicted.stepMs, predicted.tokensPerSecond),
      times("forecast, no scatter", predictedQuiet, null),
      ["error", ...statistics.map((statistic) => signedLabel(errorPercent[statistic])), ""],
    ]),
  };
}

function countSection({ runs }: LiveValidation): PageSection {
  const row = (name: string, side: LiveRun["predicted"], verdict: string) => [
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
    note: "fetching of a run is the upload alone, that of a forecast includes what the first use costs",
    columns: [
      { header: "" },
      { header: "hits", align: "right" },
      { header: "misses", align: "right" },
      { header: "hit rate", align: "right" },
      { header: "fetching", align: "right" },
      { header: "" },
    ],
    rows: runs.flatMap(({ measured, predicted, hitsEqual }, i) => [
      row(`${runName(i)}, measured`, measured, hitsEqual ? "equal" : "DIFFERENT"),
      row("forecast", predicted, ""),
    ]),
  };
}

function layerSection({ runs }: LiveValidation): PageSection {
  const layers = runs[0]?.measured.layerMs.length ?? 0;
  return {
    kind: "table",
    title: "Mean time of each layer",
    columns: [{ header: "layer" }, ...runs.map((_, i) => ({ header: runName(i), align: "right" as const }))],
    rows: Array.from({ length: layers }, (_, layer) => [
      String(layer),
      ...runs.map((run) => ms(run.measured.layerMs[layer] ?? null)),
    ]),
    quiet: true,
  };
}

function calibrationSection({ runs, date }: LiveValidation): PageSection {
  const rows = runs[0]?.calibration.expertNs ?? [];
  const ofRun = (pick: (calibration: LiveRun["calibration"]) => string) =>
    runs.map(({ calibration }) => pick(calibration));
  return {
    kind: "table",
    title: "Calibration",
    note: `measured between the steps of each run, apart from them, ${date}; medians, with the distance of the quartiles over them`,
    columns: [{ header: "" }, ...runs.map((_, i) => ({ header: runName(i), align: "right" as const }))],
    rows: [
      ...rows.map(({ rows: count }, i) => [
        `resident expert, ${formatCount(count)} ${count === 1 ? "row" : "rows"}`,
        ...ofRun(
          ({ expertNs }) => `${ms((expertNs[i]?.ns ?? 0) / 1e6)} (${formatPercent(expertNs[i]?.spread ?? 0, 0)})`,
        ),
      ]),
      ["missing expert, beyond that", ...ofRun(({ fetchNs }) => ms(fetchNs / 1e6))],
      ...(runs[0]?.prefetch == null
        ? []
        : [
            [
              "computing beside uploads, overlap of the two threads",
              ...runs.map(({ prefetch }) => (prefetch === null ? "" : formatPercent(prefetch.threadOverlap, 0))),
            ],
          ]),
      ["line through the fetches, mean error", ...ofRun(({ fetchMeanError }) => formatPercent(fetchMeanError, 1))],
    ],
    quiet: true,
  };
}

function dataRows({ runs }: LiveValidation): DataCell[][] {
  return runs.flatMap(({ measured, predicted, errorPercent, prefetch }, i) => [
    ...statistics.map((statistic): DataCell[] => [
      runName(i),
      `step_ms_${statistic}`,
      measured.stepMs[statistic],
      predicted.stepMs[statistic],
      errorPercent[statistic],
    ]),
    [runName(i), "hits", measured.hits, predicted.hits, null],
    [runName(i), "misses", measured.misses, predicted.misses, null],
    [runName(i), "tokens_per_second", measured.tokensPerSecond, predicted.tokensPerSecond, null],
    ...(prefetch === null
      ? []
      : [
          ...(["followed", "useful", "late", "evicted", "unused", "refused"] as const).map((count): DataCell[] => [
            runName(i),
            `prefetch_${count}`,
            prefetch.measured[count],
            prefetch.predicted[count],
            null,
          ]),
          ...(["mean", "p50"] as const).map((statistic): DataCell[] => [
            runName(i),
            `step_change_percent_${statistic}`,
            prefetch.measured.changePercent[statistic],
            prefetch.predicted.changePercent[statistic],
            null,
          ]),
        ]),
  ]);
}
