import { stat } from "node:fs/promises";
import { InputDigests } from "../../job/input-digests.ts";
import type { JobBase } from "../../job/job.ts";
import { jobKey, namingFiles } from "../../job/job-key.ts";
import { keyParts } from "../../job/job-keys.ts";
import type { InputDigest } from "./queue-messages.ts";

/** Digests of one base as the files of this machine give them, and when these files last changed. */
interface Seen {
  readonly digests: InputDigests;
  readonly base: string;
  readonly files: Record<string, string>;
  signature: string;
}

const keptMax = 16;

/** The keys of jobs as the files of this machine give them. Files are read once, and again when they have changed. */
export class WorkerInputs {
  readonly #seen = new Map<string, Seen>();
  /** Called when a file that was read before has changed: what was made of it is stale. */
  readonly #onChange: () => void;
  /** One job after the other looks, so that no file is read twice. */
  #before: Promise<unknown> = Promise.resolve();

  constructor(onChange: () => void) {
    this.#onChange = onChange;
  }

  /** The key of a job over the base with this digest. Throws InvalidInputError where the base is no scenario. */
  keyOf(digest: string, base: JobBase, settings: readonly string[]): Promise<string> {
    const key = this.#before.then(() => this.#keyOf(digest, base, settings));
    this.#before = key.catch(() => {});
    return key;
  }

  async #keyOf(digest: string, base: JobBase, settings: readonly string[]): Promise<string> {
    const seen = await this.#unchanged(digest, base);
    const naming = namingFiles(settings);
    if (naming !== "" && seen.files[naming] === undefined) {
      Object.assign(seen.files, (await keyParts(base, [settings], seen.digests)).files);
      seen.signature = await signatureOf(seen.digests);
    }
    return jobKey(seen, settings);
  }

  /** What jobs over a base read, with the digests that it has here. */
  async of(digest: string): Promise<readonly InputDigest[]> {
    return (await this.#seen.get(digest)?.digests.known()) ?? [];
  }

  async #unchanged(digest: string, base: JobBase): Promise<Seen> {
    const before = this.#seen.get(digest);
    if (before !== undefined && before.signature === (await signatureOf(before.digests))) return before;
    if (before !== undefined) this.#onChange();
    const digests = new InputDigests();
    const { base: digestOfBase, files } = await keyParts(base, [], digests);
    const seen: Seen = { digests, base: digestOfBase, files: { ...files }, signature: await signatureOf(digests) };
    this.#seen.delete(digest);
    this.#seen.set(digest, seen);
    for (const oldest of this.#seen.keys()) {
      if (this.#seen.size <= keptMax) break;
      this.#seen.delete(oldest);
    }
    return seen;
  }
}

/** Differs when a file was written or replaced, or a file of a folder added or removed. */
async function signatureOf(digests: InputDigests): Promise<string> {
  const paths = (await digests.known()).map(([path]) => path);
  const facts = await Promise.all(
    paths.map(async (path) => {
      const there = await stat(path, { bigint: true }).catch(() => null);
      return there === null ? "" : `${there.ino} ${there.size} ${there.mtimeNs}`;
    }),
  );
  return facts.join("\n");
}
