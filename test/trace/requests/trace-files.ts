import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll } from "vitest";
import { InvalidInputError, type Problem } from "../../../src/core/errors.ts";
import type { RequestTable } from "../../../src/trace/request-table.ts";

/** Writes traces to files that live as long as the test file that asks for this, and gives their paths. */
export function traceFiles(): (content: string | Uint8Array) => string {
  const folder = mkdtempSync(join(tmpdir(), "moecast-requests-"));
  afterAll(() => rmSync(folder, { recursive: true, force: true }));
  let files = 0;
  return (content) => {
    files += 1;
    const path = join(folder, `trace-${files}`);
    writeFileSync(path, content);
    return path;
  };
}

/** JSON lines of these objects. */
export const jsonLines = (rows: readonly object[]): string => rows.map((row) => `${JSON.stringify(row)}\n`).join("");

/** What a table says of how it was read: notes, then what was assumed. */
export const saidOf = ({ origin }: RequestTable): string[] => [
  ...origin.notes,
  ...(origin.assumptions ?? []).map(({ detail }) => detail),
];

/** The problems with which loading is refused. */
export async function problemsOf(loading: Promise<unknown>): Promise<readonly Problem[]> {
  const outcome = await loading.then(
    () => null,
    (error: unknown) => error,
  );
  if (outcome instanceof InvalidInputError) return outcome.problems;
  throw outcome ?? new Error("loading was not refused");
}

/** A Mooncake trace of n requests, 100 ms apart; the prompt length tells a request apart from the others. */
export const numberedTrace = (n: number): string =>
  jsonLines(Array.from({ length: n }, (_, i) => ({ timestamp: i * 100, input_length: i + 1, output_length: 7 })));
