/** What a server said. */
export interface ApiAnswer {
  readonly status: number;
  readonly headers: Headers;
  /** Its JSON; undefined where the body is empty or no JSON. */
  readonly json: unknown;
}

/** Bytes of an answer: a hundred comments of the longest kind fit. */
const bytesMax = 256 * 2 ** 20;

/** Reads an answer, up to a limit. */
export async function readAnswer(response: Response): Promise<ApiAnswer> {
  const parts: Uint8Array[] = [];
  let bytes = 0;
  // A stream of a response gives pieces of bytes, whatever its type says.
  for await (const part of (response.body ?? []) as AsyncIterable<Uint8Array>) {
    bytes += part.length;
    if (bytes > bytesMax) throw ApiError.unreachable("the answer is longer than 256 MiB");
    parts.push(part);
  }
  return { status: response.status, headers: response.headers, json: parsed(Buffer.concat(parts).toString("utf8")) };
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** A request that failed: refused by the server, or without an answer. */
export class ApiError extends Error {
  override readonly name = "ApiError";
  /** null where no answer came. */
  readonly answer: ApiAnswer | null;
  /** Whether the request may have taken effect all the same. */
  readonly mayHaveArrived: boolean;
  /** Whether another try, for which there was no time, might have succeeded. */
  readonly passing: boolean;

  private constructor(message: string, answer: ApiAnswer | null, mayHaveArrived: boolean, passing = false) {
    super(message);
    this.answer = answer;
    this.mayHaveArrived = mayHaveArrived;
    this.passing = passing;
  }

  static of(answer: ApiAnswer): ApiError {
    const said = saidIn(answer.json);
    return new ApiError(`HTTP ${answer.status}${said === "" ? "" : `, ${said}`}`, answer, answer.status >= 500);
  }

  static unreachable(cause: string): ApiError {
    return new ApiError(`no answer: ${cause}`, null, true);
  }

  /** The token was not sent there. */
  static elsewhere(url: string, origin: string): ApiError {
    const from = new URL(url).origin;
    return new ApiError(`${origin} leads to another host, ${from}, which gets no token`, elsewhereAnswer, false);
  }

  /** The same after tries for which there is no more time. */
  givenUp(tries: number, later: string): ApiError {
    const times = tries === 1 ? "" : ` (${tries} tries)`;
    return new ApiError(
      `${this.message}${times}; the next try would be ${later}`,
      this.answer,
      this.mayHaveArrived,
      true,
    );
  }

  get status(): number | null {
    return this.answer?.status ?? null;
  }
}

const elsewhereAnswer: ApiAnswer = { status: 302, headers: new Headers(), json: undefined };

/** The message in a JSON answer: of GitHub `message` and `errors`, of GitLab `message` or `error`. */
function saidIn(json: unknown): string {
  if (typeof json !== "object" || json === null) return "";
  const { message, error, errors } = json as Readonly<Record<string, unknown>>;
  return [message, error, errors]
    .filter((part) => part !== undefined && part !== null)
    .map((part) => (typeof part === "string" ? part : JSON.stringify(part)))
    .join(", ");
}

/** What went wrong below `fetch`, whose own message says only that it failed. */
export function messageOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  if (error.name === "TimeoutError") return "none came in time";
  return error.cause instanceof Error ? error.cause.message || String(error.cause) : error.message;
}
