import { UsageError } from "../../../core/errors.ts";

/** Where a Redis or Valkey is, and how to be let in. */
export interface RedisAddress {
  readonly host: string;
  readonly port: number;
  readonly username?: string;
  readonly password?: string;
  readonly database: number;
  /** Whether the connection is encrypted: `rediss:`. */
  readonly tls: boolean;
  /** The address as messages have it, without its password. */
  readonly shown: string;
}

const portDefault = 6379;

/**
 * Reads `redis://user:password@host:port/database`, or `rediss://` for TLS. Throws UsageError, which repeats nothing of the text: it
 * may hold a password.
 */
export function redisAddress(text: string): RedisAddress {
  const expected = "expected a URL such as redis://host:6379 or rediss://user:password@host:6380/0";
  let url: URL;
  try {
    url = new URL(text);
  } catch {
    throw new UsageError(`--redis: ${expected}, found a text that is none`);
  }
  const { protocol, hostname, port, pathname, search, hash } = url;
  if (protocol !== "redis:" && protocol !== "rediss:")
    throw new UsageError(`--redis: ${expected}, found the scheme ${protocol}`);
  if (hostname === "") throw new UsageError(`--redis: ${expected}, found no host`);
  if (search !== "" || hash !== "") throw new UsageError(`--redis: ${expected}, found more behind it`);
  const [, database = ""] = /^\/?(\d{0,5})$/.exec(pathname) ?? [];
  if (database === "" && pathname.length > 1)
    throw new UsageError(`--redis: ${expected}, found a database that is no number`);
  const [username, password] = [decoded(url.username), decoded(url.password)];
  const at = {
    // Brackets of an IPv6 address belong to the URL.
    host: hostname.replace(/^\[(.*)\]$/, "$1"),
    port: port === "" ? portDefault : Number(port),
    database: Number(database),
  };
  const who = password === "" ? username : `${username}:***`;
  return {
    ...at,
    ...(username === "" ? {} : { username }),
    ...(password === "" ? {} : { password }),
    tls: protocol === "rediss:",
    shown: `${protocol}//${who === "" ? "" : `${who}@`}${hostname}:${at.port}${at.database === 0 ? "" : `/${at.database}`}`,
  };
}

function decoded(part: string): string {
  try {
    return decodeURIComponent(part);
  } catch {
    throw new UsageError("--redis: expected %-escapes of UTF-8 in name and password, found others");
  }
}
