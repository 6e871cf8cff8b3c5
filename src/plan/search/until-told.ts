import type { Outcome } from "../job/job.ts";
import type { Rung } from "./rungs.ts";

/** The run that tells of a configuration. */
export interface Told {
  readonly outcome: Outcome;
  readonly rung: Rung;
}

/** Whether a run leaves open whether the deployment keeps up, and shows nothing else against it. */
const leavesOpen = ({ verdict, strainAtBest }: Outcome): boolean => verdict === "tooShort" && (strainAtBest ?? 0) <= 1;

/**
 * Runs configurations over all requests, and longer as long as that leaves it open whether they keep up. What the longest run leaves
 * open stays so. Results are in the order of `asked`.
 */
export async function untilTold(
  rungs: readonly Rung[],
  asked: readonly (readonly string[])[],
  run: (asked: readonly (readonly string[])[]) => Promise<readonly Outcome[]>,
): Promise<Told[]> {
  const told = new Map<number, Told>();
  let open = [...asked.keys()];
  for (const rung of rungs.filter(({ decides }) => decides)) {
    const outcomes = await run(open.map((at) => [...asked[at]!, ...rung.settings]));
    for (const [i, at] of open.entries()) told.set(at, { outcome: outcomes[i]!, rung });
    open = open.filter((at) => leavesOpen(told.get(at)!.outcome));
    if (open.length === 0) break;
  }
  return asked.map((_settings, at) => told.get(at)!);
}
