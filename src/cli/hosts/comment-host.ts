import type { Io } from "../io.ts";

/** The variables of a pipeline. */
export type Variables = Readonly<Record<string, string | undefined>>;

/** What the command line says of the place. */
export interface PlaceOptions {
  readonly repo?: string;
  readonly pull?: number;
}

/** A pull request whose comments are read and written. */
export interface PullRequest {
  /** Such as `owner/name#12`. */
  readonly label: string;
  /** Base of the API. */
  readonly api: string;
  /** URL of its comments, which takes new ones, and the first page of their list, the oldest first. */
  readonly comments: string;
  readonly list: string;
  /** URL of one of them. */
  readonly comment: (id: number) => string;
  /** Whether it comes from another repository, whose pipelines may not comment; null where that is not known. */
  readonly fromFork: boolean | null;
}

/** A comment as an API lists it. */
export interface HostComment {
  readonly id: number;
  readonly body: string;
  /** Page that shows it, where the API says it. */
  readonly url: string | null;
  /** Whoever wrote it, and whether that is a program. */
  readonly author: string;
  readonly byProgram: boolean;
}

/** Where pull requests have comments. All differences between hosts are here. */
export interface CommentHost {
  /** As people write it. */
  readonly label: string;
  /** What a pull request is called there, and what makes a comment too long. */
  readonly pullWord: string;
  readonly bytesMax: number;
  /** Variable of the token. */
  readonly tokenVariable: string;
  /** What the token needs, and where the place comes from: for help and messages. */
  readonly tokenHelp: string;
  readonly placeHelp: string;
  /** The pull request by options and the variables of the pipeline. Throws UsageError that says what is missing. */
  place(options: PlaceOptions, variables: Variables, io: Pick<Io, "readText">): Promise<PullRequest>;
  headers(token: string): Readonly<Record<string, string>>;
  /** Method that changes a comment. */
  readonly changes: "PATCH" | "PUT";
  /** Comments of an answer that lists them. */
  read(json: unknown): readonly HostComment[];
  /** URL of the next page; null after the last. */
  nextPage(url: string, headers: Headers): string | null;
  /** Whoever the token belongs to, by the API's answer for `/user`; null where it does not say it. */
  author(json: unknown): string | null;
  /** Further hints by status, beside the common ones. */
  readonly hints: Readonly<Record<number, string>>;
}
