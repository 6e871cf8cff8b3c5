import { randomUUID } from "node:crypto";
import { hostname } from "node:os";
import { sharedKey, type Versions } from "./queue-names.ts";
import type { RedisLink } from "./redis-link.ts";

/** Who takes part in a queue: a sweep that waits for outcomes, or a worker. */
export interface QueuePeer {
  readonly role: "sweep" | "worker";
  readonly versions: Versions;
  readonly host: string;
}

const announceMs = 5000;
/** Who has not been heard of for so long is gone. */
const forgottenMs = 20_000;

/** Who is at a queue, of all versions: each says so every few seconds, by the clock of Redis. */
export class QueuePeers {
  readonly #link: RedisLink;
  readonly #key: string;
  readonly #id = randomUUID();
  readonly #own: QueuePeer;
  #timer: NodeJS.Timeout | null = null;

  constructor(link: RedisLink, queue: string, role: QueuePeer["role"], versions: Versions) {
    this.#link = link;
    this.#key = sharedKey(queue, "peers");
    this.#own = { role, versions, host: hostname() };
  }

  /** Is there from now on, until it leaves. */
  async join(): Promise<void> {
    await this.#announce();
    this.#timer = setInterval(() => void this.#announce().catch(() => {}), announceMs);
    this.#timer.unref();
  }

  /** Who else is there. */
  async others(): Promise<QueuePeer[]> {
    const { client } = this.#link;
    const [said, now] = await this.#link.ask(() => Promise.all([client.hgetall(this.#key), this.#nowMs()]));
    const others: QueuePeer[] = [];
    for (const [id, text] of Object.entries(said)) {
      const heard = parsed(text);
      if (id === this.#id || heard === null) continue;
      if (now - heard.seenMs <= forgottenMs) others.push(heard.peer);
      else await this.#link.ask(() => client.hdel(this.#key, id));
    }
    return others;
  }

  async leave(): Promise<void> {
    if (this.#timer === null) return;
    clearInterval(this.#timer);
    this.#timer = null;
    await this.#link.client.hdel(this.#key, this.#id);
  }

  async #announce(): Promise<void> {
    await this.#link.ask(async () => {
      const seenMs = await this.#nowMs();
      await this.#link.client.hset(this.#key, this.#id, JSON.stringify({ ...this.#own, seenMs }));
    });
  }

  async #nowMs(): Promise<number> {
    const [seconds = 0, micros = 0] = (await this.#link.client.time()).map(Number);
    return seconds * 1000 + Math.floor(micros / 1000);
  }
}

function parsed(text: string): { readonly peer: QueuePeer; readonly seenMs: number } | null {
  try {
    const { role, versions, host, seenMs } = JSON.parse(text) as Partial<QueuePeer> & { seenMs?: unknown };
    const sound =
      (role === "sweep" || role === "worker") &&
      typeof versions?.moecast === "string" &&
      typeof versions.outcomes === "number" &&
      typeof host === "string" &&
      typeof seenMs === "number";
    return sound ? { peer: { role, versions, host }, seenMs } : null;
  } catch {
    return null;
  }
}
