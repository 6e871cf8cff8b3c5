import { fork } from "node:child_process";
import { extname } from "node:path";
import { fileURLToPath } from "node:url";
import { backendIds, backends } from "./backends.ts";
import type { WorkingBackend } from "./examine.ts";
import { installations } from "./packages.ts";

/** What is known of a backend on this machine. */
export interface Diagnosis {
  readonly id: string;
  readonly title: string;
  /** Where its packages are, null where one is missing. */
  readonly place: string | null;
  /** Null where it does not work. */
  readonly working: WorkingBackend | null;
  /** Why it does not work, and what to do, in one line; null where it does. */
  readonly problem: string | null;
}

const examinationMs = 60_000;

/** Examines every backend, each in a process of its own. */
export async function diagnose(timeLimitMs = examinationMs): Promise<Diagnosis[]> {
  const all: Diagnosis[] = [];
  // One after another: each may use the whole machine.
  for (const id of backendIds) all.push(await diagnoseBackend(id, timeLimitMs));
  return all;
}

/** The same for one of them. */
export async function diagnoseBackend(id: string, timeLimitMs = examinationMs): Promise<Diagnosis> {
  const { title, packages } = backends[id]!;
  const names = Object.keys(packages);
  const place = installations(id).find((one) => names.every((name) => one.version(name) !== null))?.place ?? null;
  const result = await examineApart(id, timeLimitMs);
  return { id, title, place, working: result.working ?? null, problem: result.reason ?? null };
}

interface Examined {
  readonly working?: WorkingBackend;
  readonly reason?: string;
}

function examineApart(id: string, timeLimitMs: number): Promise<Examined> {
  // The child has the form of this file: JavaScript where the program is built, TypeScript where it is developed.
  const extension = extname(import.meta.url);
  const file = fileURLToPath(new URL(`./examine-child${extension}`, import.meta.url));
  return new Promise((resolve) => {
    const child = fork(file, [id], {
      execArgv: extension === ".ts" ? ["--import", "tsx"] : [],
      stdio: ["ignore", "ignore", "ignore", "ipc"],
    });
    const timer = setTimeout(() => {
      end({ reason: `${id}: no answer within ${timeLimitMs / 1000} s` });
      child.kill("SIGKILL");
    }, timeLimitMs);
    const end = (result: Examined) => {
      clearTimeout(timer);
      resolve(result);
    };
    child.once("message", (message) => end(message as Examined));
    child.once("error", (error) => end({ reason: `${id}: ${error.message}` }));
    child.once("exit", (code, signal) =>
      end({ reason: `${id}: its process ended with ${signal === null ? `exit code ${code}` : `signal ${signal}`}` }),
    );
  });
}
