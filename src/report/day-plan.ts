import { formatCount, formatDollars, formatDuration, formatNumber, formatPercent } from "../core/units.ts";
import type { DayCandidate, DayPlan } from "../plan/day/day-plan.ts";
import type { Page, PageColumn, PageRow, PageSection } from "./page.ts";
import { bar } from "./text-table.ts";

/** Most hours that are printed; those of longer days stand in the document. */
const hoursMax = 48;

const right = (header: string, dispensable?: number): PageColumn => ({
  header,
  align: "right",
  ...(dispensable === undefined ? {} : { dispensable }),
});
const usd = (amount: number | null): string => (amount === null ? "n/a" : formatDollars(amount));

/** A plan of a day, as a page: which fleet to take, what each costs and misses, and the day hour by hour. */
export function dayPlanPage(plan: DayPlan): Page {
  const { scenario, verdict, model, hourS, goal, candidates, startUp, interrupted } = plan;
  const [peak] = candidates;
  const limits = Object.entries(goal.limits).map(([metric, ns]) => `${metric} ${formatDuration(ns)}`);
  const keeps = [
    ...goal.slos,
    ...(goal.attainment === null ? [] : [`${formatPercent(goal.attainment, 1)} of the requests within their limits`]),
  ];
  return {
    title: scenario.name,
    aside: "fleets over a day",
    subtitle: [
      ...(scenario.description === "" ? [] : [{ text: scenario.description }]),
      {
        text: `${model}, ${formatCount(peak!.requests)} requests in ${formatDuration(peak!.spanS * 1e9)}. To keep: ${keeps.join(", ")}. A request misses beyond ${limits.join(" or ")}.`,
        quiet: true,
      },
      {
        text: startUp
          .map(
            ({ pool, seconds, how }) =>
              `${pool === "" ? "A replica" : pool} serves ${formatDuration(seconds * 1e9)} after it is asked for: ${how}.`,
          )
          .join(" "),
        quiet: true,
      },
    ],
    headline: [verdict.headline],
    tone: verdict.name === plan.fleet.name ? "good" : "warn",
    notes: [
      ...verdict.reasons.map((text) => ({ text: `${text[0]?.toUpperCase() ?? ""}${text.slice(1)}.` })),
      ...(candidates.some(({ kind }) => kind === "scaled")
        ? [
            {
              text: "Default targets follow from what the static fleet bears on this day: run the settings through another one.",
            },
          ]
        : []),
      ...(interrupted ? [{ text: "Interrupted: this is what there was.", tone: "warn" as const }] : []),
    ],
    sections: [
      fleetSection(plan),
      hourSection(plan, hourS),
      replicaSection(plan),
      settingSection(plan),
      ...leftOutSection(plan),
    ],
  };
}

/** The static fleet first, then those that keep the goal by their cost, then the rest. */
function inOrder({ candidates, fleet }: DayPlan): DayCandidate[] {
  const costOf = (one: DayCandidate) => one.usd ?? one.deviceHours;
  const rank = (one: DayCandidate) => (one.name === fleet.name ? 0 : one.holds ? 1 : 2);
  return [...candidates].sort((a, b) => rank(a) - rank(b) || costOf(a) - costOf(b));
}

function fleetSection(plan: DayPlan): PageSection {
  const { candidates, verdict, hourS } = plan;
  const peak = candidates[0]!;
  const costOf = (one: DayCandidate) => one.usd ?? one.deviceHours;
  const row = (one: DayCandidate): PageRow => {
    const { name, kind, holds, misses, requests, worstHour, hours, pools } = one;
    const worst = worstHour === null ? undefined : hours[worstHour]!;
    const cells = [
      `${name}${kind === "foresight" ? " **" : ""}`,
      holds ? "kept" : "missed",
      usd(one.usd),
      one === peak ? "" : formatPercent(costOf(one) / costOf(peak) - 1, 0),
      formatNumber(one.deviceHours),
      one.joules === null ? "n/a" : formatNumber(one.joules / 1e6),
      formatCount(misses),
      formatPercent(misses / Math.max(1, requests), 2),
      worst === undefined ? "" : `${clock(worstHour!, hourS)} ${formatPercent(worst.misses / worst.requests, 1)}`,
      formatCount(pools.reduce((sum, { starts }) => sum + starts, 0)),
      pools.map(({ mostUp }) => String(mostUp)).join(" + "),
    ];
    return name === verdict.name ? { cells, tone: "good" } : holds ? cells : { cells, tone: "bad" };
  };
  return {
    kind: "table",
    title: "Fleets",
    note: "** is set from the very day that it is run through",
    columns: [
      { header: "" },
      { header: "SLOs" },
      right("cost"),
      right("vs static"),
      right("device-hours", 6),
      right("MJ", 3),
      right("misses"),
      right("share", 4),
      right("worst hour", 5),
      right("starts", 2),
      right("most up", 1),
    ],
    rows: inOrder(plan).map(row),
  };
}

