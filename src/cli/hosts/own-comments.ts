import { type ApiAnswer, ApiError } from "./api-answer.ts";
import type { ApiClient } from "./api-client.ts";
import type { CommentHost, HostComment, PullRequest } from "./comment-host.ts";

/** A list that goes on for longer is not one of a pull request. */
const pagesMax = 200;

/** All comments of a pull request, page by page. */
export async function allComments(host: CommentHost, pull: PullRequest, client: ApiClient): Promise<HostComment[]> {
  const comments: HostComment[] = [];
  const seen = new Set<string>();
  for (let url: string | null = pull.list; url !== null; ) {
    seen.add(url);
    const answer: ApiAnswer = await client.send<never>({ method: "GET", url });
    comments.push(...host.read(answer.json));
    url = host.nextPage(url, answer.headers);
    if (url !== null && (seen.has(url) || seen.size >= pagesMax)) break;
  }
  return comments;
}

/** Says whether a comment was written by whoever the token belongs to. */
export type IsOwn = (comment: HostComment) => boolean;

/** Asks for the owner of the token. The token of a workflow may not ask: its comments are those of programs. */
export async function ownership(host: CommentHost, pull: PullRequest, client: ApiClient): Promise<IsOwn> {
  try {
    const author = host.author((await client.send<never>({ method: "GET", url: `${pull.api}/user` })).json);
    if (author !== null) return (comment) => comment.author === author;
  } catch (error) {
    const mayNot = error instanceof ApiError && !error.passing && (error.status === 403 || error.status === 404);
    if (!mayNot) throw error;
  }
  return (comment) => comment.byProgram;
}
