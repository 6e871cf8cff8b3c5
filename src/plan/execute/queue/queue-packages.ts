import { InvalidInputError } from "../../../core/errors.ts";

/** What a queue is made of: BullMQ, and the client that it talks to Redis with. */
export interface QueuePackages {
  readonly bullmq: typeof import("bullmq");
  readonly Redis: typeof import("ioredis").Redis;
}

/** Loads the packages, which the one who wants a queue installs. Throws InvalidInputError without them. */
export async function queuePackages(): Promise<QueuePackages> {
  try {
    const [bullmq, { Redis }] = await Promise.all([import("bullmq"), import("ioredis")]);
    return { bullmq, Redis };
  } catch {
    throw new InvalidInputError([
      { at: "a queue on Redis", expected: "BullMQ and ioredis", found: "none", hint: "npm install bullmq ioredis" },
    ]);
  }
}
