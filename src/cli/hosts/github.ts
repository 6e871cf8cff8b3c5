import { UsageError } from "../../core/errors.ts";
import { parseJson } from "../../core/json.ts";
import type { CommentHost, PlaceOptions, Variables } from "./comment-host.ts";
import { apiBase, fieldOf, listedComments, nextLink, textOf } from "./listed-comments.ts";

/** GitHub and GitHub Enterprise: comments of a pull request are those of its issue. */
export const github: CommentHost = {
  label: "GitHub",
  pullWord: "pull request",
  // "Body is too long (maximum is 65536 characters)"; bytes are never fewer than characters.
  bytesMax: 65_536,
  tokenVariable: "GITHUB_TOKEN",
  tokenHelp: "a token that may write pull requests (`pull-requests: write` of a workflow)",
  placeHelp: "the variables of GitHub Actions: GITHUB_REPOSITORY, GITHUB_EVENT_PATH, GITHUB_API_URL",
  async place(options, variables, io) {
    const repo = options.repo ?? variables["GITHUB_REPOSITORY"] ?? "";
    if (!/^[\w.-]+\/[\w.-]+$/.test(repo) || repo.split("/").some((part) => /^\.+$/.test(part)))
      throw new UsageError(`comment github: expected --repo owner/name or GITHUB_REPOSITORY, found "${repo}"`);
    const api = apiBase(variables["GITHUB_API_URL"] ?? "https://api.github.com");
    if (api === null) throw new UsageError("comment github: GITHUB_API_URL is no address of an API (https://...)");
    const event = await eventOf(variables, io);
    const pull = options.pull ?? numberOf(event, variables);
    if (pull === null)
      throw new UsageError(
        "comment github: no pull request: give --pull NUMBER, or run it for the event pull_request of GitHub Actions",
      );
    const repository = `${api}/repos/${repo}`;
    return {
      label: `${repo}#${pull}`,
      api,
      comments: `${repository}/issues/${pull}/comments`,
      list: `${repository}/issues/${pull}/comments?per_page=100`,
      comment: (id) => `${repository}/issues/comments/${id}`,
      fromFork: isFork(event, options, repo),
    };
  },
  headers: (token) => ({
    Authorization: `Bearer ${token}`,
    Accept: "application/vnd.github+json",
    "X-GitHub-Api-Version": "2022-11-28",
  }),
  changes: "PATCH",
  read: (json) =>
    listedComments(json, (entry) => ({
      url: textOf(entry["html_url"]) || null,
      author: textOf(fieldOf(entry, "user", "login")),
      byProgram: fieldOf(entry, "user", "type") === "Bot",
    })),
  nextPage: nextLink,
  author: (json) => textOf(fieldOf(json, "login")) || null,
  hints: {
    403: "the workflow needs `permissions: pull-requests: write`; workflows of forks never have it",
    404: "check --repo and --pull; a token that may not read the repository sees none",
    410: "the conversation or its comments are gone",
  },
};

/** The event that a workflow runs for; null outside of one. */
async function eventOf(variables: Variables, io: Parameters<CommentHost["place"]>[2]): Promise<unknown> {
  const file = variables["GITHUB_EVENT_PATH"] ?? "";
  return file === "" ? null : parseJson(await io.readText(file), file);
}

/** Events of a pull request name it; those of a comment on one name it as an issue. */
function numberOf(event: unknown, variables: Variables): number | null {
  const issue = fieldOf(event, "issue", "pull_request") === undefined ? undefined : fieldOf(event, "issue", "number");
  const ref = /^refs\/pull\/(\d+)\//.exec(variables["GITHUB_REF"] ?? "")?.[1];
  const named = [fieldOf(event, "pull_request", "number"), issue, ref === undefined ? undefined : Number(ref)];
  return named.find((value): value is number => Number.isSafeInteger(value) && Number(value) > 0) ?? null;
}

function isFork(event: unknown, options: PlaceOptions, repo: string): boolean | null {
  const number = fieldOf(event, "pull_request", "number");
  if (number === undefined || (options.pull !== undefined && options.pull !== number)) return null;
  const head = fieldOf(event, "pull_request", "head", "repo", "full_name");
  return head !== repo;
}
