import { UsageError } from "../../core/errors.ts";
import type { CommentHost } from "./comment-host.ts";
import { apiBase, fieldOf, listedComments, nextLink, textOf } from "./listed-comments.ts";

/** GitLab: comments are the notes of a merge request. */
export const gitlab: CommentHost = {
  label: "GitLab",
  pullWord: "merge request",
  bytesMax: 1_000_000,
  tokenVariable: "GITLAB_TOKEN",
  tokenHelp: "a project, group or personal access token with the scope api (CI_JOB_TOKEN may not comment)",
  placeHelp: "the variables of GitLab CI: CI_PROJECT_ID, CI_MERGE_REQUEST_IID, CI_API_V4_URL",
  async place(options, variables) {
    const project = options.repo ?? variables["CI_MERGE_REQUEST_PROJECT_ID"] ?? variables["CI_PROJECT_ID"] ?? "";
    if (!/^(?:\d+|[\w.-]+(?:\/[\w.-]+)+)$/.test(project))
      throw new UsageError(`comment gitlab: expected --repo group/project or CI_PROJECT_ID, found "${project}"`);
    const api = apiBase(variables["CI_API_V4_URL"] ?? "https://gitlab.com/api/v4");
    if (api === null) throw new UsageError("comment gitlab: CI_API_V4_URL is no address of an API (https://...)");
    const iid = options.pull ?? Number(variables["CI_MERGE_REQUEST_IID"] ?? "");
    if (!Number.isSafeInteger(iid) || iid < 1)
      throw new UsageError(
        "comment gitlab: no merge request: give --pull NUMBER, or run it in a merge request pipeline of GitLab CI",
      );
    const notes = `${api}/projects/${encodeURIComponent(project)}/merge_requests/${iid}/notes`;
    const source = variables["CI_MERGE_REQUEST_SOURCE_PROJECT_ID"];
    return {
      label: `${/^\d+$/.test(project) ? `project ${project} ` : project}!${iid}`,
      api,
      comments: notes,
      list: `${notes}?per_page=100&sort=asc&order_by=created_at`,
      comment: (id) => `${notes}/${id}`,
      fromFork: source === undefined ? null : source !== project,
    };
  },
  headers: (token) => ({ "PRIVATE-TOKEN": token }),
  changes: "PUT",
  read: (json) =>
    listedComments(json, (entry) => ({
      url: null,
      author: textOf(fieldOf(entry, "author", "username")),
      byProgram: false,
    })),
  nextPage(url, headers) {
    const page = headers.get("x-next-page") ?? "";
    if (!/^\d+$/.test(page)) return nextLink(url, headers);
    const next = new URL(url);
    next.searchParams.set("page", page);
    return next.href;
  },
  author: (json) => textOf(fieldOf(json, "username")) || null,
  hints: {
    403: "the token needs the scope api and the role Reporter or above",
    404: "check --repo and --pull; a token without the role for the project sees none",
  },
};
