import type { CommentHost } from "./comment-host.ts";
import { github } from "./github.ts";
import { gitlab } from "./gitlab.ts";

/** Hosts of pull requests, by the word of the command line. */
export const commentHosts = { github, gitlab } as const satisfies Record<string, CommentHost>;

export type HostName = keyof typeof commentHosts;

export const hostNames = Object.keys(commentHosts) as HostName[];
