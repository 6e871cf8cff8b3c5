import { formatCount, formatNumber } from "../core/units.ts";
import type { OutcomeFigure } from "../plan/job/outcome-figures.ts";
import type { ListedRow, SweepListing } from "../plan/sweep/list-results.ts";
import { withUnit } from "./baseline-labels.ts";
import type { Page, PageColumn, PageSection } from "./page.ts";

/** A figure of an outcome with its unit; `n/a` where there is none. */
function figureText({ unit }: OutcomeFigure, value: number | null): string {
  if (value === null) return "n/a";
  if (unit === "devices") return formatCount(value);
  return unit === "USD/h" ? `$${formatNumber(value, 4)}/h` : withUnit[unit](value);
}

/** The results of a sweep as a page: how many configurations came to what, the best, and why others have no forecast. */
export function sweepListingPage(listing: SweepListing, folder: string, aside: string): Page {
  const { configurations, counts, rows, passed, overloaded, best, reasons } = listing;
  const without = rows - counts.done;
  return {
    title: listing.scenario,
    aside,
    subtitle: [{ text: folder, quiet: true }],
    headline: [
      `${rows < configurations ? `${formatCount(rows)} of ` : ""}${formatCount(configurations)} configurations`,
      ...(passed === null ? [] : [`${formatCount(passed)} meet every SLO`]),
      ...(overloaded === 0 ? [] : [`${formatCount(overloaded)} overloaded`]),
      ...(without === 0 ? [] : [`${formatCount(without)} without a forecast`]),
    ],
    tone: passed === 0 || counts.failed > 0 ? "bad" : "good",
    sections: [
      ...(best.length === 0 ? [] : [bestSection(listing)]),
      ...(reasons.length === 0 ? [] : [reasonSection(reasons)]),
    ],
  };
}

function bestSection({ paths, figures, best, passed }: SweepListing): PageSection {
  const [by] = figures;
  return {
    kind: "table",
    title: "Best configurations",
    note: `by ${by!.name}${passed === null ? "" : ", those that meet the SLOs first"}`,
    columns: [
      { header: "point", align: "right" },
      ...paths.map((path): PageColumn => ({ header: shortPath(path, paths) })),
      ...figures.map(
        ({ name }, i): PageColumn => ({ header: name, align: "right", ...(i < 2 ? {} : { dispensable: i }) }),
      ),
      { header: "" },
    ],
    rows: best.map((row) => [
      formatCount(row.point),
      ...row.values.map((value) => (value === null ? "" : String(value))),
      ...figures.map((figure, i) => figureText(figure, row.figures[i] ?? null)),
      stateOf(row, passed !== null),
    ]),
  };
}

const stateOf = ({ load, passed }: ListedRow, judged: boolean): string =>
  load === "overloaded"
    ? "overloaded"
    : load === "tooShort"
      ? "too short to tell"
      : judged && !passed
        ? "SLOs fail"
        : "";

/** The last keys of a path, as many as tell it from the others. */
function shortPath(path: string, paths: readonly string[]): string {
  const keys = path.split(".");
  for (let from = keys.length - 1; from > 0; from--) {
    const short = keys.slice(from).join(".");
    if (paths.filter((other) => other === short || other.endsWith(`.${short}`)).length === 1) return short;
  }
  return path;
}

const reasonSection = (reasons: SweepListing["reasons"]): PageSection => ({
  kind: "table",
  title: "Without a forecast",
  note: "the most frequent reasons",
  columns: [{ header: "", align: "right" }, { header: "" }, { header: "reason" }],
  rows: reasons.map(({ status, reason, count }) => [formatCount(count), status, reason.split("\n")[0] ?? ""]),
  cut: { linesMax: 4, hint: "results.csv" },
});
