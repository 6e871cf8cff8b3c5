import { beforeEach, describe, expect, test } from "vitest";
import { ApiError } from "../../../src/cli/hosts/api-answer.ts";
import { type ApiEffects, apiClient, processEffects } from "../../../src/cli/hosts/api-client.ts";
import { commentHosts, hostNames } from "../../../src/cli/hosts/comment-hosts.ts";
import { type CommentOrder, postComment } from "../../../src/cli/hosts/post-comment.ts";
import { answering, breaking, type FakeHost, fakeHost, silent, token } from "./fake-host.ts";

const marker = "<!-- moecast:chat -->";
const other = "<!-- moecast:chat-2 -->";
const order = (changes: Partial<CommentOrder> = {}): CommentOrder => ({
  marker,
  body: `${marker}\nnew figures\n`,
  quiet: false,
  behavior: "update",
  dryRun: false,
  ...changes,
});
const quiet = order({ quiet: true, body: `${marker}\nnothing differs any more\n` });

const fakes = Object.fromEntries(
  await Promise.all(hostNames.map(async (name) => [name, await fakeHost(name)] as const)),
) as Record<(typeof hostNames)[number], FakeHost>;

describe.each(hostNames)("%s", (name) => {
  const host = commentHosts[name];
  const fake = fakes[name];
  const sleeps: number[] = [];
  let clock = 0;

  beforeEach(() => {
    fake.reset();
    // GitLab tells its users apart by name alone.
    if (name === "gitlab") fake.user = "ci[bot]";
    sleeps.length = 0;
    clock = 1_750_000_000_000;
  });

  const post = async (what = order(), effects: Partial<ApiEffects> = {}) => {
    const variables = { GITHUB_API_URL: fake.api, CI_API_V4_URL: fake.api, CI_PROJECT_ID: "77" };
    const place = { pull: 12, ...(name === "github" ? { repo: "acme/app" } : {}) };
    const pull = await host.place(place, variables, { readText: () => Promise.reject(new Error("reads no file")) });
    const client = apiClient(pull.api, host.headers(token), {
      ...processEffects,
      now: () => clock,
      sleep: (ms) => {
        sleeps.push(ms);
        clock += ms;
        return Promise.resolve();
      },
      ...effects,
    });
    return postComment(host, pull, client, what);
  };
  const failure = async (what?: CommentOrder, effects?: Partial<ApiEffects>): Promise<ApiError> => {
    const error = await post(what, effects).then(
      () => null,
      (reason: unknown) => reason,
    );
    expect(error).toBeInstanceOf(ApiError);
    return error as ApiError;
  };
  const bodies = () => fake.comments.map(({ body }) => body);
  const changes = () => fake.requests.filter(({ method }) => method !== "GET").map(({ method }) => method);

  test("a comment is made once, changed in place after that, and left alone where it says the same", async () => {
    fake.add("a person's comment", "ann", false);
    expect((await post()).did).toBe("made");
    expect((await post()).did).toBe("kept");
    expect((await post(order({ body: `${marker}\nother figures` }))).did).toBe("changed");
    expect(bodies()).toEqual(["a person's comment", `${marker}\nother figures`]);
    expect(changes()).toEqual(["POST", host.changes]);
  });

  test("it is found on any page", async () => {
    fake.perPage = 3;
    for (let i = 0; i < 10; i++) fake.add(`comment ${i}`, "ann", false);
    const ours = fake.add(`${marker}\nold`);
    for (let i = 0; i < 4; i++) fake.add(`later ${i}`, "ann", false);
    expect((await post()).did).toBe("changed");
    expect(ours.body).toContain("new figures");
    expect(fake.comments).toHaveLength(15);
  });

  test("comments of another tag, quotes of ours and those of other people stay as they are", async () => {
    fake.add(`${other}\nof another job`);
    fake.add(`> ${marker}\n> old\n\nwhy is that?`);
    fake.add(`${marker}\nI am not moecast`, "mallory", name === "gitlab");
    const before = bodies();
    expect((await post()).did).toBe("made");
    expect(bodies().slice(0, 3)).toEqual(before);
    expect((await post(order({ behavior: "delete-and-new" }))).deleted).toBe(1);
    expect(bodies().slice(0, 3)).toEqual(before);
  });

  test("of two with the marker one is changed and the other deleted", async () => {
    fake.add(`${marker}\nfirst`);
    fake.add(`${marker}\nsecond`);
    expect(await post()).toMatchObject({ did: "changed", deleted: 1 });
    expect(bodies()).toEqual([order().body]);
  });

  test("each behaviour does what it says", async () => {
    await post(order({ behavior: "new" }));
    await post(order({ behavior: "new" }));
    expect(fake.comments).toHaveLength(2);
    const between = fake.add("a person's comment", "ann", false);
    expect(await post(order({ behavior: "delete-and-new" }))).toMatchObject({ did: "made", deleted: 2 });
    expect(bodies()).toEqual([between.body, order().body]);
  });

  test("where nothing changed no comment is made, and one from before says so or goes", async () => {
    for (const behavior of ["update", "new", "delete-and-new"] as const)
      expect((await post({ ...quiet, behavior })).did).toBe("nothing");
    expect(changes()).toEqual([]);
    await post();
    expect((await post(quiet)).did).toBe("changed");
    expect(bodies()).toEqual([quiet.body]);
    expect((await post({ ...quiet, behavior: "delete-and-new" })).did).toBe("deleted");
    expect(bodies()).toEqual([]);
  });

  test("a dry run looks and changes nothing", async () => {
    expect((await post(order({ dryRun: true }))).did).toBe("made");
    fake.add(`${marker}\nold`);
    expect((await post(order({ dryRun: true }))).did).toBe("changed");
    expect(await post(order({ dryRun: true, behavior: "delete-and-new" }))).toMatchObject({ deleted: 1 });
    expect(changes()).toEqual([]);
  });

  test("a comment that is deleted meanwhile is made anew", async () => {
    fake.add(`${marker}\nold`);
    fake.faults.push(answering(host.changes, 404, {}, { message: "Not Found" }));
    expect((await post()).did).toBe("made");
  });

  test("failures of the server and of the network are tried again, after growing pauses", async () => {
    fake.faults.push(answering("GET", 500), answering("GET", 502), answering("GET", 503), breaking("GET", "before"));
    expect((await post()).did).toBe("made");
    expect(sleeps).toEqual([1000, 2000, 4000, 8000]);
    expect(fake.comments).toHaveLength(1);
  });

  test("a comment whose answer is lost is not made twice", async () => {
    fake.faults.push(breaking("POST", "after"));
    expect((await post()).did).toBe("made");
    expect(changes()).toEqual(["POST"]);
    fake.comments.length = 0;
    fake.faults.push(breaking("POST", "before"), answering("POST", 502));
    expect((await post()).did).toBe("made");
    expect(fake.comments).toHaveLength(1);
  });

  test("a rate limit is waited for as it says", async () => {
    const reset = String(clock / 1000 + 7);
    fake.faults.push(
      answering("GET", 403, { "X-RateLimit-Remaining": "0", "X-RateLimit-Reset": reset }),
      answering("GET", 429, { "Retry-After": "3" }),
      answering("POST", 403, { "Retry-After": "5" }, { message: "You have exceeded a secondary rate limit" }),
    );
    expect((await post()).did).toBe("made");
    expect(sleeps).toEqual([7000, 3000, 5000]);
    expect(fake.comments).toHaveLength(1);
    fake.faults.push(answering("GET", 429));
    await post();
    expect(sleeps.at(-1)).toBe(60_000);
  });

  test("a limit that ends later than is waited for ends at once, and says when", async () => {
    fake.faults.push(
      answering("GET", 403, { "X-RateLimit-Remaining": "0", "X-RateLimit-Reset": String(clock / 1000 + 3000) }),
    );
    const { message } = await failure();
    expect(message).toBe("HTTP 403; the next try would be 50 min later");
    expect(sleeps).toEqual([]);
  });

  test("what stays broken is given up in the time that all tries have together", async () => {
    for (let i = 0; i < 100; i++) fake.faults.push(answering("GET", 503));
    const began = clock;
    const { message, status } = await failure();
    expect(status).toBe(503);
    expect(message).toMatch(/^HTTP 503 \(\d+ tries\); the next try would be 30 s later$/);
    expect(clock - began).toBeLessThan(180_000);
  });

  test("an answer that does not come is given up, and asked for again", async () => {
    fake.faults.push(silent("GET"));
    expect((await post(order(), { answerMs: 50 })).did).toBe("made");
    for (let i = 0; i < 100; i++) fake.faults.push(silent("GET"));
    expect((await failure(order(), { answerMs: 20, totalMs: 5000 })).message).toMatch(/^no answer: none came in time/);
  });

  test.each([401, 403, 404, 410, 422])("a refusal (%i) is not tried again, and its reason is kept", async (status) => {
    fake.faults.push(answering("POST", status, {}, { message: "for this reason", errors: [{ field: "body" }] }));
    const error = await failure();
    expect([error.status, error.message]).toEqual([status, `HTTP ${status}, for this reason, [{"field":"body"}]`]);
    expect(sleeps).toEqual([]);
    expect(changes()).toEqual(["POST"]);
  });

  test("redirects to the same host are followed, the token goes to no other", async () => {
    const elsewhere = await fakeHost(name);
    const target = fake.requests.length;
    fake.faults.push((request, response) => {
      if (request.method !== "POST") return "not mine";
      response.writeHead(307, { Location: `${request.path}?again` }).end();
      return "handled";
    });
    expect((await post()).did).toBe("made");
    expect(fake.requests.slice(target).filter(({ method }) => method === "POST")).toHaveLength(2);
    fake.reset();
    for (const status of [301, 302, 307, 308]) {
      fake.faults.push((request, response) => {
        response.writeHead(status, { Location: `${elsewhere.api}${request.path}` }).end();
        return "handled";
      });
      expect((await failure()).message).toContain("leads to another host");
    }
    fake.faults.push((request, response) => {
      if (!request.path.includes("per_page")) return "not mine";
      response.writeHead(200, { Link: `<${elsewhere.api}/next>; rel="next"` }).end("[]");
      return "handled";
    });
    expect((await failure()).message).toContain("leads to another host");
    expect(elsewhere.requests).toEqual([]);
  });

  test("a page after the last that leads round in a circle or away is no trap", async () => {
    fake.perPage = 1;
    for (let i = 0; i < 4; i++) fake.add(`comment ${i}`, "ann", false);
    fake.faults.push((request, response) => {
      if (!request.path.includes("page=2")) return "not mine";
      const back = request.path.replace(/&page=\d+/, "");
      response.writeHead(200, { Link: `<${back}>; rel="next"`, "X-Next-Page": "2" }).end("[]");
      return "handled";
    });
    expect((await post()).did).toBe("made");
  });

  test("an answer that is no list, or no JSON, holds no comments", async () => {
    for (const text of ["null", "{}", '[null, 3, {}, {"id": "x"}]', "<html>"]) {
      fake.reset();
      fake.user = "ci[bot]";
      fake.faults.push((request, response) => {
        if (!request.path.includes("per_page")) return "not mine";
        response.writeHead(200).end(text);
        return "handled";
      });
      expect((await post()).did).toBe("made");
    }
  });
});
