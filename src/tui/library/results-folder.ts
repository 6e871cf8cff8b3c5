import { homedir } from "node:os";
import { join } from "node:path";

/** Where results are kept: XDG_STATE_HOME, else ~/.local/state. */
export const defaultResultsFolder = (environment: Readonly<Record<string, string | undefined>>): string =>
  join(environment["XDG_STATE_HOME"] || join(homedir(), ".local", "state"), "moecast", "results");
