import { sha256 } from "../../core/digest.ts";

/** Raised when the meaning of an outcome changes: results of another one are not taken. */
export const outcomeVersion = 1;

/** What the keys of jobs over one base are made of, beside their settings. */
export interface KeyParts {
  /** Of the version of moecast, what the base scenario states (not its layout and comments), and every file that it names. */
  readonly base: string;
  /** Digests by the settings of a job that may name files, as {@link namingFiles} joins them. */
  readonly files: Readonly<Record<string, string>>;
}

/** Digest of everything that the outcome of a job depends on: equal wherever the files lie. */
export function jobKey({ base, files }: KeyParts, settings: readonly string[]): string {
  const naming = namingFiles(settings);
  return sha256([base, naming === "" ? "" : (files[naming] ?? ""), ...settings].join("\0"));
}

/** The settings that may say which files are read: paths are values of keys named `file`, with parameters in them. */
export const namingFiles = (settings: readonly string[]): string =>
  settings.filter((setting) => setting.includes("file") || setting.includes("params")).join("\0");
