import { OutputError, UsageError } from "../core/errors.ts";
import { defaultRegressionLimits } from "../forecast/baseline.ts";
import { compareResults } from "../forecast/compare/compare-results.ts";
import type { Forecast } from "../forecast/forecast.ts";
import { readForecasts } from "../forecast/read-forecast.ts";
import { markerOf } from "../report/comment/comment-marker.ts";
import { comparisonComment, forecastComment, quietComment } from "../report/comment/render-comment.ts";
import { isQuiet } from "../report/comment/told-changes.ts";
import { ApiError } from "./hosts/api-answer.ts";
import { apiClient, processEffects, usableToken, withoutToken } from "./hosts/api-client.ts";
import type { CommentHost, PullRequest } from "./hosts/comment-host.ts";
import { commentHosts, type HostName } from "./hosts/comment-hosts.ts";
import { type Behavior, type CommentOrder, type Posted, postComment } from "./hosts/post-comment.ts";
import { type Io, processIo } from "./io.ts";
import { type GivenLimits, resolvedLimits } from "./regression-limits.ts";

export interface CommentOptions {
  readonly baseline?: string;
  readonly maxRegress?: GivenLimits;
  readonly tag: string;
  readonly always?: boolean;
  readonly post?: boolean;
  readonly behavior: Behavior;
  readonly repo?: string;
  readonly pull?: number;
  readonly ifAllowed?: boolean;
  readonly dryRun?: boolean;
}

/** Renders the comment; prints it, or posts it. */
export async function comment(hostName: HostName, files: readonly string[], options: CommentOptions): Promise<void> {
  const io = processIo(false);
  if (options.post !== true) refusePostOptions(options);
  if (options.maxRegress !== undefined && options.baseline === undefined)
    throw new UsageError("--max-regress limits what --baseline compares: give both");
  const host = commentHosts[hostName];
  const { text, quiet } = await rendered(io, host, files, options);
  if (options.post === true) return post(io, host, { text, quiet }, options);
  if (quiet) io.err("nothing differs from the baseline: there is no comment (--always makes one)\n");
  else io.out(text);
}

/** What only a comment that is posted has. */
function refusePostOptions({ repo, pull, ifAllowed, dryRun }: CommentOptions): void {
  const given = Object.entries({ "--repo": repo, "--pull": pull, "--if-allowed": ifAllowed, "--dry-run": dryRun })
    .filter(([, value]) => value !== undefined)
    .map(([name]) => name);
  if (given.length > 0) throw new UsageError(`comment: ${given.join(", ")} goes with --post`);
}

interface Rendered {
  readonly text: string;
  /** Nothing differs: the text says so, for a comment from before. */
  readonly quiet: boolean;
}

async function rendered(
  io: Io,
  host: CommentHost,
  files: readonly string[],
  { baseline, maxRegress, tag, always }: CommentOptions,
): Promise<Rendered> {
  const form = { tag, host: host.label, bytesMax: host.bytesMax };
  const results: Forecast[] = [];
  for (const file of files) results.push(...readForecasts(await io.readText(file), file).forecasts);
  if (baseline === undefined) return { text: forecastComment(results, form), quiet: false };
  const before = readForecasts(await io.readText(baseline), baseline).forecasts;
  const comparison = compareResults(
    [
      { file: baseline, forecasts: before },
      { file: files.join(", "), forecasts: results },
    ],
    { only: null, limits: maxRegress === undefined ? defaultRegressionLimits : resolvedLimits(maxRegress) },
  );
  if (always !== true && isQuiet(comparison)) return { text: quietComment(form), quiet: true };
  return { text: comparisonComment(comparison, results, form), quiet: false };
}

async function post(io: Io, host: CommentHost, { text, quiet }: Rendered, options: CommentOptions): Promise<void> {
  const pull = await host.place(options, process.env, io);
  const place = `${host.label} ${pull.label}`;
  const token = usableToken(process.env[host.tokenVariable]);
  if (token === null) return skipOr(io, options, place, `there is no ${host.tokenVariable}: it is ${host.tokenHelp}`);
  if (pull.api.startsWith("http:") && !/^http:\/\/(?:127\.0\.0\.1|localhost|\[::1\])(?::|\/|$)/.test(pull.api))
    io.err(`warning: ${pull.api} is no https: the token can be read on its way\n`);
  const order: CommentOrder = {
    marker: markerOf(options.tag),
    body: text,
    quiet,
    behavior: options.behavior,
    dryRun: options.dryRun === true,
  };
  try {
    const posted = await postComment(host, pull, apiClient(pull.api, host.headers(token), processEffects), order);
    io.err(`${place}: ${saidOf(posted, order)}\n`);
  } catch (error) {
    if (!(error instanceof ApiError)) throw error;
    const cause = `${withoutToken(error.message, token)}${hint(host, pull, error.status)}`;
    if (error.status === 403 && !error.passing) return skipOr(io, options, place, cause);
    throw new OutputError(`the comment of ${place}`, cause);
  }
}

/** A comment that may not be made: an error, unless it was said that it need not be. */
function skipOr(io: Io, { ifAllowed }: CommentOptions, place: string, cause: string): void {
  if (ifAllowed !== true) throw new OutputError(`the comment of ${place}`, cause);
  io.err(`${place}: no comment: ${cause}\n`);
}

const commonHints: Readonly<Record<number, string>> = {
  401: "the token is not known there, or has expired",
  413: "the comment is longer than the host takes",
  422: "the host does not take the comment",
};

function hint(host: CommentHost, { fromFork }: PullRequest, status: number | null): string {
  const known = status === null ? undefined : (host.hints[status] ?? commonHints[status]);
  const fork = fromFork === true && status !== null ? [`the ${host.pullWord} comes from a fork`] : [];
  const hints = [...(known === undefined ? [] : [known]), ...fork];
  return hints.length === 0 ? "" : ` (${hints.join("; ")})`;
}

/** What was done, in words. */
function saidOf({ did, url, deleted }: Posted, { dryRun, quiet }: CommentOrder): string {
  const would = dryRun ? "would be " : "";
  const did2: Readonly<Record<Posted["did"], string>> = {
    made: `a comment ${would}made`,
    changed: `the comment ${would}${quiet ? "changed to say that nothing differs any more" : "changed"}`,
    deleted: `the comment ${would}deleted: nothing differs any more`,
    kept: "the comment stays: it says the same",
    nothing: "nothing differs from the baseline: there is no comment to make or change",
  };
  const others = deleted === 0 || did === "deleted" ? "" : `, ${deleted} of earlier runs ${would}deleted`;
  return `${did2[did]}${url === null ? "" : ` (${url})`}${others}`;
}
