import { figureOf } from "../objectives/figure-of.ts";
import type { Evaluator } from "../search/evaluator.ts";
import type { Track } from "../search/track.ts";

/** A layout under a number of clients. */
export interface FrontierPoint {
  readonly id: string;
  readonly concurrency: number;
  /** Output tokens per second of a device, and of a user at the median. */
  readonly perDevice: number;
  readonly perUser: number;
  /** Whether no other point is better in both. */
  readonly best: boolean;
  /** Settings of the traffic. */
  readonly load: readonly string[];
}

/** Clients of a replica: powers of two up to this. */
const clientsMax = 512;
/** Requests of each client, so that beginnings and ends weigh little. */
const requestsEach = 4;
const requestsLeast = 32;
/** A layout has no more to give where twice the clients make it faster by less than this share. */
const saturated = 0.02;

/**
 * Throughput of a device against speed of a user for every layout, as one replica under a closed loop of growing concurrency, until
 * more clients bring no more throughput. All see the first requests of the scenario.
 */
export async function frontierOf(
  tracks: readonly Track[],
  evaluator: Evaluator,
  onProgress?: () => void,
): Promise<FrontierPoint[]> {
  let open = fewestReplicas(tracks).map((track) => ({ track, before: 0 }));
  const points: Omit<FrontierPoint, "best">[] = [];
  for (let clients = 1; clients <= clientsMax && open.length > 0; clients *= 2) {
    const load = (replicas: number): string[] => [
      `traffic.requests=${Math.max(requestsLeast, requestsEach * clients * replicas)}`,
      `traffic.arrivals={kind: closed, maxConcurrency: ${clients * replicas}}`,
    ];
    const outcomes = await evaluator.outcomes(
      open.map(({ track: { candidate } }) => [...candidate.settings, ...load(candidate.replicas ?? 1)]),
    );
    const going: typeof open = [];
    for (const [i, { track, before }] of open.entries()) {
      const outcome = outcomes[i]!;
      if (outcome.status !== "done") continue;
      const perDevice = figureOf(outcome, "throughputPerDevice");
      const tpot = figureOf(outcome, "tpot.p50");
      if (perDevice === null || tpot === null || tpot === 0) continue;
      const { id, replicas } = track.candidate;
      const concurrency = clients * (replicas ?? 1);
      points.push({ id, concurrency, perDevice, perUser: 1000 / tpot, load: load(replicas ?? 1) });
      if (perDevice > before * (1 + saturated)) going.push({ track, before: perDevice });
    }
    open = going;
    onProgress?.();
  }
  return points.map((point) => ({ ...point, best: !points.some((other) => dominates(other, point)) }));
}

type Place = Pick<FrontierPoint, "perDevice" | "perUser">;

/** Whether a point is at least as good in both, and better in one. */
export const dominates = (a: Place, b: Place): boolean =>
  a.perDevice >= b.perDevice && a.perUser >= b.perUser && (a.perDevice > b.perDevice || a.perUser > b.perUser);

function fewestReplicas(tracks: readonly Track[]): Track[] {
  const fewest = new Map<string, Track>();
  for (const track of tracks) {
    if (track.state === "pruned" && track.cause !== "roofline") continue;
    const other = fewest.get(track.candidate.layout);
    if (other === undefined || track.candidate.devices < other.candidate.devices)
      fewest.set(track.candidate.layout, track);
  }
  return [...fewest.values()];
}
