import fc from "fast-check";
import { expect } from "vitest";
import { InfeasibleError } from "../../../src/core/errors.ts";
import { detailsOf } from "../../../src/forecast/details/run-details.ts";
import { componentOf, type SpanKind, spanKinds } from "../../../src/forecast/timeline/span-kinds.ts";
import type { Timeline } from "../../../src/forecast/timeline/timeline.ts";
import { timelineExport } from "../../../src/report/timeline-json.ts";
import { poolsOf } from "../../../src/sim/config.ts";
import { mappingProblems } from "../../../src/sim/mapping.ts";
import { resourceParts } from "../../../src/sim/outcome/resource-use.ts";
import { timeComponents } from "../../../src/sim/result.ts";
import { simulate } from "../../../src/sim/simulate.ts";
import { forecast } from "../../report/build.ts";
import { type TraceFile, traceProblems } from "../../report/read-timeline.ts";
import { deployment, deploymentConfig } from "../../sim/random-deployment.ts";
import { bytesOf } from "../../sim/random-laws.ts";
import { type Recorded, recorded } from "./recorded.ts";

/** The file of a timeline, read back. */
export function fileOf({ run, timeline }: Recorded): TraceFile {
  return JSON.parse(timelineExport.render([forecast()], { details: [{ ...detailsOf(run), timeline }] })) as TraceFile;
}

/** Sums the lengths of spans by a key; undefined: left out. */
function sums<K>({ spans }: Timeline, keyOf: (kind: SpanKind, track: number) => K | undefined, endNs = Infinity) {
  const totals = new Map<K, number>();
  for (let i = 0; i < spans.count; i++) {
    const key = keyOf(spanKinds[spans.kind[i]!]!, spans.track[i]!);
    const ns = Math.min(spans.endNs[i]!, endNs) - spans.beginNs[i]!;
    if (key !== undefined) totals.set(key, (totals.get(key) ?? 0) + ns);
  }
  return totals;
}

const close = (found: number, expected: number, what: string) =>
  expect(Math.abs(found - expected) <= 1 + 1e-6 * expected, `${what}: ${found} instead of ${expected}`).toBe(true);

/** The parts of step time on the tracks of stages are those of the accounts. */
function judgeComponents({ run, timeline }: Recorded): void {
  const found = sums(timeline, (kind) => componentOf(kind) ?? undefined);
  for (const [i, name] of timeComponents.entries()) {
    const expected = run.pools.reduce((sum, { cost }) => sum + cost.components[i]!, 0);
    // Hand-overs between stages begin and end at whole ns.
    if (name === "pipeline") expect(Math.abs((found.get(name) ?? 0) - expected)).toBeLessThanOrEqual(run.steps * 8);
    else close(found.get(name) ?? 0, expected, name);
  }
}

/** What serves in turn is busy for as long as its track is filled, and so are ranks and the links between them. */
function judgeResources({ run, timeline }: Recorded): void {
  const { tracks, processes } = timeline;
  const own = sums(timeline, (_, track) => `${tracks[track]!.process}: ${tracks[track]!.name}`, run.nowNs);
  const process = processes.length - 1;
  for (const { name, busyNs, resource } of resourceParts(run))
    if (resource !== undefined) close(own.get(`${process}: ${name}`) ?? 0, busyNs, name);
  const of = (pool: number) => (kind: SpanKind, track: number) => {
    const { name, process: at } = tracks[track]!;
    const first = run.pools[pool]!.replicas[0]!.place.index;
    if (at < first || at >= first + run.pools[pool]!.replicas.length) return undefined;
    const plain = name.replace(/, stage \d+$/, "");
    return kind === "rankStall" ? `${plain} stalls` : plain;
  };
  for (const [pool, { cost }] of run.pools.entries()) {
    const found = sums(timeline, of(pool));
    close(found.get("device interconnect") ?? 0, cost.links.busyNs, "device interconnect");
    for (const [rank, busyNs] of cost.rankBusyNs.entries())
      close(
        (found.get(`expert rank ${rank}`) ?? 0) - (found.get(`expert rank ${rank} stalls`) ?? 0),
        busyNs,
        `expert rank ${rank}`,
      );
  }
}

/** The experts of a layer are computed on their ranks while the stage is in that layer. */
function judgePlaces({ timeline: { spans, tracks } }: Recorded): void {
  const layers = new Map<string, [number, number][]>();
  const keyOf = (i: number) => {
    const { process, name } = tracks[spans.track[i]!]!;
    return `${process} ${/stage \d+$/.exec(name)?.[0] ?? ""} ${spans.numbers[3 * i]}`;
  };
  const each = (kind: SpanKind, tell: (i: number) => void) => {
    for (let i = 0; i < spans.count; i++) if (spanKinds[spans.kind[i]!] === kind) tell(i);
  };
  each("layer", (i) => layers.set(keyOf(i), [...(layers.get(keyOf(i)) ?? []), [spans.beginNs[i]!, spans.endNs[i]!]]));
  each("rankExperts", (i) => {
    const dust = 1e-3 + 1e-9 * spans.endNs[i]!;
    const inside = layers
      .get(keyOf(i))!
      .some(([from, to]) => from - dust <= spans.beginNs[i]! && spans.endNs[i]! <= to + dust);
    expect(inside, `experts of layer ${keyOf(i)} at ${spans.beginNs[i]}`).toBe(true);
  });
}

/** Records random deployments, and holds what is recorded against the runs. Returns how many ran. */
export function judgeRandom(runs: number, seed: number): number {
  let ran = 0;
  fc.assert(
    fc.property(deployment, (drawn) => {
      const config = deploymentConfig(drawn);
      fc.pre(poolsOf(config).every(({ mapping, model }) => mappingProblems(mapping, model).length === 0));
      let one: Recorded;
      try {
        one = recorded(config);
      } catch (error) {
        if (!(error instanceof InfeasibleError)) throw error;
        return;
      }
      ran++;
      expect(bytesOf(one.result)).toBe(bytesOf(simulate(config)));
      expect(one.timeline.cutNs).toBeNull();
      expect(traceProblems(fileOf(one))).toEqual([]);
      judgeComponents(one);
      judgeResources(one);
      judgePlaces(one);
    }),
    { numRuns: runs, seed },
  );
  return ran;
}
