/** A trace event as a viewer reads it. */
export interface TraceEvent {
  readonly ph: string;
  readonly name: string;
  readonly cat?: string;
  readonly pid: number;
  readonly tid: number;
  readonly ts: number;
  readonly dur?: number;
  readonly id?: number;
  readonly bp?: string;
  readonly args?: Readonly<Record<string, number | string>>;
}

export interface TraceFile {
  readonly displayTimeUnit: string;
  readonly otherData: Readonly<Record<string, string>>;
  readonly traceEvents: readonly TraceEvent[];
}

/** µs with three decimals as whole ns. */
export const nanoseconds = (us: number): number => Math.round(us * 1000);

const trackOf = ({ pid, tid }: TraceEvent) => `${pid}/${tid}`;

/** What is wrong with trace events by the rules of viewers, found the slow way. */
export function traceProblems({ traceEvents }: TraceFile): string[] {
  const problems: string[] = [];
  const tracks = new Map<string, TraceEvent[]>();
  for (const event of traceEvents) {
    if (!(event.ts >= 0)) problems.push(`${event.ph} ${event.name} at ${event.ts}`);
    if (event.ph !== "X") continue;
    if (!(event.dur! > 0)) problems.push(`${event.name} of ${event.dur} µs`);
    const spans = tracks.get(trackOf(event)) ?? [];
    spans.push(event);
    tracks.set(trackOf(event), spans);
  }
  for (const [track, spans] of tracks) problems.push(...overlaps(track, spans));
  problems.push(...nameProblems(traceEvents));
  problems.push(...flowProblems(traceEvents, tracks));
  return [...new Set(problems)];
}

/** Every process and every thread with events has one name. */
function nameProblems(events: readonly TraceEvent[]): string[] {
  const problems: string[] = [];
  for (const [what, keyOf] of [
    ["process_name", ({ pid }: TraceEvent) => `${pid}`],
    ["thread_name", trackOf],
  ] as const) {
    const keys = events.filter(({ ph, name }) => ph === "M" && name === what).map(keyOf);
    const known = new Set(keys);
    if (known.size !== keys.length) problems.push(`${what}: twice`);
    // Counts belong to a process.
    for (const event of events)
      if (event.ph !== "M" && (event.ph !== "C" || what === "process_name") && !known.has(keyOf(event)))
        problems.push(`${what} of ${keyOf(event)} is missing`);
  }
  return problems;
}

/** In the order of the file, every span begins after the one before it, and ends inside what is open. */
function overlaps(track: string, spans: readonly TraceEvent[]): string[] {
  const problems: string[] = [];
  const open: number[] = [];
  let lastNs = 0;
  for (const { ts, dur, name } of spans) {
    const beginNs = nanoseconds(ts);
    const endNs = beginNs + nanoseconds(dur!);
    if (beginNs < lastNs) problems.push(`${track}: ${name} at ${ts} comes late`);
    lastNs = beginNs;
    while (open.length > 0 && open.at(-1)! <= beginNs) open.pop();
    if (open.length > 0 && endNs > open.at(-1)!)
      problems.push(`${track}: ${name} at ${ts} ends ${endNs - open.at(-1)!} ns after what holds it`);
    open.push(endNs);
  }
  return problems;
}

/** A flow begins once, ends once, goes on in order of time, and every point lies inside a span of its track. */
function flowProblems(events: readonly TraceEvent[], tracks: ReadonlyMap<string, readonly TraceEvent[]>): string[] {
  const problems: string[] = [];
  const flows = new Map<number, TraceEvent[]>();
  for (const event of events)
    if (event.ph === "s" || event.ph === "t" || event.ph === "f")
      flows.set(event.id!, [...(flows.get(event.id!) ?? []), event]);
  for (const [id, points] of flows) {
    const letters = points.map(({ ph }) => ph).join("");
    if (!/^st*f$/.test(letters)) problems.push(`flow ${id} is ${letters}`);
    for (const [i, point] of points.entries()) {
      if (i > 0 && point.ts < points[i - 1]!.ts) problems.push(`flow ${id} goes back`);
      const at = nanoseconds(point.ts);
      const inside = (tracks.get(trackOf(point)) ?? []).some(
        ({ ts, dur }) => nanoseconds(ts) <= at && at < nanoseconds(ts) + nanoseconds(dur!),
      );
      if (!inside) problems.push(`flow ${id} is in no span at ${point.ts}`);
    }
  }
  return problems;
}
