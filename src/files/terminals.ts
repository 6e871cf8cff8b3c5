import { constants } from "node:fs";
import { open, stat } from "node:fs/promises";
import { isatty } from "node:tty";

/** Whether a path leads to a terminal, such as `/dev/stdin` may. */
export async function isTerminal(path: string): Promise<boolean> {
  const facts = await stat(path).catch(() => null);
  if (facts?.isCharacterDevice() !== true) return false;
  const handle = await open(path, constants.O_RDONLY | constants.O_NONBLOCK | constants.O_NOCTTY).catch(() => null);
  const isOne = handle !== null && isatty(handle.fd);
  await handle?.close();
  return isOne;
}
