import { type ChildProcess, execFileSync, spawn, spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as wait } from "node:timers/promises";
import { type RedisAddress, redisAddress } from "../../../src/plan/execute/queue/redis-address.ts";
import { RedisLink } from "../../../src/plan/execute/queue/redis-link.ts";

/** Whether there is a Redis to test with; without it a line says that tests are skipped. */
export const hasRedis = spawnSync("redis-server", ["--version"]).status === 0;
if (!hasRedis) console.warn("redis-server is not installed: tests of the queue are skipped");

export async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as { port: number };
  await new Promise((resolve) => server.close(resolve));
  return port;
}

/** A Redis of a test's own, on a free port, that keeps what it is told in a folder of its own. */
export class PrivateRedis {
  readonly port: number;
  readonly #folder: string;
  readonly #words: readonly string[];
  #process: ChildProcess | null = null;

  private constructor(port: number, folder: string, words: readonly string[]) {
    this.port = port;
    this.#folder = folder;
    this.#words = words;
  }

  /** @param words of `redis-server`, such as `["--requirepass", "secret"]` */
  static async start(words: readonly string[] = []): Promise<PrivateRedis> {
    const redis = new PrivateRedis(await freePort(), mkdtempSync(join(tmpdir(), "moecast-redis-")), words);
    await redis.start();
    return redis;
  }

  address(user = "", scheme = "redis"): RedisAddress {
    return redisAddress(`${scheme}://${user}127.0.0.1:${this.port}`);
  }

  /** Starts it, again after it was killed: with what it had. */
  async start(): Promise<void> {
    const where = this.#words.includes("--tls-port") ? [] : ["--port", String(this.port)];
    const words = [...where, "--bind", "127.0.0.1", "--dir", this.#folder, "--save", "", ...this.#words];
    const started = spawn("redis-server", words, { stdio: ["ignore", "pipe", "inherit"] });
    this.#process = started;
    let said = "";
    started.stdout.on("data", (part) => {
      said += String(part);
    });
    while (!said.includes("Ready to accept connections")) {
      if (started.exitCode !== null) throw new Error(`redis-server ended:\n${said}`);
      await wait(10);
    }
  }

  /** Holds it still, or lets it go on: its connections stay. */
  hold(still: boolean): void {
    this.#process?.kill(still ? "SIGSTOP" : "SIGCONT");
  }

  /** Ends it at once, whatever it does. */
  async kill(): Promise<void> {
    const started = this.#process;
    this.#process = null;
    if (started === null || started.exitCode !== null) return;
    const ended = new Promise((resolve) => started.once("exit", resolve));
    started.kill("SIGKILL");
    await ended;
  }

  async remove(): Promise<void> {
    await this.kill();
    rmSync(this.#folder, { recursive: true, force: true });
  }

  /** A connection for looking at it. */
  link(): Promise<RedisLink> {
    return RedisLink.open(this.address(), () => {});
  }
}

/** A certificate for 127.0.0.1 that nobody vouches for, and its key. */
export function selfSigned(folder: string): { readonly certificate: string; readonly key: string } {
  const [certificate, key, config] = ["certificate.pem", "key.pem", "openssl.cnf"].map((name) => join(folder, name));
  writeFileSync(config!, "[req]\ndistinguished_name=dn\n[dn]\n");
  const words = ["req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=moecast"];
  const files = ["-config", config!, "-addext", "subjectAltName=IP:127.0.0.1", "-keyout", key!, "-out", certificate!];
  execFileSync("openssl", [...words, ...files], { stdio: "ignore" });
  return { certificate: certificate!, key: key! };
}
