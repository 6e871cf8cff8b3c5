import { setTimeout as wait } from "node:timers/promises";
import { oneLine } from "../../core/printable.ts";
import { version } from "../../core/version.ts";
import { type ApiAnswer, ApiError, messageOf, readAnswer } from "./api-answer.ts";
import { laterMs, pauseMs } from "./api-pauses.ts";

/** Clock and network of a client: those of the process unless a test has its own. */
export interface ApiEffects {
  readonly fetch: typeof fetch;
  readonly now: () => number;
  readonly sleep: (ms: number) => Promise<unknown>;
  /** Longest that one answer may take, and all requests with their pauses together, in ms. */
  readonly answerMs: number;
  readonly totalMs: number;
}

export const processEffects: ApiEffects = {
  fetch: (url, init) => fetch(url, init),
  now: () => Date.now(),
  sleep: (ms) => wait(ms),
  answerMs: 20_000,
  totalMs: 180_000,
};

/** One call of an API: the place below its base, and what is sent as JSON. */
export interface ApiRequest<Result> {
  readonly method: "GET" | "POST" | "PATCH" | "PUT" | "DELETE";
  readonly url: string;
  readonly json?: unknown;
  /**
   * For requests that must not be done twice: asked before one is repeated whose first try may have arrived. What it
   * returns is taken as the answer; null repeats the request.
   */
  readonly arrived?: () => Promise<Result | null>;
}

/** Sends requests to one API: repeats what may pass by itself, and follows redirects to the same host alone. */
export interface ApiClient {
  /** The answer with a status below 300, or what `arrived` found. Throws {@link ApiError}. */
  send<Result>(request: ApiRequest<Result>): Promise<ApiAnswer | Result>;
}

const redirectsMax = 3;

/** A client whose headers hold the token: they go to the origin of `base`, and nowhere else. */
export function apiClient(base: string, headers: Readonly<Record<string, string>>, effects: ApiEffects): ApiClient {
  const { origin } = new URL(base);
  const endMs = effects.now() + effects.totalMs;

  /** One try, redirects included. */
  async function once(request: ApiRequest<unknown>): Promise<ApiAnswer> {
    let { url } = request;
    for (let redirects = 0; ; redirects++) {
      if (new URL(url).origin !== origin) throw ApiError.elsewhere(url, origin);
      const left = endMs - effects.now();
      const response = await effects.fetch(url, {
        method: request.method,
        redirect: "manual",
        signal: AbortSignal.timeout(Math.max(1, Math.min(effects.answerMs, left))),
        headers: {
          "User-Agent": `moecast/${version}`,
          ...headers,
          ...(request.json === undefined ? {} : { "Content-Type": "application/json" }),
        },
        ...(request.json === undefined ? {} : { body: JSON.stringify(request.json) }),
      });
      const answer = await readAnswer(response);
      const target = answer.headers.get("location");
      if (answer.status < 300 || answer.status >= 400 || target === null) return answer;
      // A redirect of the other kinds turns a change into a look: GitHub answers changes with 307.
      const kept = answer.status === 307 || answer.status === 308 || request.method === "GET";
      if (!kept || redirects === redirectsMax) throw ApiError.of(answer);
      url = new URL(target, url).href;
    }
  }

  async function send<Result>(request: ApiRequest<Result>): Promise<ApiAnswer | Result> {
    for (let tries = 1; ; tries++) {
      let failure: ApiError;
      try {
        const answer = await once(request);
        if (answer.status < 300) return answer;
        failure = ApiError.of(answer);
      } catch (error) {
        failure = error instanceof ApiError ? error : ApiError.unreachable(messageOf(error));
      }
      const pause = pauseMs(failure, tries, effects.now());
      if (pause === null) throw failure;
      if (effects.now() + pause >= endMs) throw failure.givenUp(tries, laterMs(pause));
      await effects.sleep(pause);
      const found = failure.mayHaveArrived && request.arrived !== undefined ? await request.arrived() : null;
      if (found !== null) return found;
    }
  }
  return { send };
}

/** A token as a header can hold it; null where there is none, or nothing that could be one. */
export function usableToken(text: string | undefined): string | null {
  const token = text?.trim() ?? "";
  return /^[\x21-\x7e]+$/.test(token) ? token : null;
}

/** Text of a server without the token, should it repeat it, in one short line. */
export const withoutToken = (text: string, token: string): string =>
  oneLine(text.replaceAll(token, "***")).slice(0, 400);
