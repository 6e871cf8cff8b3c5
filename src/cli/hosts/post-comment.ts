import { type ApiAnswer, ApiError } from "./api-answer.ts";
import type { ApiClient } from "./api-client.ts";
import type { CommentHost, HostComment, PullRequest } from "./comment-host.ts";
import { allComments, type IsOwn, ownership } from "./own-comments.ts";

/** What becomes of the comment of an earlier run. */
export const behaviors = {
  update: "change the comment of the run before, or make one",
  new: "make another comment each time",
  "delete-and-new": "make a comment at the end of the conversation, and delete those of the runs before",
} as const;

export type Behavior = keyof typeof behaviors;

/** A comment to be posted. */
export interface CommentOrder {
  /** Text that it begins with, and none but ours does. */
  readonly marker: string;
  readonly body: string;
  /** Nothing has changed: `body` says so, where there is a comment from before that says otherwise. */
  readonly quiet: boolean;
  readonly behavior: Behavior;
  /** Look only. */
  readonly dryRun: boolean;
}

/** What was done, or would be: in words, with the comment's page where the API says it. */
export interface Posted {
  readonly did: "made" | "changed" | "deleted" | "kept" | "nothing";
  readonly url: string | null;
  /** Comments of earlier runs that were deleted. */
  readonly deleted: number;
}

/** Does what the order asks for, with as few requests as that takes. */
export async function postComment(
  host: CommentHost,
  pull: PullRequest,
  client: ApiClient,
  order: CommentOrder,
): Promise<Posted> {
  const { behavior, quiet, dryRun } = order;
  if (behavior === "new" && quiet) return { did: "nothing", url: null, deleted: 0 };
  const isOwn = await ownership(host, pull, client);
  const ours = await oursAmong(order, isOwn, () => allComments(host, pull, client));
  const writes = dryRun ? nothingWritten : writerFor(host, pull, client);
  const make = () => writes.make(order, ours, isOwn);
  const remove = async (comments: readonly HostComment[]): Promise<number> => {
    for (const { id } of comments) await writes.remove(id);
    return comments.length;
  };
  if (behavior === "new") return { did: "made", url: await make(), deleted: 0 };
  if (behavior === "delete-and-new") {
    // The new one first: should that fail, the one before is still there.
    const url = quiet ? null : await make();
    const deleted = await remove(ours);
    return { did: quiet ? (deleted > 0 ? "deleted" : "nothing") : "made", url, deleted };
  }
  const [first, ...others] = ours;
  if (first === undefined)
    return quiet ? { did: "nothing", url: null, deleted: 0 } : { did: "made", url: await make(), deleted: 0 };
  const same = sameText(first.body, order.body);
  const changed = same || (await writes.change(first.id, order.body));
  // Somebody deleted it meanwhile.
  const url = changed ? first.url : quiet ? null : await make();
  // Two runs that found none at the same time have made one each.
  return { did: same ? "kept" : changed ? "changed" : "made", url, deleted: await remove(others) };
}

/** Comments that begin with the marker and are by whoever posts; nobody else's are touched. */
async function oursAmong(
  { marker }: CommentOrder,
  isOwn: IsOwn,
  comments: () => Promise<readonly HostComment[]>,
): Promise<HostComment[]> {
  return (await comments()).filter((comment) => isOwn(comment) && comment.body.startsWith(marker));
}

/** Servers keep lines as they like, and drop white space at the end. */
const sameText = (a: string, b: string): boolean => normal(a) === normal(b);
const normal = (text: string): string => text.replaceAll("\r\n", "\n").trimEnd();

interface Writer {
  make(order: CommentOrder, known: readonly HostComment[], isOwn: IsOwn): Promise<string | null>;
  /** false where the comment is no longer there. */
  change(id: number, body: string): Promise<boolean>;
  remove(id: number): Promise<void>;
}

const nothingWritten: Writer = {
  make: () => Promise.resolve(null),
  change: () => Promise.resolve(true),
  remove: () => Promise.resolve(),
};

function writerFor(host: CommentHost, pull: PullRequest, client: ApiClient): Writer {
  const unlessGone = async (sent: Promise<unknown>): Promise<boolean> => {
    try {
      await sent;
      return true;
    } catch (error) {
      if (error instanceof ApiError && error.status === 404) return false;
      throw error;
    }
  };
  return {
    async make(order, known, isOwn) {
      const ids = new Set(known.map(({ id }) => id));
      // A connection may break after the comment was taken: then it is there, and not to be made again.
      const arrived = async (): Promise<HostComment | null> => {
        const ours = await oursAmong(order, isOwn, () => allComments(host, pull, client));
        return ours.find(({ id, body }) => !ids.has(id) && sameText(body, order.body)) ?? null;
      };
      const made: ApiAnswer | HostComment = await client.send<HostComment>({
        method: "POST",
        url: pull.comments,
        json: { body: order.body },
        arrived,
      });
      return "json" in made ? (host.read([made.json])[0]?.url ?? null) : made.url;
    },
    change: (id, body) => unlessGone(client.send({ method: host.changes, url: pull.comment(id), json: { body } })),
    remove: async (id) => void (await unlessGone(client.send({ method: "DELETE", url: pull.comment(id) }))),
  };
}
