import type { HostComment } from "./comment-host.ts";

/** A list of comments that an API gave; entries without id or text are none. */
export function listedComments(
  json: unknown,
  of: (entry: Readonly<Record<string, unknown>>) => Omit<HostComment, "id" | "body">,
): HostComment[] {
  if (!Array.isArray(json)) return [];
  return json.flatMap((entry: unknown): HostComment[] => {
    if (!isRecord(entry)) return [];
    const { id, body } = entry;
    return typeof id === "number" && typeof body === "string" ? [{ id, body, ...of(entry) }] : [];
  });
}

const isRecord = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === "object" && value !== null && !Array.isArray(value);

/** A field below a value; undefined where there is none. */
export const fieldOf = (value: unknown, ...path: readonly string[]): unknown =>
  path.reduce<unknown>((part, key) => (isRecord(part) ? part[key] : undefined), value);

export const textOf = (value: unknown): string => (typeof value === "string" ? value : "");

/** The `rel="next"` of a `Link` header (RFC 8288). */
export function nextLink(url: string, headers: Headers): string | null {
  for (const [, target = "", parameters = ""] of (headers.get("link") ?? "").matchAll(/<([^>]*)>([^<]*)/g))
    if (/;\s*rel="?next"?/i.test(parameters)) return new URL(target, url).href;
  return null;
}

/** The base of an API from a variable: http or https, without the slash at its end. */
export function apiBase(text: string): string | null {
  const url = URL.canParse(text) ? new URL(text) : null;
  if (url === null || !/^https?:$/.test(url.protocol) || url.username !== "" || url.password !== "") return null;
  return `${url.origin}${url.pathname.replace(/\/+$/, "")}`;
}
