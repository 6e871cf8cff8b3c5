import { mser5 } from "../../../core/statistics.ts";
import { formatCount, formatNumber } from "../../../core/units.ts";
import type { RunResult } from "../../result.ts";
import { countedRequests, requestValues } from "../request-latencies.ts";
import { type LoadMeasures, measureLoad } from "./load-measures.ts";
import { type LoadRows, loadRows } from "./load-rows.ts";
import type { LoadVerdict } from "./load-verdict.ts";
import { requestsNeeded } from "./requests-needed.ts";
import { sustainedRate } from "./sustained-rate.ts";
import { closedLoopTurns, limits } from "./verdict-limits.ts";

/**
 * Whether the deployment keeps up. Only request times are used, so whatever a request waits for counts.
 *
 * An open load is held against a deployment that is just kept busy. There the number of requests in the system walks at
 * random, by the spread of arrivals and lengths. Overloaded: more requests pile up than on that walk by chance. Stable:
 * their time in system wanders far less than on that walk, or the time that a further running request costs leaves room
 * for the rate. In between, the run is too short. A closed loop cannot be overloaded, but it can be shorter than a few
 * turns.
 */
export function judgeLoad(run: RunResult): LoadVerdict {
  const rows = loadRows(run.requests);
  const verdict = run.load.kind === "closed" ? judgeClosed(rows, run.load.concurrency) : judgeOpen(rows);
  return verdict.verdict === "stable" ? { ...verdict, reason: verdict.reason + warmUpAdvice(run) } : verdict;
}

function judgeClosed(rows: LoadRows, clients: number): LoadVerdict {
  const needed = closedLoopTurns * clients;
  const enough = rows.completedNs.filter((at) => !Number.isNaN(at)).length >= needed;
  return {
    verdict: enough ? "stable" : "tooShort",
    loop: "closed",
    offeredRequestsPerSecond: null,
    sustainedRequestsPerSecond: null,
    sustainedHalfWidth: null,
    requestsNeeded: enough ? null : needed,
    reason: enough
      ? "a closed loop sends the next request when the last one is finished"
      : `${formatCount(rows.count)} requests of ${formatCount(clients)} clients: start and end of the run weigh too much`,
  };
}

function judgeOpen(rows: LoadRows): LoadVerdict {
  const n = rows.arrivalNs.length;
  const spanNs = n === 0 ? 0 : rows.arrivalNs[n - 1]! - rows.arrivalNs[0]!;
  if (!(spanNs > 0))
    return {
      ...openVerdict("stable", n, spanNs),
      reason: "all requests arrive at once: there is no rate to keep up with",
    };
  if (n < limits.requestsMin)
    return {
      ...openVerdict("tooShort", n, spanNs),
      requestsNeeded: limits.requestsFirst,
      reason: `${formatCount(n)} requests`,
    };
  const measures = measureLoad(rows);
  const queued = measures.waitingGrowth > limits.growth;
  if (queued || (measures.growth > limits.growth && measures.batchExcess > limits.excess)) {
    const { perSecond, halfWidth } = sustainedRate(rows, queued ? measures.waitingSinceNs : null);
    return {
      ...openVerdict("overloaded", n, spanNs),
      sustainedRequestsPerSecond: perSecond,
      sustainedHalfWidth: halfWidth,
      reason: grewText(measures, queued),
    };
  }
  if (measures.turnovers >= limits.turnovers) {
    if (measures.wander < limits.wander)
      return {
        ...openVerdict("stable", n, spanNs),
        reason: "the time in system keeps its level while requests arrive",
      };
    if (measures.batchReserve > limits.reserve)
      return {
        ...openVerdict("stable", n, spanNs),
        reason: "nobody waits long, and the batch takes in more at this rate",
      };
  }
  return {
    ...openVerdict("tooShort", n, spanNs),
    requestsNeeded: requestsNeeded(measures),
    reason: tooShortText(measures),
  };
}

function openVerdict(verdict: LoadVerdict["verdict"], n: number, spanNs: number): LoadVerdict {
  return {
    verdict,
    loop: "open",
    offeredRequestsPerSecond: n > 1 && spanNs > 0 ? (n - 1) / (spanNs / 1e9) : null,
    sustainedRequestsPerSecond: null,
    sustainedHalfWidth: null,
    requestsNeeded: null,
    reason: "",
  };
}

function grewText({ requests, waiting, inSystem }: LoadMeasures, queued: boolean): string {
  const { from, to } = queued ? waiting : inSystem;
  return (
    `over the last three quarters of ${formatCount(requests)} arrivals the requests ${queued ? "that wait" : "that run at once"} ` +
    `grew from ${formatCount(from)} to ${formatCount(to)}, more than by chance`
  );
}

function tooShortText({ requests, turnovers, waiting, inSystem }: LoadMeasures): string {
  if (turnovers < limits.turnovers)
    return `${formatCount(requests)} requests arrive in ${formatNumber(turnovers, 2)} times what one takes; ${limits.turnovers} are needed`;
  const grew =
    inSystem.to > inSystem.from ? `, and rose from ${formatCount(inSystem.from)} to ${formatCount(inSystem.to)}` : "";
  return `${formatCount(requests)} requests cannot tell this load from the limit: up to ${formatCount(Math.max(waiting.to, waiting.from))} waited${grew}`;
}

/** Advice of MSER-5 (White, Cobb and Spratt 2000), where the warm-up should be longer by a tenth of the requests. */
function warmUpAdvice(run: RunResult): string {
  const values = requestValues(run.requests, "e2e", countedRequests(run.requests, null));
  const cut = mser5(values);
  if (values.length < limits.warmUpMin || cut <= values.length / 10) return "";
  return `; latencies settle only after ${formatCount(cut)} of ${formatCount(values.length)} counted requests (MSER-5): raise warmup`;
}
