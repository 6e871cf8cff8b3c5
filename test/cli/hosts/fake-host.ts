import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { afterAll } from "vitest";

/** A request as the server got it. */
export interface Seen {
  readonly method: string;
  readonly path: string;
  readonly headers: IncomingMessage["headers"];
  readonly body: unknown;
}

export interface StoredComment {
  readonly id: number;
  body: string;
  readonly author: string;
  readonly bot: boolean;
}

/** What a server does instead of answering as it should: once, for the next request that it is meant for. */
export type Fault = (request: Seen, response: ServerResponse) => "handled" | "also done" | "not mine";

/** A server that behaves as the API for comments of GitHub or GitLab does. */
export interface FakeHost {
  readonly api: string;
  readonly comments: StoredComment[];
  readonly requests: Seen[];
  /** Faults that wait for their request, the first first. */
  readonly faults: Fault[];
  /** Who the token belongs to; null for that of a workflow, which may not ask. */
  user: string | null;
  perPage: number;
  add(body: string, author?: string, bot?: boolean): StoredComment;
  reset(): void;
}

export const token = "secret-token-4711";

/** The answer of a server that refuses or breaks, for the next request of a method. */
export const answering =
  (method: string, status: number, headers: Readonly<Record<string, string>> = {}, json: unknown = {}): Fault =>
  (request, response) => {
    if (request.method !== method) return "not mine";
    response.writeHead(status, headers).end(JSON.stringify(json));
    return "handled";
  };

/** A connection that breaks; before the request is looked at, or when its work is done. */
export const breaking =
  (method: string, when: "before" | "after"): Fault =>
  (request, response) => {
    if (request.method !== method) return "not mine";
    response.socket?.destroy();
    return when === "before" ? "handled" : "also done";
  };

/** A server that never answers. */
export const silent =
  (method: string): Fault =>
  (request) =>
    request.method === method ? "handled" : "not mine";

export async function fakeHost(kind: "github" | "gitlab"): Promise<FakeHost> {
  const base = kind === "github" ? "" : "/api/v4";
  const list = kind === "github" ? "/repos/acme/app/issues/12/comments" : "/projects/77/merge_requests/12/notes";
  const single = kind === "github" ? "/repos/acme/app/issues/comments" : list;
  const host: FakeHost = {
    api: "",
    comments: [],
    requests: [],
    faults: [],
    user: null,
    perPage: 100,
    add(body, author = "ci[bot]", bot = true) {
      const comment = { id: 1000 + host.comments.length + host.requests.length * 100, body, author, bot };
      host.comments.push(comment);
      return comment;
    },
    reset() {
      for (const kept of [host.comments, host.requests, host.faults]) kept.length = 0;
      Object.assign(host, { user: null, perPage: 100 });
    },
  };
  const shown = ({ id, body, author, bot }: StoredComment) =>
    kind === "github"
      ? { id, body, html_url: `https://github.test/c/${id}`, user: { login: author, type: bot ? "Bot" : "User" } }
      : { id, body, system: false, author: { username: author } };

  /** Status, JSON and headers for a request. */
  function answer({ method, path, headers, body }: Seen): [number, unknown, Record<string, string>] {
    const given = kind === "github" ? headers.authorization === `Bearer ${token}` : headers["private-token"] === token;
    if (!given) return [401, { message: "Bad credentials" }, {}];
    const url = new URL(path, "http://host");
    const place = url.pathname.slice(base.length);
    if (place === "/user")
      return host.user === null
        ? [403, { message: "Resource not accessible by integration" }, {}]
        : [200, kind === "github" ? { login: host.user } : { username: host.user }, {}];
    if (place === list && method === "GET") {
      const page = Number(url.searchParams.get("page") ?? "1");
      const part = host.comments.slice((page - 1) * host.perPage, page * host.perPage);
      const more = host.comments.length > page * host.perPage;
      url.searchParams.set("page", String(page + 1));
      const next = `${host.api.replace(/\/api\/v4$/, "")}${url.pathname}${url.search}`;
      const paging: Record<string, string> =
        kind === "gitlab"
          ? { "X-Next-Page": more ? String(page + 1) : "" }
          : more
            ? { Link: `<${host.api}${url.pathname}?page=1>; rel="first", <${next}>; rel="next"` }
            : {};
      return [200, part.map(shown), paging];
    }
    const text = (body as { body?: unknown } | null)?.body;
    if (place === list && method === "POST") {
      const made = host.add(String(text), host.user ?? "ci[bot]", host.user === null);
      return [201, shown(made), {}];
    }
    const id = place.startsWith(`${single}/`) ? Number(place.slice(single.length + 1)) : Number.NaN;
    const at = host.comments.findIndex((comment) => comment.id === id);
    if (at < 0) return [404, { message: "Not Found" }, {}];
    if (method === (kind === "github" ? "PATCH" : "PUT")) {
      host.comments[at]!.body = String(text);
      return [200, shown(host.comments[at]!), {}];
    }
    if (method !== "DELETE") return [405, { message: "no such method" }, {}];
    host.comments.splice(at, 1);
    return [204, undefined, {}];
  }

  const server = createServer((incoming, response) => {
    const parts: Buffer[] = [];
    incoming.on("data", (part: Buffer) => parts.push(part));
    incoming.on("end", () => {
      const text = Buffer.concat(parts).toString("utf8");
      const { method = "", url = "", headers } = incoming;
      const request: Seen = { method, path: url, headers, body: text === "" ? null : (JSON.parse(text) as unknown) };
      host.requests.push(request);
      for (const [i, fault] of host.faults.entries()) {
        const outcome = fault(request, response);
        if (outcome === "not mine") continue;
        host.faults.splice(i, 1);
        if (outcome === "also done") answer(request);
        return;
      }
      const [status, json, more] = answer(request);
      response.writeHead(status, more).end(json === undefined ? undefined : JSON.stringify(json));
    });
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  afterAll(() => {
    server.closeAllConnections();
    server.close();
  });
  const { port } = server.address() as AddressInfo;
  return Object.assign(host, { api: `http://127.0.0.1:${port}${base}` });
}
