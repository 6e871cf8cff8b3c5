import { setTimeout as wait } from "node:timers/promises";
import type { Redis as RedisClient, RedisOptions } from "ioredis";
import { InvalidInputError } from "../../../core/errors.ts";
import { oneLine } from "../../../core/printable.ts";
import { unlessAborted } from "../../../files/cooperative.ts";
import { queuePackages } from "./queue-packages.ts";
import type { RedisAddress } from "./redis-address.ts";

/** How long a Redis may be away. */
export interface Patience {
  /** At the start. */
  readonly startMs: number;
  /** Afterwards: a restart, a failover. */
  readonly goneMs: number;
  /** With a connection, until it answers: one that says nothing for so long is taken for gone. Blocking commands wait for 10 s. */
  readonly silentMs: number;
}

export const patience: Patience = { startMs: 3000, goneMs: 60_000, silentMs: 20_000 };

/** Says something to the person who waits, in a line. */
export type Notice = (text: string) => void;

const retryMs = 200;
const reconnectMaxMs = 1000;
/** The oldest server that BullMQ recommends. */
const oldestServer = [6, 2];

/** Refusals that time does not heal: a wrong password, a missing right, a certificate that nobody vouches for. */
const lasting =
  /^(?:WRONGPASS|NOAUTH|NOPERM|ERR .*(?:AUTH|password|DB index))|certificate|CERT_|self[- ]signed|wrong version number|SSL routines/i;
/** Refusals of a server that is starting, or that is about to be followed by another. */
const passing = /^(?:LOADING|MASTERDOWN|READONLY|TRYAGAIN|CLUSTERDOWN|BUSY)/;

/** A connection to Redis that is made again whenever it ends, for a bounded time. */
export class RedisLink {
  /** What commands go over; BullMQ shares it. */
  readonly client: RedisClient;
  readonly #address: RedisAddress;
  readonly #patience: Patience;
  readonly #notice: Notice;
  readonly #lost = new AbortController();
  #cause = "it does not answer";
  #gone: NodeJS.Timeout | null = null;
  #closed = false;

  private constructor(client: RedisClient, address: RedisAddress, limits: Patience, notice: Notice) {
    this.client = client;
    this.#address = address;
    this.#patience = limits;
    this.#notice = notice;
    client.on("error", (error: Error) => {
      this.#cause = error.message;
    });
  }

  /** Connects. Throws InvalidInputError for a Redis that does not answer, does not let us in, or is too old. */
  static async open(address: RedisAddress, notice: Notice, limits: Patience = patience): Promise<RedisLink> {
    const { Redis } = await queuePackages();
    const link = new RedisLink(new Redis(optionsFor(address, limits)), address, limits, notice);
    try {
      await link.#connect();
      await link.#examine();
    } catch (error) {
      link.close();
      throw error;
    }
    link.client.on("close", () => link.#onClose());
    link.client.on("ready", () => link.#onReady());
    return link;
  }

  /** Aborted once the Redis has been away for too long; the reason is an InvalidInputError. */
  get lost(): AbortSignal {
    return this.#lost.signal;
  }

  /**
   * What `ask` says, asked again where the connection ended meanwhile: asking twice must do what asking once does. Throws the
   * reason of `lost` or of `signal`, and InvalidInputError for what Redis refuses.
   */
  async ask<T>(ask: () => Promise<T>, signal?: AbortSignal): Promise<T> {
    const ends = signal === undefined ? this.lost : AbortSignal.any([this.lost, signal]);
    for (;;) {
      try {
        return await unlessAborted(ask(), ends);
      } catch (error) {
        ends.throwIfAborted();
        const refusal = refusalOf(error);
        if (refusal !== null && !passing.test(refusal)) throw this.#problem("a Redis that takes its commands", refusal);
      }
      await wait(retryMs, undefined, { signal: ends }).catch(() => {});
      ends.throwIfAborted();
    }
  }

  close(): void {
    this.#closed = true;
    if (this.#gone !== null) clearTimeout(this.#gone);
    this.client.disconnect();
  }

  async #connect(): Promise<void> {
    const { startMs } = this.#patience;
    const until = AbortSignal.timeout(startMs);
    void this.client.connect().catch(() => {});
    while (this.client.status !== "ready") {
      if (lasting.test(this.#cause))
        throw this.#problem("a Redis that lets moecast in", this.#cause, certificateHint(this.#cause));
      if (until.aborted) throw this.#problem("a Redis that answers", this.#cause);
      await wait(20);
    }
  }

  async #examine(): Promise<void> {
    const facts = await this.ask(() => this.client.info());
    const fact = (name: string): string => new RegExp(`^${name}:(.*?)\\s*$`, "m").exec(facts)?.[1] ?? "";
    const [major = 0, minor = 0] = fact("redis_version").split(".").map(Number);
    if (major < oldestServer[0]! || (major === oldestServer[0] && minor < oldestServer[1]!))
      throw this.#problem(`Redis ${oldestServer.join(".")} or newer`, fact("redis_version"));
    const policy = fact("maxmemory_policy");
    if (policy !== "" && policy !== "noeviction")
      this.#notice(
        `${this.#address.shown} drops what is queued when its memory is full (maxmemory-policy ${policy}): set noeviction`,
      );
  }

  #onClose(): void {
    if (this.#closed || this.#gone !== null) return;
    const { goneMs } = this.#patience;
    this.#notice(`${this.#address.shown} is away: waiting for it, at most ${Math.round(goneMs / 1000)} s`);
    this.#gone = setTimeout(() => {
      this.#lost.abort(
        this.#problem("a Redis that answers", this.#cause, "what has a result is kept: the same command goes on"),
      );
    }, goneMs);
  }

  #onReady(): void {
    if (this.#gone === null) return;
    clearTimeout(this.#gone);
    this.#gone = null;
    this.#notice(`${this.#address.shown} is back`);
  }

  #problem(expected: string, found: string, hint?: string): InvalidInputError {
    const { password, shown } = this.#address;
    const said = oneLine(found === "" ? "no answer" : found);
    const masked = password === undefined ? said : said.replaceAll(password, "***");
    return new InvalidInputError([{ file: shown, expected, found: masked, ...(hint === undefined ? {} : { hint }) }]);
  }
}

const optionsFor = (
  { host, port, username, password, database, tls }: RedisAddress,
  { silentMs }: Patience,
): RedisOptions => ({
  host,
  port,
  ...(username === undefined ? {} : { username }),
  ...(password === undefined ? {} : { password }),
  db: database,
  ...(tls ? { tls: {} } : {}),
  lazyConnect: true,
  // Commands wait for the connection to come back; RedisLink says for how long.
  maxRetriesPerRequest: null,
  retryStrategy: (times) => Math.min(50 * times, reconnectMaxMs),
  socketTimeout: silentMs,
});

/** What Redis itself said; null where the connection ended. */
function refusalOf(error: unknown): string | null {
  if (!(error instanceof Error)) return String(error);
  // Scripts of BullMQ that Redis refuses come as plain errors with the code in front.
  return error.name === "ReplyError" || /^[A-Z]{3,}\b/.test(error.message) ? error.message : null;
}

const certificateHint = (cause: string): string | undefined =>
  /cert|self[- ]signed/i.test(cause) ? "NODE_EXTRA_CA_CERTS names a file of certificates to trust" : undefined;