/** The day under the fleet that is advised, and under the static one where that is another. */
function hourSection({ candidates, verdict, fleet, traffic }: DayPlan, hourS: number): PageSection {
  const advised = candidates.find(({ name }) => name === verdict.name)!;
  const peak = candidates[0]!;
  const both = advised !== peak;
  const most = Math.max(...[advised, peak].flatMap(({ hours }) => hours.map(({ mostDevices }) => mostDevices)));
  const shown = advised.hours.slice(0, hoursMax);
  const rows = shown.map((hour, i): PageRow => {
    const brought = traffic[i] ?? { requests: 0, tokens: 0 };
    return [
      clock(i, hourS),
      formatCount(brought.requests),
      formatCount(brought.tokens / hourS),
      bar(hour.meanDevices / most, 16),
      formatNumber(hour.meanDevices),
      formatCount(hour.mostDevices),
      formatCount(hour.misses),
      ...(both ? [formatCount(peak.hours[i]?.misses ?? 0)] : []),
    ];
  });
  const rest = advised.hours.length - shown.length;
  return {
    kind: "table",
    title: "By the hour",
    note: `under ${verdict.name}`,
    columns: [
      { header: hourS === 3600 ? "hour" : "from" },
      right("requests"),
      right("tok/s"),
      { header: "devices", dispensable: 1, only: "terminal" },
      right("mean"),
      right("most", 2),
      right("misses"),
      ...(both ? [right(`of ${fleet.name}`, 3)] : []),
    ],
    rows,
    ...(rest > 0 ? { after: [{ text: `${formatCount(rest)} more in the JSON document.`, quiet: true }] } : {}),
  };
}

/** When an hour of the plan begins, after the first arrival: its number, or minutes where hours are shorter. */
const clock = (hour: number, hourS: number): string =>
  hourS === 3600 || hour === 0 ? String(hour) : formatDuration(hour * hourS * 1e9);

/** What the time of replicas went into. */
function replicaSection(plan: DayPlan): PageSection {
  const pools = plan.candidates[0]!.pools.length;
  const hours = (value: number) => formatNumber(value);
  return {
    kind: "table",
    title: "Replica-hours",
    quiet: true,
    columns: [
      { header: "" },
      ...(pools > 1 ? [{ header: "pool" }] : []),
      { header: "device" },
      right("starting"),
      right("serving"),
      right("draining"),
      right("starts", 1),
    ],
    rows: inOrder(plan).flatMap((one) =>
      one.pools.map(({ name, device, devicesPerReplica, replicaHours, starts }) => [
        one.name,
        ...(pools > 1 ? [name] : []),
        devicesPerReplica === 1 ? device : `${devicesPerReplica} x ${device}`,
        hours(replicaHours.starting),
        hours(replicaHours.serving),
        hours(replicaHours.draining),
        formatCount(starts),
      ]),
    ),
  };
}

/** How to run what is advised. */
function settingSection({ candidates, verdict }: DayPlan): PageSection {
  const { set } = candidates.find(({ name }) => name === verdict.name)!;
  return set.length === 0
    ? { kind: "text", line: { text: `${verdict.name} is the scenario as it is`, quiet: true } }
    : {
        kind: "text",
        line: { text: `settings of ${verdict.name}`, quiet: true },
        items: set.map((one) => `--set '${one}'`),
      };
}

function leftOutSection({ leftOut }: DayPlan): PageSection[] {
  return leftOut.length === 0
    ? []
    : [
        {
          kind: "text",
          line: { text: "not run", quiet: true },
          items: leftOut.map(({ name, reason }) => `${name}: ${reason}`),
        },
      ];
}
