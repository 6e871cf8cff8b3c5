import { readdir, stat } from "node:fs/promises";
import { inputBytesMax } from "./input-limits.ts";
import { readText } from "./read-input.ts";

/** The files of this machine, as scenarios read them. */
export const localFiles = {
  readText: (path: string, bytesMax: number = inputBytesMax.text): Promise<string> => readText(path, bytesMax),
  whatIs: async (path: string): Promise<"file" | "folder" | "nothing"> => {
    const there = await stat(path).catch(() => null);
    return there === null ? "nothing" : there.isDirectory() ? "folder" : "file";
  },
  list: (path: string): Promise<readonly string[]> => readdir(path).catch(() => []),
} as const;
