import { formatDuration } from "../../core/units.ts";
import type { ApiError } from "./api-answer.ts";

/** Statuses of servers that may answer the next time. */
const passing: ReadonlySet<number> = new Set([408, 425, 500, 502, 503, 504]);

const firstPauseMs = 1000;
const longestPauseMs = 30_000;
/** GitHub asks for a minute where a limit says nothing itself. */
const limitPauseMs = 60_000;

/** How long to wait before a failed request is repeated, in ms; null where that would change nothing. */
export function pauseMs(failure: ApiError, tries: number, nowMs: number): number | null {
  const { answer } = failure;
  const growing = Math.min(longestPauseMs, firstPauseMs * 2 ** (tries - 1));
  if (answer === null) return growing;
  const { status, headers } = answer;
  const asked = retryAfterMs(headers, nowMs);
  if (passing.has(status)) return asked ?? growing;
  const spent = (headers.get("x-ratelimit-remaining") ?? headers.get("ratelimit-remaining")) === "0";
  if (status !== 429 && !(status === 403 && (spent || asked !== null))) return null;
  return asked ?? (spent ? resetMs(headers, nowMs) : null) ?? Math.max(limitPauseMs, growing);
}

/** `Retry-After` as seconds or as a date. */
function retryAfterMs(headers: Headers, nowMs: number): number | null {
  const text = headers.get("retry-after")?.trim();
  if (text === undefined || text === "") return null;
  const ms = /^\d+$/.test(text) ? Number(text) * 1000 : Date.parse(text) - nowMs;
  return Number.isFinite(ms) ? Math.max(0, ms) : null;
}

/** When a spent limit begins anew, as both hosts give it: in seconds since 1970. */
function resetMs(headers: Headers, nowMs: number): number | null {
  const text = headers.get("x-ratelimit-reset") ?? headers.get("ratelimit-reset") ?? "";
  return /^\d+$/.test(text) ? Math.max(firstPauseMs, Number(text) * 1000 - nowMs) : null;
}

/** A pause in words. */
export const laterMs = (ms: number): string => `${formatDuration(ms * 1e6)} later`;
